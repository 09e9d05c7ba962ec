/*
 * pg_rows.c - result columns, and rows with their protected values masked.
 *
 * The rule: a row of a masked shape leaves only through row_mask(), and a
 * column that cannot be told is redacted.
 */
#include <stdlib.h>

#include "common/detect.h"
#include "worker/postgres/pg.h"

struct shape *
shape_share(struct shape *s)
{
	if (s != NULL)
		s->references++;
	return s;
}

void
shape_drop(struct shape *s)
{
	if (s == NULL || --s->references > 0)
		return;
	arena_free(s->types);
	free(s);
}

struct reading { /* of one RowDescription */
	struct session *session;
	const struct ruling *ruling;
	const struct portal *portal;
	struct shape *shape;
	bool is_outdated; /* see is_outdated() */
};

enum { FETCHES_MAX = 100 }; /* of a text that are looked at one by one */

/* Is the i-th statement a FETCH from a cursor that was opened under another
 * schema? One that nobody knows is as old as the session, unless the text
 * itself has just opened it. */
static bool
is_outdated_fetch(struct session *s, const struct classified *text, size_t i)
{
	const struct statement *st = &text->statements[i];
	const struct portal *cursor = names_get(pg_of(s)->portals, st->subject);
	size_t k;

	if ((st->operations & BIT(OP_FETCH)) == 0)
		return false;
	if (cursor != NULL)
		return cursor->epoch != gate_schema_epoch(s->gate);
	for (k = 0; k < i; k++) {
		if ((text->statements[k].operations & BIT(OP_DECLARE)) != 0 &&
		    text_is(text->statements[k].subject, st->subject))
			return false;
	}
	return true;
}

/* A cursor shows what its relations were when it was opened: may the columns
 * be of one that is older than the schema now known? */
static bool
is_outdated(struct session *s, const struct ruling *j, const struct portal *p)
{
	uint64_t epoch = gate_schema_epoch(s->gate);
	size_t i;

	if (p != NULL && p->is_cursor)
		return p->epoch != epoch;
	if ((j->operations & BIT(OP_FETCH)) == 0 ||
	    s->gate->first_epoch == epoch)
		return false;
	if (j->text.count > FETCHES_MAX)
		return true;
	for (i = 0; i < j->text.count; i++) {
		if (is_outdated_fetch(s, &j->text, i))
			return true;
	}
	return false;
}

static enum err
plan_column(void *context, size_t i, const struct pg_field *field)
{
	struct reading *r = context;
	struct gate *g = r->session->gate;
	struct column_plan *plan = &r->shape->columns[i];
	const struct origin origin = {
	    field->table, field->column, i, r->shape->count};
	struct column_protection p;

	gate_output(g, r->ruling, &origin, &p);
	if (r->is_outdated)
		p = (struct column_protection){.mask = MASK_REDACT};
	if (field->table == 0 && r->portal != NULL && r->portal->is_suspect)
		p = (struct column_protection){.mask = MASK_REDACT};
	plan->mask = p.mask;
	plan->type.oid = field->type;
	plan->type.is_binary = r->portal == NULL || r->portal->is_cursor
				   ? field->is_binary
				   : pg_bind_is_binary(r->portal->formats,
					 r->portal->format_count, i);
	plan->is_scanned = plan->mask == MASK_NONE && g->protection != NULL &&
			   protection_detectors(g->protection) != 0 &&
			   detect_looks_into(field->type);
	if (plan->mask != MASK_NONE || plan->is_scanned)
		plan->type.shape =
		    pg_type_shape(g, field->type, &r->shape->types);
	r->shape->is_masked |= plan->mask != MASK_NONE || plan->is_scanned;
	r->shape->is_denied |= p.is_denied;
	return ERR_NONE;
}

enum err
shape_read(struct session *s, const struct ruling *j, struct wire body,
    const struct portal *portal, struct shape **out)
{
	struct wire count = body;
	size_t fields = wire_u16(&count);
	struct reading r = {.session = s, .ruling = j, .portal = portal};
	enum err e = ERR_NONE;

	if (fields > PG_FIELDS_MAX)
		return ERR_MALFORMED;
	r.shape =
	    calloc(1, sizeof(*r.shape) + fields * sizeof(r.shape->columns[0]));
	if (r.shape == NULL)
		return ERR_MEMORY;
	r.shape->references = 1;
	r.shape->count = fields;
	r.shape->generation = j->generation;
	r.shape->reading = j->reading;
	r.shape->own_version = j->own_version;
	if (gate_protects(s->gate)) {
		r.is_outdated = is_outdated(s, j, portal);
		e = pg_parse_row_description(body, plan_column, &r, &fields);
	}
	if (e != ERR_NONE) {
		shape_drop(r.shape);
		return e;
	}
	*out = r.shape;
	return ERR_NONE;
}

bool
column_mask_utf8(struct session *s, const struct column_plan *plan,
    struct text value, struct masked *out)
{
	const struct protection *protection = s->gate->protection;
	struct pg *pg = pg_of(s);

	if (plan->mask != MASK_NONE)
		mask_value(plan->mask, plan->type, pg->mask_key, value,
		    pg->row, out);
	else if (plan->is_scanned)
		detect_mask(protection_detectors(protection),
		    protection_detector_masks(protection), plan->type,
		    pg->mask_key, value, pg->row, out);
	else
		return false;
	return out->is_null || out->value.at != value.at;
}

bool
column_mask(struct session *s, const struct column_plan *plan,
    struct text value, struct masked *out)
{
	if (plan->mask == MASK_NONE && !plan->is_scanned)
		return false;
	if (s->gate->coder.encoding != NULL && !text_is_ascii(value))
		return pg_mask_foreign(s, plan, value, out);
	return column_mask_utf8(s, plan, value, out);
}

static void
put_value(struct buffer *out, const struct masked *m)
{
	if (m->is_null) {
		buffer_put_u32(out, UINT32_MAX);
		return;
	}
	buffer_put_u32(out, (uint32_t)m->value.len);
	buffer_put_text(out, m->value);
}

enum err
row_mask(struct session *s, const struct shape *shape, struct wire body,
    struct buffer *out, uint64_t *masked_out)
{
	/* what passes as it is goes in runs, one copy each */
	struct wire run = body, field;
	size_t at = pg_message_begin(out, 'D'), i;
	struct text value;
	struct masked m;
	int32_t len;

	if (wire_u16(&body) != shape->count)
		return ERR_MALFORMED;
	if (s->gate->protection == NULL) /* it went while the rows came */
		return ERR_STORE;
	arena_reset(pg_of(s)->row);
	for (i = 0; i < shape->count; i++) {
		field = body;
		len = wire_i32(&body);
		if (len < 0)
			continue;
		value = wire_bytes(&body, (size_t)len);
		if (body.bad)
			return ERR_MALFORMED;
		if (!column_mask(s, &shape->columns[i], value, &m))
			continue;
		++*masked_out;
		buffer_put_text(out, wire_since(&field, &run));
		put_value(out, &m);
		run = body;
	}
	buffer_put_text(out, wire_since(&body, &run));
	pg_message_end(out, at);
	return wire_end(&body);
}
