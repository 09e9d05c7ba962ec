/*
 * pg_copy_mask.c - COPY TO STDOUT for identities with values to be masked.
 *
 * The server is not asked to COPY: it is asked for the rows, by the query
 * inside the COPY or one that gives the same columns of the relation, and
 * they are written in the COPY's format here, masked as any rows.  So the
 * boundaries of values come from the protocol, never from delimiters and NULL
 * strings that a client chooses, and what the columns are is told by the very
 * portal that then gives the rows.
 *
 * The rule: nothing runs before its columns are known and may leave.
 */
#include <stdlib.h>

#include "worker/postgres/copy/pg_copy_mask.h"
#include "worker/reading.h"

enum {
	COPY_OUT_BYTES_MAX = 64 * 1024 * 1024, /* the statement, its names */
};

/* What the server knows our statement and portal as. */
static const char own_name[] = "sallyport copy";

void
copy_out_drop(struct copy_out *c)
{
	if (c == NULL || --c->references > 0)
		return;
	ruling_drop(c->ruling);
	run_drop(c->run);
	arena_free(c->arena);
	free(c);
}

static struct copy_out *
share(struct copy_out *c)
{
	c->references++;
	return c;
}

bool
copy_is_masked(struct session *s, const struct run *run)
{
	const uint64_t elsewhere = BIT(OP_COPY_FILE) | BIT(OP_COPY_PROGRAM);

	return (run->ruling->operations & BIT(OP_COPY_OUT)) != 0 &&
	       (run->ruling->operations & elsewhere) == 0 &&
	       gate_protects(s->gate);
}

/* --- the statement -------------------------------------------------------- */

static const char *
make_query(struct session *s, struct copy_out *c, struct text sql)
{
	struct buffer b = {.ceiling = COPY_OUT_BYTES_MAX};
	struct lexed l;

	const struct encoding *encoding = s->gate->coder.encoding;

	/* what is quoted and escaped here are single bytes of ASCII */
	if (!reading_is_plain(s->gate, sql) ||
	    (encoding != NULL && encoding->is_client_only))
		return "a COPY with values to be masked needs client_encoding "
		       "UTF8";
	if (lexer_run(&s->gate->lex, sql, c->arena, &l) != ERR_NONE)
		return "the COPY cannot be read";
	if (copy_statement_read(l.tokens, l.count, c->arena, &c->statement) !=
	    ERR_NONE)
		return c->statement.error;
	if (c->statement.has_encoding && encoding != NULL)
		return "from a COPY with values to be masked no ENCODING but "
		       "the client's is possible";
	copy_put_query(&b, &c->statement, sql);
	if (!b.failed)
		c->sql.at = arena_copy(c->arena, b.bytes, b.len);
	c->sql.len = b.len;
	buffer_free(&b);
	return c->sql.at == NULL ? "out of memory" : NULL;
}

/* What runs in place of the COPY is judged as what it is: it must be nothing
 * but a query. What the policy says was asked of the COPY itself. */
static const char *
judge_query(struct session *s, struct copy_out *c)
{
	const uint64_t queries = BIT(OP_SELECT) | BIT(OP_INSERT) |
				 BIT(OP_UPDATE) | BIT(OP_DELETE) |
				 BIT(OP_MERGE) | BIT(OP_LOCK);
	const uint64_t changing =
	    BIT(OP_INSERT) | BIT(OP_UPDATE) | BIT(OP_DELETE) | BIT(OP_MERGE);
	struct ruling *j = gate_judge(s->gate, c->sql);

	c->ruling = j;
	if (j == NULL)
		return "out of memory";
	if (j->text.count != 1 || (j->operations & ~queries) != 0)
		return "COPY ( … ) holds more than a query";
	if (j->is_forbidden)
		return "what it copies is refused";
	if ((j->operations & changing) != 0 &&
	    (j->traits & BIT(TRAIT_RETURNING)) == 0)
		return "COPY query must have a RETURNING clause";
	return NULL;
}

/* Never NULL except out of memory; `*why_out` is NULL when it can be run. */
static struct copy_out *
copy_out_new(struct session *s, const struct ruling *j, const char **why_out)
{
	struct copy_out *c = calloc(1, sizeof(*c));

	*why_out = "out of memory";
	if (c == NULL)
		return NULL;
	c->references = 1;
	c->arena = arena_new(COPY_OUT_BYTES_MAX);
	if (c->arena == NULL)
		return c;
	*why_out = "a COPY with values to be masked stands alone in its "
		   "message";
	if (j->text.count != 1)
		return c;
	*why_out = make_query(s, c, j->sql);
	if (*why_out == NULL)
		*why_out = judge_query(s, c);
	return c;
}

struct text
copy_out_refusal(struct session *s, const struct ruling *j)
{
	const struct run run = {.ruling = (struct ruling *)j};
	struct copy_out *c;
	const char *why;

	if (!copy_is_masked(s, &run))
		return (struct text){NULL, 0};
	c = copy_out_new(s, j, &why);
	copy_out_drop(c);
	return text_of(why);
}

/* --- running it ----------------------------------------------------------- */

static struct pending *
expect(struct session *s, char kind, struct copy_out *c)
{
	struct pending *p = front_expect(s, kind);

	if (p != NULL) {
		p->is_ours = true;
		p->copy = share(c);
	}
	return p;
}

/* Close by our name whatever has it. */
static bool
put_close(struct session *s, struct copy_out *c, char target)
{
	if (expect(s, 'C', c) == NULL)
		return false;
	pg_put_close(&s->relay.upstream.out, target, text_of(own_name));
	return true;
}

static bool
put_parse(struct session *s, struct copy_out *c)
{
	if (expect(s, 'P', c) == NULL)
		return false;
	pg_put_parse(&s->relay.upstream.out, text_of(own_name), c->sql);
	return true;
}

static bool
put_bind(struct session *s, struct copy_out *c)
{
	if (expect(s, 'B', c) == NULL)
		return false;
	pg_put_bind(&s->relay.upstream.out, text_of(own_name),
	    c->statement.format.kind == COPY_BINARY);
	return true;
}

static struct portal *
make_portal(struct session *s, struct copy_out *c)
{
	static const uint8_t formats[2][2] = {{0, 0}, {0, 1}};
	const struct pg_bind bind = {.format_count = 1,
	    .formats = formats[c->statement.format.kind == COPY_BINARY]};
	struct prepared *prepared =
	    prepared_new(c->ruling, c->sql, TEXT(""), pg_of(s)->batch);
	struct portal *portal = NULL;

	if (prepared != NULL)
		portal = portal_new(prepared, &bind, pg_of(s)->batch);
	prepared_drop(prepared);
	return portal;
}

/* Ask for the columns and wait for them. The run waits on each of the messages
 * in turn, so that a failure is its own. */
static enum err
ask_columns(struct session *s, struct copy_out *c, struct portal *portal,
    struct run *run)
{
	struct queue *q = &pg_of(s)->queue;
	struct pending *p;
	bool fits = put_close(s, c, 'P');

	if (fits) {
		queue_at(q, q->count - 1)->run = run;
		if (q->count == 1)
			run_start(s, run);
	} else {
		run_drop(run);
	}
	fits =
	    fits && put_close(s, c, 'S') && put_parse(s, c) && put_bind(s, c);
	p = fits ? expect(s, 'D', c) : NULL;
	if (p == NULL)
		return front_out_of_memory(s);
	p->target = 'P';
	p->portal = portal_share(portal);
	pg_put_describe_portal(&s->relay.upstream.out, text_of(own_name));
	return pg_settle(s);
}

static enum err
execute(struct session *s, struct copy_out *c, struct portal *portal)
{
	struct pg *pg = pg_of(s);
	struct pending *p = expect(s, 'E', c);

	if (p == NULL)
		return front_out_of_memory(s);
	p->is_ours = false;
	p->run = c->run;
	c->run = NULL;
	p->portal = portal_share(portal);
	front_note_execute(pg, p->run);
	copy_out_begin(s, c);
	pg_put_execute_all(&s->relay.upstream.out, text_of(own_name));
	if (pg->queue.count == 1)
		run_start(s, p->run);
	return put_close(s, c, 'P') && put_close(s, c, 'S')
		   ? ERR_NONE
		   : front_out_of_memory(s);
}

/* Nothing ran: say why, on record. */
static enum err
refuse_described(
    struct session *s, char kind, struct copy_out *c, bool keeps_ready)
{
	const struct refusal r = {.sqlstate = c->sqlstate,
	    .message = text_of(c->refusal),
	    .hint = text_of(c->hint),
	    /* else it is the policy's */
	    .is_error = !c->run->is_cut && strcmp(c->sqlstate, "42501") != 0};

	memcpy(c->run->outcome.sqlstate, c->sqlstate, 5);
	run_finish(s, c->run);
	if (!put_close(s, c, 'P') || !put_close(s, c, 'S'))
		return front_out_of_memory(s);
	if (!keeps_ready)
		return pg_refuse_statement(s, kind, &r);
	if (r.is_error)
		return pg_poison(s, &r);
	pg_put_refusal(pg_out(s), &r);
	return ERR_NONE;
}

/* A Sync ends what stands for a Query. */
static enum err
put_sync(struct session *s, bool keeps_ready)
{
	struct pg *pg = pg_of(s);
	enum err e = pg_sync(s);

	if (e == ERR_NONE)
		queue_at(&pg->queue, pg->queue.count - 1)->keeps_ready =
		    keeps_ready;
	return e;
}

static enum err
run_described(struct session *s, char kind, struct copy_out *c,
    struct portal *portal, bool keeps_ready)
{
	enum err e;

	if (c->run == NULL) /* it failed, and the client was told */
		return kind == 'Q' ? put_sync(s, keeps_ready) : ERR_NONE;
	if (c->refusal != NULL) {
		e = refuse_described(s, kind, c, keeps_ready);
		return e == ERR_NONE && keeps_ready ? put_sync(s, true) : e;
	}
	e = execute(s, c, portal);
	return e == ERR_NONE && kind == 'Q' ? put_sync(s, keeps_ready) : e;
}

/* The session ends before it ran. */
static void
record_lost(struct session *s, struct run *run)
{
	memcpy(run->outcome.sqlstate, "08006", 5);
	run_finish(s, run);
}

/* What could be masked when it was admitted cannot any more. */
static enum err
refuse_changed(struct session *s, char kind, struct run *run, bool keeps_ready)
{
	const struct refusal r = {.sqlstate = "0A000",
	    .message = TEXT("the policy or a setting changed: send the COPY "
			    "again")};

	memcpy(run->outcome.sqlstate, r.sqlstate, 5);
	run_finish(s, run);
	run_drop(run);
	if (!keeps_ready)
		return pg_refuse_statement(s, kind, &r);
	pg_put_refusal(pg_out(s), &r);
	return ERR_NONE;
}

enum err
copy_out_run(struct session *s, char kind, struct run *run, bool keeps_ready)
{
	struct pg *pg = pg_of(s);
	struct portal *portal = NULL;
	struct copy_out *c = NULL;
	const char *why = NULL;
	enum err e = pg_settle(s);

	if (e != ERR_NONE || pg->is_skipping) {
		run_abandon(s, run);
		return e;
	}
	c = copy_out_new(s, run->ruling, &why);
	if (why != NULL) {
		copy_out_drop(c);
		return refuse_changed(s, kind, run, keeps_ready);
	}
	/* whatever the client knows by our name leads nowhere now */
	names_remove(pg->statements, text_of(own_name));
	names_remove(pg->portals, text_of(own_name));
	portal = make_portal(s, c);
	if (portal == NULL) {
		run_drop(run);
		e = front_out_of_memory(s);
	} else {
		e = ask_columns(s, c, portal, run);
	}
	if (e == ERR_NONE)
		e = run_described(s, kind, c, portal, keeps_ready);
	else if (c->run != NULL)
		record_lost(s, c->run);
	portal_drop(portal);
	copy_out_drop(c);
	return e;
}
