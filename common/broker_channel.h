/*
 * broker_channel.h - what a worker or catalogue may ask the broker.
 *
 * One message a request, one a reply, in turn.  Either may have more bytes
 * behind it and a descriptor beside it (parcel.h).  The broker permits one
 * bounded kind in each phase of a channel (the table is in
 * master/broker_phase.c):
 *
 *   LISTENER_SIGN   what a TLS server signs in its handshake → signature
 *   CLIENT_CERTIFICATE  a handshake in which the client has proved to hold
 *                   the key of a certificate (struct handshake) → yes
 *   CLIENT_PROCESS  descriptor: the client's Unix socket → yes
 *   CLIENT_START    login name; descriptor: the client's socket, which says
 *                   where it came from and to which listener (that of
 *                   LISTENER_SIGN) → how it is to
 *                   be proved; for SCRAM the server's nonce, salt and
 *                   iterations (the same salt each time, made up, for names
 *                   that do not exist)
 *   CLIENT_PROOF    the client's own messages, ClientProof → identity and
 *                   ServerSignature
 *   CLIENT_SECRET   a token or password → identity
 *   UPSTREAM_CONNECT  upstream (the one of the client's listener), which of
 *                   its addresses → descriptor of a
 *                   connection in the making, index of the login to use
 *   UPSTREAM_SCRAM  password-less challenge → ClientProof and the
 *                   ServerSignature to expect
 *   UPSTREAM_MD5    4-byte salt → "md5…" response
 *   UPSTREAM_SIGN   what a TLS client signs in its handshake → signature
 *   UPSTREAM_RESULT how the login on the connection it was given has failed,
 *                   in words; a catalogue's: none, it has succeeded. It is
 *                   told for `sallyport status`, and not answered unless
 *                   refused
 *   SESSION         the login is over: from here on only CONNECT (to cancel),
 *                   SINK and LOG; it is told, and not answered unless refused
 *   SINK, LOG       → descriptor of a socket to the audit sink, the log
 *   CHAIN           session → first key of its audit chain
 *
 * Where a proof ends in an identity, the reply's parcel is a struct
 * broker_identity.  A channel belongs to one client: what it has proved
 * decides whose logins upstream it may use, and no other's.  The catalogue's
 * channel permits the UPSTREAM kinds for its own upstream, that of the worker
 * that refuses politely LISTENER_SIGN, both SINK and LOG, without end.
 * Anything else is refused, logged and recorded.
 */
#ifndef SALLYPORT_BROKER_CHANNEL_H
#define SALLYPORT_BROKER_CHANNEL_H

#include "common/ipc.h"
#include "common/parcel.h"

enum {
	BROKER_NAME_MAX = 132, /* alice+copilot */
	BROKER_AUTH_MESSAGE_MAX = 1024,
	BROKER_FIRST_MAX = 512, /* the client's or server's first message */
	BROKER_SALT_MAX = 64,
	BROKER_KEY_LEN = 32,
	BROKER_SIGNATURE_MAX = 512, /* of an RSA key of 4096 bits */
	BROKER_PARCEL_MAX = 64 * 1024,
	BROKER_SECRET_MAX = 16 * 1024, /* a token */
};

/* Reasons that a worker tells its client otherwise than a wrong password. What
 * follows the first one in a reply is for the record only. */
#define BROKER_IN_CLEAR "a secret would cross the network in clear"
#define BROKER_SUPERSEDED "the configuration has just been reloaded"

enum broker_kind {
	BROKER_CLIENT_START = 1,
	BROKER_CLIENT_PROOF,
	BROKER_CLIENT_SECRET,
	BROKER_CLIENT_CERTIFICATE,
	BROKER_CLIENT_PROCESS,
	BROKER_UPSTREAM_CONNECT,
	BROKER_UPSTREAM_SCRAM,
	BROKER_UPSTREAM_MD5,
	BROKER_LISTENER_SIGN,
	BROKER_UPSTREAM_SIGN,
	BROKER_SESSION,
	BROKER_SINK,
	BROKER_LOG,
	BROKER_CHAIN,
	BROKER_UPSTREAM_RESULT,
	BROKER_KINDS
};

/* How a login is to be proved (CLIENT_START). */
enum broker_method {
	METHOD_SCRAM = 1, /* the conversation goes on with CLIENT_PROOF */
	METHOD_SECRET,	  /* with CLIENT_SECRET */
	METHOD_PROVED,	  /* nothing more: the identity is in the parcel */
};

struct broker_request {
	/* which question of this channel it is, chosen by broker_exchange();
	 * the reply has it, too, so that one that comes when nobody waits for
	 * it any more is not taken for the answer to the next */
	uint64_t serial;
	uint32_t kind;		      /* enum broker_kind */
	char name[BROKER_NAME_MAX];   /* CLIENT_START: the login; CHAIN: the
				       * session's id */
	uint32_t place;	    /* *_SIGN: whose key; CLIENT_CERTIFICATE: of which
			     * listener; UPSTREAM_*: which upstream: the index
			     * in the settings */
	uint32_t attempt;   /* UPSTREAM_CONNECT: which address, from 0;
			     * UPSTREAM_RESULT: 0: there was no connection */
	uint32_t iterations;	      /* UPSTREAM_SCRAM */
	uint32_t salt_len;	      /* UPSTREAM_SCRAM, UPSTREAM_MD5 (4) */
	uint8_t salt[BROKER_SALT_MAX];
	/* CLIENT_PROOF: the client's first message (bare), a zero, its nonce,
	 * a zero, its last message without the proof. UPSTREAM_SCRAM:
	 * AuthMessage of RFC 5802. *_SIGN: what to sign. UPSTREAM_RESULT:
	 * words */
	uint32_t auth_len;
	char auth[BROKER_AUTH_MESSAGE_MAX];
	uint8_t proof[BROKER_KEY_LEN]; /* CLIENT_PROOF */
	uint32_t digest;    /* *_SIGN: enum broker_digest */
	uint32_t is_pss;    /* *_SIGN: RSASSA-PSS instead of PKCS #1 */
	uint32_t is_hashed; /* UPSTREAM_SIGN: `auth` is the digest itself */
};

enum broker_digest {
	BROKER_SHA256 = 1,
	BROKER_SHA384,
	BROKER_SHA512,
	BROKER_DIGESTS
};

struct broker_reply {
	uint64_t serial; /* of the request */
	uint32_t granted; /* 0: no; all but `reason`, `has_more` is then zero */
	uint32_t method;  /* enum broker_method */
	uint32_t login;	  /* UPSTREAM_CONNECT: index in upstream.logins */
	uint32_t has_more; /* UPSTREAM_CONNECT: addresses left to try */
	char reason[160]; /* not granted: why, for the record and never for
			   * the client */
	/* CLIENT_START: the server's first SCRAM message from behind the
	 * client's nonce on: its own nonce, ",s=…,i=…". CHAIN: its id */
	char first[BROKER_FIRST_MAX];
	uint8_t proof[BROKER_KEY_LEN]; /* CHAIN: the key */
	uint8_t signature[BROKER_KEY_LEN];
	char md5[36]; /* "md5" and 32 hex digits */
	uint32_t signed_len; /* *_SIGN */
	uint8_t signed_by_key[BROKER_SIGNATURE_MAX];
};

/* Who a client has proved to be, and how. Texts are terminated. What is zero
 * at its end is not sent: it is large, and mostly empty. */
struct broker_identity {
	char user[SLOT_NAME_MAX], agent[SLOT_NAME_MAX]; /* "": none */
	/* how each was proved: "scram-sha-256", "token", "certificate",
	 * "process", "pam"; "agent": the agent's word, which it may give */
	char user_via[32], agent_via[32];
	char via[96]; /* both without doubles, with a + between */
	int64_t expires_at; /* Unix time, s; 0: never */
	/* only a genuine executable (errand.h) is somebody's `process`; the
	 * path alone says what its process likes */
	uint32_t has_process, is_genuine, uid;
	int32_t pid;
	uint32_t group_count;
	char groups[64][SLOT_NAME_MAX]; /* identity_groups.h */
	uint64_t brought; /* a bit for each: a token brings it */
	/* for the record; "": not so proved */
	char issuer[256], token[256];
	char subject[512], fingerprint[65];
	char executable[1024], sha256[65], cgroup[512];
	char chain[4096];
};

/* Ask over a channel and wait for the answer, at most 15 seconds. `give` may
 * be NULL. ERR_REFUSED when not granted (reply_out->reason),
 * ERR_CLOSED when the broker is gone. */
enum err broker_exchange(int channel, const struct broker_request *request,
    const struct parcel *give, struct broker_reply *reply_out,
    struct parcel *take) MUST_CHECK;
/* The same without parcels. */
enum err broker_ask(int channel, const struct broker_request *request,
    struct broker_reply *reply_out) MUST_CHECK;
/* Tell what is not answered: SESSION, UPSTREAM_RESULT. */
enum err broker_tell(
    int channel, const struct broker_request *request) MUST_CHECK;
/* Ask for a descriptor (UPSTREAM_CONNECT, SINK, LOG). */
enum err broker_open(int channel, const struct broker_request *request,
    struct broker_reply *reply_out, int *fd_out) MUST_CHECK;

#endif
