/*
 * penalty.c - counting wrong proofs in tables of fixed size.
 *
 * The rule: a count may be too high, by what the entry it replaced had, and
 * never too low for as long as it is there.  Texts come from clients: they
 * only ever become a keyed hash.
 */
#include "master/penalty.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "common/siphash.h"

enum {
	WAYS = 8, /* entries that a hash may be in */
	STRIKES_MAX = 16,
	SOURCE_TEXT_MAX = 64,
};

/* Wrong proofs of one subject. Forgotten when nothing failed for long. */
struct tally {
	uint64_t key;	/* 0: free */
	int64_t since;	/* what `count` counts from */
	int64_t last;	/* failure */
	int64_t until;	/* no proof is looked at before */
	uint32_t count;	  /* no more than are free */
	uint32_t strikes; /* failures beyond those */
};

struct proved {
	uint64_t key; /* 0: free */
	int64_t at;
};

struct penalties {
	uint64_t key[2];
	struct tally pairs[PENALTY_PAIRS];
	struct tally sources[PENALTY_SOURCES];
	struct tally names[PENALTY_NAMES];
	struct proved proved[PENALTY_PROVED];
};

/* What is counted, and how strictly. */
struct measure {
	uint32_t free;
	int64_t within, wait_max;
};

static const struct measure of_pairs = {PENALTY_PAIR_FREE,
    PENALTY_PAIR_WITHIN_MS, PENALTY_PAIR_WAIT_MAX_MS};
static const struct measure of_sources = {PENALTY_SOURCE_FREE,
    PENALTY_SOURCE_WITHIN_MS, PENALTY_SOURCE_WAIT_MAX_MS};
static const struct measure of_names = {PENALTY_NAME_FREE,
    PENALTY_NAME_WITHIN_MS, PENALTY_NAME_WAIT_MAX_MS};

/* Where a source and a name are counted. */
struct place {
	uint64_t pair, source, name;
};

/* Never 0. */
static uint64_t
hash(const uint64_t key[2], struct text t)
{
	uint64_t result = siphash(key, t);

	return result != 0 ? result : 1;
}

/* --- sources -------------------------------------------------------------- */

/* The address of "1.2.3.4:5" or "[1::2]:3" alone; false: it is none. */
static bool
address_cut(struct text source, char out[SOURCE_TEXT_MAX])
{
	const bool is_bracketed = source.len > 0 && source.at[0] == '[';
	const size_t start = is_bracketed ? 1 : 0;
	const char *end = source.len <= start
	    ? NULL
	    : memchr(source.at + start, is_bracketed ? ']' : ':',
		  source.len - start);
	size_t len = end == NULL ? 0 : (size_t)(end - source.at) - start;

	if (len == 0 || len >= SOURCE_TEXT_MAX)
		return false;
	memcpy(out, source.at + start, len);
	out[len] = '\0';
	out[strcspn(out, "%")] = '\0'; /* a link-local address's interface */
	return true;
}

/* As many bytes of an address as one client is likely to have all of. */
static struct text
network_of(struct text source, char out[16])
{
	char address[SOURCE_TEXT_MAX];
	struct in6_addr six;

	if (!address_cut(source, address))
		return source;
	if (inet_pton(AF_INET, address, out) == 1)
		return (struct text){out, 4};
	if (inet_pton(AF_INET6, address, &six) != 1)
		return source;
	if (IN6_IS_ADDR_V4MAPPED(&six)) {
		memcpy(out, six.s6_addr + 12, 4);
		return (struct text){out, 4};
	}
	memcpy(out, six.s6_addr, 8);
	return (struct text){out, 8};
}

static struct place
place_of(const struct penalties *p, struct text source, struct text name)
{
	char network[16];
	struct place at = {
	    .source = hash(p->key, network_of(source, network)),
	    .name = hash(p->key, name)};
	char both[16];

	memcpy(both, &at.source, 8);
	memcpy(both + 8, &at.name, 8);
	at.pair = hash(p->key, (struct text){both, sizeof(both)});
	return at;
}

/* --- tallies -------------------------------------------------------------- */

static bool
is_forgotten(const struct tally *t, int64_t now)
{
	return t->key == 0 || now - t->last >= PENALTY_FORGET_MS;
}

/* Those it may be among. */
static struct tally *
tallies_of(struct tally *table, size_t size, uint64_t key)
{
	return &table[key % (size / WAYS) * WAYS];
}

static struct tally *
tally_find(struct tally *table, size_t size, uint64_t key)
{
	struct tally *set = tallies_of(table, size, key);
	size_t i;

	for (i = 0; i < WAYS; i++) {
		if (set[i].key == key)
			return &set[i];
	}
	return NULL;
}

/* Is `a` the better one to lose? The forgotten first, then who did least, then
 * who did it longest ago. All who are beyond what is free are alike in this:
 * a newcomer, who never has more, would be the next to go otherwise. */
static bool
is_lesser(const struct tally *a, const struct tally *b, int64_t now)
{
	const bool a_forgotten = is_forgotten(a, now);

	if (a_forgotten != is_forgotten(b, now))
		return a_forgotten;
	return a->count != b->count ? a->count < b->count : a->last < b->last;
}

/* Its tally, perhaps in the place of another: what that one had counts for
 * the newcomer, too, or two could push each other out for ever. */
static struct tally *
tally_take(struct tally *table, size_t size, uint64_t key, int64_t now)
{
	struct tally *found = tally_find(table, size, key);
	struct tally *set = tallies_of(table, size, key);
	uint32_t count;
	size_t i;

	if (found != NULL && !is_forgotten(found, now))
		return found;
	for (i = 0; found == NULL && i < WAYS; i++) {
		if (set[i].key == 0)
			found = &set[i];
	}
	if (found == NULL)
		found = &set[0];
	for (i = 1; found->key != key && i < WAYS; i++) {
		if (is_lesser(&set[i], found, now))
			found = &set[i];
	}
	count = is_forgotten(found, now) ? 0 : found->count;
	*found = (struct tally){.key = key, .since = now, .count = count};
	return found;
}

static void
tally_fail(struct tally *table, size_t size, uint64_t key,
    const struct measure *m, int64_t now)
{
	struct tally *t = tally_take(table, size, key, now);
	int64_t wait;

	t->last = now;
	if (t->strikes == 0 && now - t->since >= m->within) {
		t->since = now;
		t->count = 0;
	}
	if (t->count < m->free) {
		t->count++;
		return;
	}
	wait = (int64_t)PENALTY_WAIT_FIRST_MS << t->strikes;
	if (t->strikes < STRIKES_MAX)
		t->strikes++;
	t->until = now + (wait < m->wait_max ? wait : m->wait_max);
}

static void
tally_forgive(struct tally *table, size_t size, uint64_t key)
{
	struct tally *t = tally_find(table, size, key);

	if (t == NULL)
		return;
	if (t->strikes > 0)
		t->strikes--;
	else if (t->count > 0)
		t->count--;
	/* waits for what others did are not over with this */
	if (t->strikes == 0)
		t->until = 0;
}

static int64_t
tally_wait(
    const struct tally *table, size_t size, uint64_t key, int64_t now)
{
	const struct tally *t = tally_find(
	    (struct tally *)(uintptr_t)table, size, key);

	return t == NULL || is_forgotten(t, now) || t->until <= now
	    ? 0
	    : t->until - now;
}

/* --- who has proved it ---------------------------------------------------- */

static struct proved *
proved_of(struct proved *table, uint64_t pair)
{
	return &table[pair % (PENALTY_PROVED / WAYS) * WAYS];
}

static bool
has_proved(const struct penalties *p, uint64_t pair, int64_t now)
{
	const struct proved *set =
	    proved_of((struct proved *)(uintptr_t)p->proved, pair);
	size_t i;

	for (i = 0; i < WAYS; i++) {
		if (set[i].key == pair)
			return now - set[i].at < PENALTY_PROVED_MS;
	}
	return false;
}

/* In the place of whoever did so longest ago. */
static void
proved_add(struct penalties *p, uint64_t pair, int64_t now)
{
	struct proved *set = proved_of(p->proved, pair), *oldest = &set[0];
	size_t i;

	for (i = 0; i < WAYS && oldest->key != pair; i++) {
		if (set[i].key == pair || set[i].key == 0 ||
		    (oldest->key != 0 && set[i].at < oldest->at))
			oldest = &set[i];
	}
	*oldest = (struct proved){pair, now};
}

/* --- from outside --------------------------------------------------------- */

size_t
penalties_size(void)
{
	return sizeof(struct penalties);
}

struct penalties *
penalties_init(void *memory, const uint8_t key[PENALTY_KEY_LEN])
{
	struct penalties *p = memory;

	memset(p, 0, sizeof(*p));
	memcpy(p->key, key, sizeof(p->key));
	return p;
}

bool
penalty_permits(const struct penalties *p, struct text source,
    struct text name, int64_t now_ms, int64_t *wait_ms_out)
{
	const struct place at = place_of(p, source, name);
	int64_t wait = tally_wait(p->pairs, PENALTY_PAIRS, at.pair, now_ms);
	int64_t strangers, others;

	if (!has_proved(p, at.pair, now_ms)) {
		others = tally_wait(
		    p->sources, PENALTY_SOURCES, at.source, now_ms);
		strangers =
		    tally_wait(p->names, PENALTY_NAMES, at.name, now_ms);
		wait = wait > others ? wait : others;
		wait = wait > strangers ? wait : strangers;
	}
	*wait_ms_out = wait;
	return wait == 0;
}

void
penalty_failed(struct penalties *p, struct text source, struct text name,
    int64_t now_ms)
{
	const struct place at = place_of(p, source, name);

	tally_fail(p->pairs, PENALTY_PAIRS, at.pair, &of_pairs, now_ms);
	tally_fail(
	    p->sources, PENALTY_SOURCES, at.source, &of_sources, now_ms);
	tally_fail(p->names, PENALTY_NAMES, at.name, &of_names, now_ms);
}

void
penalty_succeeded(struct penalties *p, struct text source, struct text name,
    int64_t now_ms)
{
	const struct place at = place_of(p, source, name);
	struct tally *pair = tally_find(p->pairs, PENALTY_PAIRS, at.pair);

	if (pair != NULL)
		*pair = (struct tally){0};
	proved_add(p, at.pair, now_ms);
}

void
penalty_forgive(struct penalties *p, struct text source, struct text name)
{
	const struct place at = place_of(p, source, name);

	tally_forgive(p->pairs, PENALTY_PAIRS, at.pair);
	tally_forgive(p->sources, PENALTY_SOURCES, at.source);
	tally_forgive(p->names, PENALTY_NAMES, at.name);
}
