/* texts.c - statements by the yard: a beginning, as many pieces as fit, an
 * end. */
#include <err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/bench/texts.h"

enum { SPARE = 1024 }; /* longer than any piece */

const char *const shape_names[SHAPE_MAX] = {
    [SHAPE_SELECT] = "select",
    [SHAPE_ORM] = "orm",
    [SHAPE_INSERT] = "insert",
};

struct writer {
	char *at;
	size_t len;
	size_t wanted;	/* bytes, about */
	size_t number;	/* of the statement: makes it unlike all others */
	unsigned round; /* goes into constants only */
};

__attribute__((format(printf, 2, 3))) static void
put(struct writer *w, const char *format, ...)
{
	va_list list;
	int len;

	va_start(list, format);
	len = vsnprintf(w->at + w->len, SPARE, format, list);
	va_end(list);
	w->len += (size_t)len;
}

static void
put_predicate(struct writer *w, size_t piece)
{
	unsigned n = w->round % 1000;

	switch (piece % 6) {
	case 0:
		put(w, " AND o.total > %u.50", n);
		break;
	case 1:
		put(w, " AND o.state <> 'paid %u'", n);
		break;
	case 2:
		put(w, " AND o.region IN (1, 2, %u)", n);
		break;
	case 3:
		put(w, " AND (c.level = %u OR c.city IS NULL)", n);
		break;
	case 4:
		put(w, " AND lower(c.city) = 'aarhus %u'", n);
		break;
	default:
		put(w, " AND o.id IN (SELECT i.order_id FROM items i "
		       "WHERE i.sku = %u)", n);
		break;
	}
}

static void
write_select(struct writer *w)
{
	size_t piece = 0;

	put(w, "SELECT c.city, count(*) AS n%zu, max(o.created_at) FROM "
	       "orders o JOIN customers c ON c.id = o.customer_id "
	       "WHERE o.created_at >= '2024-01-%02u'",
	    w->number, w->round % 28 + 1);
	while (w->len + 48 < w->wanted)
		put_predicate(w, piece++);
	put(w, " GROUP BY c.city ORDER BY 2 DESC LIMIT 20");
}

static void
write_orm(struct writer *w)
{
	static const char *const columns[] = {"id", "created_at", "is_active",
	    "customer_id", "total", "updated_at", "status"};
	size_t piece = 0;

	put(w, "SELECT \"orders\".\"id\" AS \"id_%zu\"", w->number);
	while (w->len + 144 < w->wanted) {
		put(w, ", \"orders\".\"%s\"", columns[piece % 7]);
		piece++;
	}
	put(w, " FROM \"orders\" INNER JOIN \"customers\" ON "
	       "(\"orders\".\"customer_id\" = \"customers\".\"id\") WHERE "
	       "\"customers\".\"city\" = 'city %u' LIMIT 21", w->round);
}

static void
write_insert(struct writer *w)
{
	put(w, "INSERT INTO items (order_id, sku, amount, price, note, c%zu) "
	       "VALUES (%u, 'X-4711', 3, 99.95, NULL, true)",
	    w->number, w->round);
	while (w->len + 40 < w->wanted)
		put(w, ", (%zu, 'it''s number %u', 1, -0.5, 'a note', false)",
		    w->len, w->round);
	put(w, " RETURNING id");
}

struct texts
texts_make(enum shape shape, size_t bytes, size_t count, unsigned round)
{
	static void (*const write[SHAPE_MAX])(struct writer *) = {
	    [SHAPE_SELECT] = write_select,
	    [SHAPE_ORM] = write_orm,
	    [SHAPE_INSERT] = write_insert,
	};
	struct texts t = {.count = count};
	size_t i;

	t.at = calloc(count, sizeof(*t.at));
	for (i = 0; t.at != NULL && i < count; i++) {
		struct writer w = {
		    .wanted = bytes, .number = i, .round = round};

		w.at = malloc(bytes + 2 * SPARE);
		if (w.at == NULL)
			break;
		write[shape](&w);
		t.at[i] = (struct text){w.at, w.len};
	}
	if (i < count)
		errx(2, "out of memory");
	return t;
}

void
texts_free(struct texts *t)
{
	size_t i;

	for (i = 0; i < t->count; i++)
		free((char *)(uintptr_t)t->at[i].at);
	free(t->at);
	*t = (struct texts){0};
}
