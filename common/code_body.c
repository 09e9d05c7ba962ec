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
#include "common/code_body_inner.h"

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
		b->truncates |= is_word(b, i, "truncate");
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

/* --- all of it ------------------------------------------------------------ */

/* Writes, but for locks (FOR UPDATE, FOR NO KEY UPDATE). */
static bool
is_storing(const struct body *b, size_t i)
{
	static const char *const storing[] = {
	    "insert", "merge", "copy", "create", "notify", "alter", NULL};

	if (i == 0 && b->is_header)
		return false;
	return is_any_word(b, i, storing) ||
	       (is_word(b, i, "update") && i > 0 &&
		   !is_word(b, i - 1, "for") && !is_word(b, i - 1, "key"));
}

/* Statements of a body whose own text hides what they do, or that change what
 * names mean; what an error said, which may be a whole row. */
static bool
is_hiding(const struct body *b, size_t i)
{
	static const char *const statements[] = {
	    "do", "alter", "import", "copy", "fetch", "move", NULL};
	static const char *const told[] = {"pg_exception_detail",
	    "pg_exception_context", "pg_exception_hint", "message_text",
	    "sqlerrm", NULL};
	static const char *const makes[] = {"function", "procedure", "foreign",
	    "server", "operator", "cast", "type", "domain", "aggregate",
	    "trigger", "rule", "view", "materialized", "or", "extension",
	    "language", "policy", NULL};
	static const char *const writes[] = {"update", "into", "from", NULL};

	if (b->is_statement)
		return false;
	if (is_any_word(b, i, told))
		return true;
	if (is_any_word(b, i, writes) && i + 1 < b->count &&
	    (!is_word(b, i, "from") || (i > 0 && is_word(b, i - 1, "delete"))) &&
	    (text_starts(b->tokens[i + 1].name, TEXT("pg_"))))
		return true;
	if (!begins_statement(b, i))
		return false;
	return is_any_word(b, i, statements) ||
	       (!(i == 0 && b->is_header) && is_word(b, i, "create") &&
		   is_any_word(b, i + 1, makes));
}

/* Dynamic SQL; what a cursor known by its name alone holds; a setting; text
 * that another setting would make other text of. */
static bool
is_opaque(const struct body *b, size_t i)
{
	static const char *const setting[] = {"set", "reset", "discard", NULL};
	const struct token *t = &b->tokens[i];

	if (!b->is_statement && t->kind == TOKEN_STRING && t->raw.at[0] == '\'')
		return memchr(t->raw.at, '\\', t->raw.len) != NULL;
	return code_is_dynamic(b, i) || is_hiding(b, i) ||
	       is_word(b, i, "refcursor") ||
	       (is_any_word(b, i, setting) && begins_statement(b, i));
}

/* --- relations that run code ---------------------------------------------- */

/* Is the relation whose name ends at `i` written? */
static bool
is_written(const struct body *b, size_t i)
{
	static const char *const before[] = {"into", "update", "copy", NULL};
	size_t start = name_start(b, i);

	if (b->truncates)
		return true;
	if (start > 0 && is_word(b, start - 1, "only"))
		start--;
	if (start == 0)
		return false;
	return is_any_word(b, start - 1, before) ||
	       (start > 1 && is_word(b, start - 1, "from") &&
		   is_word(b, start - 2, "delete"));
}

static enum err
take_relation(const struct body *b, size_t i)
{
	static const enum code_kind kinds[] = {
	    CODE_SECURITY, CODE_READING, CODE_WRITING, CODE_RELATION,
	    CODE_TRIGGER, CODE_ROWS};
	const struct code_listener *l = b->listener;
	size_t count = is_written(b, i) ? 6 : 2, k;
	enum err e = ERR_NONE;

	for (k = 0; k < count && e == ERR_NONE; k++) {
		const struct code_call call = {
		    .kind = kinds[k], .name = b->tokens[i].name};

		e = l->take_call(l->context, &call);
	}
	return e;
}

/* --- what there is to be told --------------------------------------------- */

static enum err
read_token(struct body *b, size_t i)
{
	const struct code_listener *l = b->listener;
	struct code_facts *facts = b->facts;
	enum err e = ERR_NONE;

	facts->is_opaque |= is_opaque(b, i);
	facts->escapes |= code_escapes(b, i);
	facts->stores |= is_storing(b, i) || code_is_dynamic(b, i) ||
			 is_hiding(b, i);
	facts->takes_whole_relations |= code_takes_whole(b, i);
	facts->returns_trigger |=
	    is_word(b, i, "returns") && is_word(b, i + 1, "trigger");
	facts->changes_row |= code_changes_row(b, i);
	if (is_name(b, i) && !b->is_target[i])
		e = l->take_name(l->context, b->tokens[i].name);
	if (e == ERR_NONE && is_name(b, i) &&
	    l->is_relation(l->context, b->tokens[i].name))
		e = take_relation(b, i);
	return e;
}

static enum err
read_tokens(struct body *b)
{
	const struct code_listener *l = b->listener;
	enum err e;
	size_t i;

	b->is_target = arena_array(b->arena, b->count + 1, sizeof(*b->is_target));
	if (b->is_target == NULL)
		return ERR_MEMORY;
	mark_targets(b);
	e = code_find_declared(b);
	for (i = 0; i < b->count && e == ERR_NONE; i++)
		e = read_token(b, i);
	return e != ERR_NONE ? e
			     : code_calls(b->tokens, b->count, l->take_call,
				   l->context);
}

static bool
has_backslash(const struct lexed *l)
{
	size_t i;

	for (i = 0; i < l->count; i++) {
		if (l->tokens[i].kind == TOKEN_STRING &&
		    l->tokens[i].raw.at[0] == '\'' &&
		    memchr(l->tokens[i].raw.at, '\\',
			l->tokens[i].raw.len) != NULL)
			return true;
	}
	return false;
}

/* Nobody knows under which settings it will run; where they would make other
 * text of it, it escapes if either text does. */
static enum err
read_otherwise(struct text body, struct arena *a, struct code_facts *facts)
{
	static const struct lex_state other = {
	    .dialect = DIALECT_POSTGRES, .is_utf8 = true};
	struct body b = {.facts = facts, .arena = a};
	struct lexed lexed;
	enum err e = lexer_run(&other, body, a, &lexed);
	size_t i;

	facts->escapes |= e == ERR_MALFORMED || e == ERR_TOO_LONG;
	if (e != ERR_NONE)
		return e == ERR_MALFORMED || e == ERR_TOO_LONG ? ERR_NONE : e;
	b.tokens = lexed.tokens;
	b.count = lexed.count;
	for (i = 0; i < b.count; i++)
		facts->escapes |= code_escapes(&b, i);
	return ERR_NONE;
}

static enum err
read_text(struct text body, struct arena *a, const struct code_listener *l,
    bool is_header, struct code_facts *facts)
{
	static const struct lex_state usual = {.dialect = DIALECT_POSTGRES,
	    .standard_conforming_strings = true,
	    .is_utf8 = true};
	struct body b = {.listener = l,
	    .facts = facts,
	    .arena = a,
	    .is_header = is_header};
	struct lexed lexed;
	enum err e = body.len > CODE_BODY_MAX
	    ? ERR_TOO_LONG
	    : lexer_run(&usual, body, a, &lexed);

	if (e == ERR_MALFORMED || e == ERR_TOO_LONG) {
		facts->is_opaque = facts->escapes = true;
		return ERR_NONE;
	}
	if (e == ERR_NONE && has_backslash(&lexed))
		e = read_otherwise(body, a, facts);
	if (e != ERR_NONE)
		return e;
	b.tokens = lexed.tokens;
	b.count = lexed.count;
	return read_tokens(&b);
}

enum err
code_body_read(struct text body, struct arena *a,
    const struct code_listener *l, struct code_facts *facts)
{
	return read_text(body, a, l, false, facts);
}

enum err
code_header_read(struct text header, struct arena *a,
    const struct code_listener *l, struct code_facts *facts)
{
	return read_text(header, a, l, true, facts);
}

enum err
code_statement_read(const struct token *tokens, size_t count, struct arena *a,
    const struct code_listener *l, struct code_facts *facts)
{
	struct body b = {.tokens = tokens,
	    .count = count,
	    .listener = l,
	    .facts = facts,
	    .arena = a,
	    .is_statement = true};

	return read_tokens(&b);
}
