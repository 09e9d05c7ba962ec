/*
 * protection_escape.c - code that a statement brings along and that may do
 * what nobody can tell: the block of a DO, what CREATE and ALTER make.
 *
 * The rule: code is judged when it is made, since its transaction may run it
 * before the catalogue can know of it.  So it is read as the catalogue reads
 * bodies, whoever makes it, and what cannot be read may do anything.
 */
#include "common/protection_inner.h"

struct bringing {
	struct protection *p;
	const struct classifier *classifier;
	bool escapes;
};

/* Relations run code of their own when a body names them; to be told of them
 * all, every name is taken for one. */
static bool
is_relation(void *context, struct text name)
{
	(void)context;
	(void)name;
	return true;
}

static enum err
take_name(void *context, struct text name)
{
	(void)context;
	(void)name;
	return ERR_NONE;
}

static enum err
take_call(void *context, const struct code_call *call)
{
	struct bringing *b = context;
	const struct code *code;
	enum err e = protection_code_named(b->p, call->kind, call->name, &code);

	b->escapes |= e == ERR_NONE && code->escapes;
	if (call->kind == CODE_FUNCTION && !call->may_be_column &&
	    !text_is(call->name, TEXT("set_config")))
		b->escapes |= classifier_escapes(b->classifier, call->name);
	return e == ERR_NOT_FOUND ? ERR_NONE : e;
}

enum bringing_kind {
	BRINGS_NOTHING, /* that its own calls don't tell of */
	BRINGS_TEXT,	/* strings in it are code */
	BRINGS_NAME,	/* it gives functions another use, or name */
};

/* The first words of CREATE [OR REPLACE] … or ALTER … */
static enum bringing_kind
kind_of(const struct statement *s)
{
	static const char *const decoration[] = {"or", "replace", "trusted",
	    "procedural", "constraint", "default", "event", NULL};
	static const char *const routines[] = {
	    "function", "procedure", "routine", NULL};
	static const char *const named[] = {"function", "procedure", "routine",
	    "aggregate", "operator", "cast", "type", "trigger", "conversion",
	    "transform", "language", "text", "extension", "foreign", NULL};
	bool is_create = statement_says(s, 0, "create");
	size_t i = 1;

	if ((s->operations & BIT(OP_DO)) != 0)
		return BRINGS_TEXT;
	if (!is_create && !statement_says(s, 0, "alter"))
		return BRINGS_NOTHING;
	while (statement_says_any(s, i, decoration))
		i++;
	if (is_create && statement_says_any(s, i, routines))
		return BRINGS_TEXT;
	return statement_says_any(s, i, named) ? BRINGS_NAME : BRINGS_NOTHING;
}

/* An extension that is not trusted brings what nobody has read. */
static bool
brings_extension(const struct bringing *b, const struct statement *s)
{
	bool is_trusted = false;
	size_t i;

	for (i = 2; i < s->token_count; i++)
		is_trusted |= classifier_trusts(b->classifier, s->tokens[i].name);
	return statement_says(s, 1, "extension") && !is_trusted;
}

/* A mention is a use. */
static enum err
read_names(struct bringing *b, const struct statement *s)
{
	enum err e = ERR_NONE;
	size_t i;

	b->escapes |= brings_extension(b, s);
	for (i = 0; i < s->token_count && e == ERR_NONE; i++) {
		const struct token *t = &s->tokens[i];
		const struct code_call call = {
		    .kind = CODE_FUNCTION, .name = t->name};

		if (token_is_name(t))
			e = take_call(b, &call);
	}
	return e;
}

static enum err
read_texts(struct bringing *b, const struct statement *s, struct arena *a)
{
	const struct code_listener listener = {.context = b,
	    .is_relation = is_relation,
	    .take_name = take_name,
	    .take_call = take_call};
	struct code_facts facts;
	enum err e = statement_read_code(s, a, &listener, &facts);

	b->escapes |= facts.escapes;
	return e;
}

void
protection_escape(struct protection *p, const struct statement *s,
    struct touch *out)
{
	enum bringing_kind kind = kind_of(s);
	struct bringing b = {.p = p,
	    .classifier = p->policy->classifiers[DIALECT_POSTGRES]};
	struct arena *a;
	enum err e = ERR_MEMORY;

	if (kind == BRINGS_NOTHING || out->is_code_escaping)
		return;
	a = arena_new(PROTECTION_FLOW_MAX);
	if (a != NULL && b.classifier != NULL)
		e = kind == BRINGS_TEXT ? read_texts(&b, s, a)
					: read_names(&b, s);
	out->is_code_escaping |= e != ERR_NONE || b.escapes;
	arena_free(a);
}
