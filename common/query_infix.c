/*
 * query_infix.c - which operator comes next, and how tight it binds.
 */
#include "common/query_infix.h"

/* The operators by themselves that bind otherwise than most do. */
static const struct symbol {
	struct text operator, name;
	enum infix_kind kind;
	enum precedence precedence;
} symbols[] = {
    {{"::", 2}, {NULL, 0}, INFIX_CAST, BINDS_CAST},
    {{":=", 2}, {NULL, 0}, INFIX_NONE, BINDS_NOT_AT_ALL},
    {{"=>", 2}, {NULL, 0}, INFIX_NONE, BINDS_NOT_AT_ALL},
    {{"..", 2}, {NULL, 0}, INFIX_NONE, BINDS_NOT_AT_ALL},
    {{"<", 1}, {"<", 1}, INFIX_BINARY, BINDS_COMPARISON},
    {{">", 1}, {">", 1}, INFIX_BINARY, BINDS_COMPARISON},
    {{"=", 1}, {"=", 1}, INFIX_BINARY, BINDS_COMPARISON},
    {{"<=", 2}, {"<=", 2}, INFIX_BINARY, BINDS_COMPARISON},
    {{">=", 2}, {">=", 2}, INFIX_BINARY, BINDS_COMPARISON},
    {{"<>", 2}, {"<>", 2}, INFIX_BINARY, BINDS_COMPARISON},
    {{"!=", 2}, {"<>", 2}, INFIX_BINARY, BINDS_COMPARISON},
    {{"+", 1}, {"+", 1}, INFIX_BINARY, BINDS_ADD},
    {{"-", 1}, {"-", 1}, INFIX_BINARY, BINDS_ADD},
    {{"*", 1}, {"*", 1}, INFIX_BINARY, BINDS_MULTIPLY},
    {{"/", 1}, {"/", 1}, INFIX_BINARY, BINDS_MULTIPLY},
    {{"%", 1}, {"%", 1}, INFIX_BINARY, BINDS_MULTIPLY},
    {{"^", 1}, {"^", 1}, INFIX_BINARY, BINDS_POWER},
};

static const struct infix_word {
	enum query_word word, next; /* NO_WORD: whatever comes next */
	struct infix infix;
} infix_words[] = {
    {WORD_OR, NO_WORD,
	{BINDS_OR, INFIX_BINARY, .is_logical = true, .name = {"or", 2}}},
    {WORD_AND, NO_WORD,
	{BINDS_AND, INFIX_BINARY, .is_logical = true, .name = {"and", 3}}},
    {WORD_IS, NO_WORD, {BINDS_IS, INFIX_IS, .name = {"is", 2}}},
    {WORD_ISNULL, NO_WORD, {BINDS_IS, INFIX_IS_NULL, .name = {"is", 2}}},
    {WORD_NOTNULL, NO_WORD, {BINDS_IS, INFIX_IS_NULL, .name = {"is", 2}}},
    {WORD_BETWEEN, NO_WORD,
	{BINDS_LIKE, INFIX_BETWEEN, .name = {"between", 7}}},
    {WORD_IN, NO_WORD, {BINDS_LIKE, INFIX_IN, .name = {"in", 2}}},
    {WORD_LIKE, NO_WORD, {BINDS_LIKE, INFIX_LIKE, .name = {"like", 4}}},
    {WORD_ILIKE, NO_WORD, {BINDS_LIKE, INFIX_LIKE, .name = {"ilike", 5}}},
    {WORD_SIMILAR, WORD_TO,
	{BINDS_LIKE, INFIX_SIMILAR, .name = {"similar", 7}}},
    {WORD_AT, WORD_TIME, {BINDS_AT, INFIX_AT, .name = {"at", 2}}},
    {WORD_AT, WORD_LOCAL, {BINDS_AT, INFIX_AT, .name = {"at", 2}}},
    {WORD_COLLATE, NO_WORD,
	{BINDS_COLLATE, INFIX_COLLATE, .name = {"collate", 7}}},
};

struct infix
query_symbol_infix(const struct token *t)
{
	struct infix in = {BINDS_OPERATOR, INFIX_BINARY, .name = t->raw};
	size_t i;

	for (i = 0; i < sizeof(symbols) / sizeof(*symbols); i++) {
		if (!text_is(t->raw, symbols[i].operator))
			continue;
		in.precedence = symbols[i].precedence;
		in.kind = symbols[i].kind;
		in.name = symbols[i].name;
		break;
	}
	return in;
}

static struct infix
word_infix(const struct parser *p, size_t ahead)
{
	enum query_word word = query_peek_word(p, ahead);
	enum query_word next = query_peek_word(p, ahead + 1);
	size_t i;

	for (i = 0; i < sizeof(infix_words) / sizeof(*infix_words); i++) {
		if (infix_words[i].word == word &&
		    (infix_words[i].next == NO_WORD ||
			infix_words[i].next == next))
			return infix_words[i].infix;
	}
	return (struct infix){0};
}

struct infix
query_next_infix(const struct parser *p)
{
	const struct token *t = query_peek(p, 0);
	enum query_word word = query_peek_word(p, 0);
	struct infix in = {0};

	if (t == NULL)
		return in;
	if (t->kind == TOKEN_OPERATOR)
		return query_symbol_infix(t);
	if (word == WORD_OPERATOR && query_peek_is(p, 1, '('))
		return (struct infix){
		    .precedence = BINDS_OPERATOR, .kind = INFIX_QUALIFIED};
	if (word == WORD_NOT) {
		in = word_infix(p, 1);
		if (in.precedence != BINDS_LIKE)
			return (struct infix){0};
		in.is_not = true;
		return in;
	}
	return word == NO_WORD ? in : word_infix(p, 0);
}

/* What a b_expr knows: no words but IS DISTINCT FROM and IS DOCUMENT. */
bool
query_is_b_infix(const struct parser *p, const struct infix *in)
{
	size_t after = query_peek_word(p, 1) == WORD_NOT ? 2 : 1;

	if (in->kind == INFIX_IS)
		return query_peek_word(p, after) == WORD_DISTINCT ||
		       query_peek_word(p, after) == WORD_DOCUMENT;
	return in->kind == INFIX_CAST || in->kind == INFIX_QUALIFIED ||
	       (in->kind == INFIX_BINARY && !in->is_logical);
}
