/*
 * replication_text.h - what a replication connection asks for, as text.
 */
#ifndef SALLYPORT_REPLICATION_TEXT_H
#define SALLYPORT_REPLICATION_TEXT_H

#include <stdbool.h>

#include "common/text.h"
#include "common/wire.h"

enum replication { /* what kind of connection it is */
	REPLICATION_NONE,
	REPLICATION_PHYSICAL, /* of the whole server, in no database */
	REPLICATION_LOGICAL,  /* in a database: SQL too */
	REPLICATION_INVALID,
};

/* What the startup parameter `replication` asks for; `at` NULL: not there. */
enum replication replication_of(struct text value);

/* A command of the replication grammar, written so that SQL's lexer sees its
 * tokens: places in the log become strings. False: it is none, and is to be
 * judged as SQL; `out` is then of no use. */
bool replication_read(struct text sql, struct buffer *out);

#endif
