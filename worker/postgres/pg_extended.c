/*
 * pg_extended.c - the extended query protocol up to its execution.
 *
 * The rule: a name leads to what it leads to at the server; where that is not
 * sure, the server's answer is awaited first.
 */
#include <stdio.h>

#include "worker/postgres/copy/pg_copy.h"

enum { VALUES_KEPT_MAX = 4096 }; /* of a portal, in case it must be approved */

/* An error that the server would have found: said in its words, which clients
 * know, and with what follows from it. */
static enum err
fail(struct session *s, char kind, const char *sqlstate, const char *message)
{
	const struct refusal r = {.sqlstate = sqlstate,
	    .message = text_of(message),
	    .is_error = true};

	return pg_refuse_statement(s, kind, &r);
}

enum err
extended_refuse_missing(
    struct session *s, char kind, char target, struct text name)
{
	char text[PG_NAME_MAX + 64];
	int len = (int)(name.len < PG_NAME_MAX ? name.len : PG_NAME_MAX);

	if (target == 'P') {
		snprintf(text, sizeof(text), "portal \"%.*s\" does not exist",
		    len, name.at);
		return fail(s, kind, "34000", text);
	}
	if (len == 0)
		return fail(s, kind, "26000",
		    "unnamed prepared statement does not exist");
	snprintf(text, sizeof(text),
	    "prepared statement \"%.*s\" does not exist", len, name.at);
	return fail(s, kind, "26000", text);
}

static enum err
refuse_taken(struct session *s, struct text portal)
{
	char text[PG_NAME_MAX + 64];

	snprintf(text, sizeof(text), "cursor \"%.*s\" already exists",
	    (int)portal.len, portal.at);
	return fail(s, 'B', "42P03", text);
}

/* Give the new statement its name. A named one that exists already is for
 * the server to refuse; until it has, the name leads to the old one. */
static enum err
name_prepared(struct session *s, struct text name, struct prepared *p)
{
	struct pg *pg = pg_of(s);
	bool exists = name.len > 0 && names_get(pg->statements, name) != NULL;
	enum err e;

	if (exists) {
		e = pg_settle(s);
		if (e != ERR_NONE || !p->is_sure)
			return e;
	}
	if (names_count(pg->statements) >= PG_NAMES_MAX)
		return pg_fatal(s, ENDING_ERROR, "54000",
		    "too many prepared statements in one session");
	if (names_set(pg->statements, name, prepared_share(p)) != ERR_NONE) {
		prepared_drop(p);
		return front_out_of_memory(s);
	}
	return ERR_NONE;
}

static enum err
forward_parse(struct session *s, const struct message *r,
    const struct pg_parse *parse, struct ruling *j)
{
	struct pg *pg = pg_of(s);
	struct text body = {(const char *)r->body.at, r->body.left};
	struct prepared *p = prepared_new(j, parse->sql, body, pg->batch);
	struct pending *pending = p == NULL ? NULL : front_expect(s, 'P');
	enum err e;

	if (pending == NULL) {
		prepared_drop(p);
		return front_out_of_memory(s);
	}
	pending->prepared = prepared_share(p);
	if (parse->name.len > 0 && j->may_carry)
		s->gate->carries_later = true; /* to SQL's EXECUTE */
	front_forward(s, r);
	e = name_prepared(s, parse->name, p);
	prepared_drop(p);
	return e;
}

/* A text that only claims something, which another is to be prepared for. */
static enum err
forward_parse_instead(struct session *s, struct text name, struct ruling *j)
{
	struct buffer b = {.ceiling = PG_NAME_MAX + 256};
	struct message m = {.type = 'P'};
	struct pg_parse parse;
	enum err e;

	pg_put_parse(&b, name, j->instead);
	m.bytes = (struct text){(const char *)b.bytes, b.len};
	m.body = wire_of(m.bytes.at, m.bytes.len);
	wire_bytes(&m.body, PG_HEADER);
	e = b.failed ? ERR_TOO_LONG : pg_parse_parse(m.body, &parse);
	e = e == ERR_NONE ? forward_parse(s, &m, &parse, j)
			  : front_out_of_memory(s);
	buffer_free(&b);
	return e;
}

enum err
extended_parse(struct session *s, const struct message *r)
{
	struct pg_parse parse;
	struct ruling *j;
	enum err e;

	if (pg_parse_parse(r->body, &parse) != ERR_NONE)
		return front_malformed(s);
	e = front_pass_bar(s);
	if (e == ERR_NONE)
		e = front_pass_switch(s, parse.sql);
	if (e == ERR_NONE)
		e = front_make_room(s, r);
	if (e != ERR_NONE || pg_of(s)->is_skipping)
		return e;
	if (!front_is_fit_name(s, parse.name))
		return front_refuse_name(s, 'P');
	if (front_is_ambiguous(s, parse.sql))
		return front_refuse_ambiguous(s, 'P');
	j = gate_judge(s->gate, parse.sql);
	if (j == NULL)
		return front_out_of_memory(s);
	if (j->verdict.decision == THEN_DENY)
		e = pg_deny(s, 'P', j, TEXT(""));
	else if (j->instead.len > 0)
		e = forward_parse_instead(s, parse.name, j);
	else
		e = forward_parse(s, r, &parse, j);
	ruling_drop(j);
	return e;
}

/* Make sure that the server has the text we know under this name, whatever
 * code has run since: prepare it again. */
static enum err
prepare_again(struct session *s, struct text name, struct prepared *p)
{
	struct buffer *out = &s->relay.upstream.out;
	struct pending *close = front_expect(s, 'C'), *parse = NULL;
	size_t at;

	if (close != NULL) {
		close->is_ours = true;
		parse = front_expect(s, 'P');
	}
	if (parse == NULL)
		return front_out_of_memory(s);
	parse->is_ours = true;
	pg_put_close(out, 'S', name);
	at = pg_message_begin(out, 'P');
	buffer_put_text(out, p->message);
	pg_message_end(out, at);
	p->is_suspect = false;
	return ERR_NONE;
}

/* The statement of that name, as the server will see it; NULL: none. It is
 * borrowed from the name, which may go whenever an answer is awaited. A name
 * given in an earlier batch counts only when the server has confirmed it,
 * because a failure there would leave an older statement in its place. */
static enum err
find_prepared(struct session *s, struct text name, struct prepared **out)
{
	struct pg *pg = pg_of(s);
	struct prepared *p = names_get(pg->statements, name);
	enum err e = ERR_NONE;

	*out = NULL;
	if (!pg_is_fit_name(s, name))
		return ERR_NONE;
	if (p != NULL && !p->is_sure && p->batch != pg->batch) {
		e = pg_settle(s);
		p = names_get(pg->statements, name);
	}
	*out = p;
	if (e == ERR_NONE && p != NULL && p->is_suspect) {
		if (p->message.len == 0 || p->is_unreadable)
			*out = NULL; /* by SQL PREPARE: not ours to repeat */
		else
			e = prepare_again(s, name, p);
	}
	return e;
}

static enum err
forward_bind(struct session *s, const struct message *r, struct pg_bind *bind,
    struct prepared *prepared)
{
	struct pg *pg = pg_of(s);
	struct pending *p;
	struct portal *portal;
	bool drops = false;

	if (prepared->ruling->verdict.decision != THEN_APPROVE)
		drops = bind->values.len > VALUES_KEPT_MAX;
	if (drops) /* they are kept for an approver's eyes only */
		bind->values.len = 0;
	portal = portal_new(prepared, bind, pg->batch);
	if (portal == NULL)
		return front_out_of_memory(s);
	if (names_count(pg->portals) >= PG_NAMES_MAX) {
		portal_drop(portal);
		return pg_fatal(s, ENDING_ERROR, "54000",
		    "too many portals in one session");
	}
	p = front_expect(s, 'B');
	if (p == NULL ||
	    names_set(pg->portals, bind->portal, portal) != ERR_NONE) {
		portal_drop(portal);
		return front_out_of_memory(s);
	}
	portal->has_no_values = drops;
	p->portal = portal_share(portal);
	if (bind->portal.len > 0 && prepared->ruling->may_carry)
		s->gate->carries_later = true; /* to SQL's FETCH */
	front_forward(s, r);
	return ERR_NONE;
}

enum err
extended_bind(struct session *s, const struct message *r)
{
	struct pg *pg = pg_of(s);
	struct prepared *prepared = NULL;
	struct pg_bind bind;
	enum err e;

	if (pg_parse_bind(r->body, &bind) != ERR_NONE)
		return front_malformed(s);
	e = front_pass_bar(s);
	if (e == ERR_NONE)
		e = front_make_room(s, r);
	if (e == ERR_NONE && !pg->is_skipping && bind.portal.len > 0 &&
	    names_get(pg->portals, bind.portal) != NULL)
		e = pg_settle(s); /* the server will refuse a second one */
	/* last: what it finds may go while anything is awaited */
	if (e == ERR_NONE && !pg->is_skipping)
		e = find_prepared(s, bind.statement, &prepared);
	if (e != ERR_NONE || pg->is_skipping)
		return e;
	if (!front_is_fit_name(s, bind.portal))
		return front_refuse_name(s, 'B');
	if (bind.portal.len > 0 && names_get(pg->portals, bind.portal) != NULL)
		return refuse_taken(s, bind.portal);
	if (prepared == NULL)
		return extended_refuse_missing(s, 'B', 'S', bind.statement);
	if (!pg_renew(s, prepared))
		return front_out_of_memory(s);
	if (prepared->ruling->verdict.decision == THEN_DENY)
		return pg_deny(s, 'B', prepared->ruling, TEXT(""));
	/* functions can run a portal by its name */
	if (prepared->ruling->verdict.decision == THEN_APPROVE &&
	    bind.portal.len > 0)
		return pg_deny(s, 'B', prepared->ruling,
		    TEXT("a statement that needs approval is bound to the "
			 "unnamed portal only"));
	return forward_bind(s, r, &bind, prepared);
}

/* As find_prepared(), for portals. */
enum err
extended_find_portal(struct session *s, struct text name, struct portal **out)
{
	struct pg *pg = pg_of(s);
	struct portal *p = names_get(pg->portals, name);
	enum err e = ERR_NONE;

	*out = NULL;
	if (!pg_is_fit_name(s, name))
		return ERR_NONE;
	if (p != NULL && !p->is_sure && p->batch != pg->batch) {
		e = pg_settle(s);
		p = names_get(pg->portals, name);
	}
	*out = p;
	return e;
}

enum err
extended_describe(struct session *s, const struct message *r)
{
	struct pg *pg = pg_of(s);
	struct prepared *prepared = NULL;
	struct portal *portal = NULL;
	struct pg_target target;
	struct pending *p;
	enum err e;

	if (pg_parse_target(r->body, &target) != ERR_NONE)
		return front_malformed(s);
	e = front_pass_bar(s);
	if (e == ERR_NONE && target.kind == 'S')
		e = find_prepared(s, target.name, &prepared);
	else if (e == ERR_NONE)
		e = extended_find_portal(s, target.name, &portal);
	if (e != ERR_NONE || pg->is_skipping)
		return e;
	if (prepared == NULL && portal == NULL)
		return extended_refuse_missing(s, 'D', target.kind, target.name);
	p = front_expect(s, 'D');
	if (p == NULL)
		return front_out_of_memory(s);
	p->target = target.kind;
	p->prepared = prepared == NULL ? NULL : prepared_share(prepared);
	p->portal = portal == NULL ? NULL : portal_share(portal);
	if (portal != NULL)
		portal->is_described = true;
	front_forward(s, r);
	return ERR_NONE;
}

enum err
extended_close(struct session *s, const struct message *r)
{
	struct pg *pg = pg_of(s);
	struct pg_target target;
	struct pending *p;
	enum err e;

	if (pg_parse_target(r->body, &target) != ERR_NONE)
		return front_malformed(s);
	e = front_pass_bar(s);
	if (e != ERR_NONE || pg->is_skipping)
		return e;
	if (!front_is_fit_name(s, target.name))
		return front_refuse_name(s, 'C');
	p = front_expect(s, 'C');
	if (p == NULL)
		return front_out_of_memory(s);
	/* the names go when the server has confirmed */
	if (target.kind == 'S') {
		p->prepared = names_get(pg->statements, target.name);
		if (p->prepared != NULL)
			prepared_share(p->prepared);
	} else {
		p->portal = names_get(pg->portals, target.name);
		if (p->portal != NULL)
			portal_share(p->portal);
	}
	front_forward(s, r);
	return ERR_NONE;
}
