/*
 * class_reader.h - one statement's flat text against the class rules.
 *
 * classify.c makes a reader for each statement and calls these in their order;
 * nobody else does.
 */
#ifndef SALLYPORT_CLASS_READER_H
#define SALLYPORT_CLASS_READER_H

#include "common/canonical.h"
#include "common/class_rules.h"
#include "common/classify.h"

struct reader {
	const struct class_rules *rules;
	struct canonical *canonical; /* tokens are marked as declared */
	const struct flat *flat;
	struct arena *arena;
	struct statement *statement; /* gets operations, traits, relations */
	unsigned effects;	     /* of all rules that matched */
	uint64_t function_trait;     /* why statement->function is named */
	size_t relation_room, unlisted_room;

	/* the WHERE that an UPDATE or DELETE still waits for */
	uint32_t where_group;
	bool where_pending, where_missing;

	/* tokens that name a relation, an alias or a WITH query here */
	uint32_t *declared;
	size_t declared_count, declared_room;
	uint32_t *ctes; /* tokens */
	size_t cte_count, cte_room;
};

/* Try all lines. ERR_REGEX, ERR_TOO_LONG, ERR_MEMORY. */
enum err reader_run(struct reader *r) MUST_CHECK;

/* In class_catch.c: a function may be called as x.f or (x).f, so those that
 * are opaque count as called. ERR_MEMORY. */
enum err reader_notations(struct reader *r) MUST_CHECK;

/* In class_names.c: fill in statement->names; a relation's name among them
 * that is used as a value is a trait (whole-row). ERR_MEMORY. */
enum err reader_names(struct reader *r) MUST_CHECK;

/* In class_settle.c: what the effects of all rules come to. EXPLAIN that runs
 * nothing changes nothing; whether there is a WHERE. */
void reader_settle(struct reader *r);

#endif
