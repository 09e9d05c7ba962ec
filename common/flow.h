/*
 * flow.h - where the values of protected columns get to in one statement.
 *
 * Asked only of statements that touch protected columns.  Over the tree of
 * query.h and what the catalogue says of relations it finds, for every
 * expression, whether a protected value can be in it, by the rules by which
 * the server finds out what a name means; where those cannot be told, every
 * meaning is taken.  Three answers come of it:
 *   - which output columns can carry protected values;
 *   - which uses of protected columns let a client guess at them: anywhere but
 *     in outputs and in `column = constant`, and in outputs what may fail;
 *   - whether protected values are written somewhere.
 * What cannot be followed is not understood, and the caller is strict.
 */
#ifndef SALLYPORT_FLOW_H
#define SALLYPORT_FLOW_H

#include "common/query.h"
#include "common/vocab.h"

enum {
	FLOW_ROUNDS_MAX = 40,	   /* of renames of renames */
	FLOW_WORK_MAX = 4000000,   /* columns looked at; more: not understood */
};

enum taint {
	TAINT_NONE,
	TAINT_PLAIN,   /* the value of a protected column, as it is */
	TAINT_DERIVED, /* computed from one */
};

/* One column of a relation, or of anything in FROM. */
struct flow_column {
	struct text name;
	enum taint taint;
	bool is_key; /* the primary key, all of it */
};

/* What a name in FROM may mean. */
struct flow_columns {
	struct flow_column *at;
	size_t count;
	/* These columns, in this order, and no others. */
	bool is_exact;
	/* There may be others, of this taint. */
	bool is_open;
	enum taint others;
	/* It may be hidden by another thing of its name, which is clean: none
	 * of them is certain to be there. */
	bool is_doubted;
	/* There surely are others, and what is found nowhere is one of them. */
	bool has_others;
};

/* What the caller knows; each call gets `context`. */
struct flow_facts {
	void *context;
	/* The columns of all relations of that name (not of WITH queries), in
	 * the arena. None: count 0, is_exact. */
	enum err (*relation)(void *context, const struct dotted *name,
	    struct arena *a, struct flow_columns *out);
	/* When can the built-in function neither fail nor return several
	 * rows? And the operator? */
	enum total (*totality)(void *context, struct text function);
	enum total (*operator_totality)(void *context, struct text operator);
	/* Does the function leave its arguments somewhere? */
	bool (*is_storing)(void *context, struct text function);
	/* Can what the function returns be protected, whatever its arguments
	 * are? `is_column`: it may as well be a column (row.function), so that
	 * only a function that is known counts. */
	enum taint (*returns)(void *context, const struct dotted *function,
	    bool is_column);
};

/* A use that lets a client guess. */
struct flow_use {
	struct text column;	/* its name, or that of the whole row … */
	bool is_function;	/* … or of a function that may read it */
	const char *where;	/* "WHERE", "ORDER BY", …; NULL: there is none */
};

struct flow {
	bool is_understood; /* all below is the truth */
	/* The columns of its result, from left to right, if is_exact. Of
	 * EXPLAIN, PREPARE, DECLARE and CREATE: those of the query within, and
	 * never exact. */
	struct flow_columns outputs;
	bool any_output; /* one of them, at least */
	/* What a literal says decided (ORDER BY 2): other literals, other
	 * answers. */
	bool reads_literals;
	struct flow_use equality; /* column = constant */
	struct flow_use guess;	  /* any other */
	struct flow_use copy;	  /* a value that is written somewhere */
	const char *declined;	  /* why it was not understood; static */
};

/* Follow one statement's values. ERR_MEMORY; anything else that goes wrong:
 * not understood. */
enum err flow_trace(const struct token *tokens, size_t count,
    const struct flow_facts *facts, struct arena *a,
    struct flow *out) MUST_CHECK;

#endif
