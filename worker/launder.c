/*
 * launder.c - writes whose source is a protected column.
 *
 * A protected value that was copied into another column, a large object, a
 * notification or a lock is protected no longer.  So a statement that stores
 * anything may mention protected columns only where that is plainly harmless:
 * as the target of an assignment, in `column = …`, in its own RETURNING
 * (which is masked as any output), and in an INSERT of VALUES, which can read
 * no column at all.
 */
#include "common/flow.h"
#include "worker/launder.h"

static const uint64_t storing =
    BIT(OP_INSERT) | BIT(OP_UPDATE) | BIT(OP_MERGE) | BIT(OP_CREATE) |
    BIT(OP_ALTER) | BIT(OP_REFRESH) | BIT(OP_COPY_FILE) | BIT(OP_COPY_PROGRAM) |
    BIT(OP_COPY_IN) | BIT(OP_NOTIFY) | BIT(OP_DO) | BIT(OP_CALL) |
    BIT(OP_COMMENT) | BIT(OP_SECURITY_LABEL);

/* Beginnings of names of functions that leave a value somewhere. */
static const struct text storing_functions[] = {
    {"pg_advisory_", 12},
    {"pg_try_advisory_", 16},
    {"pg_notify", 9},
    {"pg_logical_emit_message", 23},
    {"setval", 6},
    {"setseed", 7},
    {"nextval", 7},
    {"set_config", 10},
    {"lo_", 3},
    {"lowrite", 7},
};

static bool
calls_storing_function(const struct statement *s)
{
	size_t i, k;

	for (i = 0; i < s->name_count; i++) {
		for (k = 0; k < sizeof(storing_functions) /
				    sizeof(storing_functions[0]);
		     k++) {
			if (text_starts(s->names[i], storing_functions[k]))
				return true;
		}
	}
	return false;
}

/* The next space-separated token of canonical text. */
static struct text
next_token(struct text *rest)
{
	const char *space =
	    rest->len == 0 ? NULL : memchr(rest->at, ' ', rest->len);
	struct text token = *rest;

	if (space == NULL) {
		*rest = (struct text){"", 0};
		return token;
	}
	token.len = (size_t)(space - rest->at);
	rest->at += token.len + 1;
	rest->len -= token.len + 1;
	return token;
}

static size_t
count_token(struct text canonical, struct text wanted)
{
	size_t count = 0;

	while (canonical.len > 0)
		count += text_is(next_token(&canonical), wanted);
	return count;
}

static unsigned
hex_digit(char c)
{
	return c >= '0' && c <= '9' ? (unsigned)(c - '0')
	    : c >= 'A' && c <= 'F'  ? (unsigned)(c - 'A' + 10)
	    : c >= 'a' && c <= 'f'  ? (unsigned)(c - 'a' + 10)
				    : 16;
}

/* Is this token of canonical text, in which a quoted name's odd bytes are
 * written %XX, that name? */
static bool
is_name(struct text token, struct text name)
{
	size_t i = 0, k = 0;

	if (token.len >= 2 && token.at[0] == '"')
		token.at++, token.len -= 2;
	for (; i < token.len && k < name.len; k++) {
		char c = token.at[i++];

		if (c == '%' && token.len - i >= 2) {
			c = (char)(hex_digit(token.at[i]) * 16 +
			    hex_digit(token.at[i + 1]));
			i += 2;
		}
		if (c != name.at[k])
			return false;
	}
	return i == token.len && k == name.len;
}

static bool
is_protected_name(const struct touch *t, struct text token)
{
	size_t i;

	for (i = 0; i < t->column_count; i++) {
		if (is_name(token, t->columns[i]))
			return true;
	}
	return false;
}

/* Does a protected name stand where it is not followed by `=`? The statement's
 * own RETURNING ends the search; a WITH may have others. */
static bool
uses_protected_value(const struct statement *s, const struct touch *t)
{
	const struct text returning = TEXT("returning");
	bool is_plain = !text_starts(s->canonical, TEXT("with ")) &&
			count_token(s->canonical, returning) == 1;
	struct text rest = s->canonical, token, after;

	while (rest.len > 0) {
		token = next_token(&rest);
		if (is_plain && text_is(token, returning))
			return false;
		if (!is_protected_name(t, token))
			continue;
		after = rest;
		if (!text_is(next_token(&after), TEXT("=")))
			return true;
	}
	return false;
}

/* INSERT … VALUES without ON CONFLICT: no column can be read. */
static bool
is_plain_insert(const struct statement *s)
{
	return (s->operations & storing) == BIT(OP_INSERT) &&
	       count_token(s->canonical, TEXT("conflict")) == 0;
}

/* COPY FROM STDIN: neither can it; its WHERE sees the client's own values. */
static bool
is_plain_copy(const struct statement *s)
{
	return (s->operations & storing) == BIT(OP_COPY_IN) &&
	       (s->operations & BIT(OP_SELECT)) == 0;
}

/* CREATE TABLE of columns, without a query: no value of another relation gets
 * into it, whatever its columns are called. */
static bool
is_plain_table(const struct statement *s)
{
	static const struct text kinds[] = {{"temp", 4}, {"temporary", 9},
	    {"unlogged", 8}, {"local", 5}, {"global", 6}};
	struct text rest = s->canonical, token;
	size_t i, count = sizeof(kinds) / sizeof(kinds[0]);

	if (s->operations != BIT(OP_CREATE) ||
	    !text_is(next_token(&rest), TEXT("create")))
		return false;
	do {
		token = next_token(&rest);
		for (i = 0; i < count && !text_is(token, kinds[i]); i++)
			;
	} while (i < count);
	return text_is(token, TEXT("table"));
}

/* A procedure that the catalogue knows stores nothing, or we were done. */
static uint64_t
stored_by(const struct touch *t)
{
	bool is_known = t->is_code_known && !t->is_code_open;

	return is_known ? storing & ~BIT(OP_CALL) : storing;
}

bool
launders(const struct statement *s, const struct touch *t)
{
	const uint64_t rows = BIT(OP_INSERT) | BIT(OP_UPDATE);

	if (t->is_code_storing)
		return true;
	if (t->flow != NULL && t->flow->is_understood)
		return t->flow->copy.where != NULL;
	if (!t->mentions)
		return false;
	if (calls_storing_function(s))
		return true;
	if ((s->operations & stored_by(t)) == 0)
		return false;
	if (is_plain_copy(s) || is_plain_table(s))
		return false;
	if ((s->operations & (BIT(OP_SELECT) | (storing & ~rows))) != 0)
		return true;
	if (is_plain_insert(s))
		return false;
	return t->has_other_ways || uses_protected_value(s, t);
}
