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

static bool
is_word(const struct token *t, struct text word)
{
	return t->kind == TOKEN_WORD && text_is(t->name, word);
}

static bool
is_punctuation(const struct token *t, char c)
{
	return t->kind == TOKEN_PUNCTUATION && t->raw.at[0] == c;
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
	    i == from || is_punctuation(&tokens[i - 1], '.'))
		return;
	if (i <= from + 3 && is_word(&tokens[from], TEXT("create")) &&
	    (is_word(t, TEXT("function")) || is_word(t, TEXT("procedure"))))
		b->is_routine = true;
	if (!b->is_routine)
		return;
	if (b->depth == 0) {
		if (is_word(t, TEXT("atomic")) &&
		    is_word(&tokens[i - 1], TEXT("begin")))
			b->depth = 1;
	} else if (is_word(t, TEXT("case"))) {
		b->depth++;
	} else if (is_word(t, TEXT("end"))) {
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

		if (is_punctuation(t, '(') || is_punctuation(t, '['))
			depth++;
		else if (is_punctuation(t, ')') || is_punctuation(t, ']'))
			depth -= depth > 0;
		else if (is_punctuation(t, ';') && depth == 0 &&
		    body.depth == 0)
			break;
		else
			body_step(&body, l->tokens, i, from);
	}
	return i;
}

enum { RECENT_SHIFT = 57 }; /* the top bits of a hash that choose a slot */

struct name {
	uint64_t hash;
	struct text text;
	bool is_relation; /* or an alias of one */
};

static int
name_compare(const void *a, const void *b)
{
	const struct name *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	if (x->text.len != y->text.len)
		return x->text.len < y->text.len ? -1 : 1;
	return x->text.len == 0 ? 0
				: memcmp(x->text.at, y->text.at, x->text.len);
}

/* For the few names of most statements; qsort's calls cost more. */
static void
sort_few(struct name *names, size_t count)
{
	size_t i, k;

	for (i = 1; i < count; i++) {
		struct name moving = names[i];

		for (k = i; k > 0 && name_compare(&moving, &names[k - 1]) < 0;
		     k--)
			names[k] = names[k - 1];
		names[k] = moving;
	}
}

/* All distinct names, sorted. */
static enum err
collect_names(const struct canonical *c, struct arena *a, struct name **out,
    size_t *count_out)
{
	uint32_t recent[1 << (64 - RECENT_SHIFT)] = {0};
	struct name *names;
	size_t i, count = 0, kept = 0;

	for (i = 0; i < c->count; i++)
		count += c->marks[i].is_name;
	names = arena_array(a, count, sizeof(*names));
	count = 0;
	if (names == NULL)
		return ERR_MEMORY;
	for (i = 0; i < c->count; i++) {
		uint64_t hash = c->marks[i].hash;
		const struct name *seen = &names[recent[hash >> RECENT_SHIFT]];

		/* most names are there many times: sort the others */
		if (!c->marks[i].is_name ||
		    (seen < names + count && seen->hash == hash &&
			text_is(seen->text, c->tokens[i].name)))
			continue;
		recent[hash >> RECENT_SHIFT] = (uint32_t)count;
		names[count++] =
		    (struct name){hash, c->tokens[i].name, false};
	}
	if (count <= 32)
		sort_few(names, count);
	else
		qsort(names, count, sizeof(*names), name_compare);
	for (i = 0; i < count; i++) {
		if (kept == 0 || name_compare(&names[i], &names[kept - 1]))
			names[kept++] = names[i];
	}
	*out = names;
	*count_out = kept;
	return ERR_NONE;
}

static struct name *
find_name(struct name *names, size_t count, const struct canonical *c,
    size_t token)
{
	struct name key = {
	    c->marks[token].hash, c->tokens[token].name, false};

	return bsearch(&key, names, count, sizeof(*names), name_compare);
}

/* A name that stands alone, as no part of `a.b`, no call, no label. */
static bool
is_bare(const struct canonical *c, size_t i)
{
	const struct token *t = c->tokens;

	if (!c->marks[i].is_name || c->marks[i].is_declared)
		return false;
	if (i > 0 &&
	    (is_punctuation(&t[i - 1], '.') || is_word(&t[i - 1], TEXT("as"))))
		return false;
	return i + 1 == c->count || (!is_punctuation(&t[i + 1], '.') &&
	    !is_punctuation(&t[i + 1], '('));
}

/* Is a relation's name or alias used as a value somewhere? */
static bool
has_whole_row(const struct reader *r, struct name *names, size_t count)
{
	const struct canonical *c = r->canonical;
	uint64_t maybe = 0; /* 64 bits of their hashes: most names miss */
	size_t i;

	for (i = 0; i < r->declared_count; i++) {
		struct name *n = find_name(names, count, c, r->declared[i]);

		maybe |= BIT(c->marks[r->declared[i]].hash & 63);
		if (n != NULL)
			n->is_relation = true;
	}
	for (i = 0; i < c->count; i++) {
		struct name *n;

		if (!is_bare(c, i) || !(maybe & BIT(c->marks[i].hash & 63)))
			continue;
		n = find_name(names, count, c, i);
		if (n != NULL && n->is_relation)
			return true;
	}
	return false;
}

static enum err
fill_names(struct reader *r)
{
	static const uint64_t rows = BIT(OP_SELECT) | BIT(OP_INSERT) |
	    BIT(OP_UPDATE) | BIT(OP_DELETE) | BIT(OP_MERGE) |
	    BIT(OP_UNKNOWN);
	struct statement *s = r->statement;
	struct name *names;
	size_t count, i;
	enum err e = collect_names(r->canonical, r->arena, &names, &count);

	if (e != ERR_NONE)
		return e;
	if (s->operations & rows && has_whole_row(r, names, count))
		s->traits |= BIT(TRAIT_WHOLE_ROW);
	s->names = arena_array(r->arena, count, sizeof(*s->names));
	if (s->names == NULL)
		return ERR_MEMORY;
	for (i = 0; i < count; i++)
		s->names[i] = names[i].text;
	s->name_count = count;
	return ERR_NONE;
}

/* EXPLAIN without ANALYZE plans the statement and runs nothing of it. What
 * EXECUTE would run is judged all the same: its plan is shown. */
static void
settle_explain(struct reader *r)
{
	struct statement *s = r->statement;
	size_t i;

	if (!(r->effects & EFFECT_READS_ONLY) || r->effects & EFFECT_EXECUTES)
		return;
	s->operations &=
	    operations_reading() | BIT(OP_EXECUTE) | BIT(OP_UNKNOWN);
	for (i = 0; i < s->relation_count; i++) {
		s->relations[i].is_read = true;
		s->relations[i].is_written = false;
	}
}

/* INSERT … VALUES … ON CONFLICT DO UPDATE changes rows that its own values
 * name, no others. (With a query in it, it could name them all.) */
static bool
is_upsert_of_values(const struct statement *s)
{
	const uint64_t data = BIT(OP_SELECT) | BIT(OP_INSERT) | BIT(OP_UPDATE) |
	    BIT(OP_DELETE) | BIT(OP_MERGE);

	return (s->operations & data) == (BIT(OP_INSERT) | BIT(OP_UPDATE));
}

/* A row of VALUES is one row, unless a function makes more of it. */
static bool
may_return_rows(const struct statement *s)
{
	static const struct text functions[] = {{"generate_series", 15},
	    {"generate_subscripts", 19}, {"unnest", 6},
	    {"regexp_matches", 14}, {"regexp_split_to_table", 21},
	    {"string_to_table", 15}, {"json_array_elements", 19},
	    {"json_array_elements_text", 24}, {"jsonb_array_elements", 20},
	    {"jsonb_array_elements_text", 25}, {"json_each", 9},
	    {"json_each_text", 14}, {"jsonb_each", 10},
	    {"jsonb_each_text", 15}, {"json_object_keys", 16},
	    {"jsonb_object_keys", 17}, {"jsonb_path_query", 16},
	    {"jsonb_path_query_tz", 19}, {"_pg_expandarray", 15}};
	size_t i;

	for (i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
		if (statement_mentions(s, functions[i]))
			return true;
	}
	return (s->traits & (BIT(TRAIT_UNKNOWN_FUNCTION) |
				BIT(TRAIT_OPAQUE_FUNCTION))) != 0;
}

/* INSERT … ON CONFLICT DO UPDATE and MERGE change what they meet: a WHERE of
 * another level says nothing about that. */
static bool
changes_what_it_meets(const struct statement *s)
{
	static const char conflict[] = " do update set ", where[] = " where ";
	const char *at = NULL, *next = s->canonical.at;
	size_t left = s->canonical.len;

	while (next != NULL) {
		next = memmem(next, left, conflict, sizeof(conflict) - 1);
		if (next == NULL)
			break;
		at = next;
		next += sizeof(conflict) - 1;
		left = (size_t)(s->canonical.at + s->canonical.len - next);
	}
	if (at == NULL)
		return false;
	left = (size_t)(s->canonical.at + s->canonical.len - at);
	return memmem(at, left, where, sizeof(where) - 1) == NULL;
}

/* MERGE … ON true meets every row. */
static bool
merges_everything(const struct statement *s)
{
	static const char *const always[] = {" on true ", " on ( true ) ",
	    " on not false ", " on ? = ? ", " on '?' = '?' ",
	    " on ( ? = ? ) ", " on ( '?' = '?' ) "};
	size_t i;

	for (i = 0; i < sizeof(always) / sizeof(*always); i++) {
		if (memmem(s->canonical.at, s->canonical.len, always[i],
			strlen(always[i])) != NULL)
			return true;
	}
	return false;
}

static void
settle_where(struct reader *r)
{
	struct statement *s = r->statement;
	bool needs = r->effects & EFFECT_NEEDS_WHERE;
	bool has = r->effects & EFFECT_HAS_WHERE;

	if (r->effects & EFFECT_TRIVIAL_WHERE)
		has = false;
	if (needs && r->where_missing)
		has = false;
	if (!needs && is_upsert_of_values(s) && !may_return_rows(s))
		has = true;
	else if (changes_what_it_meets(s))
		has = false;
	if ((s->operations & BIT(OP_MERGE)) != 0 && merges_everything(s))
		has = false;
	if (has)
		s->traits |= BIT(TRAIT_WHERE);
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
		e = fill_names(&r);
	if (e != ERR_NONE)
		return e;
	settle_explain(&r);
	settle_where(&r);
	return ERR_NONE;
}

static size_t
count_semicolons(const struct lexed *l)
{
	size_t i, count = 0;

	for (i = 0; i < l->count; i++)
		count += is_punctuation(&l->tokens[i], ';');
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

bool
statement_mentions(const struct statement *s, struct text name)
{
	uint64_t hash = text_hash(name);
	size_t low = 0, high = s->name_count;

	while (high - low > 16) { /* fewer are compared sooner than hashed */
		size_t middle = low + (high - low) / 2;

		if (text_hash(s->names[middle]) < hash)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < s->name_count; low++) {
		if (text_is(s->names[low], name))
			return true;
		if (low >= high && text_hash(s->names[low]) != hash)
			return false;
	}
	return false;
}
