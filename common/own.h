/*
 * own.h - relations that a session has made itself.
 *
 * The catalogue knows what is committed and was read since.  What a session
 * has created just now it doesn't know; but the gate saw the statement, and
 * refuses statements that copy protected values.  So a table that was made of
 * columns alone, or by a query that carries nothing protected, holds nothing
 * protected, and this is the list of such relations.
 *
 * The rule: a name is on the list only as long as nothing ran that could have
 * made it mean something else.  What is not understood empties the list, and
 * users' code, which may do anything at any time, ends it for good.
 */
#ifndef SALLYPORT_OWN_H
#define SALLYPORT_OWN_H

#include "common/classify.h"

enum {
	OWN_MAX = 64,	   /* relations; further ones are as unknown */
	OWN_OIDS_MAX = 64, /* of theirs; the oldest are forgotten */
	OWN_NAME_MAX = 64, /* the server's 63 bytes and a NUL */
};

struct own_relation {
	/* Empty where none was given: whatever the search path led to. Of a
	 * temporary relation always pg_temp. */
	char schema[OWN_NAME_MAX], name[OWN_NAME_MAX];
	bool is_temporary;
	bool is_view; /* what it shows hangs on other relations */
	bool is_brief; /* ON COMMIT DROP */
	bool is_committed;
};

struct own_relations {
	struct own_relation at[OWN_MAX];
	size_t count;
	uint32_t oids[OWN_OIDS_MAX];
	size_t oid_count; /* noted so far */
	bool is_over;	  /* users' code may have run */
	unsigned version; /* grows with every change */
};

/* What a statement does to the list. */
enum own_change {
	OWN_UNCHANGED,
	OWN_CREATED,	 /* relation[0] is one more */
	OWN_DROPPED,	 /* all of the relations are gone */
	OWN_ROLLED_BACK, /* what is not committed is gone */
	OWN_DOUBTED,	 /* nothing is sure any more */
	OWN_OVER,	 /* … nor will be */
};

struct own_effect {
	enum own_change change;
	const struct relation_use *relations; /* the statement's */
	size_t count;
	bool is_temporary, is_view, is_brief;
};

/* What CREATE TABLE, CREATE VIEW, CREATE TABLE … AS and SELECT INTO make. */
struct creation {
	const struct relation_use *relation; /* NULL: it is none of them */
	bool is_temporary, is_view, is_brief;
	bool has_query;
	bool may_exist; /* IF NOT EXISTS */
	/* It takes after other relations (LIKE, INHERITS, PARTITION OF) or
	 * types, or is one that we don't know: it may get rows of theirs. */
	bool has_relatives;
};
void creation_read(const struct statement *s, struct creation *out);

/* The statement has run, or will have when the next one of its text does. */
void own_apply(struct own_relations *own, const struct own_effect *e);
/* An error: whatever was not committed is gone, or will be. */
void own_roll_back(struct own_relations *own);
/* The transaction is over. What others see, too, the catalogue tells. */
void own_commit(struct own_relations *own);
/* Views, whose sources may be others by now. */
void own_forget_views(struct own_relations *own);
void own_clear(struct own_relations *own);

/* Is what the name means on the list, unless the catalogue knows another? */
bool own_has(const struct own_relations *own, struct text schema,
    struct text name, bool *is_temporary_out);

/* An OID that is surely of one on the list. */
void own_note_oid(struct own_relations *own, uint32_t oid);
bool own_has_oid(const struct own_relations *own, uint32_t oid);

#endif
