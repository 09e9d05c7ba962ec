/*
 * relay.h - the one poll(): two peers that can never deadlock each other.
 *
 * A strict read-one-write-the-other relay hangs as soon as a client pipelines
 * large requests while the server answers with large replies.  So every wait
 * of a session happens in relay_turn(): while it waits to write to one peer
 * it drains the other into a bounded buffer.  Everyone else appends to a
 * peer's `out`, consumes from its `in`, and believes in blocking.
 */
#ifndef SALLYPORT_RELAY_H
#define SALLYPORT_RELAY_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"
#include "common/wire.h"

enum {
	RELAY_CHUNK = 64 * 1024,  /* read at once */
	RELAY_BOUND = 256 * 1024, /* more than this waiting to be sent to one
				   * peer: the other is not read */
};

/* How bytes cross that do not cross in clear; none of it ever waits. */
struct transport {
	/* As recv(): 0 closed or broken; -1 and EAGAIN: nothing now. */
	ssize_t (*receive)(void *state, void *bytes, size_t size);
	/* As send(): -1 and EAGAIN: not now, and then the same bytes again,
	 * or more. */
	ssize_t (*send)(void *state, const void *bytes, size_t len);
	/* What poll() is to watch for, when `events` are wanted. */
	short (*interest)(void *state, short events);
	/* Received already and not given out: poll() would not tell. */
	bool (*has_pending)(void *state);
	/* Say goodbye, if that needs no waiting, and free it. */
	void (*close)(void *state);
};

struct peer {
	int fd;		  /* non-blocking; -1: none */
	const struct transport *transport; /* NULL: in clear */
	void *transport_state;
	struct buffer in; /* received; what is before `start` is consumed */
	size_t start;
	struct buffer out; /* to be sent; what is before `sent` is */
	size_t sent;
	bool is_closed; /* it closed, or an error ended it */
	uint64_t bytes_in, bytes_out;
};

struct relay {
	struct peer client, upstream;
	/* Consume upstream.in as far as possible; called when it has grown. */
	enum err (*drain)(void *context);
	void *context;
	int64_t deadline; /* CLOCK_MONOTONIC, ms; 0: none */
	int64_t alarm;	  /* the same; then a wait is interrupted */
	int life;	  /* readable: master has died */
	sigset_t waiting; /* the signal mask while waiting */
};

/* CLOCK_MONOTONIC in milliseconds. */
int64_t relay_now(void);

/* Unconsumed bytes of a peer, and consuming them. */
struct text peer_pending(const struct peer *p);
void peer_consume(struct peer *p, size_t n);

/* So much waits to be sent to it that nothing more should be made. */
bool peer_is_full(const struct peer *p);

/* Room in `in` for a message of `n` bytes in all; false over the ceiling. */
bool peer_expect(struct peer *p, size_t n);

void peer_init(struct peer *p, int fd, size_t in_ceiling);
/* From now on everything crosses by this transport, which the peer owns. */
void peer_set_transport(
    struct peer *p, const struct transport *transport, void *state);
void peer_close(struct peer *p);

/* Send what waits, then wait once for something to happen and take it in:
 * bytes of the client (only with `wants_client`), bytes of the upstream
 * (given to drain), room to send, the deadline, a signal.
 * ERR_NONE: something moved, look again.  ERR_CLOSED: a peer is_closed or
 * master died; ERR_DEADLINE; ERR_INTERRUPTED: a signal or the alarm; or
 * drain's error. */
enum err relay_turn(struct relay *r, bool wants_client) MUST_CHECK;

/* Send what can be sent at once: for a goodbye nobody waits for. */
void relay_farewell(struct peer *p);
/* Wait until it has closed; what it still sends is not looked at. False: it
 * has not within that time. */
bool relay_await_end(struct peer *p, int deadline_ms);

/* Send what waits for the client, at most until `deadline_ms` from now, and
 * take nothing in: for last words. */
void relay_flush_client(struct relay *r, int deadline_ms);

#endif
