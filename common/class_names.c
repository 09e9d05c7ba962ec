/*
 * class_names.c - the names that a statement mentions, each once, sorted by
 * their hashes.
 *
 * The rule: every word that could name something is in the list; what is not in
 * it, the statement does not name.
 */
#include <stdlib.h>

#include "common/class_reader.h"

enum { RECENT_SHIFT = 57 }; /* the top bits of a hash that choose a slot */

struct name {
	uint64_t hash;
	struct text text;
	bool is_relation; /* or an alias of one */
};

static int
name_compare(const void *a, const void *b)
{
	const struct name *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	if (x->text.len != y->text.len)
		return x->text.len < y->text.len ? -1 : 1;
	return x->text.len == 0 ? 0
				: memcmp(x->text.at, y->text.at, x->text.len);
}

/* For the few names of most statements; qsort's calls cost more. */
static void
sort_few(struct name *names, size_t count)
{
	size_t i, k;

	for (i = 1; i < count; i++) {
		struct name moving = names[i];

		for (k = i; k > 0 && name_compare(&moving, &names[k - 1]) < 0;
		     k--)
			names[k] = names[k - 1];
		names[k] = moving;
	}
}

/* All distinct names, sorted. */
static enum err
collect_names(const struct canonical *c, struct arena *a, struct name **out,
    size_t *count_out)
{
	uint32_t recent[1 << (64 - RECENT_SHIFT)] = {0};
	struct name *names;
	size_t i, count = 0, kept = 0;

	for (i = 0; i < c->count; i++)
		count += c->marks[i].is_name;
	names = arena_array(a, count, sizeof(*names));
	count = 0;
	if (names == NULL)
		return ERR_MEMORY;
	for (i = 0; i < c->count; i++) {
		uint64_t hash = c->marks[i].hash;
		const struct name *seen = &names[recent[hash >> RECENT_SHIFT]];

		/* most names are there many times: sort the others */
		if (!c->marks[i].is_name ||
		    (seen < names + count && seen->hash == hash &&
			text_is(seen->text, c->tokens[i].name)))
			continue;
		recent[hash >> RECENT_SHIFT] = (uint32_t)count;
		names[count++] =
		    (struct name){hash, c->tokens[i].name, false};
	}
	if (count <= 32)
		sort_few(names, count);
	else
		qsort(names, count, sizeof(*names), name_compare);
	for (i = 0; i < count; i++) {
		if (kept == 0 || name_compare(&names[i], &names[kept - 1]))
			names[kept++] = names[i];
	}
	*out = names;
	*count_out = kept;
	return ERR_NONE;
}

static struct name *
find_name(struct name *names, size_t count, const struct canonical *c,
    size_t token)
{
	struct name key = {
	    c->marks[token].hash, c->tokens[token].name, false};

	return bsearch(&key, names, count, sizeof(*names), name_compare);
}

/* A name that stands alone, as no part of `a.b`, no call, no label. */
static bool
is_bare(const struct canonical *c, size_t i)
{
	const struct token *t = c->tokens;

	if (!c->marks[i].is_name || c->marks[i].is_declared)
		return false;
	if (i > 0 &&
	    (token_is_mark(&t[i - 1], '.') || token_is_word(&t[i - 1], TEXT("as"))))
		return false;
	return i + 1 == c->count || (!token_is_mark(&t[i + 1], '.') &&
	    !token_is_mark(&t[i + 1], '('));
}

/* Is a relation's name or alias used as a value somewhere? */
static bool
has_whole_row(const struct reader *r, struct name *names, size_t count)
{
	const struct canonical *c = r->canonical;
	uint64_t maybe = 0; /* 64 bits of their hashes: most names miss */
	size_t i;

	for (i = 0; i < r->declared_count; i++) {
		struct name *n = find_name(names, count, c, r->declared[i]);

		maybe |= BIT(c->marks[r->declared[i]].hash & 63);
		if (n != NULL)
			n->is_relation = true;
	}
	for (i = 0; i < c->count; i++) {
		struct name *n;

		if (!is_bare(c, i) || !(maybe & BIT(c->marks[i].hash & 63)))
			continue;
		n = find_name(names, count, c, i);
		if (n != NULL && n->is_relation)
			return true;
	}
	return false;
}

enum err
reader_names(struct reader *r)
{
	static const uint64_t rows = BIT(OP_SELECT) | BIT(OP_INSERT) |
	    BIT(OP_UPDATE) | BIT(OP_DELETE) | BIT(OP_MERGE) |
	    BIT(OP_UNKNOWN);
	struct statement *s = r->statement;
	struct name *names;
	size_t count, i;
	enum err e = collect_names(r->canonical, r->arena, &names, &count);

	if (e != ERR_NONE)
		return e;
	if (s->operations & rows && has_whole_row(r, names, count))
		s->traits |= BIT(TRAIT_WHOLE_ROW);
	s->names = arena_array(r->arena, count, sizeof(*s->names));
	if (s->names == NULL)
		return ERR_MEMORY;
	for (i = 0; i < count; i++)
		s->names[i] = names[i].text;
	s->name_count = count;
	return ERR_NONE;
}

bool
statement_mentions(const struct statement *s, struct text name)
{
	uint64_t hash = text_hash(name);
	size_t low = 0, high = s->name_count;

	while (high - low > 16) { /* fewer are compared sooner than hashed */
		size_t middle = low + (high - low) / 2;

		if (text_hash(s->names[middle]) < hash)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < s->name_count; low++) {
		if (text_is(s->names[low], name))
			return true;
		if (low >= high && text_hash(s->names[low]) != hash)
			return false;
	}
	return false;
}
