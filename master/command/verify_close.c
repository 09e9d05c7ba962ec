/*
 * verify_close.c - what is missing, when all lines have been read.
 *
 * The rule: only genuine records tell what there must be; what false lines
 * claim explains a hole at the most.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "master/command/verify_ledger.h"

/* Everything of one book of one node, in the order of numbers. */
struct book {
	struct chain **chains;
	size_t count;
	bool has_start; /* master's first record is there */
	bool is_over;	/* it has ended, or a later one has begun */
};

static struct spot
nowhere(void)
{
	return (struct spot){0};
}

static bool
has_first(const struct chain *c)
{
	const struct gap *g = c->gaps;

	while (g != NULL && g->first != 1)
		g = g->next;
	return c->is_known && g == NULL;
}

/* --- lines that were not genuine ------------------------------------------ */

/* Take a record out of the gap that has it: its line has been found. */
static bool
gap_explain(struct chain *c, uint64_t seq, bool *has_out)
{
	struct gap *g = c->gaps, *rest;

	while (g != NULL && (seq < g->first || seq > g->last))
		g = g->next;
	*has_out = g != NULL;
	if (g == NULL)
		return true;
	rest = calloc(1, sizeof(*rest));
	if (rest == NULL)
		return false;
	*rest = *g;
	rest->first = seq + 1; /* may be empty, as may be what is left */
	g->last = seq - 1;
	rest->next = g->next;
	g->next = rest;
	return true;
}

static bool
suspect_judge(struct ledger *l, const struct suspect *s)
{
	struct chain *c = ledger_chain(l, s->chain);
	enum finding_kind kind = FINDING_FALSE;
	bool has_gap = false;

	if (!gap_explain(c, s->seq, &has_gap))
		return false;
	if (has_gap)
		kind = FINDING_CHANGED;
	else if (c->is_known && (s->seq < c->next || c->has_ended))
		kind = FINDING_ADDED;
	return finding_add(l, kind, s->at, c, s->seq, s->seq);
}

static bool
suspects_judge(struct ledger *l)
{
	const struct suspect *s = l->suspects.at;
	bool is_fine = true;
	size_t i;

	for (i = 0; is_fine && i < l->suspects.count; i++)
		is_fine = suspect_judge(l, &s[i]);
	return is_fine;
}

/* --- a chain -------------------------------------------------------------- */

static bool
gap_tell(struct ledger *l, struct chain *c, const struct gap *g,
    const struct book *b, bool is_part)
{
	enum finding_kind kind = g->is_lost ? FINDING_LOST : FINDING_MISSING;

	if (g->first > g->last)
		return true;
	if (g->first == 1 && !g->is_lost && !b->has_start) {
		if (is_part)
			return true;
		kind = FINDING_NO_START;
	}
	return finding_add(l, kind, g->seen, c, g->first, g->last);
}

static int
death_compare(const void *a, const void *b)
{
	const struct death *x = a, *y = b;

	if (x->node != y->node)
		return x->node < y->node ? -1 : 1;
	return strcmp(x->session, y->session);
}

/* How its worker died, if it did: master's chain tells. */
static const struct death *
death_of(const struct ledger *l, const struct chain *c)
{
	struct death like = {.node = c->node};

	if (c->writer != AUDIT_OF_SESSION || l->deaths.count == 0)
		return NULL;
	memcpy(like.session, c->session, sizeof(like.session));
	return bsearch(&like, l->deaths.at, l->deaths.count, sizeof(like),
	    death_compare);
}

static bool
end_tell(struct ledger *l, struct chain *c, const struct book *b, bool is_part)
{
	const struct death *death = death_of(l, c);

	if (c->has_ended)
		return true;
	if (death != NULL)
		return death->last_seq < c->next ||
		    finding_add(l, FINDING_MISSING, c->last_at, c, c->next,
			death->last_seq);
	if (is_part && !b->is_over)
		return true;
	return finding_add(
	    l, FINDING_NO_END, c->last_at, c, c->next - 1, c->next - 1);
}

static bool
chain_close(struct ledger *l, struct chain *c, const struct book *b,
    bool is_part)
{
	const struct gap *g;

	if (!c->is_known)
		return true;
	for (g = c->gaps; g != NULL; g = g->next) {
		if (!gap_tell(l, c, g, b, is_part))
			return false;
	}
	return end_tell(l, c, b, is_part);
}

/* --- a book --------------------------------------------------------------- */

static bool
chains_missing(struct ledger *l, const struct chain *like, uint64_t first,
    uint64_t last)
{
	struct finding *f;

	if (first > last)
		return true;
	if (!finding_add(l, FINDING_NO_CHAIN, nowhere(), NULL, first, last))
		return false;
	f = (struct finding *)l->findings.at + l->findings.count - 1;
	snprintf(f->node, sizeof(f->node), "%s",
	    (const char *)l->nodes.at + like->node * l->nodes.size);
	snprintf(f->chain, sizeof(f->chain), "%llu",
	    (unsigned long long)like->book);
	return true;
}

/* The numbers that there must be: from the first whose beginning is here to
 * the last that a genuine record knows of. */
static void
book_bounds(const struct book *b, uint64_t *first_out, uint64_t *last_out)
{
	size_t i;

	*first_out = b->has_start ? 1 : UINT64_MAX;
	*last_out = 0;
	for (i = 0; i < b->count; i++) {
		const struct chain *c = b->chains[i];

		if (c->number == 0 && c->chains > *last_out)
			*last_out = c->chains;
		if (!c->is_known || c->number == 0)
			continue;
		if (c->number > *last_out)
			*last_out = c->number;
		if (c->number < *first_out && has_first(c))
			*first_out = c->number;
	}
}

static bool
book_count(struct ledger *l, const struct book *b)
{
	uint64_t first, last, next;
	size_t i;

	book_bounds(b, &first, &last);
	next = first;
	for (i = 0; i < b->count && next <= last; i++) {
		const struct chain *c = b->chains[i];

		if (c->number < next || c->number > last)
			continue;
		if (!chains_missing(l, c, next, c->number - 1))
			return false;
		next = c->number + 1;
	}
	return first > last || chains_missing(l, b->chains[0], next, last);
}

static bool
book_close(struct ledger *l, struct book *b, bool is_part)
{
	size_t i;

	for (i = 0; i < b->count; i++) {
		const struct chain *c = b->chains[i];

		if (c->number != 0)
			continue;
		b->has_start |= has_first(c);
		b->is_over |= c->has_ended;
	}
	for (i = 0; i < b->count; i++) {
		if (!chain_close(l, b->chains[i], b, is_part))
			return false;
	}
	return book_count(l, b);
}

/* --- all books ------------------------------------------------------------ */

static int
number_compare(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int
chain_compare(const void *a, const void *b)
{
	const struct chain *x = *(struct chain *const *)a;
	const struct chain *y = *(struct chain *const *)b;
	int order = number_compare(x->node, y->node);

	if (order == 0)
		order = number_compare(x->book, y->book);
	return order != 0 ? order : number_compare(x->number, y->number);
}

static int
session_compare(const void *a, const void *b)
{
	const struct chain *x = *(struct chain *const *)a;
	const struct chain *y = *(struct chain *const *)b;
	int order = number_compare(x->node, y->node);

	return order != 0 ? order : strcmp(x->session, y->session);
}

static bool
is_known(const struct book *b)
{
	size_t i = 0;

	while (i < b->count && !b->chains[i]->is_known)
		i++;
	return i < b->count;
}

/* Books of false lines alone are none. */
static bool
books_missing(struct ledger *l, const struct chain *before,
    const struct chain *after)
{
	struct finding *f;

	if (before == NULL || before->node != after->node ||
	    after->book - before->book < 2)
		return true;
	if (!finding_add(l, FINDING_NO_BOOK, nowhere(), NULL,
		before->book + 1, after->book - 1))
		return false;
	f = (struct finding *)l->findings.at + l->findings.count - 1;
	snprintf(f->node, sizeof(f->node), "%s",
	    (const char *)l->nodes.at + after->node * l->nodes.size);
	return true;
}

/* From the last book to the first, so that each knows of a later one. */
static bool
books_close(struct ledger *l, struct chain **all, size_t count, bool is_part)
{
	const struct chain *later = NULL;
	size_t end = count;

	while (end > 0) {
		const struct chain *any = all[end - 1];
		size_t start = end;
		struct book b;

		while (start > 0 && all[start - 1]->node == any->node &&
		    all[start - 1]->book == any->book)
			start--;
		b = (struct book){.chains = all + start, .count = end - start,
		    .is_over = later != NULL && later->node == any->node};
		end = start;
		if (!is_known(&b))
			continue;
		if (!book_close(l, &b, is_part) ||
		    (later != NULL && !books_missing(l, any, later)))
			return false;
		later = any;
	}
	return true;
}

static bool
sessions_compare(struct ledger *l, struct chain **all, size_t count)
{
	struct chain *before = NULL;
	size_t i;

	qsort(all, count, sizeof(struct chain *), session_compare);
	for (i = 0; i < count; i++) {
		if (!all[i]->is_known || all[i]->writer != AUDIT_OF_SESSION)
			continue;
		if (before != NULL && session_compare(&before, &all[i]) == 0 &&
		    !finding_add(l, FINDING_TWICE, all[i]->first_at, all[i],
			all[i]->first, all[i]->first))
			return false;
		before = all[i];
	}
	return true;
}

/* What has no line comes last. */
static int
finding_compare(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;
	int order = number_compare(x->at.line == 0, y->at.line == 0);

	if (order == 0)
		order = number_compare(x->at.file, y->at.file);
	if (order == 0)
		order = number_compare(x->at.line, y->at.line);
	return order != 0 ? order : number_compare(x->first, y->first);
}

bool
ledger_close(struct ledger *l, bool is_part)
{
	size_t i, count = l->chains.count;
	struct chain **all = calloc(count + 1, sizeof(struct chain *));
	bool is_fine;

	if (all == NULL)
		return false;
	for (i = 0; i < count; i++)
		all[i] = ledger_chain(l, i);
	qsort(all, count, sizeof(struct chain *), chain_compare);
	if (l->deaths.count > 0)
		qsort(l->deaths.at, l->deaths.count, l->deaths.size,
		    death_compare);
	is_fine = suspects_judge(l) && books_close(l, all, count, is_part) &&
	    sessions_compare(l, all, count);
	free(all);
	if (l->findings.count > 0)
		qsort(l->findings.at, l->findings.count, l->findings.size,
		    finding_compare);
	return is_fine;
}
