/*
 * protection_code.c - what users' code, called in a statement, may read.
 *
 * The rule: a name that may be that of users' code is, wherever the search
 * path leads.  What such code reads the statement reads; code that nobody
 * knows, or that may read anything, is told to the caller, who must be strict.
 */
#include <stdlib.h>

#include "common/code_calls.h"
#include "common/protection_inner.h"

struct calls {
	struct protection *p;
	const struct statement *statement;
	struct touch *out;
};

/* --- what code there is --------------------------------------------------- */

/* Eight to sixteen bits for each hash. */
static enum err
code_make_bits(struct protection *p)
{
	size_t words = 1, i;

	while (words * 8 < p->code_count)
		words *= 2;
	p->code_bits_mask = words * 64 - 1;
	p->code_bits = arena_array(p->cache, words, sizeof(*p->code_bits));
	if (p->code_bits == NULL)
		return ERR_MEMORY;
	for (i = 0; i < p->code_count; i++) {
		size_t bit = p->code[i] & p->code_bits_mask;

		p->code_bits[bit / 64] |= BIT(bit % 64);
	}
	return ERR_NONE;
}

static enum err
code_load(struct protection *p)
{
	enum err e;

	if (p->is_code_loaded)
		return ERR_NONE;
	if (p->catalog == NULL || p->is_code_missing)
		return ERR_NOT_FOUND;
	e = store_code_names(p->catalog, p->upstream, p->database, p->cache,
	    &p->code, &p->code_count);
	if (e == ERR_NONE)
		e = code_make_bits(p);
	p->is_code_loaded = e == ERR_NONE;
	p->is_code_missing = e == ERR_NOT_FOUND;
	return e;
}

static bool
code_exists(const struct protection *p, uint64_t hash)
{
	size_t low = 0, high = p->code_count;
	size_t bit = hash & p->code_bits_mask;

	if ((p->code_bits[bit / 64] & BIT(bit % 64)) == 0)
		return false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (p->code[middle] < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return low < p->code_count && p->code[low] == hash;
}

static enum err
code_keep(struct protection *p, struct known_code **bucket,
    enum code_kind kind, struct text name, const struct code **out)
{
	struct known_code *c, found = {.next = *bucket};
	enum err e = store_code_named(p->catalog, p->upstream, p->database,
	    kind, name, p->cache, &found.code);

	if (e != ERR_NONE)
		return e;
	c = arena_alloc(p->cache, sizeof(*c));
	if (c == NULL)
		return ERR_MEMORY;
	*c = found;
	*bucket = c;
	*out = &c->code;
	return ERR_NONE;
}

enum err
protection_code_named(struct protection *p, enum code_kind kind,
    struct text name, const struct code **out)
{
	uint64_t hash = code_hash(kind, name);
	struct known_code **bucket, *c;
	enum err e = code_load(p);

	if (e != ERR_NONE)
		return e;
	if (!code_exists(p, hash))
		return ERR_NOT_FOUND;
	if (p->codes == NULL)
		p->codes = arena_array(
		    p->cache, PROTECTION_BUCKETS, sizeof(*p->codes));
	if (p->codes == NULL)
		return ERR_MEMORY;
	bucket = &p->codes[hash >> 32 & (PROTECTION_BUCKETS - 1)];
	for (c = *bucket; c != NULL; c = c->next) {
		if (c->code.kind == kind && text_is(c->code.name, name)) {
			*out = &c->code;
			return ERR_NONE;
		}
	}
	return code_keep(p, bucket, kind, name, out);
}

/* --- what it reads -------------------------------------------------------- */

static enum err
touch_column(struct protection *p, struct known_relation *r, size_t i,
    struct touch *out)
{
	const struct column_state *c = &r->columns[i];
	enum err e = protection_resolve(p, r, i);

	if (e != ERR_NONE || c->found.mask == MASK_NONE)
		return e;
	out->predicates = out->is_protected
	    ? predicates_stricter(out->predicates, c->predicates)
	    : c->predicates;
	out->is_protected = out->mentions = out->is_code_protected = true;
	protection_add(&out->derived, c->found.protect, true);
	out->derived.mask =
	    mask_stricter(out->derived.mask, c->found.mask);
	out->derived.is_denied |= c->found.is_denied;
	return ERR_NONE;
}

static enum err
touch_source(struct protection *p, const struct column_source *source,
    struct touch *out)
{
	struct known_relation *r;
	size_t i, end;
	enum err e = protection_source(p, source, &r, &i, &end);

	for (; e == ERR_NONE && i < end; i++)
		e = touch_column(p, r, i, out);
	return e;
}

enum err
protection_code_reads(
    struct protection *p, const struct code *c, struct touch *out)
{
	enum err e = ERR_NONE;
	bool was_protected = out->is_code_protected;
	size_t i;

	out->is_code_escaping |= c->escapes;
	if (p->is_empty)
		return ERR_NONE;
	out->is_code_protected = false;
	out->is_code_open |= c->is_opaque;
	for (i = 0; i < c->source_count && e == ERR_NONE; i++)
		e = touch_source(p, &c->sources[i], out);
	/* A relation that the catalogue has lost may be anything. */
	out->is_code_open |= e == ERR_NOT_FOUND;
	out->is_code_storing |= out->is_code_protected && c->stores;
	out->is_code_dynamic |= c->is_opaque && c->stores;
	out->is_code_protected |= was_protected;
	return e == ERR_NOT_FOUND ? ERR_NONE : e;
}

/* --- who calls it --------------------------------------------------------- */

/* Casts that nobody has spelled out are no reason to call a function unknown:
 * they are in every statement. */
static enum err
touch_code(struct calls *c, const struct code_call *call)
{
	struct touch read = {0};
	const struct code *code;
	enum err e =
	    protection_code_named(c->p, call->kind, call->name, &code);

	if (e != ERR_NONE)
		return e == ERR_NOT_FOUND ? ERR_NONE : e;
	if (call->is_system && !code->is_in_system)
		return ERR_NONE;
	c->out->runs_code |= call->kind != CODE_ALWAYS && !code->is_trusted &&
	    (code->is_disguise || code->is_opaque || code->stores ||
		code->source_count > 0);
	if (call->kind != CODE_FUNCTION || call->may_be_column) {
		e = protection_code_reads(c->p, code, &read);
		c->out->is_code_silent |= read.is_code_protected;
	}
	return e != ERR_NONE ? e : protection_code_reads(c->p, code, c->out);
}

static bool
has_column(struct protection *p, uint32_t oid, struct text name)
{
	struct known_relation *r;
	size_t i;

	if (protection_known(p, oid, &r) != ERR_NONE)
		return false;
	for (i = 0; i < r->relation.column_count; i++) {
		if (text_is(r->relation.columns[i].name, name))
			return true;
	}
	return false;
}

/* Is it a column, or the relation in schema.relation? */
static bool
is_column(struct calls *c, struct text name)
{
	uint32_t oids[PROTECTION_SAME_NAME_MAX];
	struct protection *p = c->p;
	size_t count, i, k;

	for (i = 0; i < c->statement->relation_count; i++) {
		const struct relation_use *use = &c->statement->relations[i];

		if (use->schema.len > 0 && text_is(use->name, name))
			return true;
		if (protection_named(p, use->name, oids,
			PROTECTION_SAME_NAME_MAX, &count) != ERR_NONE)
			continue;
		for (k = 0; k < count; k++) {
			if (has_column(p, oids[k], name))
				return true;
		}
	}
	return false;
}

static enum err
take_call(void *context, const struct code_call *call)
{
	struct calls *c = context;
	struct touch read = {0};
	const struct code *code;
	enum err e;

	if (!code_exists(c->p, code_hash(call->kind, call->name)))
		return ERR_NONE;
	if (!call->may_be_column || !is_column(c, call->name))
		return touch_code(c, call);
	/* A column of another relation may hide it: it is called if that would
	 * matter. */
	if (c->statement->relation_count == 1)
		return ERR_NONE;
	e = protection_code_named(c->p, call->kind, call->name, &code);
	if (e == ERR_NONE)
		e = protection_code_reads(c->p, code, &read);
	if (e != ERR_NONE)
		return e == ERR_NOT_FOUND ? ERR_NONE : e;
	return read.is_code_protected || read.is_code_open ||
		read.is_code_escaping
	    ? touch_code(c, call)
	    : ERR_NONE;
}

/* Without a catalogue any call may be one of users' code. */
static enum err
take_unseen(void *context, const struct code_call *call)
{
	struct touch *out = context;

	if (!call->is_system && !call->may_be_column)
		out->is_code_open = out->is_code_unseen = true;
	return ERR_NONE;
}

/* Functions that are on no list: is each one known to the catalogue? One
 * whose name only looks like a call is none of these. */
static enum err
touch_unlisted(struct calls *c)
{
	const struct statement *s = c->statement;
	const struct code *code;
	enum err e = ERR_NONE;
	size_t i;

	for (i = 0; i < s->unlisted_count && e == ERR_NONE; i++) {
		e = protection_code_named(
		    c->p, CODE_FUNCTION, s->unlisted[i], &code);
		if (e == ERR_NOT_FOUND) {
			c->out->runs_code = c->out->is_code_open = true;
			c->out->is_code_unseen = true;
			e = ERR_NONE;
		} else if (e == ERR_NONE) {
			c->out->runs_code |= !code->is_trusted;
			e = protection_code_reads(c->p, code, c->out);
		}
	}
	return e;
}

/* Triggers and the like run apart from the statement, whose own values they
 * don't see: what they read is no part of its outputs, but for what triggers
 * put into the rows. */
static enum err
touch_attached(struct calls *c, enum code_kind kind, struct text name)
{
	struct touch read = {0};
	const struct code *code;
	enum err e = protection_code_named(c->p, kind, name, &code);

	if (e == ERR_NONE)
		e = protection_code_reads(c->p, code, &read);
	c->out->runs_storing |= e == ERR_NONE && code->stores;
	c->out->is_code_storing |= read.is_code_storing;
	c->out->runs_inner |= read.is_code_protected || read.is_code_open;
	c->out->is_inner_open |= read.is_code_open;
	c->out->is_code_escaping |= read.is_code_escaping;
	c->out->fills_rows |= kind == CODE_ROWS && read.is_code_open;
	return e == ERR_NOT_FOUND ? ERR_NONE : e;
}

/* Told of for nothing else. */
static enum err
touch_escape(struct calls *c, enum code_kind kind, struct text name)
{
	const struct code *code;
	enum err e = protection_code_named(c->p, kind, name, &code);

	c->out->is_code_escaping |= e == ERR_NONE && code->escapes;
	return e == ERR_NOT_FOUND ? ERR_NONE : e;
}

/* What runs because relations are written, or only read. */
static enum err
touch_relations(struct calls *c)
{
	const struct statement *s = c->statement;
	enum err e = ERR_NONE;
	size_t i;

	for (i = 0; i < s->relation_count && e == ERR_NONE; i++) {
		const struct code_call rules = {
		    .kind = CODE_RELATION, .name = s->relations[i].name};

		e = touch_attached(c, CODE_SECURITY, rules.name);
		if (e == ERR_NONE)
			e = touch_escape(c, CODE_READING, rules.name);
		if (e != ERR_NONE || !s->relations[i].is_written)
			continue;
		e = touch_escape(c, CODE_WRITING, rules.name);
		if (e == ERR_NONE)
			e = touch_code(c, &rules);
		if (e == ERR_NONE)
			e = touch_attached(c, CODE_TRIGGER, rules.name);
		if (e == ERR_NONE)
			e = touch_attached(c, CODE_ROWS, rules.name);
	}
	return e;
}

enum err
protection_code(
    struct protection *p, const struct statement *s, struct touch *out)
{
	static const struct code_call unwritten = {.kind = CODE_ALWAYS};
	struct calls c = {p, s, out};
	enum err e = code_load(p);

	protection_escape(p, s, out);
	out->is_code_known = e == ERR_NONE;
	out->has_code = e != ERR_NONE || p->code_count > 0;
	if (e == ERR_NOT_FOUND)
		return code_calls(s->tokens, s->token_count, take_unseen, out);
	if (e != ERR_NONE)
		return e;
	if (p->code_count == 0 && s->unlisted_count == 0)
		return ERR_NONE;
	e = touch_unlisted(&c);
	if (e == ERR_NONE)
		e = touch_code(&c, &unwritten);
	if (e == ERR_NONE)
		e = touch_relations(&c);
	if (e == ERR_NONE)
		e = code_calls(s->tokens, s->token_count, take_call, &c);
	if (e != ERR_NONE)
		out->is_code_known = false;
	return e;
}
