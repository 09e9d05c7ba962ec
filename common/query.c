/*
 * query.c - one statement: what stands around a query, and nothing after it.
 *
 * The one rule: every token is accounted for. A tree is handed out only when
 * the statement ends where its grammar does.
 */
#include "common/query_inner.h"

static void statement(struct parser *p, struct query_tree *out);

/* Does `(` open a query? EXPLAIN's options are in parentheses, too. */
static bool
at_query_in_parentheses(struct parser *p)
{
	bool is_query;

	if (!query_take(p, '('))
		return false;
	is_query = query_starts_query(p) || query_peek_is(p, 0, '(');
	p->at--;
	return is_query;
}

/* EXPLAIN [ANALYZE] [VERBOSE] | ( options ) */
static void
explain(struct parser *p, struct query_tree *out)
{
	out->is_explained = true;
	out->wrapper = WRAPPER_EXPLAIN;
	if (query_peek_is(p, 0, '(')) {
		if (!at_query_in_parentheses(p))
			query_skip_parentheses(p);
	} else {
		if (!query_take_word(p, WORD_ANALYZE))
			query_take_word(p, WORD_ANALYSE);
		query_take_word(p, WORD_VERBOSE);
	}
	if (query_peek_word(p, 0) == WORD_DECLARE ||
	    query_peek_word(p, 0) == WORD_CREATE)
		statement(p, out);
	else
		out->query = query_any_query(p);
}

/* PREPARE name [( types )] AS */
static void
prepare(struct parser *p, struct query_tree *out)
{
	out->wrapper = WRAPPER_PREPARE;
	query_column_name(p);
	if (query_take(p, '(')) {
		do {
			query_type_name(p);
		} while (query_take(p, ','));
		query_want(p, ')');
	}
	query_want_word(p, WORD_AS);
	out->query = query_any_query(p);
}

/* DECLARE name [options] CURSOR [WITH | WITHOUT HOLD] FOR */
static void
declare(struct parser *p, struct query_tree *out)
{
	out->wrapper = WRAPPER_DECLARE;
	query_column_name(p);
	while (query_take_words(p, WORD_NO, WORD_SCROLL) ||
	       query_take_word(p, WORD_SCROLL) ||
	       query_take_word(p, WORD_BINARY) ||
	       query_take_word(p, WORD_INSENSITIVE) ||
	       query_take_word(p, WORD_ASENSITIVE))
		continue;
	query_want_word(p, WORD_CURSOR);
	if (query_take_word(p, WORD_WITH) || query_take_word(p, WORD_WITHOUT))
		query_want_word(p, WORD_HOLD);
	query_want_word(p, WORD_FOR);
	out->query = query_select_query(p, NULL);
}

/* COPY ( query ) TO …: what follows says where and how, in constants. */
static void
copy(struct parser *p, struct query_tree *out)
{
	out->wrapper = WRAPPER_COPY;
	query_want(p, '(');
	out->query = query_any_query(p);
	query_want(p, ')');
	query_want_word(p, WORD_TO);
	while (query_peek(p, 0) != NULL && !query_peek_is(p, 0, ';'))
		query_skip(p, 1);
}

/* --- CREATE … AS ---------------------------------------------------------- */

/* ON COMMIT DROP | DELETE ROWS | PRESERVE ROWS */
static void
on_commit(struct parser *p)
{
	if (!query_take_words(p, WORD_ON, WORD_COMMIT) ||
	    query_take_word(p, WORD_DROP))
		return;
	if (!query_take_word(p, WORD_DELETE))
		query_want_word(p, WORD_PRESERVE);
	query_want_word(p, WORD_ROWS);
}

/* name [( columns )] [USING method] [WITH ( … )] … AS */
static void
created(struct parser *p)
{
	if (query_take_word(p, WORD_IF))
		query_want_words(p, WORD_NOT, WORD_EXISTS);
	query_qualified_name(p);
	if (query_peek_is(p, 0, '('))
		query_name_list(p);
	if (query_take_word(p, WORD_USING))
		query_column_name(p);
	if (query_take_word(p, WORD_WITH))
		query_skip_parentheses(p);
	else if (query_take_word(p, WORD_WITHOUT))
		query_want_word(p, WORD_OIDS);
	on_commit(p);
	if (query_take_word(p, WORD_TABLESPACE))
		query_column_name(p);
	query_want_word(p, WORD_AS);
}

/* WITH [NO] DATA, or a view's WITH [CASCADED | LOCAL] CHECK OPTION */
static void
created_with(struct parser *p)
{
	if (!query_take_word(p, WORD_WITH))
		return;
	if (query_take_word(p, WORD_DATA) ||
	    query_take_words(p, WORD_NO, WORD_DATA))
		return;
	if (!query_take_word(p, WORD_CASCADED))
		query_take_word(p, WORD_LOCAL);
	query_want_words(p, WORD_CHECK, WORD_OPTION);
}

/* CREATE [OR REPLACE] [TEMP …] TABLE | VIEW | MATERIALIZED VIEW */
static void
create(struct parser *p, struct query_tree *out)
{
	out->wrapper = WRAPPER_CREATE;
	query_take_words(p, WORD_OR, WORD_REPLACE);
	if (!query_take_word(p, WORD_LOCAL))
		query_take_word(p, WORD_GLOBAL);
	if (!query_take_word(p, WORD_TEMPORARY) &&
	    !query_take_word(p, WORD_TEMP))
		query_take_word(p, WORD_UNLOGGED);
	if (query_take_word(p, WORD_MATERIALIZED))
		query_want_word(p, WORD_VIEW);
	else if (!query_take_word(p, WORD_TABLE))
		query_want_word(p, WORD_VIEW);
	created(p);
	out->query = query_select_query(p, NULL);
	created_with(p);
}

/* -------------------------------------------------------------------------- */

static const struct wrapper_word {
	enum query_word word;
	void (*parse)(struct parser *p, struct query_tree *out);
} wrappers[] = {
    {WORD_EXPLAIN, explain},
    {WORD_PREPARE, prepare},
    {WORD_DECLARE, declare},
    {WORD_COPY, copy},
    {WORD_CREATE, create},
};

static void
statement(struct parser *p, struct query_tree *out)
{
	size_t i;

	for (i = 0; i < sizeof(wrappers) / sizeof(*wrappers); i++) {
		if (query_take_word(p, wrappers[i].word)) {
			wrappers[i].parse(p, out);
			return;
		}
	}
	out->query = query_any_query(p);
}

static enum err
find_words(struct parser *p)
{
	uint16_t *words = arena_array(p->arena, p->count, sizeof(*words));
	size_t i;

	if (words == NULL)
		return ERR_MEMORY;
	for (i = 0; i < p->count; i++) {
		if (p->tokens[i].kind == TOKEN_WORD)
			words[i] = (uint16_t)query_word(p->tokens[i].name);
	}
	p->words = words;
	return ERR_NONE;
}

enum err
query_parse(const struct token *tokens, size_t count, struct arena *a,
    struct query_tree *out)
{
	struct parser p = {.tokens = tokens, .count = count, .arena = a};

	*out = (struct query_tree){0};
	p.error = find_words(&p);
	if (p.error != ERR_NONE)
		return p.error;
	statement(&p, out);
	if (p.at < p.count)
		query_decline(&p, "more than a query was expected to have");
	if (p.error != ERR_NONE) {
		*out = (struct query_tree){0};
		out->declined = p.declined;
		out->declined_at = p.declined_at;
	}
	return p.error;
}
