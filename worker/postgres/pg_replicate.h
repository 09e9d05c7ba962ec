/*
 * pg_replicate.h - replication connections: see pg_replicate.c.
 */
#ifndef SALLYPORT_PG_REPLICATE_H
#define SALLYPORT_PG_REPLICATE_H

#include "worker/postgres/pg.h"

/* Judge a Query of such a connection. NULL: out of memory. */
struct ruling *replication_judge(struct session *s, struct text sql);

#endif
