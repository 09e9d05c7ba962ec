/*
 * record.c - a statement's audit records: `statement` before it runs (or is
 * refused), `result` when it is over.
 *
 * The rule: no literal gets into a record unless the settings keep them.
 */
#include <ctype.h>
#include <stdio.h>

#include "worker/record.h"

enum {
	PART_MAX = AUDIT_RECORD_MAX - 8 * 1024
};

/* Cut at a character boundary. */
static struct text
cut(struct text t, size_t most)
{
	if (t.len <= most)
		return t;
	t.len = most;
	while (t.len > 0 && ((unsigned char)t.at[t.len] & 0xc0) == 0x80)
		t.len--;
	return t;
}

static void
put_set(struct json *j, const char *key, uint64_t set, unsigned max,
    const char *(*name)(unsigned))
{
	unsigned i;

	json_open(j, key, '[');
	for (i = 0; i < max; i++) {
		if ((set & BIT(i)) != 0)
			json_element(j, text_of(name(i)));
	}
	json_close(j, ']');
}

static const char *
name_operation(unsigned i)
{
	return operation_name((enum operation)i);
}

static const char *
name_trait(unsigned i)
{
	return trait_name((enum trait)i);
}

static void
put_relations(struct json *j, const struct statement *s)
{
	char name[160];
	size_t i;
	int len;

	json_open(j, "relations", '[');
	for (i = 0; i < s->relation_count && i < 64; i++) {
		const struct relation_use *r = &s->relations[i];

		len = snprintf(name, sizeof(name), "%.*s%s%.*s",
		    (int)r->schema.len, r->schema.at,
		    r->schema.len > 0 ? "." : "", (int)r->name.len, r->name.at);
		if (len >= (int)sizeof(name))
			len = sizeof(name) - 1;
		json_element(j, (struct text){name, (size_t)len});
	}
	json_close(j, ']');
}

/* Literals may stay where the settings say so; a statement that can carry a
 * password never keeps its own. */
static struct text
shown_text(const struct gate *g, const struct statement *s)
{
	if (!g->settings->audit_keeps_literals ||
	    statement_mentions(s, TEXT("password")) ||
	    (s->operations & BIT(OP_ROLE)) != 0)
		return s->canonical;
	return s->raw;
}

static struct text
statement_part(struct gate *g, const struct statement *s, struct arena *a)
{
	static char buffer[PART_MAX]; /* one process, one session, no threads */
	struct text shown = shown_text(g, s);
	char fingerprint[FINGERPRINT_SIZE];
	struct json j;

	json_init(&j, buffer, sizeof(buffer));
	j.comma = true;
	json_text(&j, "statement", cut(shown, AUDIT_STATEMENT_MAX));
	if (shown.len > AUDIT_STATEMENT_MAX)
		json_number(&j, "statement_bytes", (int64_t)shown.len);
	statement_fingerprint(s, fingerprint);
	json_cstring(&j, "fingerprint", fingerprint);
	put_set(&j, "operations", s->operations, OP_MAX, name_operation);
	put_relations(&j, s);
	put_set(&j, "traits", s->traits, TRAIT_MAX, name_trait);
	if (j.overflowed)
		return (struct text){NULL, 0};
	return (struct text){arena_copy(a, buffer, j.len), j.len};
}

/* Rules that only observe and would have matched, as a JSON member. */
static struct text
observed_part(const struct ruling *r)
{
	static char buffer[PART_MAX];
	struct json j;
	size_t i, k;

	json_init(&j, buffer, sizeof(buffer));
	j.comma = true;
	json_open(&j, "observed", '[');
	for (i = 0; i < r->text.count; i++) {
		const struct verdict *v = &r->verdicts[i];

		for (k = 0; k < v->matched_count; k++) {
			if (v->matched[k]->then == THEN_OBSERVE)
				json_element(&j, v->matched[k]->name);
		}
	}
	json_close(&j, ']');
	if (j.len == strlen(",\"observed\":[]") || j.overflowed)
		return (struct text){NULL, 0};
	return (struct text){arena_copy(r->arena, buffer, j.len), j.len};
}

void
record_prepare(struct gate *g, struct ruling *j)
{
	struct text *record =
	    arena_array(j->arena, j->text.count, sizeof(*record));
	size_t i;

	for (i = 0; record != NULL && i < j->text.count; i++) {
		record[i] = statement_part(g, &j->text.statements[i], j->arena);
		if (record[i].at == NULL)
			return;
	}
	j->record = record;
	j->observed = observed_part(j);
}

/* Trace tags as sqlcommenter writes them, key='value',…: those of known keys
 * and harmless characters. Anything else in a comment may be commented-out SQL
 * with literals in it, and is not recorded. */
static bool
next_tag(struct text *rest, struct text *key, struct text *value)
{
	static const char *const keys[] = {"traceparent", "tracestate",
	    "application", "controller", "action", "framework", "route",
	    "db_driver", "job"};
	size_t i, k, len, end;

	for (i = 0; i < rest->len; i++) {
		for (k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
			len = strlen(keys[k]);
			if (rest->len - i < len + 3 ||
			    memcmp(rest->at + i, keys[k], len) != 0 ||
			    memcmp(rest->at + i + len, "='", 2) != 0)
				continue;
			for (end = i + len + 2;
			     end < rest->len &&
			     (isalnum((unsigned char)rest->at[end]) ||
				 strchr("-_.%~:/", rest->at[end]) != NULL);)
				end++;
			if (end == rest->len || rest->at[end] != '\'')
				continue;
			*key = (struct text){rest->at + i, len};
			*value = (struct text){
			    rest->at + i + len + 2, end - i - len - 2};
			rest->at += end + 1;
			rest->len -= end + 1;
			return true;
		}
	}
	return false;
}

static void
put_claims(struct json *out, const struct gate *g, struct text comment)
{
	struct text rest = comment, key, value;
	char name[32];

	if (g->claims.len == 0 && !next_tag(&rest, &key, &value))
		return;
	json_open(out, "claims", '{');
	if (g->claims.len > 0)
		json_text(out, "application_name", cut(g->claims, 256));
	for (rest = comment; next_tag(&rest, &key, &value);) {
		snprintf(name, sizeof(name), "%.*s", (int)key.len, key.at);
		json_text(out, name, cut(value, 256));
	}
	json_close(out, '}');
}

static enum err
record_one(struct gate *g, const struct ruling *j, struct text part,
    const char *decision, struct text reason, uint64_t request)
{
	bool is_other = j->verdict.decision == THEN_ALLOW && reason.len > 0 &&
	    request == 0;
	/* refused though a rule allowed it: the rule is not to blame */
	const struct rule *rule = is_other ? NULL : j->verdict.rule;
	struct json *out = audit_begin(g->audit, "statement");

	json_raw(out, part);
	json_cstring(out, "decision", decision);
	if (rule != NULL)
		json_text(out, "rule", rule->name);
	if (j->observed.len > 0)
		json_raw(out, j->observed);
	if (reason.len == 0 && j->verdict.decision != THEN_ALLOW)
		reason = j->verdict.reason;
	if (reason.len > 0)
		json_text(out, "reason", cut(reason, GATE_REASON_MAX));
	if (request != 0)
		json_number(out, "request", (int64_t)request);
	put_claims(out, g, j->text.trace_comment);
	return audit_send(g->audit);
}

enum err
gate_record(struct gate *g, const struct ruling *j, const char *decision,
    struct text reason, uint64_t request)
{
	size_t i;
	enum err e = ERR_NONE;

	if (j->text.count == 0 && j->verdict.decision != THEN_ALLOW)
		return record_one(g, j, TEXT(",\"statement\":null"), decision,
		    reason, request);
	if (j->text.count > 0 && j->record == NULL)
		return ERR_TOO_LONG;
	for (i = 0; i < j->text.count && e == ERR_NONE; i++)
		e = record_one(g, j, j->record[i], decision, reason, request);
	return e;
}

enum err
record_result(struct gate *g, const struct outcome *o)
{
	struct json *out = audit_begin(g->audit, "result");

	json_number(out, "statement_seq", (int64_t)o->seq);
	json_number(out, "rows", (int64_t)o->rows);
	json_number(out, "bytes", (int64_t)o->bytes);
	json_number(out, "changed", (int64_t)o->changed);
	json_number(out, "masked", (int64_t)o->masked);
	json_number(out, "ms", o->ms);
	if (o->sqlstate[0] != '\0')
		json_cstring(out, "sqlstate", o->sqlstate);
	return audit_defer(g->audit);
}
