/*
 * pg_copy_rows.c - the columns of a COPY TO STDOUT that is masked, and its
 * rows as CopyData.
 *
 * The rule: a row leaves only with as many columns as were described, each as
 * its own treatment says.
 */
#include <stdio.h>

#include "worker/postgres/copy/pg_copy_mask.h"

/* --- its columns ---------------------------------------------------------- */

struct describing {
	struct copy_out *copy;
	uint32_t table;		  /* of the first column */
	bool is_mixed;		  /* a column of another, or of none */
	struct relation relation; /* as the catalogue knows it */
};

static bool
is_named(const struct text *names, size_t count, struct text name)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (text_is(names[i], name))
			return true;
	}
	return false;
}

static enum err
note_column(void *context, size_t i, const struct pg_field *field)
{
	struct describing *d = context;
	struct copy_out *c = d->copy;
	const struct relation *r = &d->relation;

	if (i == 0)
		d->table = field->table;
	d->is_mixed |= field->table != d->table || field->table == 0 ||
		       field->column == 0 || field->column > INT16_MAX;
	c->names[i].len = field->name.len;
	c->names[i].at = arena_copy(c->arena, field->name.at, field->name.len);
	if (c->names[i].at == NULL)
		return ERR_MEMORY;
	c->is_quoted[i] = c->statement.quotes_all ||
			  is_named(c->statement.quoted,
			      c->statement.quoted_count, field->name);
	c->is_left_out[i] = field->column > 0 &&
			    field->column <= r->column_count &&
			    r->columns[field->column - 1].is_generated;
	c->columns += !c->is_left_out[i];
	return ERR_NONE;
}

static void
refuse(struct copy_out *c, const char *sqlstate, const char *why)
{
	c->sqlstate = sqlstate;
	c->refusal = why;
}

/* As the server does, COPY takes plain tables. */
static void
check_kind(struct copy_out *c, char kind)
{
	static const struct {
		char kind;
		const char *refusal;
	} kinds[] = {{'v', "cannot copy from a view"},
	    {'m', "cannot copy from a materialized view"},
	    {'f', "cannot copy from a foreign table"},
	    {'p', "cannot copy from a partitioned table"},
	    {'S', "cannot copy from a sequence"}};
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (kinds[i].kind != kind)
			continue;
		refuse(c, "42809", kinds[i].refusal);
		c->hint = "Try the COPY (SELECT ...) TO variant.";
	}
}

/* FORCE_QUOTE names columns that are there. */
static void
check_quoted(struct copy_out *c)
{
	size_t i;

	for (i = 0; i < c->statement.quoted_count; i++) {
		if (!is_named(c->names, c->fields, c->statement.quoted[i]))
			refuse(c, "42P10",
			    "a FORCE_QUOTE column is not referenced by COPY");
	}
}

static void
check_columns(struct copy_out *c, const struct describing *d)
{
	check_quoted(c);
	if (c->statement.is_query)
		return;
	if (d->is_mixed && c->fields > 0)
		refuse(c, "42703", "a column does not exist");
	if (c->statement.column_count > 0 && c->columns < c->fields)
		refuse(c, "42P10", "Generated columns cannot be used in COPY.");
	check_kind(c, d->relation.kind);
}

static enum err
describe(struct session *s, struct copy_out *c, struct wire body)
{
	struct gate *g = s->gate;
	struct describing d = {.copy = c};
	struct wire count = body;
	size_t fields = wire_u16(&count);
	enum err e;

	if (fields > PG_FIELDS_MAX)
		return ERR_MALFORMED;
	c->names = arena_array(c->arena, fields + 1, sizeof(*c->names));
	c->is_left_out = arena_alloc(c->arena, fields + 1);
	c->is_quoted = arena_alloc(c->arena, fields + 1);
	if (c->names == NULL || c->is_left_out == NULL || c->is_quoted == NULL)
		return ERR_MEMORY;
	if (!c->statement.is_query && fields > 0) {
		wire_cstring(&count); /* the first column's name */
		if (g->catalog_store == NULL ||
		    store_relation(g->catalog_store, g->place.upstream,
			g->place.database, wire_u32(&count), c->arena,
			&d.relation) != ERR_NONE)
			d.relation = (struct relation){.oid = 0};
	}
	e = pg_parse_row_description(body, note_column, &d, &c->fields);
	if (e == ERR_NONE)
		check_columns(c, &d);
	return e;
}

enum err
copy_out_on_columns(struct session *s, const struct answer *a, enum fate *fate)
{
	struct pending *p = queue_front(&pg_of(s)->queue);
	struct copy_out *c = p->copy;

	*fate = FATE_DROP;
	c->run = p->run;
	p->run = NULL;
	if (a->type == 'T') {
		c->has_rows = true;
		if (shape_read(s, c->ruling, a->body, p->portal,
			&p->portal->shape) != ERR_NONE ||
		    describe(s, c, a->body) != ERR_NONE)
			return back_unexpected(s, a);
		if (p->portal->shape->is_denied)
			refuse(c, "42501",
			    "the result computes with protected columns, which "
			    "their protection denies");
	} else {
		refuse(c, "0A000", "COPY query must have a RETURNING clause");
	}
	if (c->run != NULL && c->run->is_cut)
		refuse(c, c->run->sqlstate, c->run->complaint);
	back_advance(s);
	return ERR_NONE;
}

/* --- its rows ------------------------------------------------------------- */

static void
put_header_line(struct copy_out *c, struct copy_row *row)
{
	size_t i;

	copy_row_begin(row);
	for (i = 0; i < c->fields; i++) {
		if (!c->is_left_out[i])
			copy_row_value(row, c->names[i], false);
	}
	copy_row_end(row);
}

void
copy_out_begin(struct session *s, struct copy_out *c)
{
	const struct copy_format *f = &c->statement.format;
	struct buffer *out = pg_out(s);
	struct copy_row row = {.format = f, .out = out, .columns = c->columns};
	size_t at = pg_message_begin(out, 'H'), i;

	buffer_put_u8(out, f->kind == COPY_BINARY);
	buffer_put_u16(out, (uint16_t)c->columns);
	for (i = 0; i < c->columns; i++)
		buffer_put_u16(out, f->kind == COPY_BINARY);
	pg_message_end(out, at);
	if (!f->has_header)
		return;
	at = pg_message_begin(out, 'd');
	put_header_line(c, &row);
	pg_message_end(out, at);
}

/* Binary: the signature comes with the first message. */
static void
put_signature(struct copy_out *c, struct buffer *out)
{
	if (!c->has_begun && c->statement.format.kind == COPY_BINARY)
		copy_put_signature(out);
	c->has_begun = true;
}

static enum err
put_row(struct session *s, struct copy_out *c, const struct shape *shape,
    struct wire body, uint64_t *masked_out)
{
	struct copy_row row = {.format = &c->statement.format,
	    .out = pg_out(s),
	    .columns = c->columns};
	size_t i, at = pg_message_begin(row.out, 'd');
	struct text value;
	struct masked m;
	int32_t len;

	if (wire_u16(&body) != c->fields || c->fields != shape->count)
		return ERR_MALFORMED;
	if (s->gate->protection == NULL) /* it went while the rows came */
		return ERR_STORE;
	arena_reset(pg_of(s)->row);
	put_signature(c, row.out);
	copy_row_begin(&row);
	for (i = 0; i < c->fields; i++) {
		len = wire_i32(&body);
		value = wire_bytes(&body, len < 0 ? 0 : (size_t)len);
		if (body.bad)
			return ERR_MALFORMED;
		if (c->is_left_out[i])
			continue;
		m = (struct masked){.is_null = true};
		if (len >= 0 && !column_mask(s, &shape->columns[i], value, &m))
			m = (struct masked){.value = value};
		else
			*masked_out += len >= 0;
		if (m.is_null)
			copy_row_null(&row);
		else
			copy_row_value(&row, m.value, c->is_quoted[i]);
	}
	copy_row_end(&row);
	pg_message_end(row.out, at);
	return wire_end(&body);
}

enum err
copy_out_on_row(struct session *s, const struct answer *a, enum fate *fate)
{
	struct pending *p = queue_front(&pg_of(s)->queue);
	struct shape *shape = back_current_shape(p);
	size_t had = pg_out(s)->len;
	enum err e;

	*fate = FATE_DROP;
	if (p->is_muted || !run_count_row(s, p, a->total))
		return ERR_NONE;
	e = put_row(s, p->copy, shape, a->body, &p->run->outcome.masked);
	if (e == ERR_NONE)
		return e;
	buffer_cut(pg_out(s), had);
	return back_unexpected(s, a);
}

void
copy_out_finish(struct session *s, struct pending *p)
{
	struct buffer *out = pg_out(s);
	char tag[40];
	size_t at;

	if (p->copy->statement.format.kind == COPY_BINARY) {
		at = pg_message_begin(out, 'd');
		put_signature(p->copy, out);
		copy_put_trailer(out);
		pg_message_end(out, at);
	}
	pg_put_empty(out, 'c');
	snprintf(tag, sizeof(tag), "COPY %llu",
	    (unsigned long long)p->run->outcome.rows);
	at = pg_message_begin(out, 'C');
	buffer_put_cstring(out, text_of(tag));
	pg_message_end(out, at);
}
