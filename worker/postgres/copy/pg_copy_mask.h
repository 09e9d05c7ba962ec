/*
 * pg_copy_mask.h - a COPY TO STDOUT whose rows we write.
 *
 *   pg_copy_mask.c  what is run in its place, and running it
 *   pg_copy_rows.c  its columns, and its rows as CopyData
 */
#ifndef SALLYPORT_PG_COPY_MASK_H
#define SALLYPORT_PG_COPY_MASK_H

#include "worker/postgres/copy/copy_statement.h"
#include "worker/postgres/copy/pg_copy.h"

struct copy_out {
	unsigned references; /* of its messages in flight */
	struct arena *arena; /* everything below lives in it */
	struct copy_statement statement;
	struct text sql;       /* what is run in its place */
	struct ruling *ruling; /* of that */
	struct text *names;    /* of its columns; NULL: not described */
	bool *is_left_out, *is_quoted;
	size_t fields, columns; /* described; and those not left out */
	bool has_rows;		/* it returns any: NoData did not come */
	bool has_begun;		/* what stands before the first row was put */
	struct run *run;	/* between description and execution */
	const char *sqlstate, *refusal, *hint; /* NULL: fine */
};

/* CopyOutResponse, and what stands before the first row. */
void copy_out_begin(struct session *s, struct copy_out *c);

#endif
