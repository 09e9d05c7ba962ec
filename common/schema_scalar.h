/*
 * schema_scalar.h - the one-value field types of schema.h; only for schema.c.
 *
 * Each reads node `n` into the field of `out` that `row` names, or complains.
 */
#ifndef SALLYPORT_SCHEMA_SCALAR_H
#define SALLYPORT_SCHEMA_SCALAR_H

#include "common/schema.h"

#define SCALAR_READER(name)                                                    \
	void name(struct reading *r, const struct row *row,                    \
	    const struct node *n, void *out)

SCALAR_READER(scalar_read_string);
SCALAR_READER(scalar_read_text);
SCALAR_READER(scalar_read_path);
SCALAR_READER(scalar_read_bool);
SCALAR_READER(scalar_read_unsigned);
SCALAR_READER(scalar_read_number);
SCALAR_READER(scalar_read_size);
SCALAR_READER(scalar_read_seconds);
SCALAR_READER(scalar_read_choice);

#endif
