/*
 * pg_copy_out.c - COPY TO STDOUT as it is, and both ways.
 *
 * The rule: data that was not asked of us as rows to be masked passes only to
 * an identity from which nothing is protected.
 */
#include "worker/postgres/copy/copy_statement.h"
#include "worker/postgres/copy/pg_copy.h"

/* Has the COPY a line of names before its rows? What cannot be told counts as
 * a row. */
static bool
has_header(struct session *s, const struct ruling *j)
{
	struct copy_statement c;
	struct lexed l;

	if (j->text.count != 1)
		return false;
	arena_reset(s->gate->scratch);
	return lexer_run(&s->gate->lex, j->sql, s->gate->scratch, &l) ==
		   ERR_NONE &&
	       copy_statement_read(l.tokens, l.count, s->gate->scratch, &c) ==
		   ERR_NONE &&
	       c.format.has_header;
}

enum err
copy_on_out(struct session *s, const struct answer *a, enum fate *fate)
{
	struct pg *pg = pg_of(s);
	struct pending *p = queue_front(&pg->queue);
	/* a base backup comes that way too */
	const uint64_t sending = BIT(OP_COPY_OUT) | BIT(OP_REPLICATION);
	struct wire body = a->body;

	if (!back_front_is(pg, "QE") || p->run == NULL || p->copying != 0 ||
	    p->copy != NULL || (p->run->operations & sending) == 0)
		return back_unexpected(s, a);
	p->copying = 'H';
	p->is_binary = wire_u8(&body) != 0;
	wire_bytes(&body, 2 * (size_t)wire_u16(&body));
	if (wire_end(&body) != ERR_NONE)
		return back_unexpected(s, a);
	if (gate_protects(s->gate)) /* since it was judged */
		run_cut(s, p->run, "42501",
		    "the policy changed: its values are protected now");
	p->has_header = !p->is_binary && p->run->limits.rows != 0 &&
			has_header(s, p->run->ruling);
	if (p->is_muted || p->run->is_cut)
		*fate = FATE_DROP;
	return ERR_NONE;
}

enum err
copy_on_both(struct session *s, const struct answer *a, enum fate *fate)
{
	struct pg *pg = pg_of(s);
	struct pending *p = queue_front(&pg->queue);

	(void)fate;
	if (!back_front_is(pg, "Q") || p->run == NULL || p->copying != 0 ||
	    (p->run->operations & BIT(OP_REPLICATION)) == 0 ||
	    gate_protects(s->gate) || p->run->is_cut)
		return back_unexpected(s, a);
	p->copying = 'W';
	p->reads = 1;
	if (!p->may_read)
		pg->queue.readers++;
	p->may_read = true;
	return ERR_NONE;
}

/* In binary format, the end of the rows: alone, or behind the signature when
 * there are no rows. */
static bool
is_trailer(struct wire body)
{
	const size_t signature = 19;

	if (body.left == signature + 2)
		wire_bytes(&body, signature);
	return body.left == 2 && wire_u16(&body) == UINT16_MAX;
}

bool
copy_is_rows_only(const struct pending *p)
{
	return p->copying == 'H' && !p->is_binary && !p->has_header;
}

/* One message is one row; but not the header or the trailer. */
static bool
is_row(struct pending *p, struct wire body)
{
	bool had_header = p->has_header;

	p->has_header = false;
	return !had_header && !(p->is_binary && is_trailer(body));
}

enum err
copy_on_data(struct session *s, const struct answer *a, enum fate *fate)
{
	struct pg *pg = pg_of(s);
	struct pending *p = queue_front(&pg->queue);

	if (!back_front_is(pg, "QE") ||
	    (p->copying != 'H' && p->copying != 'W'))
		return back_unexpected(s, a);
	if (p->is_muted || p->run->is_cut)
		*fate = FATE_DROP;
	else if (!is_row(p, a->body))
		p->run->outcome.bytes += a->total;
	else if (!run_count_row(s, p, a->total))
		*fate = FATE_DROP;
	return ERR_NONE;
}

enum err
copy_on_done(struct session *s, const struct answer *a, enum fate *fate)
{
	struct pg *pg = pg_of(s);
	struct pending *p = queue_front(&pg->queue);

	if (!back_front_is(pg, "QE") ||
	    (p->copying != 'H' && p->copying != 'W') ||
	    wire_end(&a->body) != ERR_NONE)
		return back_unexpected(s, a);
	if (p->copying == 'H')
		p->copying = 0;
	if (p->is_muted || p->run->is_cut)
		*fate = FATE_DROP;
	return ERR_NONE;
}
