/*
 * pg_replicate.h - replication connections: see pg_replicate.c.
 */
#ifndef SALLYPORT_PG_REPLICATE_H
#define SALLYPORT_PG_REPLICATE_H

#include "worker/postgres/pg.h"

/* Judge a Query of such a connection. NULL: out of memory. */
struct ruling *replication_judge(struct session *s, struct text sql);

/* Before more of what a replication command sends is passed on: may it still,
 * under the policy now in force? If not, the session ends. */
enum err replication_go_on(struct session *s) MUST_CHECK;

#endif
