/*
 * clean_output.h - outputs of a SELECT that carry nothing protected, though
 * other outputs of it do.
 *
 *     SELECT count(*), max(email) FROM customers
 *
 * The first output is what `SELECT count(*) FROM customers` gives, and that
 * mentions no protected column.  So an output is clean when the statement
 * without the other outputs would be.
 */
#ifndef SALLYPORT_CLEAN_OUTPUT_H
#define SALLYPORT_CLEAN_OUTPUT_H

#include "common/classify.h"
#include "common/protection.h"

enum { CLEAN_OUTPUT_TEXT_MAX = 8192 }; /* longer statements have none */

/* Is output `i`, from 0, of the `count` that the server described clean?
 * False for whatever is not plainly so.  It speaks of outputs without an
 * origin, and for a statement that is alone in its text. */
bool statement_output_is_clean(
    const struct statement *s, const struct touch *t, size_t i, size_t count);

#endif
