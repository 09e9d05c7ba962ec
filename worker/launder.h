/*
 * launder.h - would a statement copy protected values to where they are not
 * protected?
 */
#ifndef SALLYPORT_LAUNDER_H
#define SALLYPORT_LAUNDER_H

#include "common/classify.h"
#include "common/protection.h"

/* `t` is what the statement touches, for an identity that may not see the
 * protected values.  Errs on the strict side. */
bool launders(const struct statement *s, const struct touch *t);

#endif
