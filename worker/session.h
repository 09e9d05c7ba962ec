/*
 * session.h - one connection, from accept to goodbye.
 */
#ifndef SALLYPORT_SESSION_H
#define SALLYPORT_SESSION_H

#include "common/audit.h"
#include "common/broker_channel.h"
#include "worker/gate.h"
#include "worker/relay.h"
#include "worker/tls.h"

enum {
	SESSION_ARENA_MAX = 64 * 1024 * 1024
};

enum ending { /* why a session ends; recorded in the disconnect event */
	ENDING_CLIENT,	 /* it said goodbye or closed */
	ENDING_UPSTREAM, /* the database closed */
	ENDING_PROTOCOL, /* it broke the protocol */
	ENDING_LOGIN,	 /* it did not get in */
	ENDING_DRAIN,	 /* Sallyport is stopping */
	ENDING_KILLED,	 /* an operator ended it */
	ENDING_EXPIRED,	 /* what proved who it is has expired */
	ENDING_POLICY,	 /* what it was doing is not allowed any more */
	ENDING_RIGHTS,	 /* its identity has no rights any more (rights.h) */
	ENDING_AUDIT,	 /* the audit sink does not take records */
	ENDING_ERROR,	 /* out of memory and the like */
	ENDING_MAX
};

struct session {
	struct birth *birth;
	const struct settings *settings;
	const struct upstream *upstream;
	const struct provisions *provisions;
	const struct protocol *protocol;
	void *state; /* the protocol's own; in the arena */
	struct arena *arena;
	struct relay relay;
	const struct listener *listener;
	SSL_CTX *tls_context; /* the listener's; NULL: it has no TLS */
	struct tls *tls; /* the client's, the relay's own; NULL: in clear */
	struct gate *gate;
	struct identity identity;
	struct audit *audit;
	struct audit_session record;
	struct audit_chain chain; /* of its records, when the settings ask */
	struct slot *slot;
	unsigned cancels; /* those told of and attended to */
	uint64_t number;  /* of its id, by which it is killed */
	char id[SESSION_ID_LEN + 1];
	char client[SLOT_NAME_MAX]; /* its address */
	char database[SLOT_NAME_MAX];
	char login[BROKER_NAME_MAX];
	size_t greeting;    /* bytes of the client's first message */
	enum ending ending; /* first cause wins */
	bool has_ending;
	bool has_begun;	  /* it is logged in, and recorded as connected */
	bool is_draining; /* end as soon as nothing is running */
	/* When what proved the identity expires, CLOCK_MONOTONIC in ms; 0:
	 * never. The client is warned beforehand. */
	int64_t expires;
	bool is_warned;
	/* what the broker said it is; `identity` borrows from it */
	struct broker_identity *who;
};

enum {
	GUEST_HEAD_MAX = 272 /* bytes: the longest cancel request, and more */
};

/* A client of the worker that refuses (refuse.c). */
struct guest {
	int fd;
	size_t listener;
	const struct protocol *protocol;
	int64_t until;	 /* relay_now(): then it has had its time */
	short events;	 /* what it waits for */
	struct tls *tls; /* NULL: in clear */
	bool is_greeted; /* TLS was asked for and answered */
	size_t len;
	uint8_t head[GUEST_HEAD_MAX]; /* what it said so far */
};

/* What session.c needs of a protocol. It never asks which one it serves. */
struct protocol {
	enum engine engine;
	const char *name;
	/* From the first byte to a proved identity and a ready upstream.
	 * ERR_NOT_FOUND: the connection was no session (a CancelRequest, a
	 * probe) and is over, with nothing to record. */
	enum err (*greet)(struct session *s);
	/* Judge and forward the client's next message. */
	enum err (*serve)(struct session *s);
	/* May a draining session end now: is nothing running? */
	bool (*is_quiet)(const struct session *s);
	/* Tell the client something between two messages. */
	void (*notice)(struct session *s, const char *message);
	/* Tell the client why, in the protocol's words, and record what was
	 * under way. */
	void (*farewell)(struct session *s);
	/* The client has gone, and its end is on record: let go of the server,
	 * where nothing goes on that nobody waits for. May take seconds. */
	void (*leave)(struct session *s);
	/* All workers are busy: look at the greeting of this client, without
	 * waiting, and tell it that there are too many; carry a cancel
	 * request. `is_late`: it has had its time. True: done with it. */
	bool (*refuse)(struct birth *b, struct guest *g, bool is_late);
};

/* The protocol an engine speaks; NULL: none. */
const struct protocol *protocol_for(enum engine engine);

/* Serve the accepted client `fd` of listener `listener` to its end. */
void session_run(
    struct birth *b, struct provisions *p, int fd, size_t listener);

/* Note why the session ends (the first call counts); gives ERR_CLOSED. */
enum err session_end(struct session *s, enum ending why);

/* The relay said ERR_CLOSED: note who is gone; gives ERR_CLOSED. */
enum err session_lost(struct session *s);

/* One relay_turn().  ERR_INTERRUPTED also when there is something to attend
 * to of which no signal told: one gets through only to a poll() that sleeps,
 * and with a peer that never pauses none does. */
enum err session_turn(struct session *s, bool wants_client) MUST_CHECK;

/* A signal or the relay's ERR_INTERRUPTED: look at what master and operators
 * say.
 * ERR_NONE: go on; ERR_INTERRUPTED: a cancel request came in; ERR_CLOSED. */
enum err session_attend(struct session *s) MUST_CHECK;

/* Is the client on this machine, at a Unix socket? */
bool session_is_local(const struct session *s);

/* It must end at that time (Unix time, s; 0: never). */
void session_expire(struct session *s, int64_t at);

/* Show on the scoreboard what the session does. */
void session_show_state(struct session *s, enum slot_state state);
void session_show_statement(struct session *s, struct text canonical);

extern volatile sig_atomic_t session_drain_asked; /* set by SIGTERM */

#endif
