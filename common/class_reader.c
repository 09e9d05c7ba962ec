/*
 * class_reader.c - lines, clauses, rules, what they catch.
 *
 * The one rule: a statement whose first line no rule claims is unknown, and
 * whatever a rule catches can only add to what the statement is said to do.
 */
#include "common/class_reader.h"

/* One clause of a line, about to be tried. */
struct clause {
	const struct line *line;
	struct text text;
	struct presence seen; /* what is in it; may say too much */
	bool begins; /* first of its query, or after WITH */
};

/* A line's tokens, gone through from the left. */
struct walk {
	size_t place, end;    /* in flat.places */
	struct presence seen; /* in those gone through for this clause */
};

static bool
is_word(const struct token *t, struct text word)
{
	return (t->kind == TOKEN_WORD || t->kind == TOKEN_QUOTED) &&
	    text_is(t->name, word);
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

static const struct token *
token_at(const struct reader *r, uint32_t i)
{
	return &r->canonical->tokens[i];
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
	    token_at(r, i)->kind == TOKEN_WORD &&
	    text_is(token_at(r, i)->name, TEXT("operator")) &&
	    is_word(token_at(r, i + 2), TEXT("pg_catalog")) &&
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
	    (is_word(schema, TEXT("pg_catalog")) ||
		(is_word(schema, TEXT("information_schema")) &&
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

static enum err
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

static void
note_where(struct reader *r, const struct class_rule *rule, uint32_t group)
{
	if (rule->effects & EFFECT_NEEDS_WHERE) {
		r->where_missing |= r->where_pending;
		r->where_pending = true;
		r->where_group = group;
	}
	if (rule->effects & EFFECT_HAS_WHERE && r->where_group == group)
		r->where_pending = false;
}

static enum err
apply(struct reader *r, const struct class_rule *rule, const struct clause *c,
    const struct match *m)
{
	size_t i, groups = 0;
	enum err e = ERR_NONE;

	r->statement->operations |= rule->operations;
	r->statement->traits |= rule->traits;
	r->effects |= rule->effects;
	if (rule->subject.len > 0)
		r->statement->subject = rule->subject;
	note_where(r, rule, c->line->group);
	if (rule->pattern != NULL)
		groups = pattern_group_count(rule->pattern);
	for (i = 1; e == ERR_NONE && i <= groups; i++) {
		if (rule->roles[i] != ROLE_NONE && m->groups[i].len > 0)
			e = catch_group(
			    r, (enum role)rule->roles[i], m->groups[i]);
	}
	return e;
}

/* Along the clause; each match starts where the last one ended. */
static enum err
try_each(struct reader *r, const struct class_rule *rule,
    const struct clause *c, bool *matched_out)
{
	size_t from = 0;
	struct match m;
	bool found;
	enum err e;

	*matched_out = false;
	do {
		e = pattern_find(rule->pattern, c->text, from, &m, &found);
		if (e != ERR_NONE || !found)
			return e;
		*matched_out = true;
		e = apply(r, rule, c, &m);
		from = (size_t)(m.groups[0].at - c->text.at) + m.groups[0].len;
		from += m.groups[0].len == 0;
	} while (e == ERR_NONE && rule->each);
	return e;
}

static enum err
try_rule(struct reader *r, const struct class_rule *rule,
    const struct clause *c, bool *matched_out)
{
	*matched_out = false;
	if ((rule->root && !c->line->is_root) ||
	    (rule->begins && !c->begins) || (rule->goes_on && c->begins) ||
	    !need_is_met(&rule->need, &c->seen))
		return ERR_NONE;
	if (rule->pattern != NULL)
		return try_each(r, rule, c, matched_out);
	*matched_out = true;
	return apply(r, rule, c, NULL);
}

static struct text
first_word(struct text t)
{
	const char *space = t.len == 0 ? NULL : memchr(t.at, ' ', t.len);

	return space == NULL ? t
			     : (struct text){t.at, (size_t)(space - t.at)};
}

/* `claimed_out`: a rule matched that gives an operation or claims it. */
static enum err
try_clause(struct reader *r, const struct clause *c, bool *claimed_out)
{
	struct text key = first_word(c->text);
	const struct word *word =
	    words_find(r->rules->words, key, text_hash(key));
	enum err e = ERR_NONE;
	bool matched;
	size_t i;

	*claimed_out = false;
	if (word == NULL || word->rule_count == 0)
		word = r->rules->otherwise;
	for (i = 0; e == ERR_NONE && i < word->rule_count; i++) {
		const struct class_rule *rule = word->rules[i];

		e = try_rule(r, rule, c, &matched);
		if (!matched)
			continue;
		*claimed_out |= rule->operations != 0 ||
		    (rule->effects & EFFECT_CLAIMS) != 0;
		if (!rule->more)
			break;
	}
	return e;
}

static struct walk
walk_line(const struct line *line)
{
	return (struct walk){
	    .place = line->place, .end = line->place + line->place_count};
}

/* Go past one token. */
static void
walk_on(const struct reader *r, struct walk *w)
{
	uint32_t token = r->flat->places[w->place++].token;
	const struct token *t = token_at(r, token);
	size_t i;

	switch (t->kind) {
	case TOKEN_WORD:
	case TOKEN_QUOTED:
		w->seen.words |=
		    presence_of_word(r->canonical->marks[token].hash);
		break;
	case TOKEN_STRING:
	case TOKEN_NUMBER:
		w->seen.marks |= presence_of_mark('?') | presence_of_mark('\'');
		break;
	default:
		for (i = 0; i < t->raw.len; i++)
			w->seen.marks |= presence_of_mark(t->raw.at[i]);
		break;
	}
}

/* What is in the line's beginning: with its context, to this length. */
static struct presence
presence_in(const struct reader *r, const struct line *line, size_t len)
{
	struct walk w = walk_line(line);
	size_t i, end = line->span.at + len;

	for (i = line->span.at; i < line->content; i++)
		w.seen.marks |= presence_of_mark(r->flat->text.at[i]);
	while (w.place < w.end && r->flat->places[w.place].at < end)
		walk_on(r, &w);
	return w.seen;
}

/* Walk to where the next clause begins, not before `from`. */
static enum err
find_clause(struct reader *r, struct walk *w, struct text query, size_t from,
    struct text *match_out, bool *found_out)
{
	size_t start = (size_t)(query.at - r->flat->text.at), at;
	struct match m;
	enum err e;

	*found_out = false;
	for (; w->place < w->end; walk_on(r, w)) {
		const struct place_of_token *p = &r->flat->places[w->place];
		const struct word *word = r->canonical->marks[p->token].word;

		if (p->at < start + from || word == NULL ||
		    !(word->flags & WORD_CLAUSE))
			continue;
		at = p->at - start;
		e = pattern_find(r->rules->clause, query, at, &m, found_out);
		if (e != ERR_NONE || *found_out) {
			*match_out = m.groups[0];
			return e;
		}
	}
	return ERR_NONE;
}

/* Cut a query into its clauses. */
static enum err
try_query(struct reader *r, const struct line *line, struct text query,
    bool *claimed_out)
{
	struct clause c = {.line = line, .begins = true};
	struct walk w = walk_line(line);
	size_t start = 0, from = 0, end;
	bool found = true, claimed, is_first = true;
	struct text match = {NULL, 0};
	enum err e = ERR_NONE;

	*claimed_out = false;
	while (w.place < w.end &&
	    r->flat->text.at + r->flat->places[w.place].at < query.at)
		w.place++;
	while (e == ERR_NONE && found) {
		end = query.len;
		e = find_clause(r, &w, query, from, &match, &found);
		if (e != ERR_NONE)
			return e;
		if (found) {
			end = (size_t)(match.at - query.at);
			from = end + match.len + 1;
		}
		if (found && end == start)
			continue;
		/* without the space before the next clause */
		c.text = (struct text){
		    query.at + start, end - start - (found ? 1 : 0)};
		c.seen = w.seen;
		w.seen = (struct presence){0};
		e = try_clause(r, &c, &claimed);
		if (is_first)
			*claimed_out = claimed;
		is_first = false;
		c.begins = text_is(first_word(c.text), TEXT("with"));
		start = end;
	}
	return e;
}

static bool
may_begin_query(const struct reader *r, const struct line *line)
{
	const struct mark *m;

	if (line->first == r->canonical->count)
		return false;
	m = &r->canonical->marks[line->first];
	if (token_at(r, line->first)->kind == TOKEN_WORD)
		return m->word != NULL && m->word->flags & WORD_QUERY;
	return token_at(r, line->first)->raw.at[0] == '(';
}

/* Where a query begins in the line, and whether one does. */
static enum err
find_query(struct reader *r, const struct line *line, struct text text,
    size_t *start_out, bool *found_out)
{
	size_t content = line->content - line->span.at;
	struct match m;
	enum err e = ERR_NONE;

	*found_out = false;
	*start_out = content;
	if (may_begin_query(r, line))
		e = pattern_find(
		    r->rules->query, text, content, &m, found_out);
	if (e != ERR_NONE || *found_out || !line->is_root)
		return e;
	e = pattern_find(r->rules->inner, text, 0, &m, found_out);
	if (e == ERR_NONE && *found_out)
		*start_out =
		    (size_t)(m.groups[r->rules->query_group].at - text.at);
	return e;
}

static enum err
try_line(struct reader *r, const struct line *line, bool *claimed_out)
{
	struct text text = {
	    r->flat->text.at + line->span.at, line->span.len};
	struct clause c = {.line = line, .text = text, .begins = true};
	struct text query = {0};
	size_t start;
	bool found, claimed = false;
	enum err e = find_query(r, line, text, &start, &found);

	*claimed_out = false;
	if (e != ERR_NONE)
		return e;
	if (found) {
		query = (struct text){text.at + start, text.len - start};
		c.text.len = start == 0 ? 0 : start - 1;
	}
	/* a group's context alone is no clause */
	if (!found || (line->is_root && start > 0)) {
		c.seen = presence_in(r, line, c.text.len);
		e = try_clause(r, &c, claimed_out);
	}
	if (e == ERR_NONE && found)
		e = try_query(r, line, query, &claimed);
	if (found && start == line->content - line->span.at)
		*claimed_out = claimed;
	return e;
}

/* Nothing between two semicolons, or the END of a BEGIN ATOMIC body. */
static bool
is_no_statement(const struct reader *r, size_t i)
{
	const struct line *line = &r->flat->lines[i];
	struct text text = {
	    r->flat->text.at + line->span.at, line->span.len};

	return text.len == 0 ||
	    (i > 0 && line->is_root && text_is(text, TEXT("end")));
}

static void
mark_ctes(struct reader *r)
{
	struct statement *s = r->statement;
	size_t i, k;

	for (i = 0; i < s->relation_count; i++) {
		struct relation_use *use = &s->relations[i];

		for (k = 0; use->schema.len == 0 && k < r->cte_count; k++)
			use->is_cte |= text_is(
			    use->name, token_at(r, r->ctes[k])->name);
	}
}

enum err
reader_run(struct reader *r)
{
	enum err e = ERR_NONE;
	bool claimed;
	size_t i;

	for (i = 0; e == ERR_NONE && i < r->flat->line_count; i++) {
		const struct line *line = &r->flat->lines[i];

		if (r->where_pending && r->where_group != line->group) {
			r->where_missing = true;
			r->where_pending = false;
		}
		if (is_no_statement(r, i))
			continue;
		e = try_line(r, line, &claimed);
		if (line->is_root && !claimed)
			r->statement->operations |= BIT(OP_UNKNOWN);
	}
	if (r->statement->operations == 0)
		r->statement->operations = BIT(OP_UNKNOWN);
	r->where_missing |= r->where_pending;
	mark_ctes(r);
	return e;
}
