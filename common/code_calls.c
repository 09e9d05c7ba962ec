/*
 * code_calls.c - the names under which tokens may run code.
 *
 * The rule: what the server looks up by name along the search path is told,
 * whether or not the name is written.
 */
#include "common/code_calls.h"

enum { NAME_PARTS_MAX = 4 };

/* Keywords that the grammar turns into operators without a schema. (What it
 * turns into functions it takes from pg_catalog.) */
static const struct worded {
	struct text word;
	const char *operators[2];
} worded[] = {
    {{"between", 7}, {">=", "<="}},
    {{"case", 4}, {"=", NULL}},
    {{"distinct", 8}, {"=", NULL}},
    {{"ilike", 5}, {"~~*", "!~~*"}},
    {{"in", 2}, {"=", "<>"}},
    {{"like", 4}, {"~~", "!~~"}},
    {{"natural", 7}, {"=", NULL}},
    {{"nullif", 6}, {"=", NULL}},
    {{"similar", 7}, {"~", "!~"}},
    {{"using", 5}, {"=", NULL}},
};

static bool
is_mark(const struct token *t, char c)
{
	return t->kind == TOKEN_PUNCTUATION && t->raw.at[0] == c;
}

static enum err
take_worded(struct text word, code_taker take, void *context)
{
	enum err e = ERR_NONE;
	size_t i, k;

	for (i = 0; i < sizeof(worded) / sizeof(*worded); i++) {
		if (!text_is(worded[i].word, word))
			continue;
		for (k = 0; k < 2 && e == ERR_NONE; k++) {
			struct code_call call = {.kind = CODE_OPERATOR,
			    .name = text_of(worded[i].operators[k])};

			if (call.name.len > 0)
				e = take(context, &call);
		}
	}
	return e;
}

static bool
is_name(const struct token *t)
{
	return t->kind == TOKEN_WORD || t->kind == TOKEN_QUOTED;
}

/* Reserved words that an expression follows, but no type. */
static bool
is_before_value(const struct token *t)
{
	static const struct text words[] = {{"all", 3}, {"and", 3}, {"any", 3},
	    {"between", 7}, {"by", 2}, {"case", 4}, {"distinct", 8},
	    {"else", 4}, {"from", 4}, {"having", 6}, {"ilike", 5}, {"in", 2},
	    {"into", 4}, {"join", 4}, {"like", 4}, {"not", 3}, {"on", 2},
	    {"only", 4}, {"or", 2}, {"returning", 9}, {"select", 6},
	    {"set", 3}, {"then", 4}, {"update", 6}, {"when", 4}, {"where", 5}};
	size_t i;

	if (t->kind != TOKEN_WORD)
		return false;
	for (i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (text_is(words[i], t->name))
			return true;
	}
	return false;
}

/* Where the qualified name that ends at `i` begins, or its last parts: no type
 * has more. */
static size_t
name_start(const struct token *tokens, size_t i)
{
	size_t parts = 1;

	while (i >= 2 && parts++ < NAME_PARTS_MAX && is_mark(&tokens[i - 1], '.') &&
	       is_name(&tokens[i - 2]))
		i -= 2;
	return i;
}

/* After `::` or AS. */
static bool
ends_cast(const struct token *tokens, size_t i)
{
	size_t start = name_start(tokens, i);

	return start > 0 && (text_is(tokens[start - 1].raw, TEXT("::")) ||
				(tokens[start - 1].kind == TOKEN_WORD &&
				    text_is(tokens[start - 1].name,
					TEXT("as"))));
}

/* A type stands after `::` or another word, or before a string or `(`. */
static bool
may_be_type(const struct token *tokens, size_t count, size_t i)
{
	size_t start = name_start(tokens, i);

	if (i + 1 < count && (tokens[i + 1].kind == TOKEN_STRING ||
				 is_mark(&tokens[i + 1], '(')))
		return true;
	if (start == 0)
		return false;
	return text_is(tokens[start - 1].raw, TEXT("::")) ||
	       (is_name(&tokens[start - 1]) &&
		   !is_before_value(&tokens[start - 1]));
}

/* pg_catalog.name(…), OPERATOR(pg_catalog.+). Without the parenthesis it may be
 * an alias. */
static bool
is_of_system(const struct token *tokens, size_t i)
{
	return i >= 2 && is_mark(&tokens[i - 1], '.') &&
	       is_name(&tokens[i - 2]) &&
	       text_is(tokens[i - 2].name, TEXT("pg_catalog")) &&
	       !(i >= 3 && is_mark(&tokens[i - 3], '.'));
}

static enum err
take_name(const struct token *tokens, size_t count, size_t i, code_taker take,
    void *context)
{
	bool is_called = i + 1 < count && is_mark(&tokens[i + 1], '(');
	bool is_after_dot = i > 0 && is_mark(&tokens[i - 1], '.');
	struct code_call call = {.kind = CODE_FUNCTION,
	    .name = tokens[i].name,
	    .may_be_column = !is_called,
	    .is_system = is_called && is_of_system(tokens, i)};
	enum err e = ERR_NONE;

	if (is_called || is_after_dot)
		e = take(context, &call);
	call.kind = CODE_CAST;
	call.is_system = is_of_system(tokens, i);
	call.may_be_column = !is_called && !ends_cast(tokens, i);
	if (e == ERR_NONE && (is_after_dot || !call.may_be_column))
		e = take(context, &call);
	call.kind = CODE_TYPE;
	call.may_be_column = false;
	if (e == ERR_NONE && may_be_type(tokens, count, i))
		e = take(context, &call);
	if (e == ERR_NONE && tokens[i].kind == TOKEN_WORD)
		e = take_worded(tokens[i].name, take, context);
	return e;
}

static enum err
take_operator(const struct token *tokens, size_t i, code_taker take,
    void *context)
{
	struct text symbol = tokens[i].raw;
	const struct code_call call = {.kind = CODE_OPERATOR,
	    .name = text_is(symbol, TEXT("!=")) ? TEXT("<>") : symbol,
	    .is_system = is_of_system(tokens, i)};

	return take(context, &call);
}

enum err
code_calls(const struct token *tokens, size_t count, code_taker take,
    void *context)
{
	enum err e = ERR_NONE;
	size_t i;

	for (i = 0; i < count && e == ERR_NONE; i++) {
		const struct token *t = &tokens[i];

		if (is_name(t))
			e = take_name(tokens, count, i, take, context);
		else if (t->kind == TOKEN_OPERATOR)
			e = take_operator(tokens, i, take, context);
	}
	return e;
}
