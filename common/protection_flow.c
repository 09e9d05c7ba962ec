/*
 * protection_flow.c - what the catalogue and the policy tell flow.h.
 *
 * Names are taken for every relation they may mean, as in
 * protection_touch.c.
 */
#include "common/flow.h"
#include "common/protection_inner.h"

struct teller {
	struct protection *p;
	const struct classifier *classifier;
};

static enum taint
taint_of_column(const struct column_state *c)
{
	if (c->found.mask == MASK_NONE)
		return TAINT_NONE;
	return c->found.is_derived || c->found.protect == NULL ? TAINT_DERIVED
							       : TAINT_PLAIN;
}

/* Its columns behind those that are there. */
static enum err
add_relation(struct protection *p, struct known_relation *r, struct arena *a,
    struct flow_columns *out)
{
	size_t room = out->count + r->relation.column_count, i;
	struct flow_column *at = arena_array(a, room, sizeof(*at));
	enum err e = ERR_NONE;

	if (at == NULL)
		return ERR_MEMORY;
	if (out->count > 0)
		memcpy(at, out->at, out->count * sizeof(*at));
	out->at = at;
	for (i = 0; i < r->relation.column_count && e == ERR_NONE; i++) {
		struct text name = r->relation.columns[i].name;

		if (name.len == 0)
			continue; /* dropped */
		e = protection_resolve(p, r, i);
		out->at[out->count++] = (struct flow_column){
		    .name = name,
		    .taint = taint_of_column(&r->columns[i]),
		    .is_key = r->relation.columns[i].is_key};
	}
	return e;
}

static enum err
columns_of_relation(void *context, const struct dotted *name, struct arena *a,
    struct flow_columns *out)
{
	struct teller *t = context;
	uint32_t oids[PROTECTION_SAME_NAME_MAX];
	struct text schema = {NULL, 0};
	size_t count = 0, meant = 0, i;
	enum err e;

	*out = (struct flow_columns){.is_exact = true};
	if (name->count > 1)
		schema = name->parts[name->count - 2];
	e = protection_named(t->p, name->parts[name->count - 1], oids,
	    PROTECTION_SAME_NAME_MAX, &count);
	for (i = 0; i < count && e == ERR_NONE; i++) {
		struct known_relation *r;

		e = protection_known(t->p, oids[i], &r);
		if (e != ERR_NONE ||
		    !protection_may_be_schema(schema, r->relation.schema))
			continue;
		meant++;
		e = add_relation(t->p, r, a, out);
	}
	if (e == ERR_TOO_LONG) { /* of too many: all is protected */
		out->others = TAINT_DERIVED;
		meant = 2;
		e = ERR_NONE;
	}
	if (protection_owns(
		t->p, schema, name->parts[name->count - 1])) {
		out->has_others = true;
		meant = 2;
	}
	/* An unqualified name may be a temporary relation's first of all. */
	if (schema.len == 0 && protection_may_hide(t->p)) {
		out->is_doubted = true;
		out->is_exact = false;
	}
	if (meant != 1) {
		out->is_exact = false;
		out->is_open = meant > 0;
	}
	return e == ERR_NOT_FOUND ? ERR_NONE : e;
}

/* Has it users' code of that name, which may be meant? */
static bool
is_users(struct teller *t, enum code_kind kind, struct text name)
{
	const struct code *code;
	enum err e = protection_code_named(t->p, kind, name, &code);

	return e == ERR_NONE ? !code->is_trusted : e != ERR_NOT_FOUND;
}

static enum total
totality(void *context, struct text function)
{
	struct teller *t = context;

	return is_users(t, CODE_FUNCTION, function)
		   ? TOTAL_NEVER
		   : classifier_totality(t->classifier, function);
}

static enum total
operator_totality(void *context, struct text operator)
{
	static const struct {
		struct text name;
		enum total total;
	} operators[] = {
	    {{"=", 1}, TOTAL_PLAIN},
	    {{"<>", 2}, TOTAL_PLAIN},
	    {{"<", 1}, TOTAL_PLAIN},
	    {{">", 1}, TOTAL_PLAIN},
	    {{"<=", 2}, TOTAL_PLAIN},
	    {{">=", 2}, TOTAL_PLAIN},
	    {{"||", 2}, TOTAL_PLAIN},
	    {{"between", 7}, TOTAL_PLAIN},
	    {{"in", 2}, TOTAL_PLAIN},
	    {{"is", 2}, TOTAL_PLAIN},
	    {{"and", 3}, TOTAL_ALWAYS},
	    {{"or", 2}, TOTAL_ALWAYS},
	    {{"not", 3}, TOTAL_ALWAYS},
	    {{"->", 2}, TOTAL_FIRST},
	    {{"->>", 3}, TOTAL_FIRST},
	    {{"#>", 2}, TOTAL_FIRST},
	    {{"#>>", 3}, TOTAL_FIRST},
	    {{"collate", 7}, TOTAL_ALWAYS},
	};
	struct teller *t = context;
	size_t i;

	if (is_users(t, CODE_OPERATOR, operator))
		return TOTAL_NEVER;
	for (i = 0; i < sizeof(operators) / sizeof(*operators); i++) {
		if (text_is(operator, operators[i].name))
			return operators[i].total;
	}
	return TOTAL_NEVER;
}

/* Beginnings of names of functions that leave a value somewhere. */
static bool
is_storing(void *context, struct text function)
{
	static const struct text beginnings[] = {{"pg_advisory_", 12},
	    {"pg_try_advisory_", 16}, {"pg_notify", 9},
	    {"pg_logical_emit_message", 23}, {"setval", 6}, {"setseed", 7},
	    {"nextval", 7}, {"set_config", 10}, {"lo_", 3}, {"lowrite", 7},
	    {"pg_create_", 10}, {"pg_sleep", 8}};
	size_t i;

	(void)context;
	for (i = 0; i < sizeof(beginnings) / sizeof(*beginnings); i++) {
		if (text_starts(function, beginnings[i]))
			return true;
	}
	return false;
}

/* What users' code of that name may return. */
static enum taint
returns_code(struct protection *p, struct text name, bool *is_known)
{
	struct touch touch = {0};
	const struct code *code;
	enum err e = protection_code_named(p, CODE_FUNCTION, name, &code);

	*is_known = e == ERR_NONE;
	if (e == ERR_NOT_FOUND)
		return TAINT_NONE;
	if (e == ERR_NONE)
		e = protection_code_reads(p, code, &touch);
	return e != ERR_NONE || touch.is_code_protected ||
			(touch.is_code_open && !code->is_trusted)
		   ? TAINT_DERIVED
		   : TAINT_NONE;
}

static enum taint
returns(void *context, const struct dotted *function, bool is_column)
{
	struct teller *t = context;
	struct text name = function->parts[function->count - 1];
	bool is_catalog = function->count > 1 &&
	    text_is(function->parts[function->count - 2], TEXT("pg_catalog"));
	bool is_known = false;
	enum taint taint = TAINT_NONE;

	if (!is_catalog)
		taint = returns_code(t->p, name, &is_known);
	if (is_column || is_known || taint != TAINT_NONE)
		return taint;
	return classifier_reveals(t->classifier, name) ||
			protection_function_exposes(t->p, name)
		   ? TAINT_DERIVED
		   : TAINT_NONE;
}

/* --- what is kept of it --------------------------------------------------- */

static enum err
keep_name(struct text *name, struct arena *a)
{
	name->at = arena_copy(a, name->at, name->len);
	return name->at == NULL ? ERR_MEMORY : ERR_NONE;
}

/* The answer alone is left of the work: names are copied, as they may be the
 * catalogue's, whose next reading takes them away. Nobody asks for those of
 * outputs. */
static enum err
keep_answer(struct flow *f, struct arena *a)
{
	size_t size = f->outputs.count * sizeof(*f->outputs.at), i;
	enum err e = keep_name(&f->equality.column, a);

	if (e == ERR_NONE)
		e = keep_name(&f->guess.column, a);
	if (e == ERR_NONE)
		e = keep_name(&f->copy.column, a);
	if (e != ERR_NONE || f->outputs.count == 0)
		return e;
	f->outputs.at =
	    (struct flow_column *)(void *)arena_copy(a, f->outputs.at, size);
	if (f->outputs.at == NULL)
		return ERR_MEMORY;
	for (i = 0; i < f->outputs.count; i++)
		f->outputs.at[i].name = (struct text){NULL, 0};
	return ERR_NONE;
}

enum err
protection_flow(struct protection *p, const struct statement *s,
    struct arena *a, struct flow *out)
{
	struct teller teller = {
	    p, p->policy->classifiers[DIALECT_POSTGRES]};
	const struct flow_facts facts = {.context = &teller,
	    .relation = columns_of_relation,
	    .totality = totality,
	    .operator_totality = operator_totality,
	    .is_storing = is_storing,
	    .returns = returns};

	enum err e;

	*out = (struct flow){0};
	if (teller.classifier == NULL || s->token_count == 0)
		return ERR_NONE;
	e = flow_trace(s->tokens, s->token_count, &facts, p->scratch, out);
	if (e == ERR_NONE)
		e = keep_answer(out, a);
	arena_reset(p->scratch);
	return e;
}
