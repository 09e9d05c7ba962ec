/*
 * gate.c - the one decision.
 *
 * gate_judge() is the only way from a text to a verdict.  The rule: a
 * ruling starts as a denial, and only a decision that went through without
 * any error replaces it.
 *
 * It trusts the classifier to err on the strict side, the policy snapshot it
 * has checked, and nothing that the client says.
 */
#include <time.h>

#include "common/flow.h"
#include "common/hole.h"
#include "common/log.h"
#include "worker/builtin.h"
#include "worker/gate.h"
#include "worker/own_relations.h"
#include "worker/own_settings.h"
#include "worker/reading.h"
#include "worker/record.h"
#include "worker/rights.h"
#include "worker/ruling.h"
#include "worker/snapshot.h"

void
gate_init(struct gate *g, struct birth *b, const struct provisions *p)
{
	*g = (struct gate){.birth = b,
	    .settings = b->settings,
	    .policy = b->policy,
	    .audit = p->audit,
	    .policy_store = p->policy,
	    .catalog_store = p->catalog,
	    .catalog_error = p->catalog_error,
	    .lex = {.dialect = DIALECT_POSTGRES,
		.standard_conforming_strings = true,
		.is_utf8 = true}};
}

enum err
gate_enter(struct gate *g, const struct upstream *u, struct text database,
    struct identity *id)
{
	g->upstream = u;
	g->identity = id;
	g->place = (struct place){.upstream = text_of(u->name),
	    .database = database,
	    .labels = u->labels,
	    .label_count = u->label_count};
	g->scratch = arena_new(GATE_RULING_MAX);
	if (g->scratch == NULL)
		return ERR_MEMORY;
	g->login = upstream_login_of(u, id);
	if (!snapshot_is_current(g))
		return g->is_barred ? ERR_REFUSED : ERR_STORE;
	/* whose policy it is may be newer than who the broker asked */
	return rights_renew(g) ? snapshot_protect(g) : ERR_REFUSED;
}

void
gate_want_catalog(struct gate *g)
{
	(void)wish_for(&g->wisher, g->birth->board, g->place.upstream,
	    g->place.database);
	g->first_epoch = gate_schema_epoch(g);
	protection_sync(g->protection, snapshot_reading(g));
}

void
gate_leave(struct gate *g)
{
	gate_forget(g);
	protection_free(g->protection);
	g->protection = NULL;
	snapshot_close(g);
	arena_free(g->scratch);
	g->scratch = NULL;
}

/* The stricter of what two statements reach. */
static void
touch_join(struct touch *t, const struct touch *other)
{
	t->is_protected |= other->is_protected;
	t->mentions |= other->mentions;
	t->is_code_protected |= other->is_code_protected;
	t->runs_inner |= other->runs_inner;
	t->is_inner_open |= other->is_inner_open;
	t->fills_rows |= other->fills_rows;
	t->makes = other->makes > t->makes ? other->makes : t->makes;
	t->is_unknown |= other->is_unknown;
	t->names_own |= other->names_own;
	t->names_others |= other->names_others;
	if (other->derived.mask != MASK_NONE) {
		bool is_denied = t->derived.is_denied;

		t->derived = other->derived;
		t->derived.is_denied |= is_denied;
	}
	if (t->relation == NULL)
		t->relation = other->relation;
	if (other->column_count > 0 && t->column_count == 0) {
		t->columns = other->columns;
		t->column_count = other->column_count;
	}
}

static bool
is_to_be_read_again(const struct gate *g, const struct touch *t)
{
	return (gate_protects(g) && (t->is_unknown || t->is_code_unseen)) ||
	       (g->asks_of_code && (t->is_code_unseen || !t->is_code_known));
}

/* What one statement reaches, with a fresh catalogue if it names what this
 * one does not know. */
static void
touch_statement(struct gate *g, struct ruling *j, const struct statement *s,
    struct touch *out)
{
	enum err e = protection_touch(g->protection, s, j->arena, out);

	if (e == ERR_NONE && is_to_be_read_again(g, out) &&
	    snapshot_read_again(g)) {
		/* the first reading of all is no reason to wait for the next */
		if (!out->is_code_known)
			g->asked_at = 0;
		own_read_again(g, snapshot_reading(g));
		e = protection_touch(g->protection, s, j->arena, out);
	}
	if (e != ERR_NONE) /* out says protected and mentions already */
		log_warning("catalogue: %s; masking strictly", err_text(e));
}

static void
judge_statement(struct gate *g, struct ruling *j, size_t i, struct touch *touch)
{
	/* by the transaction, or by an earlier statement of the text */
	enum makes made =
	    g->makes > j->touch.makes ? g->makes : j->touch.makes;
	struct statement *s = &j->text.statements[i];
	struct verdict *v = &j->verdicts[i];
	struct text refusal;
	enum err e;

	s->operations |= g->also;
	*touch = (struct touch){0};
	touch_statement(g, j, s, touch);
	builtin_traits(g, s, touch, j->arena);
	own_note_temporary(g, s);
	own_effect_of(g, s, touch, &j->effects[i]);
	/* the next statement runs only if this one has succeeded */
	if (j->text.count > 1)
		own_apply(&g->own, &j->effects[i]);
	e = docket_decide(
	    g->docket, s, time(NULL), snapshot_resolve, g, j->arena, v);
	if (e != ERR_NONE) {
		v->decision = THEN_DENY;
		v->rule = NULL;
		v->reason = text_of(err_text(e));
		return;
	}
	refusal = builtin_refusal(g, s, touch, made, j->arena);
	if (refusal.len > 0) {
		j->is_forbidden = true;
		v->decision = THEN_DENY;
		v->rule = NULL;
		v->reason = refusal;
	}
}

/* What only claims an application_name is run as one that says who it is; it
 * must be alone for that. */
static void
judge_claims(struct gate *g, struct ruling *j)
{
	size_t i;

	for (i = 0; i < j->text.count; i++) {
		if (!own_settings_is_claim(g, &j->text.statements[i]))
			continue;
		j->instead = TEXT("SET application_name TO DEFAULT");
		if (j->text.count == 1)
			return;
		j->is_forbidden = true;
		j->verdict = (struct verdict){.decision = THEN_DENY,
		    .reason = TEXT("SET application_name must be alone in its "
				   "message")};
	}
}

/* Take the statements together: any one refused refuses the message. */
static void
judge_together(struct gate *g, struct ruling *j)
{
	struct own_relations own;
	struct touch touch;
	size_t i;

	if (j->text.count > 1)
		own = g->own;
	j->is_plain = true;
	for (i = 0; i < j->text.count; i++) {
		struct statement *s = &j->text.statements[i];

		judge_statement(g, j, i, &touch);
		touch_join(&j->touch, &touch);
		j->operations |= s->operations;
		j->traits |= s->traits;
		j->is_plain &= builtin_is_plain(s) && !touch.is_inner_open;
		j->may_set |= builtin_may_set(s, &touch);
		j->may_carry |= builtin_may_carry(g, s, &touch);
		j->may_redefine |= own_may_redefine(g, s, &touch);
		j->reads_literals |=
		    touch.flow != NULL && touch.flow->reads_literals;
		if (i == 0)
			j->verdict = j->verdicts[0];
		else
			verdict_tighten(&j->verdict, &j->verdicts[i]);
	}
	if (j->text.count > 1)
		g->own = own;
	judge_claims(g, j);
	/* Of several results nobody knows which statement's one is. */
	if (j->text.count == 1)
		j->touch.flow = touch.flow;
	if (j->may_carry && !j->touch.mentions) {
		j->touch.is_protected = j->touch.mentions = true;
		j->touch.flow = NULL;
		j->touch.derived = (struct column_protection){
		    .mask = MASK_REDACT, .is_derived = true};
	}
}

/* A ruling may outlive the policy it was made under: keep of the deciding
 * rule what is said about it later. */
static void
keep_rule(struct gate *g, struct ruling *j)
{
	struct verdict *v = &j->verdict;
	struct rule *kept;

	v->reason.at = arena_copy(j->arena, v->reason.at, v->reason.len);
	if (v->reason.at == NULL)
		v->reason.len = 0;
	if (v->rule == NULL)
		return;
	j->rule_index = (uint64_t)(v->rule - g->policy->rules);
	kept = arena_alloc(j->arena, sizeof(*kept));
	if (kept != NULL) {
		*kept = *v->rule;
		kept->name.at =
		    arena_copy(j->arena, kept->name.at, kept->name.len);
		kept->say.at =
		    arena_copy(j->arena, kept->say.at, kept->say.len);
	}
	if (kept == NULL || kept->name.at == NULL || kept->say.at == NULL) {
		v->decision = THEN_DENY;
		v->reason = text_of(err_text(ERR_MEMORY));
		kept = NULL;
	}
	v->rule = kept;
}

static void
judge_refused(struct ruling *j, enum err e)
{
	const char *why = j->text.error;

	j->text.count = 0;
	j->verdict.reason = text_of(why != NULL ? why : err_text(e));
}

static void
judge_into(struct gate *g, struct ruling *j, struct text sql)
{
	struct classifier *classifier;
	struct lex_state lex;
	struct text reading;
	enum err e;

	sql.at = arena_copy(j->arena, sql.at, sql.len);
	if (sql.at == NULL) {
		j->verdict.reason = text_of(err_text(ERR_MEMORY));
		return;
	}
	j->sql = sql;
	if (!snapshot_is_current(g)) {
		j->verdict.reason = text_of(g->reason);
		return;
	}
	arena_reset(g->scratch);
	snapshot_catch_up(g);
	classifier = g->policy->classifiers[g->lex.dialect];
	j->generation = g->policy->generation;
	j->reading = snapshot_reading(g);
	own_read_again(g, j->reading);
	j->minute = time(NULL) / 60;
	j->carries_later = g->carries_later;
	j->own_version = g->own.version;
	j->made_before = g->makes;
	if (g->protection == NULL || g->docket == NULL || classifier == NULL) {
		j->verdict.reason = TEXT("no policy is loaded");
		return;
	}
	protection_sync(g->protection, j->reading);
	e = reading_of(g, sql, j->arena, &reading, &lex, &j->text.error);
	if (e == ERR_NONE)
		e = classify_text(classifier, &lex, reading, j->arena, &j->text);
	if (e != ERR_NONE) {
		judge_refused(j, e);
		return;
	}
	j->verdicts =
	    arena_array(j->arena, j->text.count, sizeof(*j->verdicts));
	j->effects = arena_array(j->arena, j->text.count, sizeof(*j->effects));
	if (j->verdicts == NULL || j->effects == NULL)
		return;
	if (j->text.count == 0) /* an empty query: nothing to decide on */
		j->verdict = (struct verdict){.decision = THEN_ALLOW};
	judge_together(g, j);
	keep_rule(g, j);
	record_prepare(g, j);
}

uint64_t
gate_schema_epoch(const struct gate *g)
{
	return (uint64_t)snapshot_changed_at(g);
}

bool
gate_protects(const struct gate *g)
{
	return g->protection == NULL || !protection_is_empty(g->protection);
}

bool
gate_is_current(struct gate *g, const struct ruling *j)
{
	return snapshot_is_current(g) && !snapshot_is_outdated(g) &&
	       j->carries_later == g->carries_later &&
	       j->own_version == g->own.version &&
	       j->made_before == g->makes &&
	       j->generation == g->policy->generation &&
	       j->reading == snapshot_reading(g) &&
	       j->minute == time(NULL) / 60;
}

struct ruling *
gate_judge(struct gate *g, struct text sql)
{
	struct text key = ruling_key(g, sql);
	struct ruling *j = key.len > 0 ? ruling_find(g, key) : NULL;

	hole_look(sql);
	if (j != NULL)
		return j;
	j = ruling_new();
	if (j == NULL)
		return NULL;
	judge_into(g, j, sql);
	ruling_close(j);
	ruling_keep(g, j);
	return j;
}

static void
judge_unseen(struct gate *g, struct ruling *j)
{
	struct statement unseen = {
	    .operations = BIT(OP_EXECUTE) | BIT(OP_UNKNOWN),
	    .traits = BIT(TRAIT_OPAQUE_FUNCTION) | BIT(TRAIT_UNKNOWN_FUNCTION) |
		BIT(TRAIT_ESCAPING_FUNCTION)};

	j->operations = unseen.operations;
	j->traits = unseen.traits;
	if (!snapshot_is_current(g) || gate_protects(g) || g->docket == NULL)
		return;
	j->generation = g->policy->generation;
	if (docket_decide(g->docket, &unseen, time(NULL), snapshot_resolve, g,
		j->arena, &j->verdict) != ERR_NONE)
		j->verdict.decision = THEN_DENY;
	keep_rule(g, j);
}

struct ruling *
gate_judge_unseen(struct gate *g)
{
	struct ruling *j = ruling_new();

	if (j == NULL)
		return NULL;
	judge_unseen(g, j);
	ruling_close(j);
	return j;
}

void
gate_claim(struct gate *g, struct text name)
{
	field_set(g->claimed, sizeof(g->claimed), name);
	g->claims = text_of(g->claimed);
}

bool
gate_take_rate(struct gate *g, const struct ruling *j)
{
	uint64_t limit = j->verdict.limits.statements_per_minute, key;
	bool is_within = true;
	size_t i;

	key = text_hash(g->identity->user) * 31 + text_hash(g->identity->agent);
	for (i = 0; limit != 0 && i < j->text.count && is_within; i++)
		is_within =
		    rate_take(g->birth->board, key, limit, (int64_t)time(NULL));
	return is_within;
}

/* Of a relation that is not in the catalogue (yet). */
static enum err
output_of_unknown(struct gate *g, const struct ruling *j,
    const struct origin *origin, struct column_protection *out)
{
	bool is_own = own_is_output(g, j, origin, false);
	enum err e = ERR_NOT_FOUND;

	if (!is_own && snapshot_read_again(g))
		e = protection_output(g->protection, &j->touch, origin, out);
	if (e != ERR_NOT_FOUND ||
	    (!is_own && !own_is_output(g, j, origin, true)))
		return e;
	*out = (struct column_protection){.mask = MASK_NONE};
	return ERR_NONE;
}

void
gate_output(struct gate *g, const struct ruling *j,
    const struct origin *origin, struct column_protection *out)
{
	enum err e = ERR_STORE;

	if (g->protection != NULL)
		e = protection_output(g->protection, &j->touch, origin, out);
	if (e == ERR_NOT_FOUND)
		e = output_of_unknown(g, j, origin, out);
	if (e != ERR_NONE ||
	    ((g->is_schema_doubted || g->is_distrusted) && gate_protects(g)))
		*out = (struct column_protection){.mask = MASK_REDACT};
}
