/*
 * catalog_code.h - users' code of one database, row by row.
 *
 * Functions, operators, types with checks or casts, rules: what each may read
 * is found by reading its text and following what it calls (code_reach.h).
 * Built-in code counts only where the list of functions does not call it
 * clean.
 */
#ifndef SALLYPORT_POSTGRES_CATALOG_CODE_H
#define SALLYPORT_POSTGRES_CATALOG_CODE_H

#include "common/arena.h"
#include "common/classify.h"
#include "common/store.h"

enum {
	CODE_ITEMS_MAX = 2000000,
	FIRST_USERS_OID = 16384, /* FirstNormalObjectId */
};

/* Code to go on with: by OID, or by name when the OID is 0. */
struct code_edge {
	uint32_t oid;
	enum code_kind kind;
	struct text name;
	bool escapes; /* a built-in one */
};

/* One function, operator, … as it was read. */
struct code_item {
	struct code code;    /* what it does by itself */
	uint32_t oid;	     /* of a function; 0: none */
	bool is_overload;    /* see is_disguise of struct code */
	/* Still to be read; len 0: none. The second is the header of a
	 * function, or a rule. */
	struct text texts[2];
	struct code_edge *edges;
	size_t edge_count, edge_room, source_room;
	uint64_t walk;		 /* the last that came here */
	const struct code *reach; /* all that it does; NULL: not known yet */
};

struct code_list {
	struct arena *arena;
	const struct classifier *classifier; /* NULL: no function is clean */
	struct code_item *items;
	size_t count, room;
	/* Built-in functions that are not clean, by ascending OID. */
	struct code_edge *builtins;
	size_t builtin_count, builtin_room;
};

/* Statements and what takes their rows; a row that makes no sense is
 * ERR_MALFORMED. The context is the list. */
extern const struct code_step {
	const char *sql;
	enum err (*row)(
	    void *list, const struct text *fields, size_t count);
} code_steps[];
extern const size_t code_step_count;

/* What runs with relations of its own accord, as links_sql has its rows. */
extern const char code_attached_sql[];

/* Does a built-in function of that name read or do what its arguments do not
 * say? */
bool code_builtin_is_opaque(const struct code_list *l, struct text name);
/* … or may it do what no statement says (struct code, `escapes`)? Is one that
 * is on no list; set_config() is not asked about. */
bool code_builtin_escapes(const struct code_list *l, struct text name);

#endif
