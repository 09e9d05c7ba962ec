/*
 * vocab.h - the words of policy: operations, groups of operations, traits,
 * masks, detectors.  One table each; everything that names one uses it.
 */
#ifndef SALLYPORT_VOCAB_H
#define SALLYPORT_VOCAB_H

#include <stdbool.h>
#include <stdint.h>

#include "common/text.h"

/* What a statement can do. A statement has all that it can do. */
#define OPERATIONS(X)                                                          \
	X(OP_UNKNOWN, "unknown")                                               \
	X(OP_SELECT, "select")                                                 \
	X(OP_SHOW, "show")                                                     \
	X(OP_EXPLAIN, "explain")                                               \
	X(OP_DECLARE, "declare")                                               \
	X(OP_FETCH, "fetch")                                                   \
	X(OP_MOVE, "move")                                                     \
	X(OP_CLOSE, "close")                                                   \
	X(OP_COPY_OUT, "copy-out")                                             \
	X(OP_INSERT, "insert")                                                 \
	X(OP_UPDATE, "update")                                                 \
	X(OP_DELETE, "delete")                                                 \
	X(OP_MERGE, "merge")                                                   \
	X(OP_TRUNCATE, "truncate")                                             \
	X(OP_COPY_IN, "copy-in")                                               \
	X(OP_CALL, "call")                                                     \
	X(OP_DO, "do")                                                         \
	X(OP_LOCK, "lock")                                                     \
	X(OP_CREATE, "create")                                                 \
	X(OP_ALTER, "alter")                                                   \
	X(OP_DROP, "drop")                                                     \
	X(OP_COMMENT, "comment")                                               \
	X(OP_SECURITY_LABEL, "security-label")                                 \
	X(OP_IMPORT_SCHEMA, "import-schema")                                   \
	X(OP_REFRESH, "refresh")                                               \
	X(OP_REINDEX, "reindex")                                               \
	X(OP_CLUSTER, "cluster")                                               \
	X(OP_GRANT, "grant")                                                   \
	X(OP_REVOKE, "revoke")                                                 \
	X(OP_SET_ROLE, "set-role")                                             \
	X(OP_REASSIGN, "reassign")                                             \
	X(OP_ROLE, "role") /* create, alter, drop role/user/group */           \
	X(OP_COPY_FILE, "copy-file")                                           \
	X(OP_COPY_PROGRAM, "copy-program")                                     \
	X(OP_LOAD, "load")                                                     \
	X(OP_SET, "set")                                                       \
	X(OP_RESET, "reset")                                                   \
	X(OP_DISCARD, "discard")                                               \
	X(OP_PREPARE, "prepare")                                               \
	X(OP_EXECUTE, "execute")                                               \
	X(OP_DEALLOCATE, "deallocate")                                         \
	X(OP_LISTEN, "listen")                                                 \
	X(OP_UNLISTEN, "unlisten")                                             \
	X(OP_NOTIFY, "notify")                                                 \
	X(OP_BEGIN, "begin")                                                   \
	X(OP_COMMIT, "commit")                                                 \
	X(OP_ROLLBACK, "rollback")                                             \
	X(OP_SAVEPOINT, "savepoint")                                           \
	X(OP_RELEASE, "release")                                               \
	X(OP_SET_TRANSACTION, "set-transaction")                               \
	X(OP_PREPARE_TRANSACTION, "prepare-transaction")                       \
	X(OP_VACUUM, "vacuum")                                                 \
	X(OP_ANALYZE, "analyze")                                               \
	X(OP_CHECKPOINT, "checkpoint")                                         \
	X(OP_ALTER_SYSTEM, "alter-system")                                     \
	X(OP_REPLICATION, "replication")                                       \
	X(OP_FUNCTION_CALL, "function-call") /* the protocol's fast path */

enum operation {
#define X(id, name) id,
	OPERATIONS(X)
#undef X
	    OP_MAX
};

/* Facts about a statement that rules may ask for with has/lacks. */
#define TRAITS(X)                                                              \
	/* every update and delete in it has a WHERE (absent otherwise; a      \
	 * statement without update or delete has it if any WHERE is there;    \
	 * DO UPDATE of an INSERT of VALUES has it: the values name the rows) */\
	X(TRAIT_WHERE, "where")                                                \
	X(TRAIT_LIMIT, "limit")	    /* outermost LIMIT or FETCH FIRST */       \
	X(TRAIT_STAR, "star")	    /* a `*` that is not count(*) or a*b */    \
	X(TRAIT_WHOLE_ROW, "whole-row") /* a relation or alias used as value */\
	X(TRAIT_MULTI, "multi")	    /* several statements in one message */    \
	X(TRAIT_RETURNING, "returning")                                        \
	X(TRAIT_OPAQUE_FUNCTION, "opaque-function")                            \
	X(TRAIT_UNKNOWN_FUNCTION, "unknown-function")                          \
	/* opaque, and it runs SQL given as text or reaches other sessions,    \
	 * files, servers, settings: refused unless an allowing rule has it */ \
	X(TRAIT_ESCAPING_FUNCTION, "escaping-function")                        \
	X(TRAIT_COPIES_PROTECTED, "copies-protected")                          \
	X(TRAIT_PROTECTED, "protected") /* touches a protected relation */     \
	X(TRAIT_FOR_UPDATE, "for-update")                                      \
	X(TRAIT_CASCADE, "cascade")                                            \
	X(TRAIT_TEMPORARY, "temporary")

enum trait {
#define X(id, name) id,
	TRAITS(X)
#undef X
	    TRAIT_MAX
};

#define BIT(n) ((uint64_t)1 << (n))
_Static_assert(OP_MAX <= 64, "operations fit a 64-bit set");

const char *operation_name(enum operation op);
const char *trait_name(enum trait t);

/* The set of operations a policy word stands for: one operation or a group
 * (read, write, ddl, privilege, file, session, transaction, admin, any).
 * 0 when there is no such word. */
uint64_t operation_set(struct text word);

/* The trait's bit; 0 when there is no such word. */
uint64_t trait_bit(struct text word);

/* For suggestions: every word operation_set() / trait_bit() knows. */
const char *const *operation_words(size_t *count_out);
const char *const *trait_words(size_t *count_out);

/* The operations that only read, and those that write the relations they
 * name as targets. */
uint64_t operations_reading(void);
uint64_t operations_writing(void);

/* When a function can neither fail nor return several rows. */
enum total {
	TOTAL_NEVER,
	TOTAL_ALWAYS, /* whatever its arguments are */
	TOTAL_FIRST,  /* only the first may depend on a protected value */
	TOTAL_LAST,   /* only the last */
	TOTAL_PLAIN,  /* where what depends on one is no row and was not
		       * chosen by the statement */
};

#endif
