/*
 * clean_output.c - one SELECT's list, split at its commas.
 *
 * The rule: as many items must be found as the server described outputs. A
 * list taken to end too early has fewer, one taken to end too late has more,
 * and what makes several outputs of one item, or none, has a star, which is
 * refused. So the i-th item is the i-th output.
 *
 * It trusts canonical text: single spaces between tokens and none within.
 */
#include "common/clean_output.h"

struct walk {
	struct text rest;
	struct text word;
	size_t depth; /* of brackets around the word */
};

/* `select LIST TAIL`; `sorting` is the part of the tail that may speak of
 * outputs: from GROUP BY or ORDER BY to LIMIT. */
struct shape {
	struct text list, tail, sorting;
	size_t items;
};

static bool
walk_next(struct walk *w)
{
	const char *space;

	if (w->rest.len == 0)
		return false;
	space = memchr(w->rest.at, ' ', w->rest.len);
	w->word = w->rest;
	if (space != NULL)
		w->word.len = (size_t)(space - w->rest.at);
	w->rest.at += w->word.len + (space != NULL);
	w->rest.len -= w->word.len + (space != NULL);
	if (text_is(w->word, TEXT("(")) || text_is(w->word, TEXT("[")))
		w->depth++;
	else if (w->depth > 0 &&
		 (text_is(w->word, TEXT(")")) || text_is(w->word, TEXT("]"))))
		w->depth--;
	return true;
}

static bool
is_one_of(struct text word, const struct text *words, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (text_is(word, words[i]))
			return true;
	}
	return false;
}

#define IS_ONE_OF(word, words)                                                 \
	is_one_of(word, words, sizeof(words) / sizeof(*(words)))

static const struct text combining[] = {
    {"union", 5}, {"intersect", 9}, {"except", 6}, {"into", 4}};
static const struct text clauses[] = {{"from", 4}, {"where", 5}, {"group", 5},
    {"having", 6}, {"window", 6}, {"order", 5}, {"limit", 5}, {"offset", 6},
    {"fetch", 5}, {"for", 3}};
static const struct text sorters[] = {{"group", 5}, {"order", 5}};
static const struct text cutters[] = {
    {"limit", 5}, {"offset", 6}, {"fetch", 5}};

static struct text
without_quotes(struct text word)
{
	if (word.len >= 2 && word.at[0] == '"')
		return (struct text){word.at + 1, word.len - 2};
	return word;
}

static bool
has_word(struct text span, struct text name)
{
	struct walk w = {.rest = span};

	while (walk_next(&w)) {
		if (text_is(without_quotes(w.word), name))
			return true;
	}
	return false;
}

static bool
mentions_protected(struct text span, const struct touch *t)
{
	size_t i;

	for (i = 0; i < t->column_count; i++) {
		if (has_word(span, t->columns[i]))
			return true;
	}
	return false;
}

/* From the word that begins at `from` to where `to` begins. */
static struct text
between(const char *from, const char *to)
{
	return (struct text){from, (size_t)(to - from)};
}

/* A word of the list that no list of clean outputs has. */
static bool
is_strange(const struct walk *w)
{
	if (w->word.at[0] == '"' && memchr(w->word.at, '%', w->word.len))
		return true; /* a name that is not spelt as it is */
	return w->depth == 0 && IS_ONE_OF(w->word, combining);
}

static bool
read_list(struct walk *w, struct shape *out)
{
	const char *from = w->rest.at;

	out->items = 1;
	while (walk_next(w)) {
		if (is_strange(w))
			return false;
		if (w->depth > 0)
			continue;
		if (text_is(w->word, TEXT("*")))
			return false;
		if (IS_ONE_OF(w->word, clauses)) {
			out->list = between(from, w->word.at);
			out->tail =
			    between(w->word.at, w->rest.at + w->rest.len);
			return true;
		}
		out->items += text_is(w->word, TEXT(","));
	}
	return false; /* it reads no relation */
}

static bool
read_tail(struct walk *w, struct shape *out)
{
	const char *from = NULL, *end = w->rest.at + w->rest.len;

	/* the clause that ended the list counts, too */
	*w = (struct walk){.rest = out->tail};
	while (walk_next(w)) {
		if (is_strange(w))
			return false;
		if (w->depth > 0)
			continue;
		if (from == NULL && IS_ONE_OF(w->word, sorters))
			from = w->word.at;
		else if (from != NULL && IS_ONE_OF(w->word, cutters)) {
			end = w->word.at;
			break;
		}
	}
	while (walk_next(w)) {
		if (is_strange(w))
			return false;
	}
	if (from != NULL)
		out->sorting = between(from, end);
	return w->depth == 0;
}

static bool
read_shape(struct text canonical, struct shape *out)
{
	struct walk w = {.rest = canonical}, first;

	*out = (struct shape){.items = 0};
	if (!walk_next(&w) || !text_is(w.word, TEXT("select")))
		return false;
	first = w;
	if (!walk_next(&first) || text_is(first.word, TEXT("distinct")))
		return false;
	return read_list(&w, out) && read_tail(&w, out);
}

static bool
is_name(struct text word)
{
	char c = word.at[0];

	return c == '"' || c == '_' || (c >= 'a' && c <= 'z') || (c & 0x80);
}

/* May GROUP BY or ORDER BY mean this item, by its label? */
static bool
is_sorted_by(const struct shape *shape, struct text item)
{
	struct walk w = {.rest = item};

	while (walk_next(&w)) {
		if (is_name(w.word) &&
		    has_word(shape->sorting, without_quotes(w.word)))
			return true;
	}
	return false;
}

/* Item `i` mentions nothing protected, and nothing else hangs on the items
 * that do. */
static bool
is_clean_item(const struct shape *shape, const struct touch *t, size_t i)
{
	struct walk w = {.rest = shape->list};
	const char *from = w.rest.at;
	size_t item = 0;
	bool more;

	do {
		const char *end = w.rest.at;

		more = walk_next(&w);
		if (more && (w.depth > 0 || !text_is(w.word, TEXT(","))))
			continue;
		if (mentions_protected(between(from, end), t) &&
		    (item == i || is_sorted_by(shape, between(from, end))))
			return false;
		from = w.rest.at;
		item++;
	} while (more);
	return true;
}

bool
statement_output_is_clean(
    const struct statement *s, const struct touch *t, size_t i, size_t count)
{
	static const uint64_t unfit =
	    BIT(TRAIT_STAR) | BIT(TRAIT_WHOLE_ROW) | BIT(TRAIT_MULTI) |
	    BIT(TRAIT_OPAQUE_FUNCTION) | BIT(TRAIT_UNKNOWN_FUNCTION) |
	    BIT(TRAIT_ESCAPING_FUNCTION);
	struct shape shape;

	if (s->operations != BIT(OP_SELECT) || (s->traits & unfit) != 0 ||
	    t->has_other_ways || t->is_unknown || i >= count ||
	    s->canonical.len > CLEAN_OUTPUT_TEXT_MAX)
		return false;
	return read_shape(s->canonical, &shape) && shape.items == count &&
	       /* else it is not known why it is said to mention something */
	       mentions_protected(shape.list, t) &&
	       !mentions_protected(shape.tail, t) &&
	       /* a number there stands for the output of that number */
	       !has_word(shape.sorting, TEXT("?")) &&
	       is_clean_item(&shape, t, i);
}
