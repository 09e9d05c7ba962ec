/*
 * schema.c - tables of rows at work.
 *
 * The rule: a value is stored only when all is well with it, and what is not
 * well is in the diagnostics.  Trusts its tables; trusts nothing in a node.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/schema.h"
#include "common/schema_scalar.h"

void
reading_complain(
    struct reading *r, const struct node *at, const char *format, ...)
{
	char text[512];
	va_list list;

	va_start(list, format);
	vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	diagnostics_add(
	    r->diagnostics, at->file, at->line, at->column, "%s", text);
}

void
reading_unknown(struct reading *r, const struct node *at, const char *what,
    const char *const *names, size_t count)
{
	const char *near = text_suggest(at->text, names, count);

	if (near != NULL)
		reading_complain(r, at, "unknown %s `%.80s` (did you mean `%s`?)",
		    what, at->text.at, near);
	else
		reading_complain(
		    r, at, "unknown %s `%.80s`", what, at->text.at);
}

/* "a, b or c"; false: they have no room. */
static bool
list_words(const char *const *words, size_t count, char *out, size_t size)
{
	size_t i, used = 0;

	out[0] = '\0';
	for (i = 0; i < count; i++) {
		const char *joint = i == 0 ? "" : i + 1 < count ? ", " : " or ";
		int len = snprintf(
		    out + used, size - used, "%s%s", joint, words[i]);

		if (len < 0 || (size_t)len >= size - used)
			return false;
		used += (size_t)len;
	}
	return count > 0;
}

void
reading_unknown_word(struct reading *r, const struct node *at,
    const char *what, const char *const *words, size_t count)
{
	char all[200];

	if (text_suggest(at->text, words, count) != NULL ||
	    !list_words(words, count, all, sizeof(all)))
		reading_unknown(r, at, what, words, count);
	else
		reading_complain(r, at, "unknown %s `%.80s` (%s)", what,
		    at->text.at, all);
}

void *
reading_array(struct reading *r, size_t count, size_t size)
{
	void *at = arena_array(r->arena, count, size);

	if (at == NULL)
		r->err = ERR_MEMORY;
	return at;
}

size_t
reading_scalar_count(struct reading *r, const struct node *n)
{
	size_t i, scalars = 0;

	if (n->kind == NODE_SCALAR)
		return 1;
	for (i = 0; n->kind == NODE_LIST && i < n->count; i++)
		scalars += n->items[i]->kind == NODE_SCALAR;
	if (n->kind == NODE_LIST && scalars == n->count)
		return scalars;
	reading_complain(r, n, "expected a word or a list of words");
	return 0;
}

const struct node *
reading_scalar(const struct node *n, size_t i)
{
	return n->kind == NODE_LIST ? n->items[i] : n;
}

/* Where pointer-and-count fields go. */
static void
store_list(const struct row *row, void *out, void *array, size_t count)
{
	memcpy((char *)out + row->offset, &array, sizeof(array));
	memcpy((char *)out + row->count_offset, &count, sizeof(count));
}

static bool
is_empty_list(struct reading *r, const struct row *row, const struct node *n)
{
	if (n->kind == NODE_SCALAR || n->count > 0)
		return false;
	if (!row->may_be_empty)
		reading_complain(r, n, "`%s` is empty", row->key);
	return true;
}

static void
read_texts(struct reading *r, const struct row *row, const struct node *n,
    void *out)
{
	size_t count = reading_scalar_count(r, n), i;
	struct text *texts;

	if (is_empty_list(r, row, n) || count == 0)
		return;
	texts = reading_array(r, count, sizeof(*texts));
	if (texts == NULL)
		return;
	for (i = 0; i < count; i++)
		(void)reading_text(r, reading_scalar(n, i), &texts[i]);
	store_list(row, out, texts, count);
}

static void
read_bits(struct reading *r, const struct row *row, const struct node *n,
    void *out)
{
	const struct vocabulary *v = row->vocabulary;
	size_t count = reading_scalar_count(r, n), word_count, i;
	const char *const *words = v->words(&word_count);
	uint64_t bits, all = 0;

	if (is_empty_list(r, row, n))
		return;
	for (i = 0; i < count; i++) {
		const struct node *word = reading_scalar(n, i);

		bits = v->bits(word->text);
		if (bits == 0)
			reading_unknown_word(
			    r, word, v->what, words, word_count);
		all |= bits;
	}
	memcpy((char *)out + row->offset, &all, sizeof(all));
}

static void
read_struct(struct reading *r, const struct row *row, const struct node *n,
    void *out)
{
	if (n->kind == NODE_MAP && n->count == 0 && !row->may_be_empty)
		reading_complain(r, n, "`%s` is empty", row->key);
	else
		schema_read(r, row->schema, n, (char *)out + row->offset);
}

static void
read_structs(struct reading *r, const struct row *row, const struct node *n,
    void *out)
{
	bool is_one = n->kind == NODE_MAP;
	size_t size = row->schema->size, i;
	size_t count = is_one ? 1 : n->count;
	char *array;

	/* {} is not a list that may be empty */
	if (n->kind == NODE_SCALAR ||
	    (is_one && n->count == 0 && row->may_be_empty)) {
		reading_complain(r, n, "expected a list of maps");
		return;
	}
	if (is_empty_list(r, row, n))
		return;
	if (count > SCHEMA_LIST_MAX) {
		reading_complain(r, n, "more than %d entries", SCHEMA_LIST_MAX);
		return;
	}
	array = reading_array(r, count, size);
	if (array == NULL)
		return;
	for (i = 0; i < count; i++)
		schema_read(r, row->schema, is_one ? n : n->items[i],
		    array + i * size);
	store_list(row, out, array, count);
}

static void
read_named(struct reading *r, const struct row *row, const struct node *n,
    void *out)
{
	size_t size = row->schema->size, i;
	char *array;

	if (n->kind != NODE_MAP) {
		reading_complain(r, n, "expected a map of names");
		return;
	}
	if (is_empty_list(r, row, n))
		return;
	if (n->count > SCHEMA_LIST_MAX) {
		reading_complain(r, n, "more than %d entries", SCHEMA_LIST_MAX);
		return;
	}
	array = reading_array(r, n->count, size);
	if (array == NULL)
		return;
	for (i = 0; i < n->count; i++) {
		row->schema->name(r, n->pairs[i].key, array + i * size);
		schema_read(
		    r, row->schema, n->pairs[i].value, array + i * size);
	}
	store_list(row, out, array, n->count);
}

static void
read_custom(struct reading *r, const struct row *row, const struct node *n,
    void *out)
{
	row->read(r, n, (char *)out + row->offset);
}

static void
read_nothing(struct reading *r, const struct row *row, const struct node *n,
    void *out)
{
	(void)r;
	(void)row;
	(void)n;
	(void)out;
}

static void (*const readers[FIELD_TYPES])(struct reading *r,
    const struct row *row, const struct node *n, void *out) = {
    [FIELD_NOTHING] = read_nothing,
    [FIELD_STRING] = scalar_read_string,
    [FIELD_TEXT] = scalar_read_text,
    [FIELD_TEXTS] = read_texts,
    [FIELD_PATH] = scalar_read_path,
    [FIELD_BOOL] = scalar_read_bool,
    [FIELD_UNSIGNED] = scalar_read_unsigned,
    [FIELD_NUMBER] = scalar_read_number,
    [FIELD_SIZE] = scalar_read_size,
    [FIELD_SECONDS] = scalar_read_seconds,
    [FIELD_CHOICE] = scalar_read_choice,
    [FIELD_BITS] = read_bits,
    [FIELD_STRUCT] = read_struct,
    [FIELD_STRUCTS] = read_structs,
    [FIELD_NAMED] = read_named,
    [FIELD_CUSTOM] = read_custom,
};

/* Does it say what is so anyway? */
static bool
is_default(const struct row *row, const struct node *n)
{
	struct text fallback = text_of(row->fallback);

	if (n->kind == NODE_SCALAR)
		return fallback.len > 0 && text_is(n->text, fallback);
	return n->kind == NODE_LIST && n->count == 0 &&
	    text_is(fallback, TEXT("[]"));
}

static void
read_value(struct reading *r, const struct row *row, const struct node *n,
    void *out)
{
	if (row->not_yet && !is_default(row, n))
		reading_complain(r, n, "`%s` is not supported yet", row->key);
	else if (yaml_is_null(n))
		reading_complain(r, n, "`%s` has no value", row->key);
	else
		readers[row->type](r, row, n, out);
}

/* Defaults of what is not written; complaints about what must be. */
static void
read_absent(struct reading *r, const struct schema *schema,
    const struct node *map, void *out)
{
	const struct row *row;

	for (row = schema->rows; row->key != NULL; row++) {
		struct text written = text_of(row->fallback);
		struct node fallback = {
		    .kind = text_is(written, TEXT("{}")) ? NODE_MAP
							 : NODE_SCALAR,
		    .file = map->file,
		    .line = map->line,
		    .column = map->column,
		    .text = written};

		if (yaml_get(map, row->key) != NULL)
			continue;
		if (row->is_required)
			reading_complain(r, map, "`%s` is missing in %s",
			    row->key, schema->what);
		else if (row->fallback != NULL && row->fallback[0] != '[')
			readers[row->type](r, row, &fallback, out);
	}
}

static void
complain_of_key(
    struct reading *r, const struct schema *schema, const struct node *key)
{
	const char *names[64];
	const struct row *row;
	char what[80];
	size_t count = 0;

	for (row = schema->rows; row->key != NULL && count < 64; row++)
		names[count++] = row->key;
	snprintf(what, sizeof(what), "key in %s:", schema->what);
	reading_unknown(r, key, what, names, count);
}

static const struct row *
row_of(const struct schema *schema, struct text key)
{
	const struct row *row;

	for (row = schema->rows; row->key != NULL; row++) {
		if (text_is(key, text_of(row->key)))
			return row;
	}
	return NULL;
}

void
schema_read(struct reading *r, const struct schema *schema,
    const struct node *node, void *out)
{
	size_t i;

	if (node->kind != NODE_MAP) {
		reading_complain(r, node, "expected a map: %s", schema->what);
		return;
	}
	if (node->count > SCHEMA_KEYS_MAX) {
		reading_complain(r, node, "too many keys in %s", schema->what);
		return;
	}
	read_absent(r, schema, node, out);
	for (i = 0; i < node->count; i++) {
		const struct node *key = node->pairs[i].key;
		const struct node *value = node->pairs[i].value;
		const struct row *row = row_of(schema, key->text);

		/* Of keys given twice (a complaint) the first counts, here as
		 * for hooks that ask yaml_get(). */
		if (yaml_get(node, key->text.at) != value)
			continue;
		if (row != NULL)
			read_value(r, row, value, out);
		else if (schema->other != NULL)
			schema->other(r, key, value, out);
		else
			complain_of_key(r, schema, key);
	}
	if (schema->check != NULL)
		schema->check(r, node, out);
}
