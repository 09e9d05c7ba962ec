/*
 * protection.h - which columns are protected from one identity, and how.
 *
 * A column is protected when a `protect` of the policy that is not clear for
 * the identity names it, or when its values may come from such a column:
 * through views, materialised views, inheritance and partitions, as far as
 * the catalogue in the store can follow.  What cannot be followed is an error
 * the caller must treat as "protected".
 *
 * Two doors ask two questions:
 *  - protection_touch(), before a statement is forwarded: does it reach
 *    protected columns at all, and may outputs without an origin carry them?
 *  - protection_output(), when a RowDescription arrives: how is this output
 *    column masked?
 *
 * One struct protection serves one session under one policy generation.
 */
#ifndef SALLYPORT_PROTECTION_H
#define SALLYPORT_PROTECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/detect.h"
#include "common/err.h"
#include "common/policy.h"
#include "common/store.h"

enum {
	/* Columns followed for one column, across all its relations. More:
	 * the column is protected outright (redact). */
	PROTECTION_FOLLOW_MAX = 65536,
	/* Relations of one name, over all schemas. More: taken as touched. */
	PROTECTION_SAME_NAME_MAX = 256,
	/* Bytes the session's cache of the catalogue may take. Past it the
	 * functions fail with ERR_MEMORY. */
	PROTECTION_CACHE_MAX = 64 * 1024 * 1024,
	/* Likewise while a statement's values are followed. */
	PROTECTION_FLOW_MAX = 64 * 1024 * 1024,
};

struct protection;
struct flow;
struct own_relations;

/* How one output column is to be treated. */
struct column_protection {
	enum mask mask; /* MASK_NONE: it may leave as it is */
	/* Whose mask it is, for the audit record and refusals. NULL when not
	 * protected, or protected because it exposes data or state of others
	 * (pg_stats and its like) or could not be followed. */
	const struct protect *protect;
	/* Computed from protected columns (an expression, a whole row), so
	 * the mask is MASK_REDACT or MASK_NULL whatever was asked for: `last4`
	 * of an excerpt may be the original. */
	bool is_derived;
	/* is_derived, and a protect of it says `derived: deny`. */
	bool is_denied;
};

/* What the block of a DO may do with protected values. */
enum block {
	BLOCK_FREE, /* nothing, or it is no DO */
	BLOCK_READS,
	BLOCK_STORES, /* … and writes somewhere */
	BLOCK_OPEN,   /* it may do anything */
};

/* What a statement makes that the catalogue knows only once it is
 * committed. */
enum makes {
	MAKES_NOTHING,
	/* Names, operators, casts … may mean something else from now on. */
	MAKES_MEANING,
	/* … and may run code that reads protected columns, or anything. */
	MAKES_READER,
};

/* What a statement reaches. */
struct touch {
	/* It names a relation with at least one protected column. */
	bool is_protected;
	/* It also names a protected column of that relation, or has a star, a
	 * whole row or a list of column aliases: an output without an origin
	 * may carry protected data. If this is false, such outputs (count(*),
	 * expressions over other columns) are clean. */
	bool mentions;
	/* It can reach columns without naming them: a star, a whole row, column
	 * aliases, functions written as columns. Only when is_protected, and
	 * not when flow->is_understood, which knows better. */
	bool has_other_ways;
	/* Users' code that it calls was looked up in the catalogue, and what
	 * that reads is in `is_protected` and `mentions`. If not, the next six
	 * say nothing. */
	bool is_code_known;
	/* There is users' code in the database, which operators, casts, views
	 * and the like may run without its name. */
	bool has_code;
	bool runs_code;	   /* it may call users' code that is not trusted */
	bool is_code_open; /* … that may read anything, or that is unknown */
	bool is_code_unseen;	/* … that is unknown: read the catalogue again */
	bool is_code_protected; /* … that reads protected columns */
	bool is_code_storing;	/* … and may write them somewhere */
	/* Users' code that runs with it, or that it makes, may run SQL made at
	 * run time or change a setting that nobody can tell; said of every
	 * identity, whether or not anything is protected from it. */
	bool is_code_escaping;
	/* It calls code that may read anything and write it somewhere. */
	bool is_code_dynamic;
	/* … that is not called as a function is: operators, casts, rules and
	 * so on, which struct flow does not know. */
	bool is_code_silent;
	/* The server runs more for it than its text says: the query of a view,
	 * rules, row security, triggers that may read anything or what is
	 * protected. What that code stumbles over it quotes. */
	bool runs_inner;
	bool runs_storing;  /* … and some of that writes things */
	bool is_inner_open; /* … of which some may do anything */
	/* A trigger that may read anything may change the rows it writes: all
	 * that it returns of them is masked. */
	bool fills_rows;
	enum block block;
	enum makes makes;
	/* It names a relation the catalogue does not know: ask for a fresh
	 * reading and touch again; if it stays so, be strict. `mentions` and
	 * `is_protected` do not count what is unknown. */
	bool is_unknown;
	/* It names relations that the session made itself (own.h), and others
	 * that it only names. What it creates is neither. */
	bool names_own, names_others;
	/* Where protected values get to in it; NULL: nothing is protected. */
	const struct flow *flow;
	/* How an output without an origin leaves when `mentions`: redact or
	 * null, is_derived set. mask is MASK_NONE when not is_protected. */
	struct column_protection derived;
	/* The strictest `predicates` of the protects touched. */
	enum predicates predicates;
	/* First relation that is protected, else first that is unknown: for
	 * the reason given. Borrowed from the statement; NULL: none. */
	const struct relation_use *relation;
	/* Names of the protected columns of all touched relations, each once
	 * or more, in the arena given; texts borrow from the protection until
	 * it is synced or freed. */
	struct text *columns;
	size_t column_count;
};

/* What of `policy` applies to `identity` in this database. All arguments are
 * borrowed and must outlive the result; `catalog` may be NULL when there is
 * none yet: every relation is then unknown. NULL when out of memory. The
 * caller frees with protection_free(). */
struct protection *protection_new(const struct policy *policy,
    const struct identity *identity, struct store *catalog,
    struct text upstream, struct text database);
void protection_free(struct protection *p);

/* What the session has made itself; NULL or borrowed for good. */
void protection_set_own(
    struct protection *p, const struct own_relations *own);

/* Does the catalogue have the relation of this OID? */
bool protection_knows(struct protection *p, uint32_t oid);

/* Can the name mean nothing but a temporary relation of the session's own? No,
 * when there is no catalogue. */
bool protection_is_temporary(
    struct protection *p, struct text schema, struct text name);

/* Would the new relation, or a column of it that has a name the statement
 * mentions, be protected for its name? */
bool protection_may_name(const struct protection *p,
    const struct statement *s, const struct relation_use *relation);

/* No protect applies to this identity: nothing is ever masked. */
bool protection_is_empty(const struct protection *p);

/* Tell which reading of the catalogue is current (the `done` of the wish):
 * a change empties the cache. Call before each statement; costs a compare.
 * Texts of earlier results die on a change. */
void protection_sync(struct protection *p, uint64_t reading);

/* As above, whatever the reading: after a wish was served, or when the
 * session itself changed the schema. Also attaches a catalogue that was
 * NULL (pass the same one otherwise). */
void protection_refresh(struct protection *p, struct store *catalog);

/* The strictest `predicates` of all that is protected from the identity. */
enum predicates protection_predicates(const struct protection *p);

/* How the column (table OID and attribute number of a RowDescription, both
 * non-zero; a number of 0 means the whole row) is protected.
 * ERR_NOT_FOUND: the catalogue doesn't know it: have it read again and ask
 * again, then treat as protected. On any error `out` says redact. */
enum err protection_column(struct protection *p, uint32_t oid, int number,
    struct column_protection *out) MUST_CHECK;

/* What the statement reaches. Names of CTEs count only where a relation of
 * that name exists. On any error (ERR_MEMORY, ERR_STORE) `out` says
 * protected and mentions. */
enum err protection_touch(struct protection *p, const struct statement *s,
    struct arena *a, struct touch *out) MUST_CHECK;

/* One column of a result, as the server describes it. */
struct origin {
	uint32_t relation; /* OID; 0: the server tells none */
	int number;	   /* attnum; 0: a whole row */
	size_t index;	   /* which column of the result it is, from 0 … */
	size_t count;	   /* … of how many */
};

/* Both doors together: the treatment of an output column of a statement with
 * this touch. One without an origin is clean only when no protected value can
 * get into it and nothing is unknown. Errors as protection_column(). */
enum err protection_output(struct protection *p, const struct touch *t,
    const struct origin *origin, struct column_protection *out) MUST_CHECK;

/* Detectors that apply: BIT(DETECT_…); and the masks of all DETECT_MAX (the
 * strictest asked for; MASK_NONE when one does not apply), for detect_mask().
 * They live as long as the protection. */
uint64_t protection_detectors(const struct protection *p);
const enum mask *protection_detector_masks(const struct protection *p);

#endif
