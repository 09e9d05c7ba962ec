/*
 * pg_queue.c - the answers awaited, in the order in which they will come.
 */
#include <stdlib.h>

#include "worker/postgres/copy/pg_copy.h"

enum {
	QUEUE_SIZE = 64
};

static bool
queue_grow(struct queue *q)
{
	size_t size = q->size == 0 ? QUEUE_SIZE : q->size * 2, i;
	struct pending *ring;

	ring = calloc(size, sizeof(*ring));
	if (ring == NULL)
		return false;
	for (i = 0; i < q->count; i++)
		ring[i] = q->ring[(q->head + i) & (q->size - 1)];
	free(q->ring);
	q->ring = ring;
	q->size = size;
	q->head = 0;
	return true;
}

struct pending *
queue_push(struct queue *q, char kind)
{
	struct pending *p;

	if (q->count == q->size && !queue_grow(q))
		return NULL;
	p = &q->ring[(q->head + q->count++) & (q->size - 1)];
	*p = (struct pending){.kind = kind};
	return p;
}

struct pending *
queue_front(struct queue *q)
{
	return q->count == 0 ? NULL : &q->ring[q->head];
}

struct pending *
queue_at(struct queue *q, size_t i)
{
	return &q->ring[(q->head + i) & (q->size - 1)];
}

static void
drop_entry(struct queue *q, struct pending *p)
{
	prepared_drop(p->prepared);
	portal_drop(p->portal);
	run_drop(p->run);
	copy_out_drop(p->copy);
	buffer_free(&p->local);
	q->readers -= p->may_read;
	q->unsure -= p->is_unsure;
}

void
queue_remove(struct queue *q, size_t i, size_t n)
{
	size_t k;

	for (k = i; k < i + n; k++)
		drop_entry(q, queue_at(q, k));
	for (k = i; k + n < q->count; k++)
		*queue_at(q, k) = *queue_at(q, k + n);
	q->count -= n;
}

void
queue_pop(struct queue *q)
{
	struct pending *p = queue_front(q);

	if (p == NULL)
		return;
	drop_entry(q, p);
	q->head = (q->head + 1) & (q->size - 1);
	q->count--;
}

void
queue_free(struct queue *q)
{
	while (q->count > 0)
		queue_pop(q);
	free(q->ring);
	*q = (struct queue){0};
}

enum err
pg_settle(struct session *s)
{
	struct pg *pg = pg_of(s);
	enum err e = ERR_NONE;

	if (pg->queue.count == 0)
		return ERR_NONE;
	pg_put_empty(&s->relay.upstream.out, 'H');
	while (e == ERR_NONE && pg->queue.count > 0)
		e = pg_wait(s, false);
	return e;
}
