/*
 * protection_escape.c - code that a statement brings along and that may do
 * what nobody can tell: the block of a DO, what CREATE and ALTER make.
 *
 * The rule: code is judged when it is made, since its transaction may run it
 * before the catalogue can know of it.  So it is read as the catalogue reads
 * bodies, whoever makes it, and what cannot be read may do anything.
 */
#include "common/code_body.h"
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

static bool
is_word(const struct statement *s, size_t i, const char *word)
{
	return i < s->token_count && s->tokens[i].kind == TOKEN_WORD &&
	       text_is(s->tokens[i].name, text_of(word));
}

static bool
is_any(const struct statement *s, size_t i, const char *const *words)
{
	for (; *words != NULL; words++) {
		if (is_word(s, i, *words))
			return true;
	}
	return false;
}

/* Without LANGUAGE it is one that can be read. */
static bool
is_readable(const struct statement *s)
{
	size_t i;

	for (i = 0; i + 1 < s->token_count; i++) {
		struct text language = s->tokens[i + 1].name;

		if (is_word(s, i, "language") &&
		    !text_is_folded(language, TEXT("sql")) &&
		    !text_is_folded(language, TEXT("plpgsql")))
			return false;
	}
	return true;
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
	bool is_create = is_word(s, 0, "create");
	size_t i = 1;

	if ((s->operations & BIT(OP_DO)) != 0)
		return BRINGS_TEXT;
	if (!is_create && !is_word(s, 0, "alter"))
		return BRINGS_NOTHING;
	while (is_any(s, i, decoration))
		i++;
	if (is_create && is_any(s, i, routines))
		return BRINGS_TEXT;
	return is_any(s, i, named) ? BRINGS_NAME : BRINGS_NOTHING;
}

/* An extension that is not trusted brings what nobody has read. */
static bool
brings_extension(const struct bringing *b, const struct statement *s)
{
	bool is_trusted = false;
	size_t i;

	for (i = 2; i < s->token_count; i++)
		is_trusted |= classifier_trusts(b->classifier, s->tokens[i].name);
	return is_word(s, 1, "extension") && !is_trusted;
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

		if (t->kind == TOKEN_WORD || t->kind == TOKEN_QUOTED)
			e = take_call(b, &call);
	}
	return e;
}

/* All strings may be bodies. */
static enum err
read_texts(struct bringing *b, const struct statement *s, struct arena *a)
{
	const struct code_listener listener = {.context = b,
	    .is_relation = is_relation,
	    .take_name = take_name,
	    .take_call = take_call};
	struct code_facts facts = {.escapes = !is_readable(s)};
	enum err e = ERR_NONE;
	size_t i;

	if ((s->operations & BIT(OP_DO)) == 0)
		e = code_statement_read(
		    s->tokens, s->token_count, a, &listener, &facts);
	for (i = 0; i < s->token_count && e == ERR_NONE; i++) {
		if (s->tokens[i].kind == TOKEN_STRING)
			e = code_body_read(
			    s->tokens[i].name, a, &listener, &facts);
	}
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
