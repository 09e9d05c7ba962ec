/*
 * heap.h - master's heap, as those find it who are forked.
 */
#ifndef SALLYPORT_HEAP_H
#define SALLYPORT_HEAP_H

/* After loading: give back what is not used, and leave nothing in between
 * that a child would allocate from. */
void heap_settle(void);
/* Before loading: what is free may be used again. */
void heap_loosen(void);

#endif
