/*
 * mask_row.c - masks on the columns of rows: composite types and record.
 *
 * The rule: a row has as many columns as its type, each as the mask of its own
 * type has it, or NULL.  Formats: record_out() and record_send() of the
 * server's rowtypes.c.
 */
#include "common/mask_nest.h"

static const struct nest_quoting quoting = {
    .marks = "\"\\(),", .escape = '"'};

/* --- text: (a,"b ""c""",) ------------------------------------------------- */

static bool
copy_column(const struct mask_job *j, const struct mask_shape *shape,
    struct nest_cursor *in, struct nest_builder *b)
{
	struct masked m = {true, {NULL, 0}};
	struct nest_part part;

	if (!nest_read(in, &quoting, j->arena, &part))
		return false;
	if (part.is_quoted || part.value.len > 0)
		mask_inner(j, shape, part.value, &m);
	if (!m.is_null)
		nest_put_part(b, &quoting, m.value);
	return true;
}

/* Text of an anonymous row does not say its types. */
static bool
row_text(const struct mask_job *j, struct text *out)
{
	const struct mask_shape *shape = j->type.shape;
	struct nest_cursor in = {.text = j->value};
	struct nest_builder b = {.arena = j->arena};
	size_t i;

	if (shape->form != FORM_ROW || !nest_has(&in, '('))
		return false;
	nest_put_char(&b, '(');
	for (i = 0; i < shape->count; i++) {
		if (i > 0 && !nest_has(&in, ','))
			return false;
		if (i > 0)
			nest_put_char(&b, ',');
		if (!copy_column(j, &shape->parts[i], &in, &b))
			return false;
	}
	nest_put_char(&b, ')');
	return nest_has(&in, ')') && in.at == in.text.len &&
	    nest_done(&b, out);
}

/* --- binary --------------------------------------------------------------- */

/* The type of a column: what the row's type says, which the value must agree
 * with; of an anonymous row, what the value says. NULL: they disagree. */
static const struct mask_shape *
column_shape(const struct mask_shape *row, size_t i, uint32_t oid)
{
	if (row->form == FORM_RECORD)
		return mask_shape_of(oid);
	return row->parts[i].oid == oid ? &row->parts[i] : NULL;
}

static bool
row_binary(const struct mask_job *j, struct text *out)
{
	const struct mask_shape *row = j->type.shape, *shape;
	struct wire w = wire_of(j->value.at, j->value.len);
	struct nest_builder b = {.arena = j->arena};
	uint32_t count = wire_u32(&w), i;

	if (row->form == FORM_RECORD ? count > ROW_COLUMNS_MAX
				     : count != row->count)
		return false;
	nest_put_u32(&b, count);
	for (i = 0; i < count; i++) {
		struct masked m = {true, {NULL, 0}};
		uint32_t oid = wire_u32(&w);
		struct text value;

		shape = column_shape(row, i, oid);
		if (shape == NULL)
			return false;
		if (nest_read_binary(&w, &value))
			mask_inner(j, shape, value, &m);
		if (w.bad)
			return false;
		nest_put_u32(&b, oid);
		nest_put_masked(&b, &m);
	}
	return wire_end(&w) == ERR_NONE && nest_done(&b, out);
}

bool
mask_row(const struct mask_job *j, struct text *out)
{
	return j->type.is_binary ? row_binary(j, out) : row_text(j, out);
}
