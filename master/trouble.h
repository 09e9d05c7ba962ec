/*
 * trouble.h - what stands between Sallyport and its upstreams.
 *
 * For each login of each upstream: how it failed last, until it succeeds.  A
 * worker or catalogue finds out and tells the broker in its own words
 * (UPSTREAM_RESULT, broker_channel.h); which upstream and which login those
 * are about is what the broker itself has decided for that channel; master is
 * told by the broker in force, over the socket that it gives out channels on,
 * and says when.  So a worker that has been taken over can say what it likes
 * about the one login that it has, that it works among it, and with that the
 * same as any login's success: that its upstream can be reached.
 *
 * A failure before there was a connection is the upstream's: any login that
 * succeeds there ends it.
 */
#ifndef SALLYPORT_TROUBLE_H
#define SALLYPORT_TROUBLE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/config.h"
#include "common/text.h"

enum { TROUBLE_WORDS_MAX = 256 };

/* One message from the broker to master. */
struct tiding {
	uint32_t upstream, login;  /* indexes in the settings */
	uint32_t is_success;
	uint32_t is_unconnected;   /* it failed without a connection */
	char words[TROUBLE_WORDS_MAX]; /* terminated; how it failed */
};

struct trouble {
	int64_t at; /* Unix time, ms; 0: there is none */
	bool is_unconnected;
	char words[TROUBLE_WORDS_MAX];
};

struct troubles; /* a table of fixed size; each process has its own copy */

/* Room for every login; NULL: memory. The settings live as long. */
struct troubles *troubles_new(const struct settings *s);
void troubles_free(struct troubles *t);

/* The last failure of that login, which exists; `at` is 0: none. */
const struct trouble *trouble_of(
    const struct troubles *t, size_t upstream, size_t login);

/* Would noting this change anything? */
bool tiding_is_news(const struct troubles *t, const struct tiding *n);
/* What is about no login that exists is left out. */
void tiding_note(struct troubles *t, const struct tiding *n, int64_t at_ms);

/* To master; never waits. False: it was not taken. */
bool tiding_send(int control, const struct tiding *n);

enum tiding_got {
	TIDING_NONE, /* nothing is there */
	TIDING_ONE,  /* filled in, and terminated */
	TIDING_ODD,  /* no tiding: dropped */
	TIDING_END,  /* nobody is at the other end */
};

/* Take one; never waits. */
enum tiding_got tiding_take(int broker, struct tiding *out);

#endif
