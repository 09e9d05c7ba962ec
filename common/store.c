/*
 * store.c - LMDB, and nothing of it outside.
 *
 * The rule: what is in an environment is whole or not there; every change is
 * one transaction.  Everything in it can be made again from configuration
 * and upstreams, so a store that cannot be understood is emptied by its
 * writer and refused by its readers.  Values are decoded as if a stranger
 * had written them.
 *
 * One unnamed database; a key starts with a letter for its kind:
 *   F                       format of the store
 *   G                       generation of the policy
 *   P                       the policy's published form
 *   R upstream database oid          a relation
 *   N upstream database name oid     its name, with no value
 * Names are preceded by their length, so no name can end another early.
 */
#include <errno.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/codec.h"
#include "common/store.h"

enum {
	KEY_MAX = 511, /* LMDB's own */
	READERS_MAX = 16384, /* processes that may read at a time */
	RELATION_BYTES_MAX = 16 * 1024 * 1024,
};

/* Address space, not memory or disk. */
static const size_t map_size = (size_t)1 << 30;

_Static_assert(STORE_NAME_MAX + 3 * 2 + 1 + 4 <= KEY_MAX,
    "a relation's name and place fit a key");

struct store {
	MDB_env *env;
	MDB_dbi dbi;
	enum store_mode mode;
	MDB_txn *read;	/* a reader's one transaction, reset between uses */
	MDB_txn *write; /* of a catalogue rewrite under way */
	char prefix[KEY_MAX]; /* of that rewrite: upstream and database */
	size_t prefix_len;
};

static enum err
store_err(int rc)
{
	switch (rc) {
	case MDB_SUCCESS:
		return ERR_NONE;
	case MDB_NOTFOUND:
		return ERR_NOT_FOUND;
	case ENOMEM:
		return ERR_MEMORY;
	case MDB_VERSION_MISMATCH:
	case MDB_INVALID:
		return ERR_VERSION;
	default:
		if (rc > 0)
			errno = rc;
		return rc > 0 ? ERR_SYSTEM : ERR_STORE;
	}
}

static MDB_val
val_of(const void *at, size_t len)
{
	union { /* LMDB does not write through it, but does not say so */
		const void *in;
		void *out;
	} pointer = {.in = at};

	return (MDB_val){len, pointer.out};
}

/* --- keys ---------------------------------------------------------------- */

struct key {
	unsigned char bytes[KEY_MAX];
	size_t len;
	bool is_too_long;
};

static void
key_put(struct key *k, const void *bytes, size_t len)
{
	if (len > sizeof(k->bytes) - k->len) {
		k->is_too_long = true;
		return;
	}
	if (len > 0)
		memcpy(k->bytes + k->len, bytes, len);
	k->len += len;
}

static void
key_put_name(struct key *k, struct text name)
{
	unsigned char len[2] = {
	    (unsigned char)(name.len >> 8), (unsigned char)name.len};

	if (name.len > STORE_NAME_MAX) {
		k->is_too_long = true;
		return;
	}
	key_put(k, len, sizeof(len));
	key_put(k, name.at, name.len);
}

static void
key_put_oid(struct key *k, uint32_t oid)
{
	unsigned char bytes[4] = {(unsigned char)(oid >> 24),
	    (unsigned char)(oid >> 16), (unsigned char)(oid >> 8),
	    (unsigned char)oid};

	key_put(k, bytes, sizeof(bytes));
}

static uint32_t
key_oid(const unsigned char bytes[4])
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
	    (uint32_t)bytes[2] << 8 | bytes[3];
}

static void
key_put_place(
    struct key *k, char kind, struct text upstream, struct text database)
{
	key_put(k, &kind, 1);
	key_put_name(k, upstream);
	key_put_name(k, database);
}

/* --- opening ------------------------------------------------------------- */

static int
read_format(MDB_txn *txn, MDB_dbi dbi, uint64_t *out)
{
	MDB_val key = val_of("F", 1), value;
	int rc = mdb_get(txn, dbi, &key, &value);

	*out = 0;
	if (rc == MDB_SUCCESS && value.mv_size == sizeof(*out))
		memcpy(out, value.mv_data, sizeof(*out));
	return rc == MDB_NOTFOUND ? MDB_SUCCESS : rc;
}

/* A store of another format is emptied and becomes one of ours. */
static int
adopt(struct store *s, MDB_txn *txn)
{
	MDB_val key = val_of("F", 1), value;
	uint64_t format;
	int rc;

	rc = mdb_dbi_open(txn, NULL, 0, &s->dbi);
	if (rc == MDB_SUCCESS)
		rc = read_format(txn, s->dbi, &format);
	if (rc != MDB_SUCCESS || format == STORE_FORMAT)
		return rc;
	rc = mdb_drop(txn, s->dbi, 0);
	format = STORE_FORMAT;
	value = val_of(&format, sizeof(format));
	return rc == MDB_SUCCESS ? mdb_put(txn, s->dbi, &key, &value, 0) : rc;
}

static int
prepare_write(struct store *s)
{
	MDB_txn *txn;
	int dead, rc;

	rc = mdb_reader_check(s->env, &dead);
	if (rc == MDB_SUCCESS)
		rc = mdb_txn_begin(s->env, NULL, 0, &txn);
	if (rc != MDB_SUCCESS)
		return rc;
	rc = adopt(s, txn);
	if (rc == MDB_SUCCESS)
		return mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return rc;
}

/* The transaction stays, so that a reader needs no lock and no file later.
 * Readers that were killed hold their places until somebody looks. */
static int
prepare_read(struct store *s)
{
	uint64_t format = 0;
	int rc = mdb_txn_begin(s->env, NULL, MDB_RDONLY, &s->read), dead;

	if (rc == MDB_READERS_FULL) {
		rc = mdb_reader_check(s->env, &dead);
		if (rc == MDB_SUCCESS)
			rc = mdb_txn_begin(s->env, NULL, MDB_RDONLY, &s->read);
	}
	if (rc == MDB_SUCCESS)
		rc = mdb_dbi_open(s->read, NULL, 0, &s->dbi);
	if (rc == MDB_SUCCESS)
		rc = read_format(s->read, s->dbi, &format);
	if (rc == MDB_SUCCESS && format != STORE_FORMAT)
		rc = MDB_VERSION_MISMATCH;
	if (rc == MDB_SUCCESS)
		mdb_txn_reset(s->read);
	return rc;
}

static int
open_env(struct store *s, const char *folder)
{
	unsigned flags = MDB_NOTLS | (s->mode == STORE_READ ? MDB_RDONLY : 0);
	int rc = mdb_env_create(&s->env);

	if (rc == MDB_SUCCESS)
		rc = mdb_env_set_mapsize(s->env, map_size);
	if (rc == MDB_SUCCESS)
		rc = mdb_env_set_maxreaders(s->env, READERS_MAX);
	if (rc == MDB_SUCCESS)
		rc = mdb_env_open(s->env, folder, flags, 0600);
	if (rc == MDB_SUCCESS)
		rc = s->mode == STORE_READ ? prepare_read(s)
					   : prepare_write(s);
	return rc;
}

static void
close_env(struct store *s)
{
	if (s->write != NULL)
		mdb_txn_abort(s->write);
	if (s->read != NULL)
		mdb_txn_abort(s->read);
	if (s->env != NULL)
		mdb_env_close(s->env);
	s->write = s->read = NULL;
	s->env = NULL;
}

static void
remove_file(const char *folder, const char *name)
{
	char path[4096];
	int len = snprintf(path, sizeof(path), "%s/%s", folder, name);

	if (len > 0 && (size_t)len < sizeof(path))
		unlink(path);
}

static enum err
make_folder(const char *folder)
{
	if (mkdir(folder, 0700) == 0 || errno == EEXIST)
		return ERR_NONE;
	return ERR_SYSTEM;
}

static enum err
open_to_write(struct store *s, const char *folder)
{
	enum err err = make_folder(folder);
	int rc;

	if (err != ERR_NONE)
		return err;
	rc = open_env(s, folder);
	if (rc != MDB_VERSION_MISMATCH && rc != MDB_INVALID &&
	    rc != MDB_CORRUPTED && rc != MDB_PAGE_NOTFOUND)
		return store_err(rc);
	/* Not even LMDB of this version can read it: make it anew. */
	close_env(s);
	remove_file(folder, "data.mdb");
	remove_file(folder, "lock.mdb");
	return store_err(open_env(s, folder));
}

enum err
store_open(const char *folder, enum store_mode mode, struct store **out)
{
	struct store *s = calloc(1, sizeof(*s));
	enum err err;

	*out = NULL;
	if (s == NULL)
		return ERR_MEMORY;
	s->mode = mode;
	if (mode == STORE_WRITE)
		err = open_to_write(s, folder);
	else
		err = store_err(open_env(s, folder));
	if (err != ERR_NONE) {
		int saved = errno;

		store_close(s);
		errno = saved;
		return err == ERR_SYSTEM && saved == ENOENT ? ERR_NOT_FOUND
							    : err;
	}
	*out = s;
	return ERR_NONE;
}

void
store_close(struct store *s)
{
	if (s == NULL)
		return;
	close_env(s);
	free(s);
}

/* --- transactions -------------------------------------------------------- */

/* A snapshot to read from. A writer has no standing one and makes its own. */
static int
read_begin(struct store *s, MDB_txn **out)
{
	*out = s->read;
	if (s->mode == STORE_READ)
		return mdb_txn_renew(s->read);
	return mdb_txn_begin(s->env, NULL, MDB_RDONLY, out);
}

static void
read_end(struct store *s, MDB_txn *txn)
{
	if (s->mode == STORE_READ)
		mdb_txn_reset(txn);
	else
		mdb_txn_abort(txn);
}

/* --- the policy ---------------------------------------------------------- */

static int
read_generation(MDB_txn *txn, MDB_dbi dbi, uint64_t *out)
{
	MDB_val key = val_of("G", 1), value;
	int rc = mdb_get(txn, dbi, &key, &value);

	*out = 0;
	if (rc == MDB_SUCCESS && value.mv_size != sizeof(*out))
		return MDB_CORRUPTED;
	if (rc == MDB_SUCCESS)
		memcpy(out, value.mv_data, sizeof(*out));
	return rc;
}

static int
put_policy(struct store *s, MDB_txn *txn, struct text form,
    uint64_t *generation_out)
{
	MDB_val key = val_of("P", 1), value = val_of(form.at, form.len);
	uint64_t generation;
	int rc = read_generation(txn, s->dbi, &generation);

	if (rc != MDB_SUCCESS && rc != MDB_NOTFOUND)
		return rc;
	generation++;
	*generation_out = generation;
	rc = mdb_put(txn, s->dbi, &key, &value, 0);
	if (rc != MDB_SUCCESS)
		return rc;
	key = val_of("G", 1);
	value = val_of(&generation, sizeof(generation));
	return mdb_put(txn, s->dbi, &key, &value, 0);
}

enum err
store_publish(struct store *s, struct text form, uint64_t *generation_out)
{
	MDB_txn *txn;
	int rc;

	if (s->mode != STORE_WRITE)
		return ERR_STORE;
	rc = mdb_txn_begin(s->env, NULL, 0, &txn);
	if (rc != MDB_SUCCESS)
		return store_err(rc);
	rc = put_policy(s, txn, form, generation_out);
	if (rc == MDB_SUCCESS)
		return store_err(mdb_txn_commit(txn));
	mdb_txn_abort(txn);
	return store_err(rc);
}

static enum err
get_policy(struct store *s, MDB_txn *txn, struct arena *a,
    struct text *form_out, uint64_t *generation_out)
{
	MDB_val key = val_of("P", 1), value;
	int rc = read_generation(txn, s->dbi, generation_out);

	if (rc == MDB_SUCCESS)
		rc = mdb_get(txn, s->dbi, &key, &value);
	if (rc != MDB_SUCCESS)
		return store_err(rc);
	form_out->at = arena_copy(a, value.mv_data, value.mv_size);
	form_out->len = value.mv_size;
	return form_out->at == NULL ? ERR_MEMORY : ERR_NONE;
}

enum err
store_read_policy(struct store *s, struct arena *a, struct text *form_out,
    uint64_t *generation_out)
{
	MDB_txn *txn;
	enum err err;
	int rc = read_begin(s, &txn);

	if (rc != MDB_SUCCESS)
		return store_err(rc);
	err = get_policy(s, txn, a, form_out, generation_out);
	read_end(s, txn);
	return err;
}

/* --- the catalogue ------------------------------------------------------- */

static const struct shape source_shape = {
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
	CODEC_LIST(struct column, sources, source_count, &source_shape),
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

static bool
has_prefix(const MDB_val *key, const struct key *prefix)
{
	return key->mv_size >= prefix->len &&
	    memcmp(key->mv_data, prefix->bytes, prefix->len) == 0;
}

/* Delete every key that starts so. The place is sought anew each time:
 * where a cursor stands after a deletion at a page's end is LMDB's secret. */
static int
delete_prefix(MDB_txn *txn, MDB_dbi dbi, const struct key *prefix)
{
	MDB_val key, value;
	MDB_cursor *cursor;
	int rc = mdb_cursor_open(txn, dbi, &cursor);

	if (rc != MDB_SUCCESS)
		return rc;
	while (rc == MDB_SUCCESS) {
		key = val_of(prefix->bytes, prefix->len);
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
	struct key relations = {.len = 0}, names = {.len = 0};
	int dead, rc;

	key_put_place(&relations, 'R', upstream, database);
	key_put_place(&names, 'N', upstream, database);
	if (s->mode != STORE_WRITE || s->write != NULL)
		return ERR_STORE;
	if (relations.is_too_long)
		return ERR_TOO_LONG;
	memcpy(s->prefix, relations.bytes + 1, relations.len - 1);
	s->prefix_len = relations.len - 1;
	rc = mdb_reader_check(s->env, &dead);
	if (rc == MDB_SUCCESS)
		rc = mdb_txn_begin(s->env, NULL, 0, &s->write);
	if (rc == MDB_SUCCESS)
		rc = delete_prefix(s->write, s->dbi, &relations);
	if (rc == MDB_SUCCESS)
		rc = delete_prefix(s->write, s->dbi, &names);
	if (rc != MDB_SUCCESS)
		store_catalog_abort(s);
	return store_err(rc);
}

static enum err
put_relation(struct store *s, const struct relation *r, struct buffer *b)
{
	struct key relation = {.len = 0}, name = {.len = 0};
	MDB_val key, value;
	int rc;

	codec_write(b, &relation_shape, r);
	if (b->failed)
		return ERR_TOO_LONG;
	key_put(&relation, "R", 1);
	key_put(&relation, s->prefix, s->prefix_len);
	key_put_oid(&relation, r->oid);
	key_put(&name, "N", 1);
	key_put(&name, s->prefix, s->prefix_len);
	key_put_name(&name, r->name);
	key_put_oid(&name, r->oid);
	if (relation.is_too_long || name.is_too_long)
		return ERR_TOO_LONG;
	key = val_of(relation.bytes, relation.len);
	value = val_of(b->bytes, b->len);
	rc = mdb_put(s->write, s->dbi, &key, &value, 0);
	if (rc != MDB_SUCCESS)
		return store_err(rc);
	key = val_of(name.bytes, name.len);
	value = val_of("", 0);
	return store_err(mdb_put(s->write, s->dbi, &key, &value, 0));
}

enum err
store_catalog_add(struct store *s, const struct relation *r)
{
	struct buffer b = {.ceiling = RELATION_BYTES_MAX};
	enum err err;

	if (s->write == NULL)
		return ERR_STORE;
	err = put_relation(s, r, &b);
	buffer_free(&b);
	return err;
}

enum err
store_catalog_commit(struct store *s)
{
	MDB_txn *txn = s->write;

	if (txn == NULL)
		return ERR_STORE;
	s->write = NULL;
	return store_err(mdb_txn_commit(txn));
}

void
store_catalog_abort(struct store *s)
{
	if (s->write != NULL)
		mdb_txn_abort(s->write);
	s->write = NULL;
}

static enum err
get_relation(struct store *s, MDB_txn *txn, const struct key *k,
    struct arena *a, struct relation *out)
{
	MDB_val key = val_of(k->bytes, k->len), value;
	struct wire w;
	char *copy;
	enum err err;
	int rc = mdb_get(txn, s->dbi, &key, &value);

	if (rc != MDB_SUCCESS)
		return store_err(rc);
	/* The map changes under us when the snapshot ends. */
	copy = arena_copy(a, value.mv_data, value.mv_size);
	if (copy == NULL)
		return ERR_MEMORY;
	w = wire_of(copy, value.mv_size);
	err = codec_read(&w, &relation_shape, a, out);
	return err == ERR_NONE ? wire_end(&w) : err;
}

enum err
store_relation(struct store *s, struct text upstream, struct text database,
    uint32_t oid, struct arena *a, struct relation *out)
{
	struct key key = {.len = 0};
	MDB_txn *txn;
	enum err err;
	int rc;

	memset(out, 0, sizeof(*out));
	key_put_place(&key, 'R', upstream, database);
	key_put_oid(&key, oid);
	if (key.is_too_long)
		return ERR_NOT_FOUND;
	rc = read_begin(s, &txn);
	if (rc != MDB_SUCCESS)
		return store_err(rc);
	err = get_relation(s, txn, &key, a, out);
	read_end(s, txn);
	return err;
}

static enum err
collect_oids(MDB_cursor *cursor, const struct key *prefix, uint32_t *oids,
    size_t max, size_t *count_out)
{
	MDB_val key = val_of(prefix->bytes, prefix->len), value;
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
	return rc == MDB_NOTFOUND ? ERR_NONE : store_err(rc);
}

enum err
store_relations_named(struct store *s, struct text upstream,
    struct text database, struct text name, uint32_t *oids, size_t max,
    size_t *count_out)
{
	struct key prefix = {.len = 0};
	MDB_cursor *cursor;
	MDB_txn *txn;
	enum err err;
	int rc;

	*count_out = 0;
	key_put_place(&prefix, 'N', upstream, database);
	key_put_name(&prefix, name);
	if (prefix.is_too_long || prefix.len > KEY_MAX - 4)
		return ERR_NONE; /* nothing can be stored under it */
	rc = read_begin(s, &txn);
	if (rc != MDB_SUCCESS)
		return store_err(rc);
	rc = mdb_cursor_open(txn, s->dbi, &cursor);
	err = store_err(rc);
	if (rc == MDB_SUCCESS) {
		err = collect_oids(cursor, &prefix, oids, max, count_out);
		mdb_cursor_close(cursor);
	}
	read_end(s, txn);
	return err;
}
