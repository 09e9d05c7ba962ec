/*
 * protection_flow.c - what the catalogue and the policy tell flow.h.
 *
 * Names are taken for every relation they may mean, as in
 * protection_touch.c.
 */
#include "common/flow.h"
#include "common/protection_inner.h"

enum { CODE_MEMORY_MAX = 16 * 1024 * 1024 };

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
		    name, taint_of_column(&r->columns[i])};
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
	if (meant != 1) {
		out->is_exact = false;
		out->is_open = meant > 0;
	}
	return e == ERR_NOT_FOUND ? ERR_NONE : e;
}

static enum total
totality(void *context, struct text function)
{
	struct teller *t = context;

	return classifier_totality(t->classifier, function);
}

static enum total
operator_totality(void *context, struct text operator)
{
	static const struct {
		const char *name;
		enum total total;
	} operators[] = {
	    {"=", TOTAL_PLAIN}, {"<>", TOTAL_PLAIN}, {"<", TOTAL_PLAIN},
	    {">", TOTAL_PLAIN}, {"<=", TOTAL_PLAIN}, {">=", TOTAL_PLAIN},
	    {"||", TOTAL_PLAIN}, {"between", TOTAL_PLAIN},
	    {"in", TOTAL_PLAIN}, {"is", TOTAL_PLAIN}, {"and", TOTAL_ALWAYS},
	    {"or", TOTAL_ALWAYS}, {"not", TOTAL_ALWAYS},
	    {"like", TOTAL_FIRST}, {"ilike", TOTAL_FIRST},
	    {"similar", TOTAL_FIRST}, {"~", TOTAL_FIRST},
	    {"!~", TOTAL_FIRST}, {"~*", TOTAL_FIRST}, {"!~*", TOTAL_FIRST},
	    {"~~", TOTAL_FIRST}, {"!~~", TOTAL_FIRST},
	    {"~~*", TOTAL_FIRST}, {"!~~*", TOTAL_FIRST},
	    {"->", TOTAL_FIRST}, {"->>", TOTAL_FIRST}, {"#>", TOTAL_FIRST},
	    {"#>>", TOTAL_FIRST}, {"collate", TOTAL_ALWAYS}};
	size_t i;

	(void)context;
	for (i = 0; i < sizeof(operators) / sizeof(*operators); i++) {
		if (text_is(operator, text_of(operators[i].name)))
			return operators[i].total;
	}
	return TOTAL_NEVER;
}

/* Beginnings of names of functions that leave a value somewhere. */
static bool
is_storing(void *context, struct text function)
{
	static const char *const beginnings[] = {"pg_advisory_",
	    "pg_try_advisory_", "pg_notify", "pg_logical_emit_message",
	    "setval", "setseed", "nextval", "set_config", "lo_", "lowrite",
	    "pg_create_", "pg_sleep"};
	size_t i;

	(void)context;
	for (i = 0; i < sizeof(beginnings) / sizeof(*beginnings); i++) {
		if (text_starts(function, text_of(beginnings[i])))
			return true;
	}
	return false;
}

/* What users' code of that name may return. */
static enum taint
returns_code(struct protection *p, struct text name, bool *is_known)
{
	struct touch touch = {0};
	struct arena *a = arena_new(CODE_MEMORY_MAX);
	struct code code;
	enum err e = ERR_MEMORY;

	if (a != NULL)
		e = protection_code_named(p, CODE_FUNCTION, name, a, &code);
	*is_known = e == ERR_NONE;
	if (e == ERR_NONE)
		e = protection_code_reads(p, &code, &touch);
	arena_free(a);
	if (e == ERR_NOT_FOUND)
		return TAINT_NONE;
	return e != ERR_NONE || touch.is_code_protected ||
			(touch.is_code_open && !code.is_trusted)
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

	*out = (struct flow){0};
	if (teller.classifier == NULL || s->token_count == 0)
		return ERR_NONE;
	return flow_trace(s->tokens, s->token_count, &facts, a, out);
}
