/*
 * code_calls.c - the names under which tokens may run code.
 *
 * The rule: what the server looks up by name along the search path is told,
 * whether or not the name is written.
 */
#include "common/code_calls.h"

enum { NAME_PARTS_MAX = 4 };

/* Tables of words have a row for each letter they begin with. */
enum { LETTERS = 'z' - 'a' + 1, WORDED_MAX = 2, BEFORE_VALUE_MAX = 3 };

#define LETTER(c) [(c) - 'a']

/* Keywords that the grammar turns into operators without a schema. (What it
 * turns into functions it takes from pg_catalog.) */
static const struct worded {
	struct text word;
	const char *operators[2];
} worded[LETTERS][WORDED_MAX] = {
    LETTER('b') = {{{"between", 7}, {">=", "<="}}},
    LETTER('c') = {{{"case", 4}, {"=", NULL}}},
    LETTER('d') = {{{"distinct", 8}, {"=", NULL}}},
    LETTER('i') = {{{"ilike", 5}, {"~~*", "!~~*"}},
	{{"in", 2}, {"=", "<>"}}},
    LETTER('l') = {{{"like", 4}, {"~~", "!~~"}}},
    LETTER('n') = {{{"natural", 7}, {"=", NULL}}, {{"nullif", 6}, {"=", NULL}}},
    LETTER('s') = {{{"similar", 7}, {"~", "!~"}}},
    LETTER('u') = {{{"using", 5}, {"=", NULL}}},
};

/* Reserved words that an expression follows, but no type. */
static const struct text before_value[LETTERS][BEFORE_VALUE_MAX] = {
    LETTER('a') = {{"all", 3}, {"and", 3}, {"any", 3}},
    LETTER('b') = {{"between", 7}, {"by", 2}},
    LETTER('c') = {{"case", 4}},
    LETTER('d') = {{"distinct", 8}},
    LETTER('e') = {{"else", 4}},
    LETTER('f') = {{"from", 4}},
    LETTER('h') = {{"having", 6}},
    LETTER('i') = {{"ilike", 5}, {"in", 2}, {"into", 4}},
    LETTER('j') = {{"join", 4}},
    LETTER('l') = {{"like", 4}},
    LETTER('n') = {{"not", 3}},
    LETTER('o') = {{"on", 2}, {"only", 4}, {"or", 2}},
    LETTER('r') = {{"returning", 9}},
    LETTER('s') = {{"select", 6}, {"set", 3}},
    LETTER('t') = {{"then", 4}},
    LETTER('u') = {{"update", 6}},
    LETTER('w') = {{"when", 4}, {"where", 5}},
};

/* The row of a table that a word would be in; false: in none. */
static bool
row_of(struct text word, size_t *row_out)
{
	if (word.len == 0 || word.at[0] < 'a' || word.at[0] > 'z')
		return false;
	*row_out = (size_t)(word.at[0] - 'a');
	return true;
}

static enum err
take_worded(struct text word, code_taker take, void *context)
{
	enum err e = ERR_NONE;
	size_t row, i, k;

	if (!row_of(word, &row))
		return ERR_NONE;
	for (i = 0; i < WORDED_MAX; i++) {
		const struct worded *w = &worded[row][i];

		if (!text_is(w->word, word))
			continue;
		for (k = 0; k < 2 && e == ERR_NONE; k++) {
			struct code_call call = {.kind = CODE_OPERATOR,
			    .name = text_of(w->operators[k])};

			if (call.name.len > 0)
				e = take(context, &call);
		}
	}
	return e;
}

static bool
is_before_value(const struct token *t)
{
	size_t row, i;

	if (t->kind != TOKEN_WORD || !row_of(t->name, &row))
		return false;
	for (i = 0; i < BEFORE_VALUE_MAX; i++) {
		if (text_is(before_value[row][i], t->name))
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

	while (i >= 2 && parts++ < NAME_PARTS_MAX && token_is_mark(&tokens[i - 1], '.') &&
	       token_is_name(&tokens[i - 2]))
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
				 token_is_mark(&tokens[i + 1], '(')))
		return true;
	if (start == 0)
		return false;
	return text_is(tokens[start - 1].raw, TEXT("::")) ||
	       (token_is_name(&tokens[start - 1]) &&
		   !is_before_value(&tokens[start - 1]));
}

/* pg_catalog.name(…), OPERATOR(pg_catalog.+). Without the parenthesis it may be
 * an alias. */
static bool
is_of_system(const struct token *tokens, size_t i)
{
	return i >= 2 && token_is_mark(&tokens[i - 1], '.') &&
	       token_is_name(&tokens[i - 2]) &&
	       text_is(tokens[i - 2].name, TEXT("pg_catalog")) &&
	       !(i >= 3 && token_is_mark(&tokens[i - 3], '.'));
}

static enum err
take_name(const struct token *tokens, size_t count, size_t i, code_taker take,
    void *context)
{
	bool is_called = i + 1 < count && token_is_mark(&tokens[i + 1], '(');
	bool is_after_dot = i > 0 && token_is_mark(&tokens[i - 1], '.');
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

		if (token_is_name(t))
			e = take_name(tokens, count, i, take, context);
		else if (t->kind == TOKEN_OPERATOR)
			e = take_operator(tokens, i, take, context);
	}
	return e;
}
