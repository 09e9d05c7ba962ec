/*
 * catalog_match.h - does a policy speak of columns that are there?
 */
#ifndef SALLYPORT_POSTGRES_CATALOG_MATCH_H
#define SALLYPORT_POSTGRES_CATALOG_MATCH_H

#include "common/policy.h"
#include "worker/postgres/catalog/catalog_read.h"

/* Write a line for each pattern of a protect's `columns` that matches no
 * column of the reading: a slip in a name protects nothing. `place` says
 * where, "shop/shop". What has no room is counted in a last line. `out` ends
 * in NUL and is empty when everything matches; size is 256 or more. */
void catalog_match(const struct policy *policy,
    const struct catalog_reading *reading, const char *place, char *out,
    size_t size);

#endif
