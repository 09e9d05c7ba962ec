/*
 * class_file.c - walking a file of class rules (see class_file.h).
 *
 * The one rule: nothing unknown is skipped.  A key without a taker, a macro
 * that is not defined, a list where a word belongs: the file is refused.
 */
#include <string.h>

#include "common/class_file.h"

enum {
	PATTERN_EXPANDED_MAX = PATTERN_LEN_MAX,
	MACROS_MAX = 1000 /* replaced in one pattern */
};

enum err
class_file_complain(struct class_file *f, const struct node *at,
    const char *what, struct text word)
{
	*f->message_out = arena_printf(f->messages, "%s:%zu:%zu: %s%s%.*s",
	    at->file, at->line, at->column, what, word.len > 0 ? " " : "",
	    (int)word.len, word.len > 0 ? word.at : "");
	return *f->message_out == NULL ? ERR_MEMORY : ERR_INVALID;
}

enum err
class_file_unwanted(
    struct class_file *f, const struct node *at, const char *what)
{
	return class_file_complain(f, at, what, (struct text){0});
}

enum err
class_file_words(struct class_file *f, const struct node *n,
    class_taker take, void *context)
{
	enum err e = ERR_NONE;
	size_t i;

	if (n->kind == NODE_SCALAR)
		return take(f, n, context);
	if (n->kind != NODE_LIST)
		return class_file_unwanted(
		    f, n, "a word or a list is wanted here");
	for (i = 0; e == ERR_NONE && i < n->count; i++) {
		if (n->items[i]->kind != NODE_SCALAR)
			return class_file_unwanted(
			    f, n->items[i], "a word is wanted here");
		e = take(f, n->items[i], context);
	}
	return e;
}

enum err
class_file_keys(struct class_file *f, const struct node *n,
    const struct class_key *keys, size_t key_count, void *context)
{
	enum err e = ERR_NONE;
	size_t i, k;

	if (n->kind != NODE_MAP)
		return class_file_unwanted(f, n, "a mapping is wanted here");
	for (i = 0; e == ERR_NONE && i < n->count; i++) {
		const struct pair *pair = &n->pairs[i];

		for (k = 0; k < key_count; k++) {
			if (text_is(pair->key->text, text_of(keys[k].name)))
				break;
		}
		if (k == key_count)
			return class_file_complain(
			    f, pair->key, "unknown key", pair->key->text);
		e = keys[k].take(f, pair->value, context);
	}
	return e;
}

/* --- patterns ------------------------------------------------------------ */

/* A scalar's text, or that of a list of scalars in a row. */
static enum err
joined_text(struct class_file *f, const struct node *n, struct text *out)
{
	size_t len = 0, i;
	char *joined;

	*out = n->kind == NODE_SCALAR ? n->text : (struct text){0};
	if (n->kind != NODE_LIST)
		return ERR_NONE;
	for (i = 0; i < n->count; i++) {
		if (n->items[i]->kind != NODE_SCALAR)
			return class_file_unwanted(
			    f, n->items[i], "a part of a pattern is wanted");
		len += n->items[i]->text.len;
	}
	joined = arena_alloc(f->tree, len);
	if (joined == NULL)
		return ERR_MEMORY;
	for (i = 0, len = 0; i < n->count; i++) {
		struct text part = n->items[i]->text;

		if (part.len > 0)
			memcpy(joined + len, part.at, part.len);
		len += part.len;
	}
	*out = (struct text){joined, len};
	return ERR_NONE;
}

static enum err
find_macro(struct class_file *f, const struct node *n, struct text name,
    struct text *out)
{
	size_t i;

	for (i = 0; f->define != NULL && i < f->define->count; i++) {
		const struct pair *pair = &f->define->pairs[i];

		if (text_is(pair->key->text, name))
			return joined_text(f, pair->value, out);
	}
	return class_file_complain(f, n, "unknown macro", name);
}

/* Replace `len` bytes at `at` by others. */
static enum err
splice(struct class_file *f, const struct node *n, struct text *t, size_t at,
    size_t len, struct text with)
{
	size_t after = t->len - at - len;
	size_t total = at + with.len + after;
	char *made;

	if (total > PATTERN_EXPANDED_MAX)
		return class_file_unwanted(f, n, "the pattern is too long");
	made = arena_alloc(f->tree, total);
	if (made == NULL)
		return ERR_MEMORY;
	memcpy(made, t->at, at);
	if (with.len > 0)
		memcpy(made + at, with.at, with.len);
	memcpy(made + at + with.len, t->at + at + len, after);
	*t = (struct text){made, total};
	return ERR_NONE;
}

/* Replace the first ${NAME}. */
static enum err
expand_once(struct class_file *f, const struct node *n, struct text *t,
    bool *did_out)
{
	const char *at = memmem(t->at, t->len, "${", 2), *end;
	struct text name, with;
	size_t before;
	enum err e;

	*did_out = at != NULL;
	if (at == NULL)
		return ERR_NONE;
	before = (size_t)(at - t->at);
	end = memchr(at, '}', t->len - before);
	if (end == NULL)
		return class_file_unwanted(f, n, "${ without }");
	name = (struct text){at + 2, (size_t)(end - at) - 2};
	e = find_macro(f, n, name, &with);
	return e == ERR_NONE ? splice(f, n, t, before, name.len + 3, with) : e;
}

enum err
class_file_pattern(
    struct class_file *f, const struct node *n, struct pattern **out)
{
	struct text t;
	const char *why = NULL;
	bool again = true;
	size_t rounds = 0;
	enum err e = joined_text(f, n, &t);

	if (e == ERR_NONE && (t.len == 0 || *out != NULL))
		return class_file_unwanted(f, n, "one pattern is wanted here");
	while (e == ERR_NONE && again && rounds++ < MACROS_MAX)
		e = expand_once(f, n, &t, &again);
	if (e == ERR_NONE && again)
		return class_file_unwanted(f, n, "macros without end");
	f->pattern = t;
	if (e == ERR_NONE)
		e = pattern_new(t, f->messages, out, &why);
	if (e == ERR_INVALID && why != NULL)
		return class_file_complain(f, n, "pattern:", text_of(why));
	return e;
}

/* --- a file -------------------------------------------------------------- */

enum err
class_file_load(struct class_file *f, const char *name, struct text yaml,
    const struct class_key *keys, size_t count)
{
	struct diagnostics *d = diagnostics_new(f->tree);
	struct node *root;
	enum err e;

	if (d == NULL)
		return ERR_MEMORY;
	f->define = NULL;
	e = yaml_parse(name, yaml, f->tree, d, &root);
	if (e == ERR_INVALID) {
		*f->message_out =
		    arena_printf(f->messages, "%s", diagnostics_line(d, 0));
		return *f->message_out == NULL ? ERR_MEMORY : e;
	}
	return e == ERR_NONE ? class_file_keys(f, root, keys, count, NULL) : e;
}
