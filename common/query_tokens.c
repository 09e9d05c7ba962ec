/*
 * query_tokens.c - tokens, names and memory for the query parser.
 *
 * The one rule: after an error there is nothing more to take, so every loop
 * of the grammar ends.
 */
#include "common/query_inner.h"

void
query_decline(struct parser *p, const char *why)
{
	if (p->error != ERR_NONE)
		return;
	p->error = ERR_UNSUPPORTED;
	p->declined = why;
	p->declined_at = p->at;
	p->at = p->count;
}

bool
query_peek_operator(const struct parser *p, size_t ahead, const char *operator)
{
	const struct token *t = query_peek(p, ahead);

	return t != NULL && t->kind == TOKEN_OPERATOR &&
	       text_is(t->raw, text_of(operator));
}

bool
query_peek_string(const struct parser *p, size_t ahead)
{
	const struct token *t = query_peek(p, ahead);

	return t != NULL && t->kind == TOKEN_STRING &&
	       memchr("'$eEuU", t->raw.at[0], 6) != NULL;
}

void
query_skip(struct parser *p, size_t n)
{
	if (p->error == ERR_NONE && n <= p->count - p->at)
		p->at += n;
	else
		query_decline(p, "more tokens were expected");
}

bool
query_take_words(struct parser *p, enum query_word one, enum query_word two)
{
	if (query_peek_word(p, 0) != one || query_peek_word(p, 1) != two)
		return false;
	p->at += 2;
	return true;
}

bool
query_take_operator(struct parser *p, const char *operator)
{
	if (!query_peek_operator(p, 0, operator))
		return false;
	p->at++;
	return true;
}

void
query_want(struct parser *p, char punctuation)
{
	if (!query_take(p, punctuation))
		query_decline(p, "other punctuation was expected");
}

void
query_want_word(struct parser *p, enum query_word word)
{
	if (!query_take_word(p, word))
		query_decline(p, "another word was expected");
}

void
query_want_words(struct parser *p, enum query_word one, enum query_word two)
{
	query_want_word(p, one);
	query_want_word(p, two);
}

void
query_want_integer(struct parser *p)
{
	const struct token *t = query_peek(p, 0);
	size_t i;

	if (t == NULL || t->kind != TOKEN_NUMBER) {
		query_decline(p, "an integer was expected");
		return;
	}
	for (i = 0; i < t->raw.len; i++) {
		if (t->raw.at[i] < '0' || t->raw.at[i] > '9') {
			query_decline(p, "an integer was expected");
			return;
		}
	}
	p->at++;
}

void
query_skip_parentheses(struct parser *p)
{
	size_t open = 0;

	do {
		if (query_peek(p, 0) == NULL) {
			query_decline(p, "a parenthesis is open");
			return;
		}
		if (query_peek_is(p, 0, '('))
			open++;
		else if (query_peek_is(p, 0, ')') && open > 0)
			open--;
		p->at++;
	} while (open > 0);
}

void
query_descend(struct parser *p)
{
	if (++p->depth > QUERY_DEPTH_MAX)
		query_decline(p, "nested too deep");
}

void
query_ascend(struct parser *p)
{
	p->depth--;
}

/* --- names ---------------------------------------------------------------- */

static bool
is_name(const struct parser *p, size_t ahead, unsigned refused)
{
	const struct token *t = query_peek(p, ahead);

	if (t == NULL)
		return false;
	if (t->kind == TOKEN_QUOTED)
		return true;
	return t->kind == TOKEN_WORD &&
	       !(query_word_flags(query_peek_word(p, ahead)) & refused);
}

bool
query_is_column_name(const struct parser *p, size_t ahead)
{
	return is_name(
	    p, ahead, WORD_IS_RESERVED | WORD_IS_FUNCTION | WORD_DIFFERS);
}

bool
query_is_function_name(const struct parser *p, size_t ahead)
{
	return is_name(
	    p, ahead, WORD_IS_RESERVED | WORD_IS_COLUMN | WORD_DIFFERS);
}

/* An alias without AS. Before PostgreSQL 14 keywords were none: an error, not
 * another meaning. What could go on with the expression is none to us. */
bool
query_is_bare_label(const struct parser *p)
{
	return is_name(p, 0, WORD_NEEDS_AS | WORD_CONTINUES);
}

struct text
query_column_name(struct parser *p)
{
	if (!query_is_column_name(p, 0)) {
		query_decline(p, "a name was expected");
		return (struct text){NULL, 0};
	}
	return p->tokens[p->at++].name;
}

struct text
query_label(struct parser *p)
{
	if (!is_name(p, 0, 0)) {
		query_decline(p, "a name was expected");
		return (struct text){NULL, 0};
	}
	return p->tokens[p->at++].name;
}

void
query_dotted_add(struct parser *p, struct dotted *d, struct text part)
{
	if (d->parts == NULL)
		d->parts =
		    query_build(p, QUERY_NAME_PARTS_MAX * sizeof(*d->parts));
	if (d->count == QUERY_NAME_PARTS_MAX)
		query_decline(p, "a name of too many parts");
	else if (d->parts != NULL)
		d->parts[d->count++] = part;
}

struct dotted
query_name_of(struct parser *p, struct text only)
{
	struct dotted name = {query_build(p, sizeof(only)), 1};

	name.parts[0] = only;
	return name;
}

struct dotted
query_qualified_name(struct parser *p)
{
	struct dotted name = {0};

	query_dotted_add(p, &name, query_column_name(p));
	while (query_take(p, '.'))
		query_dotted_add(p, &name, query_label(p));
	return name;
}

void
query_names_add(struct parser *p, struct names *n, struct text name)
{
	size_t room = n->room == 0 ? 4 : n->room * 2;
	struct text *more;

	if (p->error != ERR_NONE)
		return;
	if (n->count == n->room) {
		more = arena_array(p->arena, room, sizeof(*more));
		if (more == NULL) {
			query_decline(p, "no memory");
			p->error = ERR_MEMORY;
			return;
		}
		if (n->count > 0)
			memcpy(more, n->at, n->count * sizeof(*more));
		n->at = more;
		n->room = room;
	}
	n->at[n->count++] = name;
}

struct names
query_name_list(struct parser *p)
{
	struct names names = {0};

	query_want(p, '(');
	do {
		query_names_add(p, &names, query_column_name(p));
	} while (query_take(p, ','));
	query_want(p, ')');
	return names;
}

/* --- what is built -------------------------------------------------------- */

void *
query_build(struct parser *p, size_t size)
{
	void *at = p->error == ERR_NONE ? arena_alloc(p->arena, size) : NULL;

	if (at != NULL)
		return at;
	if (p->error == ERR_NONE) {
		query_decline(p, "no memory");
		p->error = ERR_MEMORY;
	}
	memset(&p->sink, 0, sizeof(p->sink));
	return &p->sink;
}

struct expression *
query_build_expression(
    struct parser *p, enum expression_kind kind, size_t first)
{
	struct expression *e = query_build(p, sizeof(*e));

	e->kind = kind;
	e->first = first;
	e->end = p->at;
	e->height = 1;
	if (p->height < 1)
		p->height = 1;
	return e;
}

void
query_expressions_init(struct expressions *list)
{
	*list = (struct expressions){0};
	list->end = &list->first;
}

void
query_expressions_add(
    struct parser *p, struct expressions *list, struct expression *e)
{
	if (p->error != ERR_NONE)
		return;
	*list->end = e;
	list->end = &e->next;
	list->count++;
	if (list->height < e->height)
		list->height = e->height;
}

void
query_expressions_join(
    struct parser *p, struct expressions *list, struct expressions *more)
{
	if (p->error != ERR_NONE || more->count == 0)
		return;
	*list->end = more->first;
	list->end = more->end;
	list->count += more->count;
	if (list->height < more->height)
		list->height = more->height;
}

static void
check_height(struct parser *p, unsigned height)
{
	if (height > p->height)
		p->height = height;
	if (height > QUERY_DEPTH_MAX)
		query_decline(p, "nested too deep");
}

struct expression *
query_finish(
    struct parser *p, struct expression *e, struct expressions *children)
{
	e->children = children->first;
	e->height = children->height + 1;
	e->end = p->at;
	check_height(p, e->height);
	return e;
}

void
query_grow(struct parser *p)
{
	check_height(p, p->height + 1);
}
