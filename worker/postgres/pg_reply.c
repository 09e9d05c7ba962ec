/*
 * pg_reply.c - what Sallyport says itself, in PostgreSQL's words.
 *
 * The rule: a refusal leaves the client and the server where an error of the
 * server's own would have left them, except that an open transaction is as
 * it was.
 */
#include <stdio.h>

#include "worker/postgres/pg.h"

enum {
	DETAIL_MAX = 4096,
	/* bytes of a text without tokens that the server is asked about: it
	 * reads open comments in the square of their length */
	BROKEN_MAX = 8192,
};

/* A statement that no server can parse, to make it fail. */
static const char poison[] = "refused by sallyport";

/* The client's encoding; there is one session in a process. */
static bool is_in_ascii;

void
pg_reply_in_ascii(bool is_so)
{
	is_in_ascii = is_so;
}

/* Rules, people and relations have names beyond ASCII: a character that the
 * client may not understand becomes `?`. */
static struct text
in_ascii(struct text t, char *copy, size_t size)
{
	size_t i, len = 0;

	if (!is_in_ascii)
		return t;
	for (i = 0; i < t.len && len < size; i++) {
		unsigned char c = (unsigned char)t.at[i];

		if (c < 0x80 || c >= 0xc0)
			copy[len++] = c < 0x80 ? t.at[i] : '?';
	}
	return (struct text){copy, len};
}

void
pg_put_refusal(struct buffer *b, const struct refusal *r)
{
	char message[GATE_REASON_MAX + 256], detail[DETAIL_MAX];
	char hint[GATE_REASON_MAX];
	const struct pg_complaint c = {.severity = "ERROR",
	    .sqlstate = r->sqlstate,
	    .message = in_ascii(r->message, message, sizeof(message)),
	    .detail = in_ascii(r->detail, detail, sizeof(detail)),
	    .hint = in_ascii(r->hint, hint, sizeof(hint))};

	pg_put_complaint(b, 'E', &c);
}

/* Have the server parse a text that makes it fail, as its unnamed statement,
 * which is thereby no more. */
static enum err
feed(struct session *s, struct text text, const struct refusal *r)
{
	struct pg *pg = pg_of(s);
	struct pending *p = queue_push(&pg->queue, 'P');

	if (p == NULL)
		return ERR_MEMORY;
	p->is_ours = p->is_poison = true;
	p->may_speak = r != NULL && text.at == r->broken.at;
	if (r != NULL)
		pg_put_refusal(&p->local, r);
	names_remove(pg->statements, TEXT(""));
	pg->has_unsynced = true;
	pg_put_parse(&s->relay.upstream.out, TEXT(""), text);
	return pg_settle(s);
}

enum err
pg_poison(struct session *s, const struct refusal *r)
{
	struct pg *pg = pg_of(s);
	enum err e;

	if (r != NULL && r->broken.len > 0) {
		e = feed(s, r->broken, r);
		if (e != ERR_NONE || !pg->has_digested)
			return e;
		pg->has_digested = false;
	}
	return feed(s, text_of(poison), r);
}

static enum err
refuse_in_turn(struct session *s, const struct refusal *r)
{
	struct pg *pg = pg_of(s);

	/* what ran since the last Sync outside a transaction block would have
	 * been undone by an error of the server's own */
	if ((pg->has_implicit_work && pg->status == 'I' && !pg->is_in_block) ||
	    r->broken.len > 0 || r->is_error)
		return pg_poison(s, r);
	pg_put_refusal(pg_out(s), r);
	return ERR_NONE;
}

enum err
pg_refuse_statement(struct session *s, char kind, const struct refusal *r)
{
	struct pg *pg = pg_of(s);
	enum err e = pg_settle(s);

	/* a failure of the server before it: the client's message would have
	 * been ignored, and so is our refusal of it */
	if (e == ERR_NONE && pg->is_skipping)
		return ERR_NONE;
	if (e == ERR_NONE)
		e = refuse_in_turn(s, r);
	if (e != ERR_NONE)
		return e;
	if (kind != 'Q' && kind != 'F') {
		pg->is_skipping = true;
		return ERR_NONE;
	}
	if (pg->has_unsynced)
		return pg_sync(s);
	pg_put_ready(pg_out(s), pg->status);
	return ERR_NONE;
}

/* The rule that refused, or asked for a person; a rule that allowed is not to
 * blame when the statement is refused for another reason. */
static const struct rule *
blamed_rule(const struct ruling *j)
{
	return j->verdict.decision == THEN_ALLOW ? NULL : j->verdict.rule;
}

/* DETAIL for programs: one JSON object. */
static struct text
refusal_detail(const struct ruling *j, const char *decision, uint64_t request,
    char *buffer, size_t size)
{
	const struct rule *rule = blamed_rule(j);
	struct json out;
	size_t i, k;
	char name[160];

	json_init(&out, buffer, size);
	json_open(&out, NULL, '{');
	if (rule != NULL)
		json_text(&out, "rule", rule->name);
	else
		json_raw(&out, TEXT("\"rule\":null")), out.comma = true;
	json_cstring(&out, "decision", decision);
	json_open(&out, "operations", '[');
	for (i = 0; i < OP_MAX; i++) {
		if ((j->operations & BIT(i)) != 0)
			json_element(
			    &out, text_of(operation_name((enum operation)i)));
	}
	json_close(&out, ']');
	json_open(&out, "relations", '[');
	for (i = 0; i < j->text.count && i < 16; i++) {
		const struct statement *st = &j->text.statements[i];

		for (k = 0; k < st->relation_count && k < 16; k++) {
			const struct relation_use *r = &st->relations[k];

			snprintf(name, sizeof(name), "%.*s%s%.*s",
			    (int)r->schema.len, r->schema.at,
			    r->schema.len > 0 ? "." : "", (int)r->name.len,
			    r->name.at);
			json_element(&out, text_of(name));
		}
	}
	json_close(&out, ']');
	if (request != 0)
		json_number(&out, "request", (int64_t)request);
	json_close(&out, '}');
	return out.overflowed ? TEXT("{\"decision\":\"deny\"}")
			      : (struct text){buffer, out.len};
}

/* In words, with the rule's name; the rule is the reason unless another is
 * given. Returns the length. */
static int
refusal_message(
    const struct ruling *j, struct text reason, char *buffer, size_t size)
{
	const struct rule *rule = blamed_rule(j);
	int len;

	if (rule == NULL && reason.len == 0)
		reason = j->verdict.reason;
	if (rule == NULL)
		len = snprintf(buffer, size, "statement refused: %.*s",
		    (int)reason.len, reason.at);
	else
		len = snprintf(buffer, size,
		    "statement refused by rule \"%.*s\"%s%.*s",
		    (int)rule->name.len, rule->name.at,
		    reason.len > 0 ? ": " : "", (int)reason.len, reason.at);
	return len < (int)size ? len : (int)size - 1;
}

/* The server would refuse it, too, and with it what the transaction did; in
 * its own words where that costs it nothing. */
static void
be_servers_error(struct refusal *r, struct text broken)
{
	if (broken.len <= BROKEN_MAX) {
		r->broken = broken;
		return;
	}
	r->is_error = true;
	r->sqlstate = "42601";
}

enum err
pg_refuse_ruling(struct session *s, char kind, const struct ruling *j,
    struct text reason, uint64_t request)
{
	const struct rule *rule = blamed_rule(j);
	char message[GATE_REASON_MAX + 256], detail[DETAIL_MAX];
	struct refusal r = {.sqlstate = "42501"};
	int len;

	len = refusal_message(j, reason, message, sizeof(message));
	r.message = (struct text){message, (size_t)len};
	r.detail = refusal_detail(j, "deny", request, detail, sizeof(detail));
	if (rule != NULL)
		r.hint = rule->say;
	if (j->text.is_broken && (kind == 'Q' || kind == 'P') &&
	    pg_of(s)->replication == REPLICATION_NONE)
		be_servers_error(&r, j->sql);
	s->slot->denied++;
	return pg_refuse_statement(s, kind, &r);
}

enum err
pg_fatal(struct session *s, enum ending why, const char *sqlstate,
    const char *message)
{
	const struct pg_complaint c = {.severity = "FATAL",
	    .sqlstate = sqlstate,
	    .message = text_of(message)};

	if (!pg_of(s)->is_over)
		pg_put_complaint(pg_out(s), 'E', &c);
	pg_of(s)->is_over = true;
	return session_end(s, why);
}

enum err
pg_end_barred(struct session *s)
{
	char text[GATE_REASON_MAX + 32];

	snprintf(text, sizeof(text), "terminating connection: %s",
	    s->gate->reason);
	return pg_fatal(s, ENDING_RIGHTS, "57P01", text);
}

void
pg_notice(struct session *s, const char *message)
{
	const struct pg_complaint c = {.severity = "NOTICE",
	    .sqlstate = "00000",
	    .message = text_of(message)};

	pg_put_complaint(pg_out(s), 'N', &c);
}
