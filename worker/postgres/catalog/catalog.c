/*
 * catalog.c - serving the wishes for one upstream's databases.
 *
 * The rule: a wish is always answered, with failure if need be, and the
 * catalogue that was there before stays until a whole new one replaces it.
 */
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/config.h"
#include "common/ipc.h"
#include "common/log.h"
#include "common/regex.h"
#include "common/sandbox.h"
#include "common/store.h"
#include "worker/postgres/catalog/catalog.h"
#include "worker/postgres/catalog/catalog_match.h"
#include "worker/postgres/catalog/catalog_read.h"
#include "worker/provisions.h"

enum {
	FOLDER_MAX = 4096,
	WISH_IN_USE = 2
};

struct catalog {
	struct birth *birth;
	const struct upstream *upstream;
	struct store *store; /* NULL: store_error says why */
	enum err store_error;
	time_t refreshed;    /* CLOCK_MONOTONIC, s */
	char warnings[WISH_TEXT_MAX]; /* of the last reading */
	uint64_t told[WISHES_MAX];    /* hash of those last logged */
};

static time_t
now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* --- one database --------------------------------------------------------- */

static enum err
write_all(struct store *store, const struct catalog_reading *reading)
{
	enum err e = ERR_NONE;
	size_t i;

	for (i = 0; i < reading->count && e == ERR_NONE; i++)
		e = store_catalog_add(store, &reading->relations[i]);
	for (i = 0; i < reading->type_count && e == ERR_NONE; i++)
		e = store_catalog_add_type(store, &reading->types[i]);
	for (i = 0; i < reading->code_count && e == ERR_NONE; i++)
		e = store_catalog_add_code(store, &reading->code[i]);
	if (e == ERR_NONE)
		e = store_catalog_add_code_names(
		    store, reading->code_hashes, reading->code_count);
	return e == ERR_NONE ? store_catalog_commit(store) : e;
}

static enum err
open_store(struct catalog *c)
{
	char folder[FOLDER_MAX];
	int len = snprintf(
	    folder, sizeof(folder), "%s/catalog", c->birth->settings->state);

	if (len < 0 || (size_t)len >= sizeof(folder))
		return ERR_TOO_LONG;
	return store_open(folder, STORE_WRITE, &c->store);
}

static enum err
write_reading(struct catalog *c, struct text database,
    const struct catalog_reading *reading)
{
	enum err e = c->store_error;

	if (e == ERR_NONE)
		e = store_catalog_begin(
		    c->store, text_of(c->upstream->name), database);
	if (e != ERR_NONE)
		return e;
	e = write_all(c->store, reading);
	if (e != ERR_NONE)
		store_catalog_abort(c->store);
	return e;
}

/* What the reading says against the policy this process was born with: each
 * generation has a catalogue process of its own. */
static void
match_policy(struct catalog *c, struct text database,
    const struct catalog_reading *reading)
{
	char place[2 * SLOT_NAME_MAX + 2];

	snprintf(place, sizeof(place), "%s/%.*s", c->upstream->name,
	    (int)database.len, database.at);
	c->warnings[0] = '\0';
	if (c->birth->policy != NULL)
		catalog_match(c->birth->policy, reading, place, c->warnings,
		    sizeof(c->warnings));
}

/* It tells clean functions from others; NULL without a policy. */
static const struct classifier *
classifier_of(const struct catalog *c)
{
	return c->birth->policy == NULL
	    ? NULL
	    : c->birth->policy->classifiers[DIALECT_POSTGRES];
}

/* Log in, read, leave; `why` is words for the log. */
static enum err
read_database(struct catalog *c, struct text database, struct arena *a,
    struct catalog_reading *out, char *why, size_t why_size)
{
	static const struct setting_pair settings[] = {
	    {{"application_name", 16}, {"sallyport catalogue", 19}},
	    {{"client_encoding", 15}, {"UTF8", 4}},
	    {{"search_path", 11}, {"pg_catalog", 10}},
	};
	const struct upstream_access access = {.upstream = c->upstream,
	    .place = (uint32_t)c->birth->upstream,
	    .tls = tls_upstream_context(c->birth->tls, c->birth->upstream),
	    .broker = c->birth->broker};
	struct pg_upstream link = {.fd = -1};
	enum err e = pg_upstream_open(&access, database, settings,
	    sizeof(settings) / sizeof(*settings), &link);

	if (e == ERR_NONE) {
		pg_upstream_succeeded(&access);
		e = catalog_read(&link, classifier_of(c), a, out);
		pg_upstream_close(&link);
	}
	snprintf(why, why_size, "%s",
	    link.reason[0] != '\0' ? link.reason : err_text(e));
	return e;
}

static enum err
renew(struct catalog *c, struct text database, char *why, size_t why_size)
{
	struct arena *a = arena_new(CATALOG_MEMORY_MAX);
	struct catalog_reading reading;
	enum err e = ERR_MEMORY;

	snprintf(why, why_size, "%s", err_text(e));
	if (a == NULL)
		return e;
	e = read_database(c, database, a, &reading, why, why_size);
	if (e == ERR_NONE) {
		e = write_reading(c, database, &reading);
		snprintf(why, why_size, "%s", err_text(e));
		match_policy(c, database, &reading);
	}
	arena_free(a);
	return e;
}

/* --- wishes --------------------------------------------------------------- */

/* For `sallyport status`, and logged when they have changed. */
static void
tell_warnings(struct catalog *c, size_t row)
{
	struct wish_answer *a = &c->birth->board->answers[row];
	uint64_t hash = text_hash(text_of(c->warnings));
	const char *line = c->warnings;

	field_set(a->warnings, sizeof(a->warnings), text_of(c->warnings));
	if (c->told[row] == hash)
		return;
	c->told[row] = hash;
	while (*line != '\0') {
		size_t len = strcspn(line, "\n");

		log_warning("%.*s", (int)len, line);
		line += len + (line[len] == '\n');
	}
}

/* The first failure is logged, and the first success after it. */
static void
serve(struct catalog *c, size_t row, struct text database)
{
	/* what is asked for from here on may not be in this reading */
	int64_t begun_at = clock_ns();
	bool had_failed = wish_has_failed(c->birth->board, row);
	char why[UPSTREAM_REASON_MAX];
	bool has_failed;

	has_failed = renew(c, database, why, sizeof(why)) != ERR_NONE;
	if (has_failed && !had_failed)
		log_error("cannot read the catalogue of %s/%.*s: %s",
		    c->upstream->name, (int)database.len, database.at, why);
	if (!has_failed && had_failed)
		log_info("read the catalogue of %s/%.*s again",
		    c->upstream->name, (int)database.len, database.at);
	if (!has_failed)
		tell_warnings(c, row);
	wish_done(c->birth->board, row, text_of(c->upstream->name), database,
	    begun_at, has_failed);
}

static bool
is_mine(const struct catalog *c, struct wish *w)
{
	struct text name = {
	    w->upstream, strnlen(w->upstream, sizeof(w->upstream))};

	return atomic_load(&w->state) == WISH_IN_USE &&
	       text_is(name, text_of(c->upstream->name));
}

static void
serve_all(struct catalog *c, bool is_refresh)
{
	struct scoreboard *b = c->birth->board;
	char name[SLOT_NAME_MAX];
	size_t i;

	for (i = 0; i < WISHES_MAX; i++) {
		struct wish *w = &b->wishes[i];

		if (!is_mine(c, w) || !(is_refresh || wish_is_wanted(b, i)))
			continue;
		/* a copy: an old wish may be given to another database
		 * meanwhile */
		field_set(name, sizeof(name),
		    (struct text){
			w->database, strnlen(w->database, SLOT_NAME_MAX)});
		serve(c, i, text_of(name));
	}
}

/* --- the loop ------------------------------------------------------------- */

/* False: master has died. */
static bool
wait_for_wish(struct catalog *c)
{
	struct pollfd fds[2] = {
	    {.fd = c->birth->catalog, .events = POLLIN},
	    {.fd = c->birth->life, .events = POLLIN},
	};
	time_t left = c->refreshed + CATALOG_REFRESH_S - now_s();
	uint64_t count;

	if (poll(fds, 2, left > 0 ? (int)left * 1000 : 0) < 0)
		return errno == EINTR;
	if (fds[1].revents != 0)
		return false;
	/* The count says nothing: the wishes are looked at in any case. */
	if (fds[0].revents != 0 &&
	    read(c->birth->catalog, &count, sizeof(count)) < 0 &&
	    errno != EAGAIN && errno != EINTR)
		return false;
	return true;
}

int
catalog_main(struct birth *b)
{
	/* due at once: a new generation is compared with what there is */
	struct catalog c = {
	    .birth = b,
	    .upstream = &b->settings->upstreams[b->upstream],
	    .refreshed = now_s() - CATALOG_REFRESH_S,
	};
	const char *failed = NULL;
	struct supply log;

	c.store_error = open_store(&c);
	if (c.store_error != ERR_NONE)
		log_error("the catalogue's store cannot be opened: %s",
		    err_text(c.store_error));
	provisions_log(&log, b->broker);
	pattern_interpret();
	if (sandbox_enter(b->sandbox, &failed) != ERR_NONE) {
		log_error("cannot be confined: %s: %m", failed);
		return EXIT_FAILURE;
	}
	do {
		bool is_due = now_s() - c.refreshed >= CATALOG_REFRESH_S;

		serve_all(&c, is_due);
		if (is_due)
			c.refreshed = now_s();
		/* without a store: wishes have their answer, another process
		 * may fare better */
	} while (c.store != NULL && wait_for_wish(&c));
	if (c.store == NULL)
		return EXIT_FAILURE;
	store_close(c.store);
	return EXIT_SUCCESS;
}
