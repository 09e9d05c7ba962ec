/*
 * store_inner.h - LMDB, for the store*.c files and nobody else.
 */
#ifndef SALLYPORT_STORE_INNER_H
#define SALLYPORT_STORE_INNER_H

#include <lmdb.h>

#include "common/codec.h"
#include "common/store.h"

enum { KEY_MAX = 511 }; /* LMDB's own */

struct store {
	MDB_env *env;
	MDB_dbi dbi;
	enum store_mode mode;
	MDB_txn *read;	/* a reader's one transaction, reset between uses */
	MDB_txn *write; /* of a catalogue rewrite under way */
	char prefix[KEY_MAX]; /* of that rewrite: upstream and database */
	size_t prefix_len;
};

/* A key under way; what does not fit is remembered and refused by put. */
struct store_key {
	unsigned char bytes[KEY_MAX];
	size_t len;
	bool is_too_long;
};

void store_key_put(struct store_key *k, const void *bytes, size_t len);
void store_key_name(struct store_key *k, struct text name);
/* A key's beginning: its kind's letter, then whose database it is of. */
void store_key_place(struct store_key *k, char kind, struct text upstream,
    struct text database);

/* A struct of that shape into the rewrite under way, and out of the store
 * (zeroed when it is not there: ERR_NOT_FOUND). */
enum err store_put(struct store *s, const struct store_key *k,
    const struct shape *shape, const void *item) MUST_CHECK;
enum err store_get(struct store *s, const struct store_key *key,
    const struct shape *shape, struct arena *a, void *out) MUST_CHECK;

extern const struct shape store_source_shape; /* of struct column_source */

/* What LMDB's result means to us; errno is set where it was one. */
enum err store_error(int rc) MUST_CHECK;

/* Borrows. */
MDB_val store_val(const void *at, size_t len);

/* A snapshot to read from; MDB_SUCCESS or LMDB's error. Done with it: what
 * was read must have been copied by then. ERR_INTERRUPTED instead of `e` when
 * the snapshot did not hold still: read again. */
int store_read_begin(struct store *s, MDB_txn **out);
enum err store_read_end(
    struct store *s, MDB_txn *txn, enum err e) MUST_CHECK;

#endif
