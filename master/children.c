/*
 * children.c - the table of living children.
 *
 * One rule: a pid is signalled only from a row that waitpid() has not yet
 * cleared, so it can be nobody else's.
 */
#include "master/children.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

struct children {
	size_t max;
	size_t used; /* no row from here on has ever been used */
	struct child rows[];
};

const char *
child_kind_name(enum child_kind kind)
{
	static const char *const names[CHILD_KINDS] = {
	    [CHILD_WORKER] = "worker",
	    [CHILD_BROKER] = "broker",
	    [CHILD_CATALOG] = "catalog",
	    [CHILD_PUBLISHER] = "publisher",
	    [CHILD_CONTROL] = "control",
	    [CHILD_PORTER] = "porter",
	    [CHILD_VERIFIER] = "verifier",
	};

	return kind < CHILD_KINDS ? names[kind] : "child";
}

struct children *
children_new(size_t max)
{
	struct children *c =
	    calloc(1, sizeof(*c) + max * sizeof(struct child));

	if (c != NULL)
		c->max = max;
	return c;
}

struct child *
children_room(struct children *c)
{
	size_t i;

	for (i = 0; i < c->max; i++) {
		if (c->rows[i].pid != 0)
			continue;
		if (i >= c->used)
			c->used = i + 1;
		return &c->rows[i];
	}
	return NULL;
}

struct child *
children_find(struct children *c, pid_t pid)
{
	size_t i;

	for (i = 0; i < c->used; i++) {
		if (c->rows[i].pid == pid)
			return &c->rows[i];
	}
	return NULL;
}

void
children_remove(struct child *child)
{
	memset(child, 0, sizeof(*child));
}

struct child *
children_next(struct children *c, enum child_kind kind, size_t *i)
{
	while (*i < c->used) {
		struct child *row = &c->rows[(*i)++];

		if (row->pid != 0 && (kind == CHILD_KINDS || row->kind == kind))
			return row;
	}
	return NULL;
}

size_t
children_count(struct children *c, enum child_kind kind)
{
	size_t i = 0, n = 0;

	while (children_next(c, kind, &i) != NULL)
		n++;
	return n;
}

void
child_signal(struct child *child, int signal_number)
{
	if (child->pid <= 1)
		return;
	if (signal_number == SIGTERM)
		child->is_retired = true;
	if (signal_number == SIGKILL)
		child->is_killed = true;
	kill(child->pid, signal_number);
}

void
children_signal(struct children *c, enum child_kind kind, int signal_number)
{
	struct child *child;
	size_t i = 0;

	while ((child = children_next(c, kind, &i)) != NULL)
		child_signal(child, signal_number);
}
