/*
 * code_body.c - what the text of a function's body may read and do.
 *
 * The rule: what is not understood is a use.  Three things are told apart
 * from uses, because nearly every function that writes has them: the columns
 * that an INSERT lists, those that an UPDATE assigns to, and the names that a
 * FROM introduces.
 *
 * The text is read as a session with the usual settings would; where it could
 * be read in another way (a backslash in a plain string), it is opaque.
 */
#include "worker/postgres/catalog/code_body.h"

enum {
	NAME_PARTS_MAX = 4,
	DECLARED_MAX = 1000, /* more: it takes whole relations */
};

struct body {
	const struct token *tokens;
	size_t count;
	bool *is_target; /* of each token: it only names where values go */
	const struct code_listener *listener;
	struct code_facts *facts;
	struct arena *arena;
	/* Relations and their aliases, by token. */
	size_t *declared;
	size_t declared_count;
};

static bool
is_mark(const struct body *b, size_t i, char c)
{
	return i < b->count && b->tokens[i].kind == TOKEN_PUNCTUATION &&
	       b->tokens[i].raw.at[0] == c;
}

static bool
is_name(const struct body *b, size_t i)
{
	return i < b->count && (b->tokens[i].kind == TOKEN_WORD ||
				   b->tokens[i].kind == TOKEN_QUOTED);
}

static bool
is_word(const struct body *b, size_t i, const char *word)
{
	return i < b->count && b->tokens[i].kind == TOKEN_WORD &&
	       text_is(b->tokens[i].name, text_of(word));
}

static bool
is_any_word(const struct body *b, size_t i, const char *const *words)
{
	for (; *words != NULL; words++) {
		if (is_word(b, i, *words))
			return true;
	}
	return false;
}

static bool
is_operator(const struct body *b, size_t i, const char *symbol)
{
	return i < b->count && b->tokens[i].kind == TOKEN_OPERATOR &&
	       text_is(b->tokens[i].raw, text_of(symbol));
}

/* Where the qualified name that ends at `i` begins. */
static size_t
name_start(const struct body *b, size_t i)
{
	size_t parts = 1;

	while (i >= 2 && parts++ < NAME_PARTS_MAX && is_mark(b, i - 1, '.') && is_name(b, i - 2))
		i -= 2;
	return i;
}

/* The token after the qualified name that begins at `i`. */
static size_t
name_end(const struct body *b, size_t i)
{
	while (is_mark(b, i + 1, '.') && is_name(b, i + 2))
		i += 2;
	return i + 1;
}

/* --- targets -------------------------------------------------------------- */

/* INSERT INTO relation [ ( column, … ) ], from its relation on. */
static void
mark_insert(struct body *b, size_t i)
{
	size_t end = name_end(b, i);

	for (; i < end && i < b->count; i++)
		b->is_target[i] = true;
	if (!is_mark(b, end, '('))
		return;
	for (i = end + 1; is_name(b, i) || is_mark(b, i, ','); i++)
		b->is_target[i] = true;
}

/* SET column = …, column = … up to whatever ends the assignments. */
static void
mark_update(struct body *b, size_t i)
{
	static const char *const ends[] = {"from", "where", "returning", NULL};
	bool is_first = true;
	size_t depth = 0;

	for (; i < b->count && !is_mark(b, i, ';'); i++) {
		if (is_mark(b, i, '('))
			depth++;
		else if (is_mark(b, i, ')') && depth-- == 0)
			return;
		if (depth > 0)
			continue;
		if (is_any_word(b, i, ends))
			return;
		if ((is_first || is_mark(b, i - 1, ',')) && is_name(b, i) &&
		    is_operator(b, i + 1, "="))
			b->is_target[i] = true;
		is_first = false;
	}
}

static void
mark_targets(struct body *b)
{
	bool is_update = false;
	size_t i;

	for (i = 0; i < b->count; i++) {
		if (is_word(b, i, "insert") && is_word(b, i + 1, "into"))
			mark_insert(b, i + 2);
		if (is_mark(b, i, ';'))
			is_update = false;
		if (is_word(b, i, "update"))
			is_update = true;
		if (is_update && is_word(b, i, "set")) {
			mark_update(b, i + 1);
			is_update = false;
		}
	}
}

/* --- columns used without their names ------------------------------------- */

/* Words after a relation that are no alias of it. One that is left out here
 * makes the body look as if it used whole rows. */
static const char *const no_alias[] = {"as", "on", "using", "where", "set",
    "join", "left", "right", "inner", "full", "cross", "natural", "order",
    "group", "having", "limit", "offset", "fetch", "for", "union", "except",
    "intersect", "returning", "into", "window", "values", "select", "default",
    "loop", "then", "end", "when", "do", "with", "language", "tablesample",
    NULL};

static const char *const before_relation[] = {
    "from", "join", "update", "into", "only", "table", NULL};

/* The alias of the relation whose name ends at `i`; 0: it has none. */
static size_t
alias_of(const struct body *b, size_t i)
{
	if (is_word(b, i + 1, "as"))
		return is_name(b, i + 2) ? i + 2 : 0;
	return is_name(b, i + 1) && !is_any_word(b, i + 1, no_alias) ? i + 1
								      : 0;
}

static bool
is_introduced(const struct body *b, size_t i)
{
	size_t start = name_start(b, i);

	return start > 0 && is_any_word(b, start - 1, before_relation);
}

static bool
is_declared_name(const struct body *b, struct text name)
{
	size_t i;

	for (i = 0; i < b->declared_count; i++) {
		if (text_is(b->tokens[b->declared[i]].name, name))
			return true;
	}
	return false;
}

/* Relations and their aliases. */
static enum err
find_declared(struct body *b)
{
	const struct code_listener *l = b->listener;
	size_t i, alias;

	b->declared = arena_array(b->arena, 2 * b->count + 1,
	    sizeof(*b->declared));
	if (b->declared == NULL)
		return ERR_MEMORY;
	for (i = 0; i < b->count; i++) {
		if (b->declared_count > DECLARED_MAX) {
			b->facts->takes_whole_relations = true;
			break;
		}
		if (!is_name(b, i) || b->is_target[i] ||
		    !l->is_relation(l->context, b->tokens[i].name))
			continue;
		alias = alias_of(b, i);
		b->declared[b->declared_count++] = i;
		if (alias != 0 && is_introduced(b, i))
			b->declared[b->declared_count++] = alias;
	}
	return ERR_NONE;
}

/* Does the name at `i`, a relation's or alias', stand where it is brought in,
 * or before a dot and a column, or in relation%ROWTYPE? */
static bool
is_harmless(const struct body *b, size_t i)
{
	size_t before;

	if (is_mark(b, i + 1, '.'))
		return !is_operator(b, i + 2, "*");
	if (is_introduced(b, i))
		return alias_of(b, i) == 0 ||
		       !is_mark(b, alias_of(b, i) + 1, '(');
	before = i > 0 && is_word(b, i - 1, "as") ? i - 1 : i;
	if (before > 0 && is_name(b, before - 1) &&
	    is_introduced(b, before - 1))
		return !is_mark(b, i + 1, '(');
	return is_operator(b, i + 1, "%");
}

/* c.to_jsonb is to_jsonb(c). */
static bool
is_functional(const struct body *b, size_t i)
{
	const struct code_listener *l = b->listener;
	static const char *const whole[] = {"text", "name", "varchar", "bpchar",
	    "to_json", "to_jsonb", "row_to_json", "json_agg", "jsonb_agg",
	    "array_agg", "string_agg", "concat", "format", "record_send",
	    "record_out", "num_nonnulls", "quote_literal", "quote_nullable",
	    NULL};

	return is_mark(b, i + 1, '.') && is_any_word(b, i + 2, whole) &&
	       !l->is_relation(l->context, b->tokens[i + 2].name);
}

static bool
is_star(const struct body *b, size_t i)
{
	static const char *const before[] = {
	    "select", "all", "distinct", "returning", NULL};

	return is_operator(b, i, "*") && i > 0 &&
	       (is_mark(b, i - 1, ',') || is_mark(b, i - 1, '.') ||
		   is_any_word(b, i - 1, before));
}

static bool
takes_whole(const struct body *b, size_t i)
{
	if (is_star(b, i) ||
	    (is_word(b, i, "table") && !is_mark(b, i + 1, '(')))
		return true;
	if (!is_name(b, i) || b->is_target[i] ||
	    !is_declared_name(b, b->tokens[i].name))
		return false;
	return is_functional(b, i) || !is_harmless(b, i);
}

/* --- all of it ------------------------------------------------------------ */

/* Writes, but for locks (FOR UPDATE, FOR NO KEY UPDATE). */
static bool
is_storing(const struct body *b, size_t i)
{
	static const char *const storing[] = {
	    "insert", "merge", "copy", "create", "notify", "alter", NULL};

	/* the header of the function itself */
	if (i == 0 && is_word(b, 0, "create") && is_word(b, 1, "or") &&
	    is_word(b, 2, "replace"))
		return false;
	return is_any_word(b, i, storing) ||
	       (is_word(b, i, "update") && i > 0 &&
		   !is_word(b, i - 1, "for") && !is_word(b, i - 1, "key"));
}

/* Dynamic SQL; what a cursor known by its name alone holds; text that another
 * setting would make other text of. */
static bool
is_opaque(const struct body *b, size_t i)
{
	const struct token *t = &b->tokens[i];

	if (t->kind == TOKEN_STRING && t->raw.at[0] == '\'')
		return memchr(t->raw.at, '\\', t->raw.len) != NULL;
	return is_word(b, i, "execute") || is_word(b, i, "refcursor");
}

static enum err
read_tokens(struct body *b)
{
	const struct code_listener *l = b->listener;
	enum err e;
	size_t i;

	mark_targets(b);
	e = find_declared(b);
	for (i = 0; i < b->count && e == ERR_NONE; i++) {
		b->facts->is_opaque |= is_opaque(b, i);
		b->facts->stores |= is_storing(b, i);
		b->facts->takes_whole_relations |= takes_whole(b, i);
		if (is_name(b, i) && !b->is_target[i])
			e = l->take_name(l->context, b->tokens[i].name);
	}
	return e != ERR_NONE ? e
			     : code_calls(b->tokens, b->count, l->take_call,
				   l->context);
}

enum err
code_body_read(struct text body, struct arena *a,
    const struct code_listener *l, struct code_facts *facts)
{
	static const struct lex_state usual = {.dialect = DIALECT_POSTGRES,
	    .standard_conforming_strings = true,
	    .is_utf8 = true};
	struct body b = {.listener = l, .facts = facts, .arena = a};
	struct lexed lexed;
	enum err e = body.len > CODE_BODY_MAX
	    ? ERR_TOO_LONG
	    : lexer_run(&usual, body, a, &lexed);

	if (e == ERR_MALFORMED || e == ERR_TOO_LONG) {
		facts->is_opaque = true;
		return ERR_NONE;
	}
	if (e != ERR_NONE)
		return e;
	b.tokens = lexed.tokens;
	b.count = lexed.count;
	b.is_target = arena_array(a, lexed.count + 1, sizeof(*b.is_target));
	return b.is_target == NULL ? ERR_MEMORY : read_tokens(&b);
}
