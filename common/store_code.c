/*
 * store_code.c - what is known of users' code, in the store.
 *
 * The rule: as for the rest of the catalogue; the list of hashes is there as
 * soon as a database was read, be it empty.  Keys:
 *   C upstream database kind name     code of that kind and name
 *   H upstream database               hashes of all of it
 */
#include <string.h>

#include "common/store_inner.h"

static const struct shape code_shape = {
    .size = sizeof(struct code),
    .parts = (const struct part[]){
	CODEC_NUMBER(struct code, kind, CODE_KIND_MAX - 1),
	CODEC_TEXT(struct code, name),
	CODEC_NUMBER(struct code, is_trusted, 1),
	CODEC_NUMBER(struct code, is_disguise, 1),
	CODEC_NUMBER(struct code, is_in_system, 1),
	CODEC_NUMBER(struct code, is_opaque, 1),
	CODEC_NUMBER(struct code, stores, 1),
	CODEC_NUMBER(struct code, escapes, 1),
	CODEC_LIST(struct code, sources, source_count, &store_source_shape),
	CODEC_END,
    },
};

struct code_names {
	struct text hashes; /* uint64_t each, of this machine */
};

static const struct shape names_shape = {
    .size = sizeof(struct code_names),
    .parts = (const struct part[]){
	CODEC_TEXT(struct code_names, hashes),
	CODEC_END,
    },
};

static void
put_name(struct store_key *k, enum code_kind kind, struct text name)
{
	const char letter = (char)('0' + (int)kind);

	store_key_put(k, &letter, 1);
	store_key_name(k, name);
}

enum err
store_catalog_add_code(struct store *s, const struct code *c)
{
	struct store_key key = {.len = 0};

	store_key_put(&key, "C", 1);
	store_key_put(&key, s->prefix, s->prefix_len);
	put_name(&key, c->kind, c->name);
	return store_put(s, &key, &code_shape, c);
}

enum err
store_catalog_add_code_names(
    struct store *s, const uint64_t *hashes, size_t count)
{
	const struct code_names names = {
	    .hashes = {(const char *)hashes, count * sizeof(*hashes)}};
	struct store_key key = {.len = 0};

	store_key_put(&key, "H", 1);
	store_key_put(&key, s->prefix, s->prefix_len);
	return store_put(s, &key, &names_shape, &names);
}

enum err
store_code_named(struct store *s, struct text upstream, struct text database,
    enum code_kind kind, struct text name, struct arena *a, struct code *out)
{
	struct store_key key = {.len = 0};

	store_key_place(&key, 'C', upstream, database);
	put_name(&key, kind, name);
	return store_get(s, &key, &code_shape, a, out);
}

enum err
store_code_names(struct store *s, struct text upstream, struct text database,
    struct arena *a, uint64_t **hashes_out, size_t *count_out)
{
	struct store_key key = {.len = 0};
	struct code_names names;
	enum err e;

	*hashes_out = NULL;
	*count_out = 0;
	store_key_place(&key, 'H', upstream, database);
	e = store_get(s, &key, &names_shape, a, &names);
	if (e != ERR_NONE)
		return e;
	if (names.hashes.len % sizeof(**hashes_out) != 0)
		return ERR_MALFORMED;
	*count_out = names.hashes.len / sizeof(**hashes_out);
	*hashes_out = arena_array(a, *count_out, sizeof(**hashes_out));
	if (*hashes_out == NULL)
		return ERR_MEMORY;
	if (*count_out > 0)
		memcpy(*hashes_out, names.hashes.at, names.hashes.len);
	return ERR_NONE;
}
