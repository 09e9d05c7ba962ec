/*
 * pg_fastpath.c - FunctionCall, the protocol's fast path.
 *
 * A call comes as a function's number; it is judged as the SELECT of that
 * function that it amounts to.  The rule: the name is the server's own, asked
 * for in this very session, and kept only for what the system itself brought,
 * whose number never leads to anything else.
 *
 * Source: PostgreSQL documentation, chapter 55.2.6, "Function Call".
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/detect.h"
#include "common/log.h"
#include "worker/postgres/pg_back.h"
#include "worker/postgres/pg_front.h"

enum {
	ARGUMENTS_MAX = 100,	/* as the server's FUNC_MAX_ARGS */
	FIRST_USERS_OID = 16384, /* FirstNormalObjectId */
};

/* Of our statement and portal; closed again at once. */
#define QUESTION "sallyport.question"

/* Whatever the search_path is, these are the system's. */
static const char question[] =
    "SELECT n.nspname, p.proname, p.prorettype "
    "FROM pg_catalog.pg_proc p, pg_catalog.pg_namespace n "
    "WHERE p.pronamespace OPERATOR(pg_catalog.=) n.oid "
    "AND p.oid OPERATOR(pg_catalog.=) %u";

struct function { /* texts borrow from the session's question */
	struct text schema, name;
	uint32_t result; /* type's OID */
};

/* --- which function is it? ------------------------------------------------ */

enum err
back_on_answer(struct session *s, const struct answer *a)
{
	struct buffer *row = &pg_of(s)->question.row;
	struct wire body = a->body;

	if (row->len == 0)
		buffer_put_text(row, wire_rest(&body));
	return row->failed ? ERR_MEMORY : ERR_NONE;
}

/* A message of ours whose answer is not the client's. */
static struct pending *
expect_ours(struct session *s, char kind)
{
	struct pending *p = front_expect(s, kind);

	if (p != NULL)
		p->is_ours = true;
	return p;
}

static void
put_question(struct buffer *out, uint32_t oid)
{
	char sql[sizeof(question) + 16];

	snprintf(sql, sizeof(sql), question, oid);
	pg_put_close(out, 'P', TEXT(QUESTION));
	pg_put_close(out, 'S', TEXT(QUESTION));
	pg_put_parse(out, TEXT(QUESTION), text_of(sql));
	pg_put_bind(out, TEXT(QUESTION), false);
	pg_put_execute_all(out, TEXT(QUESTION));
	pg_put_close(out, 'P', TEXT(QUESTION));
	pg_put_close(out, 'S', TEXT(QUESTION));
}

/* Ask, and wait for the answer. Should the server fail, the client was told
 * why; what it had open before decides who ends the batch. */
static enum err
ask(struct session *s, uint32_t oid)
{
	static const char kinds[] = "CCPBECC";
	struct pg *pg = pg_of(s);
	bool is_alone = !pg->has_unsynced;
	struct pending *p;
	size_t i;

	/* a question that failed leaves its statement, and a client may have
	 * used the name: whatever has it goes */
	names_remove(pg->statements, TEXT(QUESTION));
	names_remove(pg->portals, TEXT(QUESTION));
	buffer_clear(&pg->question.row, 0);
	pg->question.is_answered = false;
	for (i = 0; kinds[i] != '\0'; i++) {
		p = expect_ours(s, kinds[i]);
		if (p == NULL)
			return front_out_of_memory(s);
		p->is_asked = kinds[i] == 'E';
	}
	put_question(&s->relay.upstream.out, oid);
	return is_alone ? pg_sync_ours(s) : pg_settle(s);
}

/* The row: schema, name, result type, all as text. */
static bool
read_answer(const struct pg *pg, struct function *out)
{
	struct wire w = wire_of(pg->question.row.bytes, pg->question.row.len);
	struct text fields[3];
	char digits[16] = "";
	size_t i;
	int32_t len;

	if (wire_u16(&w) != 3)
		return false;
	for (i = 0; i < 3; i++) {
		len = wire_i32(&w);
		fields[i] = len > 0 ? wire_bytes(&w, (size_t)len) : TEXT("");
	}
	if (wire_end(&w) != ERR_NONE || fields[2].len >= sizeof(digits))
		return false;
	memcpy(digits, fields[2].at, fields[2].len);
	*out = (struct function){
	    fields[0], fields[1], (uint32_t)strtoul(digits, NULL, 10)};
	return out->schema.len > 0 && out->name.len > 0;
}

static bool
find_known(const struct pg *pg, uint32_t oid, struct function *out)
{
	size_t i;

	for (i = 0; i < pg->function_count; i++) {
		const struct known_function *f = &pg->functions[i];

		if (f->oid != oid)
			continue;
		*out = (struct function){
		    TEXT("pg_catalog"), text_of(f->name), f->result};
		return true;
	}
	return false;
}

/* What users make may be dropped, and its number be another's. */
static void
keep_known(struct pg *pg, uint32_t oid, const struct function *f)
{
	struct known_function *kept = &pg->functions[pg->function_count];

	if (oid >= FIRST_USERS_OID || pg->function_count == PG_FUNCTIONS_KEPT ||
	    !text_is(f->schema, TEXT("pg_catalog")) ||
	    f->name.len > PG_NAME_MAX)
		return;
	kept->oid = oid;
	kept->result = f->result;
	memcpy(kept->name, f->name.at, f->name.len);
	kept->name[f->name.len] = '\0';
	pg->function_count++;
}

/* --- judged as a SELECT --------------------------------------------------- */

static void
put_select(
    struct buffer *b, const struct function *f, const struct pg_call *call)
{
	char parameter[16];
	unsigned i;

	buffer_put_text(b, TEXT("SELECT "));
	pg_put_name(b, f->schema);
	buffer_put_u8(b, '.');
	pg_put_name(b, f->name);
	buffer_put_u8(b, '(');
	for (i = 1; i <= call->argument_count; i++) {
		snprintf(parameter, sizeof(parameter), "%s$%u",
		    i == 1 ? "" : ", ", i);
		buffer_put_text(b, text_of(parameter));
	}
	buffer_put_u8(b, ')');
}

/* Forward it under the ruling of its SELECT. */
static enum err
forward(struct session *s, const struct message *r, const struct function *f,
    struct run *run)
{
	struct pg *pg = pg_of(s);
	struct pending *p = front_expect(s, 'F');

	if (p == NULL) {
		run_drop(run);
		return front_out_of_memory(s);
	}
	p->run = run;
	p->result = f->result;
	pg->batch++;
	pg->has_unsynced = false; /* a call ends a batch, as a Query does */
	front_forward(s, r);
	if (pg->queue.count == 1)
		run_start(s, run);
	return ERR_NONE;
}

static enum err
judge(struct session *s, const struct message *r, const struct function *f,
    const struct pg_call *call)
{
	struct buffer sql = {.ceiling = 0};
	struct gate *g = s->gate;
	struct ruling *j = NULL;
	struct run *run = NULL;
	enum err e;

	put_select(&sql, f, call);
	g->also |= BIT(OP_FUNCTION_CALL);
	if (!sql.failed)
		j = gate_judge(
		    g, (struct text){(const char *)sql.bytes, sql.len});
	buffer_free(&sql);
	e = pg_admit(s, 'F', j, call->values, &run);
	g->also &= ~BIT(OP_FUNCTION_CALL);
	ruling_drop(j);
	if (e != ERR_NONE || run == NULL)
		return e;
	run->has_binary_result = call->is_binary;
	return forward(s, r, f, run);
}

/* --- the message ---------------------------------------------------------- */

/* What the server would find wrong with it; NULL: nothing. */
static const char *
complaint(const struct pg_call *call)
{
	if (call->has_odd_formats)
		return "unsupported format code in a function call";
	if (call->format_count > 1 &&
	    call->format_count != call->argument_count)
		return "a function call with formats for other arguments than "
		       "it has";
	if (call->argument_count > ARGUMENTS_MAX)
		return "a function call with too many arguments";
	return NULL;
}

/* The question failed, and the client was told so: ReadyForQuery is due. */
static enum err
end_failed(struct session *s)
{
	struct pg *pg = pg_of(s);

	if (pg->has_unsynced)
		return pg_sync(s);
	pg_put_ready(pg_out(s), pg->status);
	return ERR_NONE;
}

/* Which function it is. ERR_NOT_FOUND: it was refused. */
static enum err
resolve(struct session *s, const struct message *r, const struct pg_call *call,
    struct function *out)
{
	struct pg *pg = pg_of(s);
	char reason[64]; /* in the server's words */
	enum err e;

	if (find_known(pg, call->function, out))
		return ERR_NONE;
	e = ask(s, call->function);
	if (e != ERR_NONE)
		return e;
	if (!pg->question.is_answered) {
		e = end_failed(s);
	} else if (!read_answer(pg, out)) {
		snprintf(reason, sizeof(reason),
		    "function with OID %" PRIu32 " does not exist",
		    call->function);
		e = front_refuse_recorded(
		    s, 'F', r->bytes.len, "42883", reason);
	} else {
		keep_known(pg, call->function, out);
		return ERR_NONE;
	}
	return e == ERR_NONE ? ERR_NOT_FOUND : e;
}

enum err
fastpath_call(struct session *s, const struct message *r)
{
	struct pg_call call;
	struct function f;
	const char *wrong;
	enum err e;

	if (pg_parse_call(r->body, &call) != ERR_NONE)
		return front_malformed(s);
	wrong = complaint(&call);
	e = pg_settle(s);
	if (e != ERR_NONE || pg_of(s)->is_skipping)
		return e;
	if (wrong != NULL)
		return front_refuse_recorded(
		    s, 'F', r->bytes.len, "08P01", wrong);
	e = resolve(s, r, &call, &f);
	if (e == ERR_NONE)
		e = judge(s, r, &f, &call);
	return e == ERR_NOT_FOUND ? ERR_NONE : e;
}

/* --- the result ----------------------------------------------------------- */

/* As a column of that type without an origin. */
static void
plan_result(struct session *s, const struct pending *p, struct column_plan *out)
{
	const struct gate *g = s->gate;
	const struct origin origin = {.count = 1};
	struct column_protection protection;

	*out = (struct column_plan){
	    .type = {.oid = p->result, .is_binary = p->run->has_binary_result}};
	gate_output(s->gate, p->run->ruling, &origin, &protection);
	/* nothing of a function's making is kept in part */
	out->mask = protection.mask == MASK_NONE ? MASK_NONE : MASK_NULL;
	out->is_scanned = out->mask == MASK_NONE && g->protection != NULL &&
			  protection_detectors(g->protection) != 0 &&
			  detect_looks_into(p->result);
}

static void
put_result(struct buffer *out, const struct masked *m)
{
	size_t at = pg_message_begin(out, 'V');

	buffer_put_u32(out, m->is_null ? UINT32_MAX : (uint32_t)m->value.len);
	if (!m->is_null)
		buffer_put_text(out, m->value);
	pg_message_end(out, at);
}

enum err
back_on_call_result(struct session *s, const struct answer *a, enum fate *fate)
{
	struct pg *pg = pg_of(s);
	struct pending *p = queue_front(&pg->queue);
	struct wire body = a->body;
	struct column_plan plan;
	struct masked m;
	int32_t len = wire_i32(&body);
	struct text value =
	    len > 0 ? wire_bytes(&body, (size_t)len) : TEXT("");

	if (!back_front_is(pg, "F") || p->run == NULL ||
	    wire_end(&body) != ERR_NONE)
		return back_unexpected(s, a);
	*fate = FATE_DROP;
	if (!run_count_row(s, p, a->total))
		return ERR_NONE;
	*fate = FATE_PASS;
	if (!gate_protects(s->gate) || len < 0)
		return ERR_NONE;
	plan_result(s, p, &plan);
	arena_reset(pg->row);
	if (!column_mask(s, &plan, value, &m))
		return ERR_NONE;
	*fate = FATE_DROP;
	p->run->outcome.masked++;
	put_result(pg_out(s), &m);
	return ERR_NONE;
}
