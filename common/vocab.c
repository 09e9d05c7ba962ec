/*
 * vocab.c - the words of policy, one table each.
 *
 * The one rule: every operation is in exactly one group, and none of them is
 * in a group weaker than what it can do.  CALL, DO and a fast-path function
 * call run code whose deeds nobody sees, so they stand with admin: a rule
 * that allows `write` must not let them through.
 */
#include "common/vocab.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const char *const operation_names[] = {
#define X(id, name) [id] = name,
    OPERATIONS(X)
#undef X
};

static const char *const trait_names[] = {
#define X(id, name) [id] = name,
    TRAITS(X)
#undef X
};

#define READ                                                                   \
	(BIT(OP_SELECT) | BIT(OP_SHOW) | BIT(OP_EXPLAIN) | BIT(OP_DECLARE) |   \
	    BIT(OP_FETCH) | BIT(OP_MOVE) | BIT(OP_CLOSE) | BIT(OP_COPY_OUT))
#define WRITE                                                                  \
	(BIT(OP_INSERT) | BIT(OP_UPDATE) | BIT(OP_DELETE) | BIT(OP_MERGE) |    \
	    BIT(OP_TRUNCATE) | BIT(OP_COPY_IN))
#define DDL                                                                    \
	(BIT(OP_CREATE) | BIT(OP_ALTER) | BIT(OP_DROP) | BIT(OP_COMMENT) |     \
	    BIT(OP_IMPORT_SCHEMA) | BIT(OP_REFRESH) | BIT(OP_REINDEX) |        \
	    BIT(OP_CLUSTER))
#define PRIVILEGE                                                              \
	(BIT(OP_GRANT) | BIT(OP_REVOKE) | BIT(OP_SET_ROLE) |                   \
	    BIT(OP_REASSIGN) | BIT(OP_ROLE) | BIT(OP_SECURITY_LABEL))
#define FILES (BIT(OP_COPY_FILE) | BIT(OP_COPY_PROGRAM) | BIT(OP_LOAD))
#define SESSION                                                                \
	(BIT(OP_SET) | BIT(OP_RESET) | BIT(OP_DISCARD) | BIT(OP_PREPARE) |     \
	    BIT(OP_EXECUTE) | BIT(OP_DEALLOCATE) | BIT(OP_LISTEN) |            \
	    BIT(OP_UNLISTEN) | BIT(OP_NOTIFY))
#define TRANSACTION                                                            \
	(BIT(OP_BEGIN) | BIT(OP_COMMIT) | BIT(OP_ROLLBACK) |                   \
	    BIT(OP_SAVEPOINT) | BIT(OP_RELEASE) | BIT(OP_SET_TRANSACTION) |    \
	    BIT(OP_PREPARE_TRANSACTION) | BIT(OP_LOCK))
#define ADMIN                                                                  \
	(BIT(OP_VACUUM) | BIT(OP_ANALYZE) | BIT(OP_CHECKPOINT) |               \
	    BIT(OP_ALTER_SYSTEM) | BIT(OP_REPLICATION) |                       \
	    BIT(OP_FUNCTION_CALL) | BIT(OP_CALL) | BIT(OP_DO))
#define ANY                                                                    \
	(READ | WRITE | DDL | PRIVILEGE | FILES | SESSION | TRANSACTION | ADMIN)

_Static_assert(ANY == (BIT(OP_MAX) - 1 - BIT(OP_UNKNOWN)),
    "every operation but unknown is in a group");

static const struct group {
	const char *name;
	uint64_t operations;
} groups[] = {
    {"read", READ},
    {"write", WRITE},
    {"ddl", DDL},
    {"privilege", PRIVILEGE},
    {"file", FILES},
    {"session", SESSION},
    {"transaction", TRANSACTION},
    {"admin", ADMIN},
    {"any", ANY},
};

static const char *const words[] = {
#define X(id, name) name,
    OPERATIONS(X)
#undef X
    "read", "write", "ddl", "privilege", "file", "session", "transaction",
    "admin", "any",
};

_Static_assert(COUNT(words) == COUNT(groups) + OP_MAX, "a word a group");

const char *
operation_name(enum operation op)
{
	return (unsigned)op < OP_MAX ? operation_names[op] : "unknown";
}

const char *
trait_name(enum trait t)
{
	return (unsigned)t < TRAIT_MAX ? trait_names[t] : "unknown";
}

uint64_t
operation_set(struct text word)
{
	size_t i;

	for (i = 0; i < OP_MAX; i++) {
		if (text_is(word, text_of(operation_names[i])))
			return BIT(i);
	}
	for (i = 0; i < COUNT(groups); i++) {
		if (text_is(word, text_of(groups[i].name)))
			return groups[i].operations;
	}
	return 0;
}

uint64_t
trait_bit(struct text word)
{
	size_t i;

	for (i = 0; i < TRAIT_MAX; i++) {
		if (text_is(word, text_of(trait_names[i])))
			return BIT(i);
	}
	return 0;
}

const char *const *
operation_words(size_t *count_out)
{
	*count_out = COUNT(words);
	return words;
}

const char *const *
trait_words(size_t *count_out)
{
	*count_out = COUNT(trait_names);
	return trait_names;
}

uint64_t
operations_reading(void)
{
	return READ;
}

uint64_t
operations_writing(void)
{
	return WRITE | DDL | BIT(OP_GRANT) | BIT(OP_REVOKE) |
	    BIT(OP_SECURITY_LABEL);
}
