/*
 * broker_phase.c - one request kind at a time, each bounded: the table.
 */
#include "master/broker_inner.h"

enum {
	UPSTREAM_LOGINS = 2,   /* a session's own, and one retry */
	UPSTREAM_CONNECTS = 16, /* names have several addresses */
	SESSION_CONNECTS = 10000, /* to cancel */
	UPSTREAM_RESULTS = 2, /* of as many logins */
	SOCKETS = 1000, /* to the sink or log, each time one died */
};

const struct permission broker_permitted[PHASES][BROKER_KINDS] = {
    [PHASE_NEW] = {[BROKER_LISTENER_SIGN] = {broker_sign_listener, 1},
	[BROKER_CLIENT_CERTIFICATE] = {client_certificate, 1},
	[BROKER_CLIENT_PROCESS] = {client_process, 1},
	[BROKER_CLIENT_START] = {client_start, 1},
	[BROKER_CHAIN] = {broker_chain, 1},
	[BROKER_SINK] = {broker_socket, SOCKETS},
	[BROKER_LOG] = {broker_socket, SOCKETS}},
    [PHASE_SCRAM] = {[BROKER_CLIENT_PROOF] = {client_proof, 1},
	[BROKER_CHAIN] = {broker_chain, 1},
	[BROKER_SINK] = {broker_socket, SOCKETS},
	[BROKER_LOG] = {broker_socket, SOCKETS}},
    [PHASE_SECRET] = {[BROKER_CLIENT_SECRET] = {client_secret, 1},
	[BROKER_CHAIN] = {broker_chain, 1},
	[BROKER_SINK] = {broker_socket, SOCKETS},
	[BROKER_LOG] = {broker_socket, SOCKETS}},
    [PHASE_PROVED] =
	{[BROKER_UPSTREAM_CONNECT] = {broker_connect, UPSTREAM_CONNECTS},
	    [BROKER_UPSTREAM_SCRAM] = {broker_scram, UPSTREAM_LOGINS},
	    [BROKER_UPSTREAM_MD5] = {broker_md5, UPSTREAM_LOGINS},
	    [BROKER_UPSTREAM_SIGN] = {broker_sign_upstream, UPSTREAM_LOGINS},
	    [BROKER_UPSTREAM_RESULT] = {broker_result, UPSTREAM_RESULTS},
	    [BROKER_SESSION] = {broker_session, 1},
	    [BROKER_CHAIN] = {broker_chain, 1},
	    [BROKER_SINK] = {broker_socket, SOCKETS},
	    [BROKER_LOG] = {broker_socket, SOCKETS}},
    [PHASE_SESSION] =
	{[BROKER_UPSTREAM_CONNECT] = {broker_connect, SESSION_CONNECTS},
	    [BROKER_CHAIN] = {broker_chain, 1},
	    [BROKER_SINK] = {broker_socket, SOCKETS},
	    [BROKER_LOG] = {broker_socket, SOCKETS}},
    [PHASE_OVER] = {[BROKER_CHAIN] = {broker_chain, 1},
	[BROKER_SINK] = {broker_socket, SOCKETS},
	[BROKER_LOG] = {broker_socket, SOCKETS}},
    [PHASE_CATALOG] = {[BROKER_UPSTREAM_CONNECT] = {broker_connect, 0},
	[BROKER_UPSTREAM_SCRAM] = {broker_scram, 0},
	[BROKER_UPSTREAM_MD5] = {broker_md5, 0},
	[BROKER_UPSTREAM_SIGN] = {broker_sign_upstream, 0},
	[BROKER_UPSTREAM_RESULT] = {broker_result, 0},
	[BROKER_SINK] = {broker_socket, 0},
	[BROKER_LOG] = {broker_socket, 0}},
    [PHASE_REFUSER] = {[BROKER_LISTENER_SIGN] = {broker_sign_listener, 0},
	[BROKER_SINK] = {broker_socket, 0},
	[BROKER_LOG] = {broker_socket, 0}},
    [PHASE_COMMAND] = {[BROKER_CHAIN] = {broker_chain, 1}},
};

const outcome_fn broker_outcomes[BROKER_KINDS] = {
    [BROKER_CLIENT_CERTIFICATE] = certificate_came,
    [BROKER_CLIENT_PROCESS] = process_came,
    [BROKER_CLIENT_SECRET] = secret_came,
    [BROKER_UPSTREAM_CONNECT] = broker_socket_came,
    [BROKER_SINK] = broker_socket_came,
    [BROKER_LOG] = broker_socket_came,
};
