/*
 * store_catalog.c - the upstreams' catalogues in the store.
 *
 * The rule: a database's catalogue is rewritten in one transaction; values
 * are decoded as if a stranger had written them.  Keys:
 *   R upstream database oid          a relation
 *   N upstream database name oid     its name, with no value
 *   T upstream database oid          a type
 *   C, H                             code (store_code.c)
 * Names are preceded by their length, so no name can end another early.
 */
#include <string.h>

#include "common/codec.h"
#include "common/store_inner.h"

enum { ITEM_BYTES_MAX = 16 * 1024 * 1024 };

_Static_assert(STORE_NAME_MAX + 3 * 2 + 1 + 4 <= KEY_MAX,
    "a relation's name and place fit a key");

/* --- keys ---------------------------------------------------------------- */

void
store_key_put(struct store_key *k, const void *bytes, size_t len)
{
	if (len > sizeof(k->bytes) - k->len) {
		k->is_too_long = true;
		return;
	}
	if (len > 0)
		memcpy(k->bytes + k->len, bytes, len);
	k->len += len;
}

void
store_key_name(struct store_key *k, struct text name)
{
	unsigned char len[2] = {
	    (unsigned char)(name.len >> 8), (unsigned char)name.len};

	if (name.len > STORE_NAME_MAX) {
		k->is_too_long = true;
		return;
	}
	store_key_put(k, len, sizeof(len));
	store_key_put(k, name.at, name.len);
}

static void
key_put_oid(struct store_key *k, uint32_t oid)
{
	unsigned char bytes[4] = {(unsigned char)(oid >> 24),
	    (unsigned char)(oid >> 16), (unsigned char)(oid >> 8),
	    (unsigned char)oid};

	store_key_put(k, bytes, sizeof(bytes));
}

static uint32_t
key_oid(const unsigned char bytes[4])
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
	    (uint32_t)bytes[2] << 8 | bytes[3];
}

void
store_key_place(struct store_key *k, char kind, struct text upstream,
    struct text database)
{
	store_key_put(k, &kind, 1);
	store_key_name(k, upstream);
	store_key_name(k, database);
}

/* --- writing ------------------------------------------------------------- */

const struct shape store_source_shape = {
    .size = sizeof(struct column_source),
    .parts = (const struct part[]){
	CODEC_NUMBER(struct column_source, relation, UINT32_MAX),
	CODEC_NUMBER(struct column_source, number, UINT16_MAX),
	CODEC_END,
    },
};

static const struct shape column_shape = {
    .size = sizeof(struct column),
    .parts = (const struct part[]){
	CODEC_TEXT(struct column, name),
	CODEC_NUMBER(struct column, type, UINT32_MAX),
	CODEC_LIST(struct column, sources, source_count, &store_source_shape),
	CODEC_NUMBER(struct column, is_generated, 1),
	CODEC_NUMBER(struct column, is_key, 1),
	CODEC_END,
    },
};

static const struct shape relation_shape = {
    .size = sizeof(struct relation),
    .parts = (const struct part[]){
	CODEC_NUMBER(struct relation, oid, UINT32_MAX),
	CODEC_TEXT(struct relation, schema),
	CODEC_TEXT(struct relation, name),
	CODEC_NUMBER(struct relation, kind, UINT8_MAX),
	CODEC_LIST(struct relation, columns, column_count, &column_shape),
	CODEC_END,
    },
};

static const struct shape type_part_shape = {
    .size = sizeof(struct type_part),
    .parts = (const struct part[]){
	CODEC_NUMBER(struct type_part, type, UINT32_MAX),
	CODEC_END,
    },
};

static const struct shape type_shape = {
    .size = sizeof(struct type),
    .parts = (const struct part[]){
	CODEC_NUMBER(struct type, oid, UINT32_MAX),
	CODEC_NUMBER(struct type, kind, TYPE_KIND_MAX - 1),
	CODEC_NUMBER(struct type, delimiter, UINT8_MAX),
	CODEC_LIST(struct type, parts, part_count, &type_part_shape),
	CODEC_END,
    },
};

static bool
has_prefix(const MDB_val *key, const struct store_key *prefix)
{
	return key->mv_size >= prefix->len &&
	    memcmp(key->mv_data, prefix->bytes, prefix->len) == 0;
}

/* Delete every key that starts so. The place is sought anew each time:
 * where a cursor stands after a deletion at a page's end is LMDB's secret. */
static int
delete_prefix(MDB_txn *txn, MDB_dbi dbi, const struct store_key *prefix)
{
	MDB_val key, value;
	MDB_cursor *cursor;
	int rc = mdb_cursor_open(txn, dbi, &cursor);

	if (rc != MDB_SUCCESS)
		return rc;
	while (rc == MDB_SUCCESS) {
		key = store_val(prefix->bytes, prefix->len);
		rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
		if (rc == MDB_SUCCESS && !has_prefix(&key, prefix))
			rc = MDB_NOTFOUND;
		if (rc == MDB_SUCCESS)
			rc = mdb_cursor_del(cursor, 0);
	}
	mdb_cursor_close(cursor);
	return rc == MDB_NOTFOUND ? MDB_SUCCESS : rc;
}

enum err
store_catalog_begin(
    struct store *s, struct text upstream, struct text database)
{
	static const char kinds[] = {'R', 'N', 'T', 'C', 'H'};
	struct store_key place = {.len = 0};
	int dead, rc;
	size_t i;

	store_key_place(&place, kinds[0], upstream, database);
	if (s->mode != STORE_WRITE || s->write != NULL)
		return ERR_STORE;
	if (place.is_too_long)
		return ERR_TOO_LONG;
	memcpy(s->prefix, place.bytes + 1, place.len - 1);
	s->prefix_len = place.len - 1;
	rc = mdb_reader_check(s->env, &dead);
	if (rc == MDB_SUCCESS)
		rc = mdb_txn_begin(s->env, NULL, 0, &s->write);
	for (i = 0; i < sizeof(kinds) && rc == MDB_SUCCESS; i++) {
		place.bytes[0] = (unsigned char)kinds[i];
		rc = delete_prefix(s->write, s->dbi, &place);
	}
	if (rc != MDB_SUCCESS)
		store_catalog_abort(s);
	return store_error(rc);
}

enum err
store_put(struct store *s, const struct store_key *k,
    const struct shape *shape, const void *item)
{
	struct buffer b = {.ceiling = ITEM_BYTES_MAX};
	MDB_val key, value;
	enum err err = ERR_TOO_LONG;

	if (s->write == NULL)
		return ERR_STORE;
	codec_write(&b, shape, item);
	if (!b.failed && !k->is_too_long) {
		key = store_val(k->bytes, k->len);
		value = store_val(b.bytes, b.len);
		err = store_error(mdb_put(s->write, s->dbi, &key, &value, 0));
	}
	buffer_free(&b);
	return err;
}

/* Put a struct of that shape under its OID. */
static enum err
put_item(struct store *s, const char *kind, uint32_t oid,
    const struct shape *shape, const void *item)
{
	struct store_key k = {.len = 0};

	store_key_put(&k, kind, 1);
	store_key_put(&k, s->prefix, s->prefix_len);
	key_put_oid(&k, oid);
	return store_put(s, &k, shape, item);
}

enum err
store_catalog_add(struct store *s, const struct relation *r)
{
	struct store_key name = {.len = 0};
	MDB_val key, value;
	enum err err;

	store_key_put(&name, "N", 1);
	store_key_put(&name, s->prefix, s->prefix_len);
	store_key_name(&name, r->name);
	key_put_oid(&name, r->oid);
	err = put_item(s, "R", r->oid, &relation_shape, r);
	if (err != ERR_NONE || name.is_too_long)
		return err == ERR_NONE ? ERR_TOO_LONG : err;
	key = store_val(name.bytes, name.len);
	value = store_val("", 0);
	return store_error(mdb_put(s->write, s->dbi, &key, &value, 0));
}

enum err
store_catalog_add_type(struct store *s, const struct type *t)
{
	return put_item(s, "T", t->oid, &type_shape, t);
}

enum err
store_catalog_commit(struct store *s)
{
	MDB_txn *txn = s->write;

	if (txn == NULL)
		return ERR_STORE;
	s->write = NULL;
	return store_error(mdb_txn_commit(txn));
}

void
store_catalog_abort(struct store *s)
{
	if (s->write != NULL)
		mdb_txn_abort(s->write);
	s->write = NULL;
}

/* --- reading ------------------------------------------------------------- */

static enum err
read_item(struct store *s, MDB_txn *txn, const struct store_key *k,
    const struct shape *shape, struct arena *a, void *out)
{
	MDB_val key = store_val(k->bytes, k->len), value;
	struct wire w;
	char *copy;
	enum err err;
	int rc = mdb_get(txn, s->dbi, &key, &value);

	if (rc != MDB_SUCCESS)
		return store_error(rc);
	/* The map changes under us when the snapshot ends. */
	copy = arena_copy(a, value.mv_data, value.mv_size);
	if (copy == NULL)
		return ERR_MEMORY;
	w = wire_of(copy, value.mv_size);
	err = codec_read(&w, shape, a, out);
	return err == ERR_NONE ? wire_end(&w) : err;
}

enum err
store_get(struct store *s, const struct store_key *key,
    const struct shape *shape, struct arena *a, void *out)
{
	MDB_txn *txn;
	enum err err;
	int rc;

	memset(out, 0, shape->size);
	if (key->is_too_long)
		return ERR_NOT_FOUND;
	do {
		rc = store_read_begin(s, &txn);
		if (rc != MDB_SUCCESS)
			return store_error(rc);
		err = read_item(s, txn, key, shape, a, out);
		err = store_read_end(s, txn, err);
	} while (err == ERR_INTERRUPTED);
	return err;
}

static enum err
get_item(struct store *s, struct store_key *key, uint32_t oid,
    const struct shape *shape, struct arena *a, void *out)
{
	key_put_oid(key, oid);
	return store_get(s, key, shape, a, out);
}

enum err
store_relation(struct store *s, struct text upstream, struct text database,
    uint32_t oid, struct arena *a, struct relation *out)
{
	struct store_key key = {.len = 0};

	store_key_place(&key, 'R', upstream, database);
	return get_item(s, &key, oid, &relation_shape, a, out);
}

enum err
store_type(struct store *s, struct text upstream, struct text database,
    uint32_t oid, struct arena *a, struct type *out)
{
	struct store_key key = {.len = 0};

	store_key_place(&key, 'T', upstream, database);
	return get_item(s, &key, oid, &type_shape, a, out);
}

static enum err
collect_oids(MDB_cursor *cursor, const struct store_key *prefix, uint32_t *oids,
    size_t max, size_t *count_out)
{
	MDB_val key = store_val(prefix->bytes, prefix->len), value;
	int rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);

	while (rc == MDB_SUCCESS && has_prefix(&key, prefix)) {
		if (key.mv_size != prefix->len + 4)
			return ERR_STORE;
		if (*count_out == max)
			return ERR_TOO_LONG;
		oids[(*count_out)++] = key_oid(
		    (const unsigned char *)key.mv_data + prefix->len);
		rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
	}
	return rc == MDB_NOTFOUND ? ERR_NONE : store_error(rc);
}

static enum err
read_oids(struct store *s, const struct store_key *prefix, uint32_t *oids,
    size_t max, size_t *count_out)
{
	MDB_cursor *cursor;
	MDB_txn *txn;
	enum err err;
	int rc = store_read_begin(s, &txn);

	*count_out = 0;
	if (rc != MDB_SUCCESS)
		return store_error(rc);
	rc = mdb_cursor_open(txn, s->dbi, &cursor);
	err = store_error(rc);
	if (rc == MDB_SUCCESS) {
		err = collect_oids(cursor, prefix, oids, max, count_out);
		mdb_cursor_close(cursor);
	}
	return store_read_end(s, txn, err);
}

enum err
store_relations_named(struct store *s, struct text upstream,
    struct text database, struct text name, uint32_t *oids, size_t max,
    size_t *count_out)
{
	struct store_key prefix = {.len = 0};
	enum err err;

	*count_out = 0;
	store_key_place(&prefix, 'N', upstream, database);
	store_key_name(&prefix, name);
	if (prefix.is_too_long || prefix.len > KEY_MAX - 4)
		return ERR_NONE; /* nothing can be stored under it */
	do
		err = read_oids(s, &prefix, oids, max, count_out);
	while (err == ERR_INTERRUPTED);
	return err;
}
