/*
 * store_inner.h - LMDB, for store.c and store_catalog.c and nobody else.
 */
#ifndef SALLYPORT_STORE_INNER_H
#define SALLYPORT_STORE_INNER_H

#include <lmdb.h>

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

/* What LMDB's result means to us; errno is set where it was one. */
enum err store_error(int rc) MUST_CHECK;

/* Borrows. */
MDB_val store_val(const void *at, size_t len);

/* A snapshot to read from, and done with it. MDB_SUCCESS or LMDB's error. */
int store_read_begin(struct store *s, MDB_txn **out);
void store_read_end(struct store *s, MDB_txn *txn);

#endif
