/*
 * protection_evasive.c - statements that reach a column without its name.
 *
 * The rule: read the canonical text, where comments and constants are gone,
 * and call evasive whatever has the look of one of the three ways:
 *     FROM customers AS c (a, b)     renames columns by position
 *     TABLE customers                is a star
 *     SELECT c.to_jsonb              is the function to_jsonb(c)
 * Looks may deceive; then an output is masked that need not be.
 */
#include "common/protection_inner.h"

struct scan {
	struct text rest;
	struct text word; /* of the last token; unquoted. Marks: one byte */
	bool is_name;	  /* a word or quoted name */
	bool is_quoted;
};

static bool
is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	    c == '$' || (c >= '0' && c <= '9') || (c & 0x80) != 0;
}

static void
scan_cut(struct scan *s, size_t len)
{
	s->rest.at += len;
	s->rest.len -= len;
}

/* A quoted name with a quote in it keeps it doubled: it then equals no known
 * name, which is the strict way. */
static void
scan_quoted(struct scan *s)
{
	size_t i = 1;

	while (i < s->rest.len) {
		if (s->rest.at[i] != '"')
			i++;
		else if (i + 1 < s->rest.len && s->rest.at[i + 1] == '"')
			i += 2;
		else
			break;
	}
	if (i > s->rest.len)
		i = s->rest.len;
	s->word = (struct text){s->rest.at + 1, i - 1};
	s->is_name = s->is_quoted = true;
	scan_cut(s, i < s->rest.len ? i + 1 : i);
}

static bool
scan_next(struct scan *s)
{
	size_t len = 0;

	while (s->rest.len > 0 && s->rest.at[0] == ' ')
		scan_cut(s, 1);
	if (s->rest.len == 0) {
		s->word = (struct text){NULL, 0};
		s->is_name = false;
		return false;
	}
	if (s->rest.at[0] == '"') {
		scan_quoted(s);
		return true;
	}
	while (len < s->rest.len && is_name_byte(s->rest.at[len]))
		len++;
	s->is_name = len > 0 && !(s->rest.at[0] >= '0' && s->rest.at[0] <= '9');
	s->is_quoted = false;
	s->word = (struct text){s->rest.at, len > 0 ? len : 1};
	scan_cut(s, s->word.len);
	return true;
}

/* Words that cannot be an alias (reserved, or for types and functions only)
 * and may stand between a relation or `)` and `(`. Words such as `by`, `set`
 * or `values` are no such words: the server takes them as aliases. */
static bool
is_no_alias(const struct scan *s)
{
	static const struct text words[] = {{"all", 3}, {"and", 3}, {"any", 3},
	    {"as", 2}, {"distinct", 8}, {"else", 4}, {"except", 6},
	    {"from", 4}, {"group", 5}, {"having", 6}, {"ilike", 5}, {"in", 2},
	    {"intersect", 9}, {"join", 4}, {"like", 4}, {"limit", 5},
	    {"not", 3}, {"offset", 6}, {"on", 2}, {"or", 2},
	    {"returning", 9}, {"select", 6}, {"some", 4}, {"then", 4},
	    {"union", 5}, {"using", 5}, {"when", 4}, {"where", 5}};
	size_t i;

	if (s->is_quoted)
		return false;
	for (i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (text_is(words[i], s->word))
			return true;
	}
	return false;
}

static bool
is_word(const struct scan *s, const char *word)
{
	return !s->is_quoted && text_is(s->word, text_of(word));
}

/* After something an alias can follow: `[*] [as] NAME ( NAME , | )`? */
static bool
has_column_aliases(struct scan s)
{
	if (!scan_next(&s))
		return false;
	if (is_word(&s, "*") && !scan_next(&s))
		return false;
	if (is_word(&s, "as") && !scan_next(&s))
		return false;
	if (!s.is_name || is_no_alias(&s) || !scan_next(&s) ||
	    !is_word(&s, "(") || !scan_next(&s) || !s.is_name)
		return false;
	return scan_next(&s) && (is_word(&s, ",") || is_word(&s, ")"));
}

/* Does a `(` come next: schema.function(…)? */
static bool
is_called(struct scan s)
{
	return scan_next(&s) && is_word(&s, "(");
}

static bool
is_relation(const struct statement *s, struct text word)
{
	size_t i;

	for (i = 0; i < s->relation_count; i++) {
		if (text_is(s->relations[i].name, word))
			return true;
	}
	return false;
}

bool
protection_is_evasive(const struct statement *s,
    bool (*is_known_column)(void *context, struct text name), void *context)
{
	struct scan scan = {.rest = s->canonical};
	bool after_dot = false;

	while (scan_next(&scan)) {
		bool can_have_alias =
		    is_word(&scan, ")") || is_relation(s, scan.word);

		if (is_word(&scan, "table"))
			return true;
		if (after_dot && scan.is_name && !is_called(scan) &&
		    !is_known_column(context, scan.word))
			return true;
		if (can_have_alias && has_column_aliases(scan))
			return true;
		after_dot = is_word(&scan, ".");
	}
	return false;
}
