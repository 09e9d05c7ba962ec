/*
 * protection_inner.h - what the protection*.c files share; nobody else
 * includes it.
 */
#ifndef SALLYPORT_PROTECTION_INNER_H
#define SALLYPORT_PROTECTION_INNER_H

#include "common/code_body.h"
#include "common/flow.h"
#include "common/protection.h"

enum {
	PROTECTION_BUCKETS = 512, /* power of two */
	/* Names remembered with the relations they have, be there none: a
	 * client may think of any number. */
	PROTECTION_NAMES_MAX = 4096,
};

/* One entry of a protect's `columns`, split at its dots. */
struct protection_pattern {
	struct text schema, table, column; /* globs; "*" where not given */
	const struct protect *protect;
};

/* What is known of one column. */
struct column_state {
	bool is_resolved; /* `found` is the answer */
	struct column_protection found;
	enum predicates predicates; /* the strictest, when protected */
	/* The last walk that came here, plainly and by way of derivation:
	 * a walk never goes the same way twice, so cycles end. */
	uint64_t walk_plain, walk_derived;
};

/* A relation of the catalogue, kept until the next reading. */
struct known_relation {
	struct known_relation *next; /* in its bucket */
	struct relation relation;
	struct column_state *columns; /* relation.column_count of them */
};

/* The relations of one name, kept as long. */
struct known_name {
	struct known_name *next; /* in its bucket */
	uint64_t hash;
	struct text name;
	uint32_t *oids;
	size_t count;
};

/* Users' code, kept as long. */
struct known_code {
	struct known_code *next; /* in its bucket */
	struct code code;
};

struct walk_step {
	struct known_relation *relation;
	size_t column;
	bool is_derived;
};

struct protection {
	const struct policy *policy;
	const struct identity *identity;
	struct store *catalog;
	const struct own_relations *own; /* NULL: nobody keeps them */
	struct text upstream, database;
	bool is_empty;
	struct protection_pattern *patterns; /* malloc'ed */
	size_t pattern_count;
	uint64_t detectors;
	enum mask detector_masks[DETECT_MAX];
	uint64_t reading; /* of the catalogue that the cache holds */
	struct arena *cache;
	struct arena *scratch; /* for one statement's flow */
	/* In the cache; NULL: empty. */
	struct known_relation **buckets;
	struct known_name **names;
	size_t name_count;
	struct known_code **codes;
	/* Hashes of all users' code, in the cache, and a set in which each has
	 * a bit: most names are nobody's code. */
	uint64_t *code, *code_bits;
	size_t code_count, code_bits_mask;
	bool is_code_loaded, is_code_missing;
	uint64_t walks; /* made so far */
	struct walk_step *steps; /* still to do; malloc'ed */
	size_t step_count, step_room;
};

/* The relation of this OID, out of the cache or the store. */
enum err protection_known(struct protection *p, uint32_t oid,
    struct known_relation **out) MUST_CHECK;

/* Resolve column `i` (attnum - 1) of it; r->columns[i] then has the answer. */
enum err protection_resolve(struct protection *p, struct known_relation *r,
    size_t i) MUST_CHECK;

/* Does the relation expose other people's data or queries: statistics,
 * large objects, statement texts? All its columns, or the one in `column`. */
bool protection_is_exposing(
    struct text schema, struct text name, struct text column);

/* Is this the column that holds the bounds of partitions? */
bool protection_is_bounds(const struct known_relation *r, size_t i);

/* The relations of that name in any schema, as store_relations_named(). */
enum err protection_named(struct protection *p, struct text name,
    uint32_t *oids, size_t max, size_t *count_out) MUST_CHECK;

/* May the session have relations of its own that hide others of their name? */
bool protection_may_hide(const struct protection *p);

/* Has the session made a relation that this may mean? */
bool protection_owns(
    const struct protection *p, struct text schema, struct text name);

/* May the schema that a name was given (len 0: none) be this one? */
bool protection_may_be_schema(struct text named, struct text actual);

/* Where the values of protected columns get to in the statement. ERR_MEMORY,
 * ERR_STORE and the like; out->is_understood is false then, too. */
enum err protection_flow(struct protection *p, const struct statement *s,
    struct arena *a, struct flow *out) MUST_CHECK;

/* Does it call a function whose result shows what a protected column of the
 * system holds, without naming that column? */
bool protection_calls_exposing(
    struct protection *p, const struct statement *s);
/* Is the function of that name one? */
bool protection_function_exposes(struct protection *p, struct text function);

/* Take one more reason into account. `protect` NULL: an exposing relation. */
void protection_add(struct column_protection *to, const struct protect *protect,
    bool is_derived);

enum predicates predicates_stricter(enum predicates a, enum predicates b);

/* What users' code that the statement calls may read, added to the touch. On
 * any error is_code_known is false: be strict. */
enum err protection_code(struct protection *p, const struct statement *s,
    struct touch *out) MUST_CHECK;

/* What the block of a DO reads, and what a CREATE or ALTER makes, noted in the
 * touch. Whatever goes wrong, the touch says the worst. */
void protection_brought(struct protection *p, const struct statement *s,
    struct touch *out);

/* Does the statement make code, or bring along a block, that may do what
 * nobody can tell? Noted in the touch; whatever goes wrong, it does. */
void protection_escape(struct protection *p, const struct statement *s,
    struct touch *out);

/* Is the statement's i-th token this unquoted word, or one of these (the last
 * is followed by NULL)? */
bool statement_says(const struct statement *s, size_t i, const char *word);
bool statement_says_any(
    const struct statement *s, size_t i, const char *const *words);

/* Read the code that a statement brings along: all that is not in strings, but
 * for DO, and all strings. In a language that cannot be read it is opaque and
 * escapes. ERR_MEMORY and the listener's errors. */
enum err statement_read_code(const struct statement *s, struct arena *a,
    const struct code_listener *listener, struct code_facts *facts_out)
    MUST_CHECK;

/* The code of that kind and name, until the next reading. ERR_NOT_FOUND: there
 * is none, or no catalogue. */
enum err protection_code_named(struct protection *p, enum code_kind kind,
    struct text name, const struct code **out) MUST_CHECK;

/* The columns that a source names: from *first_out to before *end_out of the
 * relation. ERR_NOT_FOUND: there are none such. */
enum err protection_source(struct protection *p,
    const struct column_source *source, struct known_relation **out,
    size_t *first_out, size_t *end_out) MUST_CHECK;

/* Add what that code reads to the touch. */
enum err protection_code_reads(struct protection *p, const struct code *c,
    struct touch *out) MUST_CHECK;

/* Protected, though nobody knows by what. */
extern const struct column_protection protection_strict;

/* Can the statement reach columns without naming them: column aliases,
 * TABLE, functions written as columns (c.to_jsonb)? `is_column` says whether
 * a name is a column of a relation the statement names, or a relation. */
bool protection_is_evasive(const struct statement *s,
    bool (*is_column)(void *context, struct text name), void *context);

#endif
