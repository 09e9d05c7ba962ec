/*
 * errand.h - what the broker has others do, and what they bring back.
 *
 * The broker holds secrets, so it opens nothing and parses nothing that comes
 * from outside.  Two processes without secrets do that for it, each over one
 * SOCK_SEQPACKET channel: one struct errand, the parcel's bytes behind it in
 * the same message, a descriptor beside it; one struct outcome back in the
 * same manner, in any order, matched by `serial`.  The broker never waits for
 * one (broker.c): a worker that asked gets its answer when the outcome comes.
 *
 *   porter    opens what a worker may not: sockets to upstreams, to the audit
 *             sink, to the log; looks at the process at the other end of a
 *             Unix socket; asks PAM (in a child each).  Parses nothing itself.
 *   verifier  a program of its own: parses certificates and tokens, without
 *             files, network or privileges.
 *
 * What comes back is believed: it decides who somebody is.  Texts are bounded
 * and NUL-terminated, and checked to be (outcome_is_sound()).
 */
#ifndef SALLYPORT_ERRAND_H
#define SALLYPORT_ERRAND_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"
#include "common/text.h"

enum {
	ERRAND_PARCEL_MAX = 64 * 1024, /* bytes of a token, a handshake … */
	ERRAND_NAME_MAX = 256,	       /* of a name somebody proves */
	ERRAND_NAMES_MAX = 64,	       /* names in a certificate */
	ERRAND_GROUPS_MAX = 64,
	ERRAND_REASON_MAX = 256,
	ERRAND_CHAIN_MAX = 4096, /* the `act` chain, as JSON */
};

enum errand_kind {
	/* porter */
	ERRAND_CONNECT = 1, /* place: upstream; attempt: which address */
	ERRAND_SINK,	    /* a socket connected to the audit sink */
	ERRAND_LOG,	    /* one connected to the system's log */
	ERRAND_PROCESS,	    /* fd: the client's connection */
	ERRAND_PAM,	    /* service; parcel: "user\0password", no more */
	/* verifier */
	ERRAND_TOKEN,	    /* parcel: the token, not terminated */
	ERRAND_CERTIFICATE, /* listener; parcel: struct handshake
			     * (common/handshake.h) */
	ERRAND_KINDS
};

struct errand {
	uint64_t serial;
	uint32_t kind;
	uint32_t place;
	uint32_t attempt;
	char service[ERRAND_NAME_MAX]; /* PAM */
	/* CERTIFICATE: the listener's address. Not its place: a verifier that
	 * was started later may have read other settings. */
	char listener[ERRAND_NAME_MAX];
	/* CERTIFICATE: what the broker has signed on this channel, with which
	 * the client's own signature must have been made */
	uint32_t signature_len;
	uint8_t signature[512];
};

enum outcome_result {
	OUTCOME_YES = 1,
	OUTCOME_NO,	/* looked at and refused; `reason` for the record */
	OUTCOME_FAILED, /* could not be found out; `reason` */
	OUTCOME_SPENT,	/* TOKEN: a right one that was used before; `reason` */
};

/* Somebody's process, as the kernel tells it. Always of a connection over a
 * Unix socket, and always with the user; of a process that has ended, cannot
 * be seen (another pid namespace) or took too long there is no more. */
struct process_facts {
	uint32_t uid;
	int32_t pid; /* 0: nothing but the user is known */
	char executable[ERRAND_NAME_MAX * 4]; /* absolute; "": unknown */
	/* it is the file that this path names now, of root or of somebody
	 * who is not that process's user, and writable by nobody else */
	uint32_t is_genuine;
	char sha256[65]; /* hex; "": nobody asked for it */
	char cgroup[ERRAND_NAME_MAX * 2];
};

/* A certificate whose key the client has proved to hold in this handshake,
 * of an authority of the listener, valid now, not revoked. */
struct certificate_facts {
	/* "cn:…", "dns:…", "email:…", "uri:…" each terminated, one behind the
	 * other */
	uint32_t name_count;
	uint32_t names_len;
	char names[8192];
	char subject[ERRAND_NAME_MAX * 2]; /* RFC 2253, for the record */
	char serial[64];		   /* hex */
	char sha256[65];		   /* of the certificate, hex */
	int64_t not_after;		   /* Unix time, s */
};

/* A token that is signed by its issuer, for us, and valid now. */
struct token_facts {
	char issuer[ERRAND_NAME_MAX];
	char user[64];	/* the claim that is mapped to it; never empty */
	char agent[64]; /* "": the token names none */
	uint32_t has_groups; /* the claim is mapped and there */
	uint32_t group_count;
	char groups[ERRAND_GROUPS_MAX][64];
	char id[ERRAND_NAME_MAX];	/* jti, or "" */
	char chain[ERRAND_CHAIN_MAX];	/* the `act` claim as it stands: JSON;
					 * "": none */
	int64_t expires_at;		/* Unix time, s */
};

struct outcome {
	uint64_t serial;
	uint32_t result; /* enum outcome_result */
	uint32_t kind;	 /* of the errand */
	uint32_t has_more; /* CONNECT: there is another address to try */
	char reason[ERRAND_REASON_MAX];
	union {
		struct process_facts process;
		struct certificate_facts certificate;
		struct token_facts token;
	};
};

/* Send one; the descriptor (-1: none) stays the caller's. Never waits:
 * ERR_INTERRUPTED when the channel is full, ERR_CLOSED when nobody is there. */
enum err errand_send(int channel, const struct errand *e, struct text parcel,
    int fd) MUST_CHECK;
enum err outcome_send(int channel, const struct outcome *o, int fd) MUST_CHECK;

/* Take one; never waits. `parcel` has room for ERRAND_PARCEL_MAX bytes.
 * *fd_out: -1 or a descriptor that is now the caller's. ERR_INTERRUPTED:
 * nothing is there; ERR_CLOSED; ERR_MALFORMED: dropped. */
enum err errand_receive(int channel, struct errand *e_out, uint8_t *parcel,
    size_t *len_out, int *fd_out) MUST_CHECK;
enum err outcome_receive(
    int channel, struct outcome *o_out, int *fd_out) MUST_CHECK;

/* Is every text of it terminated, every count within bounds? */
bool outcome_is_sound(const struct outcome *o);

#endif
