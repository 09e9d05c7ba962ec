/*
 * class_catch.c - what the groups of a rule's pattern catch: relations,
 * functions, aliases, names of WITH queries.
 *
 * The rule: what is caught only adds to what the statement is said to do.
 */
#include "common/class_catch.h"

/* Of that name, quoted or not? */
static bool
is_named(const struct token *t, struct text word)
{
	return token_is_name(t) && text_is(t->name, word);
}

/* Append to a growing list of tokens. */
static enum err
push(struct reader *r, uint32_t **list, size_t *count, size_t *room,
    uint32_t token)
{
	if (*count == *room) {
		size_t more = *room == 0 ? 16 : *room * 2;
		uint32_t *bigger =
		    arena_array(r->arena, more, sizeof(*bigger));

		if (bigger == NULL)
			return ERR_MEMORY;
		if (*count > 0)
			memcpy(bigger, *list, *count * sizeof(*bigger));
		*list = bigger;
		*room = more;
	}
	(*list)[(*count)++] = token;
	return ERR_NONE;
}

/* The tokens of what a group caught: names with dots between. */
struct caught {
	uint32_t first, last;
};

static struct caught
tokens_of(const struct reader *r, struct text text)
{
	const struct flat *f = r->flat;
	size_t at = (size_t)(text.at - f->text.at), end = at + text.len;
	size_t first = flat_place_at(f, at), last = first;

	while (last + 1 < f->place_count && f->places[last + 1].at < end)
		last++;
	return (struct caught){f->places[first].token, f->places[last].token};
}

static enum err
declare(struct reader *r, uint32_t token)
{
	r->canonical->marks[token].is_declared = true;
	return push(r, &r->declared, &r->declared_count, &r->declared_room,
	    token);
}

static struct relation_use *
find_relation(struct statement *s, struct text schema, struct text name)
{
	size_t i;

	for (i = 0; i < s->relation_count; i++) {
		if (text_is(s->relations[i].name, name) &&
		    text_is(s->relations[i].schema, schema))
			return &s->relations[i];
	}
	return NULL;
}

static enum err
new_relation(struct reader *r, struct relation_use **out)
{
	struct statement *s = r->statement;

	if (s->relation_count == CLASSIFY_RELATIONS_MAX)
		return ERR_TOO_LONG;
	if (s->relation_count == r->relation_room) {
		size_t room = r->relation_room == 0 ? 4 : r->relation_room * 2;
		struct relation_use *bigger =
		    arena_array(r->arena, room, sizeof(*bigger));

		if (bigger == NULL)
			return ERR_MEMORY;
		if (s->relation_count > 0)
			memcpy(bigger, s->relations,
			    s->relation_count * sizeof(*bigger));
		s->relations = bigger;
		r->relation_room = room;
	}
	*out = &s->relations[s->relation_count++];
	return ERR_NONE;
}

static enum err
catch_relation(struct reader *r, struct text text, bool is_written)
{
	struct caught c = tokens_of(r, text);
	struct text schema = {0}, name = token_at(r, c.last)->name;
	struct relation_use *use;
	enum err e;

	/* a reserved word: the server will not read it as a relation */
	if (!r->canonical->marks[c.last].is_name)
		return ERR_NONE;
	if (c.last >= c.first + 2)
		schema = token_at(r, c.last - 2)->name;
	use = find_relation(r->statement, schema, name);
	if (use == NULL) {
		e = new_relation(r, &use);
		if (e != ERR_NONE)
			return e;
		*use = (struct relation_use){.schema = schema, .name = name};
	}
	use->is_written |= is_written;
	use->is_read |= !is_written;
	return declare(r, c.last);
}

static enum err
catch_cte(struct reader *r, struct text text)
{
	struct caught c = tokens_of(r, text);
	enum err e = declare(r, c.first);

	if (r->cte_count == CLASSIFY_RELATIONS_MAX)
		return ERR_TOO_LONG;
	if (e == ERR_NONE)
		e = push(r, &r->ctes, &r->cte_count, &r->cte_room, c.first);
	return e;
}

/* `OPERATOR ( pg_catalog . ~ )`. What a function of that name is called with
 * has a name after the dot, or the star that is therefore left out here. */
static bool
is_system_operator(const struct reader *r, uint32_t i)
{
	return i + 5 < r->canonical->count &&
	    token_is_word(token_at(r, i), TEXT("operator")) &&
	    is_named(token_at(r, i + 2), TEXT("pg_catalog")) &&
	    text_is(token_at(r, i + 3)->raw, TEXT(".")) &&
	    token_at(r, i + 4)->kind == TOKEN_OPERATOR &&
	    !text_is(token_at(r, i + 4)->raw, TEXT("*")) &&
	    text_is(token_at(r, i + 5)->raw, TEXT(")"));
}

/* The names joined with dots; NULL: out of memory. */
static char *
join_names(const struct reader *r, struct caught c, size_t *len_out)
{
	size_t len = 0;
	char *at;
	uint32_t i;

	for (i = c.first; i <= c.last; i++)
		len += token_at(r, i)->name.len;
	at = arena_alloc(r->arena, len + 1);
	*len_out = len;
	len = 0;
	for (i = c.first; at != NULL && i <= c.last; i++) {
		struct text name = token_at(r, i)->name;

		memcpy(at + len, name.at, name.len);
		len += name.len;
	}
	return at;
}

/* Traits in the order of how far such a function reaches. */
static unsigned
function_reach(uint64_t trait)
{
	return trait == BIT(TRAIT_ESCAPING_FUNCTION) ? 3
	       : trait == BIT(TRAIT_OPAQUE_FUNCTION) ? 2
						     : trait != 0;
}

static enum err
note_function(struct reader *r, struct caught c, uint64_t trait)
{
	struct text *function = &r->statement->function;

	if (function_reach(trait) <= function_reach(r->function_trait))
		return ERR_NONE;
	r->function_trait = trait;
	function->at = join_names(r, c, &function->len);
	return function->at == NULL ? ERR_MEMORY : ERR_NONE;
}

static enum err
add_unlisted(struct reader *r, struct text name)
{
	struct statement *s = r->statement;

	if (s->unlisted_count == r->unlisted_room) {
		size_t room = r->unlisted_room == 0 ? 4 : r->unlisted_room * 2;
		struct text *bigger =
		    arena_array(r->arena, room, sizeof(*bigger));

		if (bigger == NULL)
			return ERR_MEMORY;
		if (s->unlisted_count > 0)
			memcpy(bigger, s->unlisted,
			    s->unlisted_count * sizeof(*bigger));
		s->unlisted = bigger;
		r->unlisted_room = room;
	}
	s->unlisted[s->unlisted_count++] = name;
	return ERR_NONE;
}

/* pg_catalog.f, or one of information_schema's own, which drivers call when
 * they ask for keys. */
static bool
is_of_system(struct reader *r, struct caught c)
{
	const struct token *schema = token_at(r, c.first);

	return c.last == c.first + 2 &&
	    (is_named(schema, TEXT("pg_catalog")) ||
		(is_named(schema, TEXT("information_schema")) &&
		    text_starts(token_at(r, c.last)->name, TEXT("_pg_"))));
}

static enum err
catch_function(struct reader *r, struct text text)
{
	struct caught c = tokens_of(r, text);
	const struct word *word = r->canonical->marks[c.last].word;
	unsigned flags = word == NULL ? 0 : word->flags;
	bool is_qualified = c.last > c.first;
	uint64_t trait = 0;

	if (!is_qualified && is_system_operator(r, c.first))
		return ERR_NONE;
	if (is_qualified && !is_of_system(r, c))
		flags &= WORD_ESCAPING; /* whoever owns one of that name */
	else if (!is_qualified && flags & WORD_CONSTRUCT &&
	    token_at(r, c.last)->kind == TOKEN_WORD)
		return ERR_NONE;
	if (flags & WORD_OPAQUE)
		trait = BIT(TRAIT_OPAQUE_FUNCTION);
	else if (!(flags & WORD_CLEAN))
		trait = BIT(TRAIT_UNKNOWN_FUNCTION);
	if (trait == BIT(TRAIT_UNKNOWN_FUNCTION) &&
	    add_unlisted(r, token_at(r, c.last)->name) != ERR_NONE)
		return ERR_MEMORY;
	r->statement->traits |= trait;
	if (flags & WORD_ESCAPING)
		trait = BIT(TRAIT_ESCAPING_FUNCTION);
	r->statement->traits |= trait;
	return note_function(r, c, trait);
}

enum err
reader_notations(struct reader *r)
{
	const struct canonical *c = r->canonical;
	enum err e = ERR_NONE;
	uint32_t i;

	for (i = 1; i < c->count && e == ERR_NONE; i++) {
		const struct mark *m = &c->marks[i];
		uint64_t trait = BIT(TRAIT_OPAQUE_FUNCTION);

		if (!m->is_name || m->is_declared || m->word == NULL ||
		    !(m->word->flags & WORD_OPAQUE) ||
		    !text_is(token_at(r, i - 1)->raw, TEXT(".")) ||
		    (i + 1 < c->count &&
			text_is(token_at(r, i + 1)->raw, TEXT("("))))
			continue;
		r->statement->traits |= trait;
		if (m->word->flags & WORD_ESCAPING)
			trait = BIT(TRAIT_ESCAPING_FUNCTION);
		r->statement->traits |= trait;
		e = note_function(r, (struct caught){i, i}, trait);
	}
	return e;
}

/* In lower case: settings know no other. */
static enum err
catch_subject(struct reader *r, struct text text)
{
	size_t len, k;
	char *at = join_names(r, tokens_of(r, text), &len);

	if (at == NULL)
		return ERR_MEMORY;
	for (k = 0; k < len; k++) {
		if (at[k] >= 'A' && at[k] <= 'Z')
			at[k] = (char)(at[k] + ('a' - 'A'));
	}
	r->statement->subject = (struct text){at, len};
	return ERR_NONE;
}

enum err
catch_group(struct reader *r, enum role role, struct text text)
{
	switch (role) {
	case ROLE_READ:
	case ROLE_WRITE:
		return catch_relation(r, text, role == ROLE_WRITE);
	case ROLE_CTE:
		return catch_cte(r, text);
	case ROLE_ALIAS:
		return declare(r, tokens_of(r, text).last);
	case ROLE_FUNCTION:
		return catch_function(r, text);
	case ROLE_SUBJECT:
		return catch_subject(r, text);
	case ROLE_VALUE:
		r->statement->value =
		    token_at(r, tokens_of(r, text).first)->name;
		return ERR_NONE;
	case ROLE_NONE:
	case ROLE_MAX:
		break;
	}
	return ERR_NONE;
}
