/*
 * classify.c - a text into statements, and each into what it can do.
 *
 * The one rule: every way out but ERR_NONE sets an error in words, for the
 * caller to refuse with.
 */
#include <stdlib.h>

#include "common/class_reader.h"
#include "common/classify.h"

struct classifier {
	enum dialect dialect;
	struct class_rules rules;
};

enum err
classifier_new(enum dialect dialect, const char *classes_file,
    struct text classes_yaml, const char *functions_file,
    struct text functions_yaml, struct arena *messages,
    struct classifier **out, const char **message_out)
{
	struct classifier *c = calloc(1, sizeof(*c));
	enum err e;

	*out = NULL;
	*message_out = NULL;
	if (c == NULL)
		return ERR_MEMORY;
	c->dialect = dialect;
	e = class_rules_load(classes_file, classes_yaml, functions_file,
	    functions_yaml, messages, &c->rules, message_out);
	if (e != ERR_NONE) {
		classifier_free(c);
		return e;
	}
	*out = c;
	return ERR_NONE;
}

void
classifier_free(struct classifier *c)
{
	if (c == NULL)
		return;
	class_rules_free(&c->rules);
	free(c);
}

enum function_listing
classifier_lists(const struct classifier *c, struct text function)
{
	const struct word *word =
	    words_find(c->rules.words, function, text_hash(function));

	if (word == NULL || !(word->flags & (WORD_CLEAN | WORD_OPAQUE)))
		return FUNCTION_UNLISTED;
	return word->flags & WORD_OPAQUE ? FUNCTION_OPAQUE : FUNCTION_CLEAN;
}

bool
classifier_reveals(const struct classifier *c, struct text function)
{
	const struct word *word =
	    words_find(c->rules.words, function, text_hash(function));

	return word == NULL || (word->flags & (WORD_CLEAN | WORD_CONSTRUCT |
					     WORD_EFFECT)) == 0;
}

bool
classifier_escapes(const struct classifier *c, struct text function)
{
	const struct word *word =
	    words_find(c->rules.words, function, text_hash(function));

	return word != NULL && (word->flags & WORD_ESCAPING) != 0;
}

enum total
classifier_totality(const struct classifier *c, struct text function)
{
	const struct word *word =
	    words_find(c->rules.words, function, text_hash(function));
	unsigned flags = word == NULL ? 0 : word->flags;

	return flags & WORD_TOTAL_ALWAYS  ? TOTAL_ALWAYS
	       : flags & WORD_TOTAL_FIRST ? TOTAL_FIRST
	       : flags & WORD_TOTAL_LAST  ? TOTAL_LAST
	       : flags & WORD_TOTAL_PLAIN ? TOTAL_PLAIN
					  : TOTAL_NEVER;
}

bool
classifier_trusts(const struct classifier *c, struct text extension)
{
	const struct word *word =
	    words_find(c->rules.words, extension, text_hash(extension));

	return word != NULL && (word->flags & WORD_EXTENSION) != 0;
}

/* BEGIN ATOMIC … END of a routine has statements and semicolons of its own.
 * Should END be mistaken the pieces are still classified each. */
struct body {
	bool is_routine;
	size_t depth; /* of BEGIN ATOMIC and CASE */
};

static void
body_step(struct body *b, const struct token *tokens, size_t i, size_t from)
{
	const struct token *t = &tokens[i];

	if ((!b->is_routine && i > from + 3) || t->kind != TOKEN_WORD ||
	    i == from || token_is_mark(&tokens[i - 1], '.'))
		return;
	if (i <= from + 3 && token_is_word(&tokens[from], TEXT("create")) &&
	    (token_is_word(t, TEXT("function")) || token_is_word(t, TEXT("procedure"))))
		b->is_routine = true;
	if (!b->is_routine)
		return;
	if (b->depth == 0) {
		if (token_is_word(t, TEXT("atomic")) &&
		    token_is_word(&tokens[i - 1], TEXT("begin")))
			b->depth = 1;
	} else if (token_is_word(t, TEXT("case"))) {
		b->depth++;
	} else if (token_is_word(t, TEXT("end"))) {
		b->depth--;
	}
}

/* The token after the statement that begins at `from`: its `;` or the end. */
static size_t
statement_end(const struct lexed *l, size_t from)
{
	struct body body = {0};
	size_t depth = 0, i;

	for (i = from; i < l->count; i++) {
		const struct token *t = &l->tokens[i];

		if (token_is_mark(t, '(') || token_is_mark(t, '['))
			depth++;
		else if (token_is_mark(t, ')') || token_is_mark(t, ']'))
			depth -= depth > 0;
		else if (token_is_mark(t, ';') && depth == 0 &&
		    body.depth == 0)
			break;
		else
			body_step(&body, l->tokens, i, from);
	}
	return i;
}

static enum err
classify_one(const struct classifier *c, const struct token *tokens,
    size_t count, struct arena *a, struct statement *s, const char **why_out)
{
	struct canonical canonical;
	struct flat flat;
	struct reader r = {.rules = &c->rules,
	    .canonical = &canonical,
	    .flat = &flat,
	    .arena = a,
	    .statement = s};
	const struct token *last = &tokens[count - 1];
	enum err e;

	s->tokens = tokens;
	s->token_count = count;
	s->raw.at = tokens[0].raw.at;
	s->raw.len = (size_t)(last->raw.at + last->raw.len - s->raw.at);
	e = canonical_make(c->rules.words, tokens, count, a, &canonical);
	if (e != ERR_NONE)
		return e;
	s->canonical = canonical.text;
	e = flat_make(&canonical, a, &flat, why_out);
	if (e == ERR_NONE)
		e = reader_run(&r);
	if (e == ERR_NONE)
		e = reader_notations(&r);
	if (e == ERR_NONE)
		e = reader_names(&r);
	if (e == ERR_NONE)
		reader_settle(&r);
	return e;
}

static size_t
count_semicolons(const struct lexed *l)
{
	size_t i, count = 0;

	for (i = 0; i < l->count; i++)
		count += token_is_mark(&l->tokens[i], ';');
	return count;
}

static enum err
classify_all(const struct classifier *c, const struct lexed *l,
    struct arena *a, struct classified *out, const char **why_out)
{
	size_t room = count_semicolons(l) + 1, from, end, i;
	enum err e = ERR_NONE;

	if (room > CLASSIFY_STATEMENTS_MAX + 1)
		room = CLASSIFY_STATEMENTS_MAX + 1;
	out->statements = arena_array(a, room, sizeof(*out->statements));
	if (out->statements == NULL)
		return ERR_MEMORY;
	for (from = 0; e == ERR_NONE && from < l->count; from = end + 1) {
		end = statement_end(l, from);
		if (end == from)
			continue;
		if (out->count == CLASSIFY_STATEMENTS_MAX) {
			*why_out = "too many statements in one text";
			return ERR_TOO_LONG;
		}
		e = classify_one(c, &l->tokens[from], end - from, a,
		    &out->statements[out->count++], why_out);
	}
	for (i = 0; out->count > 1 && i < out->count; i++)
		out->statements[i].traits |= BIT(TRAIT_MULTI);
	return e;
}

static const char *
error_words(enum err e, const char *why)
{
	if (why != NULL)
		return why;
	if (e == ERR_REGEX)
		return "a class rule ran into its limit";
	if (e == ERR_TOO_LONG)
		return "the statement is too long or names too many relations";
	return err_text(e);
}

enum err
classify_text(const struct classifier *c, const struct lex_state *state,
    struct text sql, struct arena *a, struct classified *out)
{
	struct lexed lexed;
	const char *why = NULL;
	enum err e;

	*out = (struct classified){0};
	if (state->dialect != c->dialect) {
		out->error = "no class rules for this dialect";
		return ERR_UNSUPPORTED;
	}
	e = lexer_run(state, sql, a, &lexed);
	out->trace_comment = lexed.trace_comment;
	out->is_broken = e == ERR_MALFORMED && lexed.fault == FAULT_FOR_SERVER &&
			 state->is_utf8 && !state->doubts_names &&
			 !state->is_foreign_server;
	if (e == ERR_NONE)
		e = classify_all(c, &lexed, a, out, &why);
	else if (lexed.error != NULL)
		why = arena_printf(a, "%s at byte %zu", lexed.error,
		    lexed.error_at + 1);
	if (e == ERR_NONE)
		return ERR_NONE;
	out->error = error_words(e, why != NULL ? why : lexed.error);
	out->count = 0;
	return e;
}

enum err
classify_key(const struct classifier *c, const struct lex_state *state,
    struct text sql, struct arena *a, struct text *canonical_out)
{
	struct canonical canonical;
	struct lexed lexed;
	enum err e = lexer_run(state, sql, a, &lexed);
	size_t end;

	if (e != ERR_NONE)
		return e;
	end = statement_end(&lexed, 0);
	if (end == 0 || end + 1 < lexed.count || lexed.trace_comment.len > 0)
		return ERR_NOT_FOUND;
	e = canonical_make(c->rules.words, lexed.tokens, end, a, &canonical);
	*canonical_out = canonical.text;
	return e;
}

void
statement_fingerprint(const struct statement *s, char out[FINGERPRINT_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	uint64_t hash = text_fingerprint(s->canonical);
	size_t i;

	for (i = FINGERPRINT_SIZE - 1; i-- > 0; hash >>= 4)
		out[i] = digits[hash & 15];
	out[FINGERPRINT_SIZE - 1] = '\0';
}
