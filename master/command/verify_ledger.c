/*
 * verify_ledger.c - following the chains, line by line.
 *
 * The rule: nothing that a line says is believed before its mac is right; a
 * line whose mac is not right moves no chain.
 */
#include "master/command/verify_ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	NODES_MAX = 1024, /* a name is believed before its record is */
};

/* --- lists ---------------------------------------------------------------- */

void *
list_add(struct list *l)
{
	char *added;

	if (l->count == l->room) {
		size_t room = l->room == 0 ? 16 : l->room * 2;
		void *more = reallocarray(l->at, room, l->size);

		if (more == NULL)
			return NULL;
		l->at = more;
		l->room = room;
	}
	added = (char *)l->at + l->count++ * l->size;
	memset(added, 0, l->size);
	return added;
}

bool
finding_add(struct ledger *l, enum finding_kind kind, struct spot at,
    struct chain *c, uint64_t first, uint64_t last)
{
	struct finding *f = list_add(&l->findings);

	if (f == NULL)
		return false;
	f->kind = kind;
	f->at = at;
	f->until = at.line;
	f->first = first;
	f->last = last;
	if (c == NULL)
		return true;
	c->is_wrong = true;
	snprintf(f->node, sizeof(f->node), "%s",
	    (const char *)l->nodes.at + c->node * l->nodes.size);
	audit_chain_name(c->book, c->number, c->writer, f->chain);
	snprintf(f->session, sizeof(f->session), "%s", c->session);
	return true;
}

/* --- finding a chain ------------------------------------------------------ */

/* NODES_MAX: there are more than anybody has. */
static bool
node_index(struct ledger *l, const char *name, uint32_t *out)
{
	char *added;
	size_t i;

	for (i = 0; i < l->nodes.count; i++) {
		if (strcmp((char *)l->nodes.at + i * l->nodes.size, name) == 0)
			break;
	}
	*out = (uint32_t)i;
	if (i < l->nodes.count || i == NODES_MAX)
		return true;
	added = list_add(&l->nodes);
	if (added != NULL)
		snprintf(added, l->nodes.size, "%s", name);
	return added != NULL;
}

static size_t
chain_hash(const struct chain *c)
{
	const uint64_t parts[] = {
	    c->node, c->book, c->number, (uint64_t)c->writer};

	return (size_t)text_hash(
	    (struct text){(const char *)parts, sizeof(parts)});
}

static bool
chain_is(const struct chain *a, const struct chain *b)
{
	return a->node == b->node && a->book == b->book &&
	    a->number == b->number && a->writer == b->writer;
}

/* Where it is, or the free slot where it belongs. */
static size_t *
slot_of(struct ledger *l, const struct chain *like)
{
	size_t i = chain_hash(like);

	for (;; i++) {
		size_t *slot = &l->slots[i & (l->slot_count - 1)];

		if (*slot == 0 || chain_is(ledger_chain(l, *slot - 1), like))
			return slot;
	}
}

/* Never more than half full. */
static bool
slots_grow(struct ledger *l)
{
	size_t i, count = l->slot_count == 0 ? 1024 : l->slot_count * 2;

	if (l->chains.count * 2 < l->slot_count)
		return true;
	free(l->slots);
	l->slot_count = count;
	l->slots = calloc(count, sizeof(*l->slots));
	for (i = 0; l->slots != NULL && i < l->chains.count; i++)
		*slot_of(l, ledger_chain(l, i)) = i + 1;
	return l->slots != NULL;
}

/* The chain this record says it is of, made if new; its index. */
static bool
chain_find(struct ledger *l, const struct chain *like, size_t *out)
{
	struct chain *added;
	size_t *slot;

	if (!slots_grow(l))
		return false;
	slot = slot_of(l, like);
	if (*slot == 0) {
		added = list_add(&l->chains);
		if (added == NULL)
			return false;
		*added = *like;
		*slot = l->chains.count;
	}
	*out = *slot - 1;
	return true;
}

/* --- is it genuine? ------------------------------------------------------- */

enum answer { ANSWER_YES, ANSWER_NO, ANSWER_TOO_FAR };

/* With `at` at a record not behind this one. When yes, `at` is at it. */
static enum answer
mac_try(struct ledger *l, struct audit_chain *at, const struct sealed *r)
{
	char mac[AUDIT_MAC_SIZE];
	uint64_t steps = r->seq - at->next;

	if (steps > VERIFY_STEPS_MAX - l->steps)
		return ANSWER_TOO_FAR;
	l->steps += steps;
	if (audit_chain_go(at, r->seq) != ERR_NONE ||
	    audit_chain_mac(at, r->canonical, mac) != ERR_NONE ||
	    strcmp(mac, r->mac) != 0)
		return ANSWER_NO;
	return ANSWER_YES;
}

/* From the chain's first key, for the session that the record says. */
static enum answer
mac_try_anew(struct ledger *l, const struct chain *c, const struct sealed *r,
    struct audit_chain *at)
{
	bool is_master = c->writer == AUDIT_OF_MASTER;
	uint8_t key[AUDIT_KEY_LEN];

	if (audit_chain_derive(l->key, text_of(r->node), text_of(r->chain),
		text_of(is_master ? "" : r->session), key) != ERR_NONE)
		return ANSWER_NO;
	audit_chain_begin(at, r->chain, key);
	return mac_try(l, at, r);
}

/* --- a genuine record's consequences -------------------------------------- */

static bool
gap_add(struct chain *c, uint64_t last, const struct sealed *r,
    struct spot at, const uint8_t *key)
{
	struct gap *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return false;
	*g = (struct gap){.next = c->gaps, .first = c->next, .last = last,
	    .seen = at, .is_lost = r->seq - c->next <= r->lost};
	memcpy(g->key, key, sizeof(g->key));
	c->gaps = g;
	return true;
}

static bool
death_add(struct ledger *l, const struct chain *c, const struct sealed *r)
{
	struct death *d = list_add(&l->deaths);

	if (d == NULL)
		return false;
	d->node = c->node;
	d->last_seq = r->last_seq;
	snprintf(d->session, sizeof(d->session), "%s", r->session);
	return true;
}

static bool
may_say(enum audit_writer writer, const struct sealed *r)
{
	if (writer == AUDIT_OF_MASTER)
		return !r->is_decision && !r->is_brokers;
	if (writer == AUDIT_OF_BROKER)
		return r->is_brokers;
	return !r->is_masters && !r->is_brokers &&
	    r->is_decision == (writer == AUDIT_OF_COMMAND);
}

static bool
is_end(enum audit_writer writer, const struct sealed *r)
{
	if (writer == AUDIT_OF_MASTER)
		return strcmp(r->event, "stop") == 0;
	return writer == AUDIT_OF_COMMAND || writer == AUDIT_OF_BROKER ||
	    strcmp(r->event, "disconnect") == 0 ||
	    strcmp(r->event, "login-failed") == 0;
}

/* What it tells, wherever in its chain it stands. */
static bool
record_note(struct ledger *l, struct chain *c, struct spot at,
    const struct sealed *r)
{
	l->records++;
	c->has_ended |= is_end(c->writer, r);
	if (c->writer == AUDIT_OF_MASTER) {
		if (r->chains > c->chains)
			c->chains = r->chains;
		if (r->session[0] != '\0' && !death_add(l, c, r))
			return false;
	}
	return may_say(c->writer, r) ||
	    finding_add(l, FINDING_USURPED, at, c, r->seq, r->seq);
}

/* It is the highest so far: what lies between is a gap for now. */
static bool
chain_advance(struct ledger *l, struct chain *c, struct spot at,
    const struct sealed *r, struct audit_chain *now)
{
	if (r->seq > c->next && !gap_add(c, r->seq - 1, r, at, c->key))
		return false;
	if (audit_chain_go(now, r->seq + 1) != ERR_NONE)
		return false;
	memcpy(c->key, now->key, sizeof(c->key));
	c->next = now->next;
	c->last_at = at;
	return record_note(l, c, at, r);
}

static bool
chain_know(struct ledger *l, struct chain *c, struct spot at,
    const struct sealed *r, struct audit_chain *now)
{
	struct audit_chain start;

	if (audit_chain_derive(l->key, text_of(r->node), text_of(r->chain),
		text_of(c->writer == AUDIT_OF_MASTER ? "" : r->session),
		start.key) != ERR_NONE)
		return false;
	memcpy(c->key, start.key, sizeof(c->key));
	c->is_known = true;
	c->next = 1;
	c->first = r->seq;
	c->first_at = at;
	if (c->writer != AUDIT_OF_MASTER)
		snprintf(c->session, sizeof(c->session), "%s", r->session);
	return chain_advance(l, c, at, r, now);
}

/* --- a line's way --------------------------------------------------------- */

static bool
suspect_add(struct ledger *l, size_t chain, struct spot at,
    const struct sealed *r)
{
	struct suspect *s = list_add(&l->suspects);

	if (s == NULL)
		return false;
	*s = (struct suspect){.at = at, .chain = chain, .seq = r->seq};
	return true;
}

/* Take one record out of a gap, which may become two. */
static bool
gap_fill(struct chain *c, struct gap **link, uint64_t seq,
    struct audit_chain *at)
{
	struct gap *g = *link, *rest;

	if (seq < g->last) {
		rest = calloc(1, sizeof(*rest));
		if (rest == NULL || audit_chain_go(at, seq + 1) != ERR_NONE) {
			free(rest);
			return false;
		}
		*rest = *g;
		rest->first = seq + 1;
		memcpy(rest->key, at->key, sizeof(rest->key));
		rest->next = c->gaps;
		c->gaps = rest;
		/* the new head may be what `link` was */
		if (link == &c->gaps)
			link = &rest->next;
	}
	g->last = seq - 1;
	if (g->first > g->last) {
		*link = g->next;
		free(g);
	}
	return true;
}

/* A record in front of the highest: late, there already, or false. */
static bool
record_old(struct ledger *l, size_t chain, struct spot at,
    const struct sealed *r)
{
	struct chain *c = ledger_chain(l, chain);
	struct audit_chain try;
	struct gap **link = &c->gaps;
	enum answer answer;

	while (*link != NULL &&
	    (r->seq < (*link)->first || r->seq > (*link)->last))
		link = &(*link)->next;
	if (*link == NULL) {
		answer = mac_try_anew(l, c, r, &try);
		if (answer == ANSWER_YES)
			return finding_add(
			    l, FINDING_REPEATED, at, c, r->seq, r->seq);
	} else {
		audit_chain_begin(&try, r->chain, (*link)->key);
		try.next = (*link)->first;
		answer = mac_try(l, &try, r);
		if (answer == ANSWER_YES)
			return gap_fill(c, link, r->seq, &try) &&
			    record_note(l, c, at, r) &&
			    finding_add(l, FINDING_REORDERED, at, c, r->seq,
				r->seq);
	}
	return answer == ANSWER_TOO_FAR
	    ? finding_add(l, FINDING_TOO_FAR, at, c, r->seq, r->seq)
	    : suspect_add(l, chain, at, r);
}

/* The session of a chain does not change, so another's is a false one: or
 * the chain's number was given twice, as an old state folder would do. */
static bool
record_strange(struct ledger *l, size_t chain, struct spot at,
    const struct sealed *r)
{
	struct audit_chain try;
	struct chain *c = ledger_chain(l, chain);

	return mac_try_anew(l, c, r, &try) == ANSWER_YES
	    ? finding_add(l, FINDING_TWICE, at, c, r->seq, r->seq)
	    : suspect_add(l, chain, at, r);
}

static bool
record_take(struct ledger *l, size_t chain, struct spot at,
    const struct sealed *r)
{
	struct chain *c = ledger_chain(l, chain);
	struct audit_chain try = {.next = 1};
	enum answer answer;

	if (c->is_known && c->writer != AUDIT_OF_MASTER &&
	    strcmp(c->session, r->session) != 0)
		return record_strange(l, chain, at, r);
	if (c->is_known && r->seq < c->next)
		return record_old(l, chain, at, r);
	if (c->is_known) {
		audit_chain_begin(&try, r->chain, c->key);
		try.next = c->next;
		answer = mac_try(l, &try, r);
	} else {
		answer = mac_try_anew(l, c, r, &try);
	}
	if (answer == ANSWER_TOO_FAR)
		return finding_add(l, FINDING_TOO_FAR, at, c, r->seq, r->seq);
	if (answer == ANSWER_NO)
		return suspect_add(l, chain, at, r);
	return c->is_known ? chain_advance(l, c, at, r, &try)
			   : chain_know(l, c, at, r, &try);
}

/* Many in a row are one finding. */
static bool
line_wrong(struct ledger *l, enum finding_kind kind, struct spot at)
{
	struct finding *f = l->findings.at;

	if (l->findings.count > 0) {
		f += l->findings.count - 1;
		if (f->kind == kind && f->at.file == at.file &&
		    f->until + 1 == at.line) {
			f->until = at.line;
			return true;
		}
	}
	return finding_add(l, kind, at, NULL, 0, 0);
}

bool
ledger_take(struct ledger *l, struct spot at, enum line_kind kind,
    const struct sealed *r)
{
	struct chain like = {0};
	size_t chain;

	l->others += kind == LINE_OTHER;
	if (kind == LINE_OTHER)
		return true;
	if (kind == LINE_UNSEALED)
		return line_wrong(l, FINDING_UNSEALED, at);
	if (kind == LINE_DAMAGED ||
	    !audit_chain_parse(text_of(r->chain), &like.book, &like.number,
		&like.writer))
		return line_wrong(l, FINDING_DAMAGED, at);
	if (!node_index(l, r->node, &like.node))
		return false;
	if (like.node == NODES_MAX)
		return line_wrong(l, FINDING_DAMAGED, at);
	return chain_find(l, &like, &chain) && record_take(l, chain, at, r);
}

/* --- the whole ------------------------------------------------------------ */

struct ledger *
ledger_new(const struct audit_key *key)
{
	struct ledger *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->key = key;
	l->nodes.size = VERIFY_NODE_MAX;
	l->chains.size = sizeof(struct chain);
	l->suspects.size = sizeof(struct suspect);
	l->deaths.size = sizeof(struct death);
	l->findings.size = sizeof(struct finding);
	return l;
}

void
ledger_free(struct ledger *l)
{
	size_t i;

	if (l == NULL)
		return;
	for (i = 0; i < l->chains.count; i++) {
		struct chain *c = ledger_chain(l, i);

		while (c->gaps != NULL) {
			struct gap *next = c->gaps->next;

			free(c->gaps);
			c->gaps = next;
		}
	}
	free(l->nodes.at);
	free(l->chains.at);
	free(l->suspects.at);
	free(l->deaths.at);
	free(l->findings.at);
	free(l->slots);
	free(l);
}

const struct finding *
ledger_findings(const struct ledger *l, size_t *count)
{
	*count = l->findings.count;
	return l->findings.at;
}

struct tally
ledger_tally(const struct ledger *l)
{
	struct tally t = {.records = l->records, .others = l->others};
	size_t i;

	for (i = 0; i < l->chains.count; i++) {
		const struct chain *c = ledger_chain(l, i);

		t.chains += c->is_known;
		t.whole += c->is_known && !c->is_wrong;
	}
	return t;
}
