/*
 * store.h - the LMDB environments under `state`.
 *
 * state/policy holds the published policy, written by the publisher alone in
 * one transaction; state/catalog holds what catalog processes read from the
 * upstreams.  Readers map them read-only and have nothing of LMDB's lock file,
 * so that none of them can change what others read; what they read is copied
 * and checked to have held still.  An MDB_env never crosses a fork():
 * each process opens its own.  The only file that includes lmdb.h is
 * store_inner.h.
 */
#ifndef SALLYPORT_STORE_H
#define SALLYPORT_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/err.h"
#include "common/text.h"

enum { STORE_FORMAT = 6, STORE_NAME_MAX = 400 };

struct store;

enum store_mode { STORE_READ, STORE_WRITE };

/* Open state/policy or state/catalog (`folder`), creating folder and files
 * when writing (mode 0700/0600).  A store written by another version is
 * emptied when opened to write and ERR_VERSION when opened to read.
 * ERR_NOT_FOUND: opened to read and not there, or being made just now. */
enum err store_open(const char *folder, enum store_mode mode,
    struct store **out) MUST_CHECK;
void store_close(struct store *s);

/* Replace the policy: one transaction, generation = last + 1. */
enum err store_publish(struct store *s, struct text form,
    uint64_t *generation_out) MUST_CHECK;

/* The published form, copied into the arena, and its generation.
 * ERR_NOT_FOUND when nothing was published. */
enum err store_read_policy(struct store *s, struct arena *a,
    struct text *form_out, uint64_t *generation_out) MUST_CHECK;

/* One relation of an upstream's database, as the catalogue process found it.
 * Texts borrow: from the caller on writing, from the arena on reading. */
struct column {
	struct text name; /* len 0: dropped column */
	uint32_t type;	  /* OID */
	/* Where its values may come from, in other relations: a view's output
	 * columns, a child's inherited ones. 0 sources: its own. */
	struct column_source *sources;
	size_t source_count;
	bool is_generated; /* COPY leaves it out */
	bool is_key; /* the primary key, alone, of all its rows */
};
struct column_source {
	uint32_t relation; /* OID; 0: it cannot be told (opaque function) */
	uint16_t number;   /* attnum; 0: any column of it (derived) */
};
/* Or'ed into `number` (attnums end at 1600): the value is computed from that
 * column, it is not that column's value itself. */
enum { COLUMN_SOURCE_DERIVED = 0x8000 };
/* `kind` of a table with rules or row security. */
enum { RELATION_WITH_CODE = 'x' };
struct relation {
	uint32_t oid;
	struct text schema, name;
	char kind; /* pg_class.relkind, or RELATION_WITH_CODE */
	struct column *columns; /* by attnum - 1 */
	size_t column_count;
};

/* A type that is not built in, as far as masks must know it. */
enum type_kind {
	TYPE_KIND_ALIKE,      /* spelled as its one part: domains, citext */
	TYPE_KIND_ARRAY,      /* of its one part */
	TYPE_KIND_ROW,	      /* of its parts: columns that are not dropped */
	TYPE_KIND_RANGE,      /* of its one part */
	TYPE_KIND_MULTIRANGE, /* its one part is the range type */
	TYPE_KIND_MAX
};
struct type {
	uint32_t oid;
	enum type_kind kind;
	char delimiter; /* of a list of its elements: arrays */
	struct type_part *parts;
	size_t part_count;
};
struct type_part {
	uint32_t type; /* OID */
};

/* Code that users of a database brought into it. All code of one kind and
 * name is one, whatever its schema and arguments: which of them a statement
 * means hangs on its search path and on the types of its arguments. */
enum code_kind {
	CODE_FUNCTION, /* procedures and aggregates, too */
	CODE_OPERATOR,
	CODE_TYPE,     /* of users: its checks and casts */
	CODE_CAST,     /* to a built-in type of that name */
	CODE_RELATION, /* rules of a relation that is written */
	CODE_ALWAYS,   /* casts that no statement spells out; name: "" */
	/* What runs when a relation is written, there or where that leads:
	 * triggers, checks, defaults, expressions of indexes; and triggers
	 * that may put other values in the place of those written. */
	CODE_TRIGGER,
	CODE_ROWS,
	CODE_SECURITY, /* … when it is read or written: row security */
	/* Likewise, but told of only where it escapes: what runs with the
	 * query of a view or a policy, and with what is written. */
	CODE_READING,
	CODE_WRITING,
	CODE_KIND_MAX
};
struct code {
	enum code_kind kind;
	struct text name;
	/* All of it is of extensions whose code reads its arguments and
	 * nothing else. */
	bool is_trusted;
	/* It may be what is meant where built-in code of its name seems to be:
	 * it is not only for types of the users' own. */
	bool is_disguise;
	bool is_in_system; /* some of it is in the schema pg_catalog */
	bool is_opaque; /* it may read anything: dynamic SQL, C … */
	bool stores;	/* it may write what it reads somewhere */
	/* It may run SQL made at run time, change a setting whose name is not
	 * told, or is not there to be read. */
	bool escapes;
	/* What it may read, by itself or through what it calls. */
	struct column_source *sources;
	size_t source_count;
};

/* Start a rewrite of one database's catalogue; add relations and types; commit
 * swaps it in at once. Abort with store_catalog_abort(). */
enum err store_catalog_begin(struct store *s, struct text upstream,
    struct text database) MUST_CHECK;
enum err store_catalog_add(struct store *s,
    const struct relation *r) MUST_CHECK;
enum err store_catalog_add_type(struct store *s,
    const struct type *t) MUST_CHECK;
enum err store_catalog_add_code(struct store *s,
    const struct code *c) MUST_CHECK;
/* code_hash() of all code added, ascending; always the last thing added. */
enum err store_catalog_add_code_names(struct store *s, const uint64_t *hashes,
    size_t count) MUST_CHECK;
enum err store_catalog_commit(struct store *s) MUST_CHECK;
void store_catalog_abort(struct store *s);

/* Look a relation up by OID. ERR_NOT_FOUND: the catalogue doesn't know it. */
enum err store_relation(struct store *s, struct text upstream,
    struct text database, uint32_t oid, struct arena *a,
    struct relation *out) MUST_CHECK;

/* Look a type up by OID. ERR_NOT_FOUND: as above, or nothing is known of how
 * its values are spelled (enums, most extensions' types). */
enum err store_type(struct store *s, struct text upstream,
    struct text database, uint32_t oid, struct arena *a,
    struct type *out) MUST_CHECK;

/* OIDs of all relations of that name, in any schema; count_out <= max.
 * More than max: ERR_TOO_LONG (the caller must be strict). */
enum err store_relations_named(struct store *s, struct text upstream,
    struct text database, struct text name, uint32_t *oids, size_t max,
    size_t *count_out) MUST_CHECK;

/* What is known of the code of that kind and name. ERR_NOT_FOUND: none is. */
enum err store_code_named(struct store *s, struct text upstream,
    struct text database, enum code_kind kind, struct text name,
    struct arena *a, struct code *out) MUST_CHECK;

/* The hashes of all code there is, to ask for none that is not.
 * ERR_NOT_FOUND: the database's catalogue was never read. */
enum err store_code_names(struct store *s, struct text upstream,
    struct text database, struct arena *a, uint64_t **hashes_out,
    size_t *count_out) MUST_CHECK;

static inline uint64_t
code_hash(enum code_kind kind, struct text name)
{
	return text_hash(name) * CODE_KIND_MAX + (uint64_t)kind;
}

#endif
