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
#include <stddef.h>
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

static struct plug *plugs;
static size_t plugged; /* bytes */

static void
plugs_pull(void)
{
	struct plug *p, *next;

	for (p = plugs; p != NULL; p = next) {
		next = p->next;
		free(p);
	}
	plugs = NULL;
	plugged = 0;
}

/* Fill holes of that size until memory comes from the top. */
static void
plugs_put(size_t size, const char *top)
{
	struct plug *p;

	do {
		p = malloc(size);
		if (p == NULL)
			return;
		p->next = plugs;
		plugs = p;
		plugged += size;
	} while ((const char *)p < top && plugged < PLUGGED_MAX);
}

void
heap_settle(void)
{
	const char *top;
	size_t size;

	plugs_pull();
	malloc_trim(0);
	top = (const char *)sbrk(0) - mallinfo2().keepcost;
	for (size = PLUG_MAX; size > PLUG_FINE; size /= 2)
		plugs_put(size, top);
	for (size = PLUG_FINE; size >= PLUG_MIN; size -= PLUG_STEP)
		plugs_put(size, top);
	malloc_trim(0);
}
