/*
 * class_reader.c - lines, clauses, rules.
 *
 * The one rule: a statement whose first line no rule claims is unknown.
 */
#include "common/class_catch.h"

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
