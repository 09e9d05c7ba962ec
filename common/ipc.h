/*
 * ipc.h - the whole contract between master and its children.
 *
 * SHARED MEMORY.  One anonymous MAP_SHARED region made by master before the
 * first fork: a header, one slot for each possible worker, a table of held
 * requests, a table of catalogue wishes, a table of rate buckets.  A slot is
 * written only by the worker that owns it (and by master, before the fork and
 * after the death); anybody may read it.  Text in shared memory is bounded
 * and always NUL-terminated; a reader copies it out and trusts nothing in it.
 *
 * DESCRIPTORS a worker is born with: the listening sockets, one end of a
 * SOCK_SEQPACKET pair whose other end the broker holds, the wake eventfd
 * (written by a worker whenever its slot's state changed and master should
 * look), the catalogues' eventfds, and the read end of the life pipe (end of
 * file on it means master has died: finish up).
 *
 * SIGNALS to a worker: SIGTERM drain (finish the running statement, then say
 * goodbye), SIGUSR1 look at your slot (`orders`, and the request you hold),
 * SIGKILL when the drain deadline has passed.
 */
#ifndef SALLYPORT_IPC_H
#define SALLYPORT_IPC_H

struct settings;
struct policy;
struct tls_contexts;

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"
#include "common/text.h"

enum {
	SLOT_NAME_MAX = 64,	  /* user, agent, database … with the NUL */
	SLOT_STATEMENT_MAX = 1024, /* canonical text, cut, with the NUL */
	REQUEST_TEXT_MAX = 4096,  /* the exact statement, cut, with the NUL */
	REQUESTS_MAX = 256,	  /* held statements at a time */
	APPROVERS_MAX = 8,
	WISH_TEXT_MAX = 2048,
	WISHES_MAX = 64,    /* databases the catalogues watch */
	WISH_REST_MS = 60000,
	RATE_BUCKETS = 4096, /* power of two */
	STATUS_TEXT_MAX = 8192,
	LISTENERS_MAX = 64,
	UPSTREAMS_MAX = 64,
	SESSION_ID_LEN = 16, /* hex digits */
	CANCEL_KEY_MAX = 32, /* bytes; clients before protocol 3.2 get 4 */
};

enum slot_state {
	SLOT_FREE,	/* no process */
	SLOT_STARTING,	/* forked, not yet waiting */
	SLOT_IDLE,	/* waiting in accept: a spare */
	SLOT_LOGIN,	/* has a client, which is not yet proved */
	SLOT_WAITING,	/* a session, idle between statements */
	SLOT_RUNNING,	/* a statement is at the upstream */
	SLOT_HELD,	/* a statement waits for approval */
	SLOT_ENDING,	/* saying goodbye */
	SLOT_STATES
};

enum slot_orders { /* bits in slot.orders, set by others, taken by the owner */
	ORDER_CANCEL = 1, /* a CancelRequest for this session came in */
	ORDER_KILL = 2,	  /* `sallyport kill` */
};

struct slot {
	atomic_int state; /* enum slot_state */
	atomic_int pid;	  /* the worker; 0: none. Written by master */
	atomic_uint orders;
	/* It has changed the schema of its database, and nobody knows yet
	 * whether and when that is committed. */
	atomic_int has_open_schema;
	/* What cancels this session: the pid shown in BackendKeyData (the
	 * server's real one; 0: none yet, stored last) and Sallyport's own
	 * key, of which the client was given so many bytes. */
	atomic_int backend_pid;
	atomic_uint cancel_key_len;
	_Atomic uint64_t cancel_key[CANCEL_KEY_MAX / 8];
	/* Odd while the owner changes what follows: re-read until even and
	 * unchanged. Never waited for by the owner. */
	atomic_uint sequence;
	char session[SESSION_ID_LEN + 1];
	char user[SLOT_NAME_MAX], agent[SLOT_NAME_MAX];
	char upstream[SLOT_NAME_MAX], database[SLOT_NAME_MAX];
	char client[SLOT_NAME_MAX];
	int64_t connected_at; /* Unix time, ms; 0: no client */
	int64_t statement_at; /* start of the running statement, ms; 0: none */
	uint64_t statements, denied, rows, masked;
	char statement[SLOT_STATEMENT_MAX];
	uint64_t request; /* number of the request it holds; 0: none */
	uint64_t audit_seq; /* last audit sequence number it used */
};

enum request_state {
	REQUEST_FREE,
	REQUEST_FILLING, /* claimed by a worker, not yet readable */
	REQUEST_PENDING,
	REQUEST_APPROVED,
	REQUEST_DENIED,
	REQUEST_EXPIRED,
	REQUEST_WITHDRAWN /* the client went away or cancelled */
};

struct request {
	atomic_int state; /* enum request_state; compare-and-swapped */
	uint64_t number;  /* 1, 2, 3 … since master started */
	pid_t worker;	  /* to signal with SIGUSR1 */
	char session[SESSION_ID_LEN + 1];
	char user[SLOT_NAME_MAX], agent[SLOT_NAME_MAX];
	char upstream[SLOT_NAME_MAX], database[SLOT_NAME_MAX];
	char rule[SLOT_NAME_MAX * 2];
	char say[256];
	char text[REQUEST_TEXT_MAX];
	uint64_t text_len;	/* of the whole statement */
	uint8_t digest[32];	/* SHA-256 of exact text and bound values */
	int64_t created_at, expires_at; /* Unix time, ms */
	uint32_t needed;	/* people who must approve */
	atomic_uint approver_count;
	char approvers[APPROVERS_MAX][SLOT_NAME_MAX];
	char decided_by[SLOT_NAME_MAX]; /* who approved last, or denied */
	uint64_t rule_index; /* into policy.rules of `generation`: approve_by */
	uint64_t generation;
};

/* A database whose catalogue somebody needs. The catalogue process of the
 * upstream serves it: when wanted != done it reads the database again. */
struct wish {
	atomic_int state; /* 0 free, 1 filling, 2 in use */
	char upstream[SLOT_NAME_MAX], database[SLOT_NAME_MAX];
	atomic_uint wanted; /* bumped by whoever needs a fresh reading */
	atomic_uint done;   /* futex: set to the value of `wanted` served */
	atomic_int failed;  /* the last reading failed */
	/* The value of `wanted` since which the schema is known to have
	 * changed: until `done` is there, the catalogue tells the past. */
	atomic_uint changed;
	atomic_llong wanted_at; /* a session last asked, monotonic ms */
	/* What the last reading says against the policy, a line each; written
	 * by the catalogue process only, and only shown. */
	char warnings[WISH_TEXT_MAX];
};

struct rate_bucket { /* statements of one (identity, rule) in one minute */
	_Atomic uint64_t minute_and_count; /* 14 bits of the key, 26 of the
					    * minute, 24 of count */
};

struct scoreboard {
	atomic_uint_fast64_t generation; /* of the policy in force */
	atomic_int master;		 /* pid */
	int64_t started_at;		 /* Unix time, ms */
	atomic_int draining;
	atomic_uint_fast64_t next_request; /* numbers handed out so far */
	atomic_uint_fast64_t sessions_total, workers_died, clients_refused;
	/* Since when the audit sink takes no records (Unix time, ms); 0: it
	 * does. Set and cleared by whoever sends. */
	/* Not 0: some slot may have an open schema. A hint: it is not counted
	 * down for the dead. */
	atomic_int open_schemas;
	atomic_llong audit_failing_since;
	atomic_int worker_ceiling_reached; /* all `max` busy: refuse politely */
	atomic_uint control_heard; /* a bit for each place of a control child:
				    * it has its request and is at work */
	/* What the last reload said; under `sequence` as in a slot. */
	atomic_uint sequence;
	int64_t loaded_at; /* when the generation in force was loaded, ms */
	int64_t reload_at; /* the last attempt, ms */
	int reload_failed;
	char reload_text[STATUS_TEXT_MAX]; /* errors, a line each */
	uint32_t slot_count;
	struct request requests[REQUESTS_MAX];
	struct wish wishes[WISHES_MAX];
	struct rate_bucket rates[RATE_BUCKETS];
	struct slot slots[]; /* slot_count of them: workers.max + 1; the last
			      * belongs to the worker that refuses politely */
};

/* Map a scoreboard with `slots` free slots, or NULL (errno). Made once, by
 * master, never unmapped. */
struct scoreboard *scoreboard_new(uint32_t slots);

/* Bracket for the owner's changes of a slot's plain fields. */
void slot_write_begin(struct slot *s);
void slot_write_end(struct slot *s);

/* A consistent copy of a slot that another process may be writing. False
 * when it would not hold still (a dead owner): the copy is then best effort,
 * still NUL-terminated. */
bool slot_snapshot(const struct slot *s, struct slot *copy);

/* Copy text into a bounded field, cut at a UTF-8 boundary, always
 * NUL-terminated. */
void field_set(char *field, size_t size, struct text value);

/* The owner's: what cancels its session from now on. */
void slot_set_cancel_key(
    struct slot *s, int32_t backend_pid, struct text key);
/* Is this what cancels that session? Takes the same time for every key. */
bool slot_has_cancel_key(
    struct slot *s, int32_t backend_pid, struct text key);

/* Count one statement against `limit` (1..) per minute for this key (a hash
 * of identity and rule). False: over the limit, or too many keys at once. */
bool rate_take(
    struct scoreboard *b, uint64_t key, uint64_t limit, int64_t now_s);

/* The owner's: it is changing its database's schema, or that is over. */
void slot_open_schema(struct scoreboard *b, struct slot *s, bool is_open);
/* Is another session changing the schema of this slot's database? */
bool schema_is_open_elsewhere(
    struct scoreboard *b, const struct slot *mine);

/* --- requests (approvals) ------------------------------------------------ */

/* Claim a free request for filling; NULL when all REQUESTS_MAX are held. Its
 * number is set. Publish it with request_submit(). */
struct request *request_claim(struct scoreboard *b);
void request_submit(struct request *r);
/* Owner: done with it, whatever its state. */
void request_release(struct request *r);
/* Move PENDING to `to`; false if it was no longer pending. */
bool request_settle(struct request *r, enum request_state to);

/* --- catalogue wishes (wish.c) ------------------------------------------- */

/* The wish for this database, made if new; NULL when the table is full. It
 * stays this database's for as long as the caller's slot names it: only one
 * whose last reading failed, that no living session's slot names and nobody
 * has asked for in the last WISH_REST_MS, makes room for another. */
struct wish *wish_for(
    struct scoreboard *b, struct text upstream, struct text database);
/* Ask for a fresh reading and wait for it, at most `timeout_ms`.
 * `catalog_fd` is the catalogue's eventfd. ERR_DEADLINE, ERR_REFUSED (the
 * reading failed). */
enum err wish_make(struct wish *w, int catalog_fd, int timeout_ms) MUST_CHECK;
/* Somebody changed the schema: let everybody know that the present reading is
 * of the past, and ask for a fresh one without waiting; catalog_fd -1: not
 * before somebody needs one. */
void wish_changed(struct wish *w, int catalog_fd);
bool wish_is_outdated(const struct wish *w);
/* Wait until it is not. Errors as wish_make(). */
enum err wish_catch_up(
    struct wish *w, int catalog_fd, int timeout_ms) MUST_CHECK;
/* The catalogue's side: serve `wanted` and wake those who wait. */
void wish_done(struct wish *w, uint32_t served, bool failed);

/* --- the broker ----------------------------------------------------------
 * One SOCK_SEQPACKET message a request, one a reply, in turn.  The broker
 * permits one bounded kind in each phase of a channel:
 *
 *   CLIENT_START    login name → SCRAM salt and iterations (made-up ones, the
 *                   same each time, for names that do not exist)
 *   CLIENT_PROOF    AuthMessage, ClientProof → yes and ServerSignature, or no
 *   UPSTREAM_SCRAM  upstream, password-less challenge → ClientProof and the
 *                   ServerSignature to expect
 *   UPSTREAM_MD5    upstream, 4-byte salt → "md5…" response
 *   LISTENER_SIGN   what a TLS server signs in its handshake → signature
 *   UPSTREAM_SIGN   what a TLS client signs in its handshake → signature
 *
 * LISTENER_SIGN is permitted once, as a channel's first request; CLIENT_PROOF
 * once, after CLIENT_START; the UPSTREAM kinds only after a CLIENT_PROOF that
 * was right, each at most twice (a session's own login and one retry).  The
 * catalogue's channel permits UPSTREAM kinds for its own upstream, that of
 * the worker that refuses politely LISTENER_SIGN, without end.  Anything else
 * is refused and logged.
 */
enum {
	BROKER_NAME_MAX = 132, /* alice+copilot */
	BROKER_AUTH_MESSAGE_MAX = 1024,
	BROKER_SALT_MAX = 64,
	BROKER_KEY_LEN = 32,
	BROKER_SIGNATURE_MAX = 512, /* of an RSA key of 4096 bits */
};

enum broker_kind {
	BROKER_CLIENT_START = 1,
	BROKER_CLIENT_PROOF,
	BROKER_UPSTREAM_SCRAM,
	BROKER_UPSTREAM_MD5,
	BROKER_LISTENER_SIGN,
	BROKER_UPSTREAM_SIGN,
	BROKER_KINDS
};

struct broker_request {
	uint32_t kind;		      /* enum broker_kind */
	char name[BROKER_NAME_MAX];   /* CLIENT_START: whose password proves */
	char upstream[SLOT_NAME_MAX]; /* UPSTREAM_*: for which login */
	uint32_t iterations;	      /* UPSTREAM_SCRAM */
	uint32_t salt_len;	      /* UPSTREAM_SCRAM, UPSTREAM_MD5 (4) */
	uint8_t salt[BROKER_SALT_MAX];
	uint32_t auth_len; /* AuthMessage of RFC 5802; *_SIGN: what to sign */
	char auth[BROKER_AUTH_MESSAGE_MAX];
	uint8_t proof[BROKER_KEY_LEN]; /* CLIENT_PROOF */
	uint32_t place;	    /* *_SIGN: whose key, its index in the settings */
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
	uint32_t granted; /* 0: no; the rest is then zero */
	uint32_t iterations;
	uint32_t salt_len;
	uint8_t salt[BROKER_SALT_MAX];
	uint8_t proof[BROKER_KEY_LEN];
	uint8_t signature[BROKER_KEY_LEN];
	char md5[36]; /* "md5" and 32 hex digits */
	uint32_t signed_len; /* *_SIGN */
	uint8_t signed_by_key[BROKER_SIGNATURE_MAX];
};

/* Ask over a channel and wait for the answer, at most 10 seconds.
 * ERR_REFUSED when not granted, ERR_CLOSED when the broker is gone. */
enum err broker_ask(int channel, const struct broker_request *request,
    struct broker_reply *reply_out) MUST_CHECK;

/* What a worker (and the catalogue) is born with. */
struct birth {
	struct scoreboard *board;
	struct slot *slot;
	int listeners[LISTENERS_MAX]; /* in the order of the settings */
	size_t listener_count;
	int broker;  /* channel */
	int wake;    /* eventfd: master, look at the scoreboard */
	int catalog; /* eventfd: catalogue of `upstream`, look at the wishes */
	int catalogs[UPSTREAMS_MAX]; /* all of them, in the order of the
				      * settings: a worker wishes at its own */
	int life;    /* read end; EOF when master has died */
	bool refuses; /* the extra worker that answers when all are busy */
	const struct tls_contexts *tls; /* of the policy's generation */
	const struct settings *settings; /* shared copy-on-write with master */
	struct policy *policy; /* of board->generation when it was forked; the
				* child's own copy, replaced when stale */
	size_t upstream; /* the catalogue's: index into settings.upstreams */
};

/* What master runs in the children it forks, after dropping what they must
 * not have. Each returns the exit status. Master knows no more of them. */
struct roles {
	int (*worker)(struct birth *b);
	int (*catalog)(struct birth *b); /* one for each upstream */
};

#endif
