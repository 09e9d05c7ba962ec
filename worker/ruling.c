/*
 * ruling.c - the life of a ruling: made, shared, kept for the next text that
 * is the same but for its literals, dropped.
 *
 * The rule: only an allowance on which no literal had a say is kept, and it
 * is found again only while the gate would still say the same.
 */
#include "worker/ruling.h"

#include <stdlib.h>

#include "worker/reading.h"
#include "worker/snapshot.h"

/* One process, one session: what its rulings take together. */
static size_t bytes_of_rulings;

size_t
rulings_bytes(void)
{
	return bytes_of_rulings;
}

struct ruling *
ruling_share(struct ruling *j)
{
	j->references++;
	return j;
}

void
ruling_drop(struct ruling *j)
{
	if (j == NULL || --j->references > 0)
		return;
	bytes_of_rulings -= j->bytes;
	arena_free(j->arena);
	free(j);
}

struct ruling *
ruling_new(void)
{
	struct ruling *j = calloc(1, sizeof(*j));

	if (j == NULL)
		return NULL;
	j->references = 1;
	j->arena = arena_new(GATE_RULING_MAX);
	j->verdict.decision = THEN_DENY;
	j->verdict.reason = TEXT("the statement could not be judged");
	if (j->arena == NULL) {
		free(j);
		return NULL;
	}
	return j;
}

void
ruling_close(struct ruling *j)
{
	j->bytes = arena_used(j->arena);
	bytes_of_rulings += j->bytes;
}

/* --- kept for texts that differ only in their literals -------------------- */

/* Does nothing in this ruling depend on the literals of its text? */
static bool
is_keepable(const struct gate *g, const struct ruling *j)
{
	const uint64_t data =
	    BIT(OP_SELECT) | BIT(OP_INSERT) | BIT(OP_UPDATE) | BIT(OP_DELETE);
	const uint64_t hidden =
	    BIT(TRAIT_OPAQUE_FUNCTION) | BIT(TRAIT_UNKNOWN_FUNCTION);

	return j->verdict.decision == THEN_ALLOW && j->text.count == 1 &&
	       j->text.trace_comment.len == 0 && !j->reads_literals &&
	       (j->operations & ~data) == 0 && (j->traits & hidden) == 0 &&
	       !g->settings->audit_keeps_literals && j->bytes <= GATE_KEPT_MAX;
}

struct text
ruling_key(struct gate *g, struct text sql)
{
	struct text key = {NULL, 0};

	if (g->protection == NULL || g->also != 0 ||
	    !reading_is_plain(g, sql) || !snapshot_is_current(g))
		return key;
	arena_reset(g->scratch);
	if (classify_key(g->policy->classifiers[g->lex.dialect], &g->lex, sql,
		g->scratch, &key) != ERR_NONE)
		key.len = 0;
	return key;
}

/* The first of the slots that a text may be in. The low bits of the hash hang
 * on the low bits of the text's bytes alone. */
static struct ruling **
cache_set(struct gate *g, struct text key)
{
	uint64_t hash = text_hash(key);
	size_t set = (hash ^ hash >> 32) & (GATE_CACHE_SLOTS / GATE_CACHE_WAYS - 1);

	return &g->cache[set * GATE_CACHE_WAYS];
}

struct ruling *
ruling_find(struct gate *g, struct text key)
{
	struct ruling **set = cache_set(g, key);
	size_t i;

	for (i = 0; i < GATE_CACHE_WAYS; i++) {
		if (set[i] != NULL && gate_is_current(g, set[i]) &&
		    text_is(set[i]->text.statements[0].canonical, key))
			return ruling_share(set[i]);
	}
	return NULL;
}

void
gate_forget(struct gate *g)
{
	size_t i;

	for (i = 0; i < GATE_CACHE_SLOTS; i++) {
		ruling_drop(g->cache[i]);
		g->cache[i] = NULL;
	}
	g->cache_bytes = 0;
}

/* Newest first; the oldest has to go, or whoever is outdated. All have to when
 * they take too much together. */
void
ruling_keep(struct gate *g, struct ruling *j)
{
	struct ruling **set;
	size_t i;

	if (!is_keepable(g, j))
		return;
	set = cache_set(g, j->text.statements[0].canonical);
	if (j->bytes > GATE_CACHE_MAX - g->cache_bytes)
		gate_forget(g);
	for (i = 0; i + 1 < GATE_CACHE_WAYS; i++) {
		if (set[i] == NULL || !gate_is_current(g, set[i]))
			break;
	}
	if (set[i] != NULL)
		g->cache_bytes -= set[i]->bytes;
	ruling_drop(set[i]);
	g->cache_bytes += j->bytes;
	for (; i > 0; i--)
		set[i] = set[i - 1];
	set[0] = ruling_share(j);
}
