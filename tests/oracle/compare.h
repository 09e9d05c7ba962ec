/*
 * compare.h - what the classifier says beside what the parse tree says.
 */
#ifndef SALLYPORT_ORACLE_COMPARE_H
#define SALLYPORT_ORACLE_COMPARE_H

#include "common/classify.h"
#include "truth.h"

struct comparison {
	bool is_less;	  /* it misses something: a bug */
	bool is_unknown;  /* no rule claims it, though the parser does */
	bool is_needless; /* it has an operation, a written relation or a
			   * function's trait too many, or misses a WHERE */
};

/* Findings are reported, too. `is_alone`: the text has no other statement. */
struct comparison compare(
    const struct truth *t, const struct statement *s, bool is_alone);

#endif
