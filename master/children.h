/*
 * children.h - the processes master has started and not yet buried.
 *
 * Master's own memory, not the scoreboard: what a worker writes there never
 * chooses whom master signals.
 */
#ifndef SALLYPORT_CHILDREN_H
#define SALLYPORT_CHILDREN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/board.h"

enum child_kind {
	CHILD_WORKER,
	CHILD_BROKER,
	CHILD_CATALOG,
	CHILD_PUBLISHER,
	CHILD_CONTROL,
	CHILD_PORTER,
	CHILD_VERIFIER,
	CHILD_KINDS
};

struct child {
	pid_t pid; /* 0: this row is free */
	enum child_kind kind;
	uint32_t index; /* slot of a worker, upstream of a catalog */
	int64_t born_at; /* monotonic ms */
	bool is_retired; /* told to end; its end is no surprise */
	bool is_killed;	 /* by master: the drain's deadline has passed */
	uid_t peer;	 /* control: on whose behalf */
	/* a worker's: it has had a client, whatever it says now */
	bool has_served;
	unsigned asked, calls; /* what it and operators asked, as answered */
	struct schema_seen schema;
	int64_t doomed_at; /* told to end by an operator, monotonic ms */
};

struct children; /* a table of fixed size */

/* One word for log lines; static. */
const char *child_kind_name(enum child_kind kind);

/* Room for `max`; NULL: memory. Lives as long as master. */
struct children *children_new(size_t max);

/* A row for a new child, or NULL when the table is full: ask before fork. */
struct child *children_room(struct children *c);

struct child *children_find(struct children *c, pid_t pid);
void children_remove(struct child *child);

/* The next child of a kind (CHILD_KINDS: of any) from row *i on; NULL when
 * there is none. Start with *i == 0. */
struct child *children_next(
    struct children *c, enum child_kind kind, size_t *i);
size_t children_count(struct children *c, enum child_kind kind);

/* Send a signal to all of a kind; SIGTERM marks them retired, SIGKILL
 * killed. */
void child_signal(struct child *child, int signal_number);
void children_signal(
    struct children *c, enum child_kind kind, int signal_number);

#endif
