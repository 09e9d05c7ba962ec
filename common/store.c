/*
 * store.c - opening the store, and the policy in it.
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
 *   R, N, T                 the catalogue (store_catalog.c)
 *   C, H                    code in it (store_code.c)
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/store_inner.h"

/* Address space, not memory or disk. */
static const size_t map_size = (size_t)1 << 30;

enum err
store_error(int rc)
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

MDB_val
store_val(const void *at, size_t len)
{
	union { /* LMDB does not write through it, but does not say so */
		const void *in;
		void *out;
	} pointer = {.in = at};

	return (MDB_val){len, pointer.out};
}

/* --- opening ------------------------------------------------------------- */

static int
read_format(MDB_txn *txn, MDB_dbi dbi, uint64_t *out)
{
	MDB_val key = store_val("F", 1), value;
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
	MDB_val key = store_val("F", 1), value;
	uint64_t format;
	int rc;

	rc = mdb_dbi_open(txn, NULL, 0, &s->dbi);
	if (rc == MDB_SUCCESS)
		rc = read_format(txn, s->dbi, &format);
	if (rc != MDB_SUCCESS || format == STORE_FORMAT)
		return rc;
	rc = mdb_drop(txn, s->dbi, 0);
	format = STORE_FORMAT;
	value = store_val(&format, sizeof(format));
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

/* Nothing is in it, not even its format: it is being made at this moment. */
static bool
is_unborn(struct store *s)
{
	MDB_stat stat;

	return mdb_stat(s->read, s->dbi, &stat) == MDB_SUCCESS &&
	    stat.ms_entries == 0;
}

/* The transaction stays, so that a reader needs no file later. */
static int
prepare_read(struct store *s)
{
	uint64_t format = 0;
	int rc = mdb_txn_begin(s->env, NULL, MDB_RDONLY, &s->read);

	if (rc == MDB_SUCCESS)
		rc = mdb_dbi_open(s->read, NULL, 0, &s->dbi);
	if (rc == MDB_SUCCESS)
		rc = read_format(s->read, s->dbi, &format);
	if (rc == MDB_SUCCESS && format != STORE_FORMAT)
		rc = is_unborn(s) ? ENOENT : MDB_VERSION_MISMATCH;
	if (rc == MDB_SUCCESS)
		mdb_txn_reset(s->read);
	return rc;
}

/* Readers have nothing of LMDB's lock file: it holds mutexes and what others
 * believe, every reader could write to it, and a worker that is taken over
 * would have master's and everybody's reading in its hand. */
static int
open_env(struct store *s, const char *folder)
{
	unsigned flags = s->mode == STORE_READ
			     ? MDB_NOTLS | MDB_RDONLY | MDB_NOLOCK
			     : MDB_NOTLS;
	int rc = mdb_env_create(&s->env);

	if (rc == MDB_SUCCESS)
		rc = mdb_env_set_mapsize(s->env, map_size);
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
		return store_error(rc);
	/* Not even LMDB of this version can read it: make it anew. */
	close_env(s);
	remove_file(folder, "data.mdb");
	remove_file(folder, "lock.mdb");
	return store_error(open_env(s, folder));
}

/* Its writer has made the file and had written nothing to it. */
static bool
is_file_empty(const char *folder)
{
	char path[4096];
	struct stat status;
	int len = snprintf(path, sizeof(path), "%s/data.mdb", folder);

	return len > 0 && (size_t)len < sizeof(path) &&
	    stat(path, &status) == 0 && status.st_size == 0;
}

static int
open_to_read(struct store *s, const char *folder)
{
	int rc = open_env(s, folder);

	if (rc == MDB_SUCCESS || is_file_empty(folder))
		return rc == MDB_SUCCESS ? rc : ENOENT;
	/* it may have been empty until just now */
	close_env(s);
	return open_env(s, folder);
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
		err = store_error(open_to_read(s, folder));
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

/* A writer has no standing snapshot and makes its own. */
int
store_read_begin(struct store *s, MDB_txn **out)
{
	*out = s->read;
	if (s->mode == STORE_READ)
		return mdb_txn_renew(s->read);
	return mdb_txn_begin(s->env, NULL, MDB_RDONLY, out);
}

/* Writers know of no readers: what a transaction N shows may be written over
 * by N+3, whose pages may come before its commit is seen. */
static bool
has_held_still(struct store *s, MDB_txn *txn)
{
	MDB_envinfo info;

	return mdb_env_info(s->env, &info) == MDB_SUCCESS &&
	       info.me_last_txnid <= mdb_txn_id(txn) + 1;
}

enum err
store_read_end(struct store *s, MDB_txn *txn, enum err e)
{
	if (s->mode == STORE_READ && !has_held_still(s, txn))
		e = ERR_INTERRUPTED;
	if (s->mode == STORE_READ)
		mdb_txn_reset(txn);
	else
		mdb_txn_abort(txn);
	return e;
}

/* --- the policy ---------------------------------------------------------- */

static int
read_generation(MDB_txn *txn, MDB_dbi dbi, uint64_t *out)
{
	MDB_val key = store_val("G", 1), value;
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
	MDB_val key = store_val("P", 1), value = store_val(form.at, form.len);
	uint64_t generation;
	int rc = read_generation(txn, s->dbi, &generation);

	if (rc != MDB_SUCCESS && rc != MDB_NOTFOUND)
		return rc;
	generation++;
	*generation_out = generation;
	rc = mdb_put(txn, s->dbi, &key, &value, 0);
	if (rc != MDB_SUCCESS)
		return rc;
	key = store_val("G", 1);
	value = store_val(&generation, sizeof(generation));
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
		return store_error(rc);
	rc = put_policy(s, txn, form, generation_out);
	if (rc == MDB_SUCCESS)
		return store_error(mdb_txn_commit(txn));
	mdb_txn_abort(txn);
	return store_error(rc);
}

static enum err
get_policy(struct store *s, MDB_txn *txn, struct arena *a,
    struct text *form_out, uint64_t *generation_out)
{
	MDB_val key = store_val("P", 1), value;
	int rc = read_generation(txn, s->dbi, generation_out);

	if (rc == MDB_SUCCESS)
		rc = mdb_get(txn, s->dbi, &key, &value);
	if (rc != MDB_SUCCESS)
		return store_error(rc);
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
	int rc;

	do {
		rc = store_read_begin(s, &txn);
		if (rc != MDB_SUCCESS)
			return store_error(rc);
		err = get_policy(s, txn, a, form_out, generation_out);
		err = store_read_end(s, txn, err);
	} while (err == ERR_INTERRUPTED);
	return err;
}
