/*
 * heap.c - no holes for children to write into.
 *
 * Half of the heap is what loading has left behind.  A fork copies the entry
 * of every page that is there, and a child copies every page that it writes
 * to; malloc() would have it write to a page here and a page there, wherever
 * a hole is and wherever that hole's neighbours in a list are.  So what is
 * free is given back, its addresses are taken, and children allocate behind
 * everything, from pages that are new and in a row.
 *
 * Nothing depends on its success, and it knows of malloc() only that what is
 * below the top of the heap was a hole.
 */
#include "master/heap.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	PLUG_MAX = 64 * 1024, /* larger ones malloc() may map on their own */
	PLUG_FINE = 1048,     /* up to here it has a list for each size … */
	PLUG_STEP = 16,	      /* … in these steps */
	PLUG_MIN = 24,	      /* no chunk of malloc() holds less */
	PLUGGED_MAX = 256 * 1024 * 1024, /* bytes: should malloc() be another
					  * one, whose memory is elsewhere */
};

struct plug {
	struct plug *next;
};

static struct plug *first, *last;
static size_t plugged; /* bytes */

/* The oldest first: malloc() keeps some of them for itself, and what it keeps
 * should not stand at the top. */
void
heap_loosen(void)
{
	struct plug *p, *next;

	for (p = first; p != NULL; p = next) {
		next = p->next;
		free(p);
	}
	first = last = NULL;
	plugged = 0;
}

static void
plug_keep(struct plug *p, size_t size)
{
	p->next = NULL;
	if (last == NULL)
		first = p;
	else
		last->next = p;
	last = p;
	plugged += size;
}

/* Fill holes of that size until memory comes from the top. A large piece of
 * that goes back there, a small one would go into a list. */
static void
plugs_put(size_t size, const char *top)
{
	bool is_hole = true;
	void *p;

	while (is_hole && plugged < PLUGGED_MAX && (p = malloc(size)) != NULL) {
		is_hole = (const char *)p < top;
		if (is_hole || size <= PLUG_FINE)
			plug_keep(p, size);
		else
			free(p);
	}
}

void
heap_settle(void)
{
	const char *top;
	size_t size;

	heap_loosen();
	malloc_trim(0);
	top = (const char *)sbrk(0) - mallinfo2().keepcost;
	for (size = PLUG_MAX; size > PLUG_FINE; size /= 2)
		plugs_put(size, top);
	for (size = PLUG_FINE; size >= PLUG_MIN; size -= PLUG_STEP)
		plugs_put(size, top);
	malloc_trim(0);
}
