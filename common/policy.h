/*
 * policy.h - the rules of one generation, and the decision they lead to.
 *
 * A policy is immutable once loaded.  policy_decide() is the whole decision:
 * a pure function of (identity, place, statement, time), used by the worker's
 * gate, by `sallyport explain` and `test`, and by a load's examples.
 *
 * The strictest match wins: deny over approve over allow, whatever the order.
 * A rule that allows speaks for those operations it names on those relations
 * it names; a statement is allowed when every (operation, relation) of it is
 * spoken for.  Nothing speaks for it: deny.
 */
#ifndef SALLYPORT_POLICY_H
#define SALLYPORT_POLICY_H

#include <stdint.h>
#include <time.h>

#include "common/arena.h"
#include "common/classify.h"
#include "common/err.h"
#include "common/identity.h"
#include "common/mask.h"
#include "common/text.h"
#include "common/vocab.h"

struct settings;
struct store;

enum then { THEN_OBSERVE, THEN_ALLOW, THEN_APPROVE, THEN_DENY };

enum derived { DERIVED_MASK, DERIVED_DENY };
enum predicates { PREDICATES_EQUALITY, PREDICATES_ALLOW, PREDICATES_DENY };

/* 0 in any field: no such limit. */
struct limits {
	uint64_t rows;
	uint64_t seconds;
	uint64_t statements_per_minute;
	uint64_t changed_rows;
};

struct protect {
	struct text name;
	struct text *columns; /* "schema.table.column" globs, as written */
	size_t column_count;
	uint64_t detectors; /* BIT(DETECT_…) of `values` */
	enum mask mask;
	struct who *clear_for; /* any of */
	size_t clear_for_count;
	enum derived derived;
	enum predicates predicates;
};

struct label {
	struct text key, value;
};

struct place { /* `on`: where the statement would run */
	struct text upstream;
	struct text database;
	const struct label *labels; /* of the upstream */
	size_t label_count;
};

struct on { /* the rule's condition; `labels` all must hold */
	struct text *upstream, *database;
	size_t upstream_count, database_count;
	struct label *labels;
	size_t label_count;
};

struct when;	/* days, hours, zone; resolved at load (policy_when.c) */
struct pattern; /* a compiled `matches` (regex.h) */

struct rule {
	struct text name;
	struct text file; /* where it stands, for explain */
	size_t line;
	struct who who;
	struct on on;
	uint64_t does;	/* 0: any operation */
	struct text *to; /* globs "schema.table"; count 0: any */
	size_t to_count;
	uint64_t has, lacks;
	struct text matches; /* pattern text, or len 0 */
	struct pattern *pattern;
	struct when *when; /* NULL: always */
	enum then then;
	struct text say;
	struct limits limits;
	struct who *approve_by;
	size_t approve_by_count;
	unsigned approve_of;	    /* people needed, 1.. */
	unsigned approve_within_s; /* 0: the setting's default */
};

/* Where an unqualified or qualified name may lead. Returns how many
 * candidate schemas the name has (0: nobody knows it), up to `max` of them
 * stored.  `context` is the caller's: a catalogue, or nothing. */
typedef size_t (*relation_resolver)(void *context, struct text schema,
    struct text name, struct text *schemas_out, size_t max);

/* The resolver for examples and explain without a catalogue: a qualified
 * name is itself, an unqualified one is public's. */
size_t policy_resolve_public(void *context, struct text schema,
    struct text name, struct text *schemas_out, size_t max);

/* Does a `to` glob ("schema.table", or "table" in any schema) describe it?
 * Each part is a glob of its own: a `*` never matches across the dot. */
bool policy_glob_matches(
    struct text glob, struct text schema, struct text name);

struct verdict {
	enum then decision; /* allow, approve or deny; never observe */
	const struct rule *rule; /* the deciding rule; NULL: none matched */
	struct text reason;	 /* in words, for the client and the record */
	struct limits limits;	 /* the tightest of all that matched */
	const struct rule **matched; /* every match, observe too; in the arena */
	size_t matched_count;
};

struct policy {
	uint64_t generation; /* 0: not published */
	struct identities identities; /* without verifiers once published */
	struct protect *protects;
	size_t protect_count;
	struct rule *rules;
	size_t rule_count;
	struct classifier *classifiers[DIALECT_MAX]; /* NULL: not loaded */
	/* what the classifiers were made from, for publishing */
	struct text classes_yaml[DIALECT_MAX], functions_yaml[DIALECT_MAX];
	size_t example_count;
};

/* Judge one statement. `now` is wall-clock time (for `when`). Everything in
 * `out` lives in the arena or the policy. An error is a deny: ERR_REGEX,
 * ERR_MEMORY; out->decision is THEN_DENY then too, with a reason. */
enum err policy_decide(const struct policy *p, const struct identity *id,
    const struct place *place, const struct statement *s, time_t now,
    relation_resolver resolve, void *context, struct arena *a,
    struct verdict *out) MUST_CHECK;

/* The rules that may match one identity at one place, by the operations they
 * speak of: made once a session, so that its decisions look at no others. */
struct docket;

/* All arguments are borrowed and must outlive the result. NULL: out of memory.
 * The caller frees with docket_free() (NULL is fine). */
struct docket *docket_new(const struct policy *p, const struct identity *id,
    const struct place *place);
void docket_free(struct docket *d);

/* Is every known statement with the trait escaping-function allowed, whatever
 * else it is, as far as its functions go? Nobody need find out then which
 * statements have it. */
bool docket_frees_escaping(const struct docket *d);

/* As policy_decide() with what the docket was made of: the same verdict. */
enum err docket_decide(const struct docket *d, const struct statement *s,
    time_t now, relation_resolver resolve, void *context, struct arena *a,
    struct verdict *out) MUST_CHECK;

/* The stricter of two verdicts (limits: the tightest of both; rule, reason
 * and matches: those of the stricter). */
void verdict_tighten(struct verdict *v, const struct verdict *other);

/* A whole text judged without a session or a catalogue, as examples, explain
 * and test do: public for unqualified names, default lexing, and the traits
 * `protected` and `copies-protected` as far as the policy's own column names
 * tell.  ERR_NONE also for a text the classifier refuses: the verdict is then
 * a deny that says so.  On an error the verdict is a deny, too. */
struct judgement {
	struct classified classified; /* none when the text was refused */
	struct verdict *verdicts; /* one a statement */
	struct verdict verdict;	  /* the strictest of them; no statement at
				   * all is allowed */
};
enum err policy_judge(const struct policy *p, const struct identity *id,
    const struct place *place, struct text sql, time_t now, struct arena *a,
    struct judgement *out) MUST_CHECK;

/* Encode to the published form / decode and compile it. The form is
 * versioned (POLICY_FORMAT); another version's gives ERR_VERSION, damage
 * ERR_MALFORMED. Decoded texts point into the arena. */
enum { POLICY_FORMAT = 2 };
enum err policy_encode(const struct policy *p, struct arena *a,
    struct text *out) MUST_CHECK;
enum err policy_decode(struct text form, struct arena *a,
    struct policy *out) MUST_CHECK;

/* Compile what a policy holds as text: each rule's `matches`, the class rules
 * of each dialect. `folder` is named in messages. ERR_INVALID with a message
 * in the arena; policy_close() is then still due. */
enum err policy_compile(struct policy *p, const char *folder, struct arena *a,
    const char **message_out) MUST_CHECK;

/* Free what is not in the arena (compiled patterns, classifiers). Due after
 * a load or a decode that succeeded; harmless on a zeroed policy and twice. */
void policy_close(struct policy *p);

/* The name of a dialect's files: "postgres"; static. */
const char *policy_dialect_name(enum dialect d);

#endif
