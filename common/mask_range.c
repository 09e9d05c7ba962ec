/*
 * mask_range.c - masks on the bounds of ranges and multiranges.
 *
 * The rule: `year` and `round` never turn the order of two values round, so
 * masked bounds may meet but not cross; where they meet, the range is NULL
 * unless it may hold a single value.  What has no bounds to mask (empty,
 * unbounded) is NULL.  Formats: range_out(), range_send() of the server's
 * rangetypes.c and those of multirangetypes.c.
 */
#include "common/mask_nest.h"

/* RANGE_* of the server's utils/rangetypes.h */
enum {
	RANGE_LOWER_INCLUSIVE = 0x02,
	RANGE_UPPER_INCLUSIVE = 0x04,
	RANGE_LOWER_INFINITE = 0x08,
	RANGE_UPPER_INFINITE = 0x10,
	RANGE_KNOWN = 0x1e,
};

static const struct nest_quoting quoting = {
    .marks = "\"\\()[],", .escape = '"'};

struct range {
	uint8_t flags;
	struct text lower, upper; /* where not infinite */
};

/* --- reading -------------------------------------------------------------- */

/* No text and no quotes: there is no bound. */
static bool
read_bound(struct nest_cursor *in, struct arena *a, uint8_t infinite,
    uint8_t *flags, struct text *out)
{
	struct nest_part part;

	if (!nest_read(in, &quoting, a, &part))
		return false;
	if (!part.is_quoted && part.value.len == 0)
		*flags |= infinite;
	*out = part.value;
	return true;
}

static bool
read_text(struct nest_cursor *in, struct arena *a, struct range *out)
{
	*out = (struct range){0};
	if (nest_has(in, '['))
		out->flags |= RANGE_LOWER_INCLUSIVE;
	else if (!nest_has(in, '('))
		return false;
	if (!read_bound(in, a, RANGE_LOWER_INFINITE, &out->flags,
		&out->lower) ||
	    !nest_has(in, ',') ||
	    !read_bound(in, a, RANGE_UPPER_INFINITE, &out->flags, &out->upper))
		return false;
	if (nest_has(in, ']'))
		out->flags |= RANGE_UPPER_INCLUSIVE;
	else if (!nest_has(in, ')'))
		return false;
	return true;
}

static bool
read_binary(struct text value, struct range *out)
{
	struct wire w = wire_of(value.at, value.len);

	*out = (struct range){.flags = wire_u8(&w)};
	if ((out->flags & ~RANGE_KNOWN) != 0)
		return false; /* empty, or nothing we know */
	if ((out->flags & RANGE_LOWER_INFINITE) == 0 &&
	    !nest_read_binary(&w, &out->lower))
		return false;
	if ((out->flags & RANGE_UPPER_INFINITE) == 0 &&
	    !nest_read_binary(&w, &out->upper))
		return false;
	return wire_end(&w) == ERR_NONE;
}

/* --- masking -------------------------------------------------------------- */

/* Without zeros at the end of its decimal places. */
static struct text
decimal_trimmed(struct text decimal)
{
	if (decimal.len == 0 || memchr(decimal.at, '.', decimal.len) == NULL)
		return decimal;
	while (decimal.at[decimal.len - 1] == '0')
		decimal.len--;
	decimal.len -= decimal.at[decimal.len - 1] == '.';
	return decimal;
}

/* Of masked values: only a numeric has several spellings, as it keeps its
 * decimal places. In binary they are the fourth word. */
static bool
is_same(struct mask_type type, struct text a, struct text b)
{
	if (type.oid != TYPE_NUMERIC)
		return text_is(a, b);
	if (!type.is_binary)
		return text_is(decimal_trimmed(a), decimal_trimmed(b));
	return a.len == b.len && a.len >= 8 && memcmp(a.at, b.at, 6) == 0 &&
	    memcmp(a.at + 8, b.at + 8, a.len - 8) == 0;
}

/* Types with a next value: their ranges are written [a,b), and [a,a) is
 * empty. */
static bool
is_discrete(uint32_t oid)
{
	return oid == TYPE_INT4 || oid == TYPE_INT8 || oid == TYPE_DATE;
}

static bool
mask_bound(const struct mask_job *j, bool is_infinite, struct text *bound)
{
	struct masked m;

	if (is_infinite)
		return true;
	mask_inner(j, j->type.shape->parts, *bound, &m);
	*bound = m.value;
	return !m.is_null;
}

/* Both bounds, or NULL: one of them alone would be another range. */
static bool
mask_bounds(const struct mask_job *j, struct range *r)
{
	const struct mask_shape *part = j->type.shape->parts;
	const struct mask_type type = {part->base, j->type.is_binary, part};
	bool has_lower = (r->flags & RANGE_LOWER_INFINITE) == 0;
	bool has_upper = (r->flags & RANGE_UPPER_INFINITE) == 0;
	const uint8_t closed = RANGE_LOWER_INCLUSIVE | RANGE_UPPER_INCLUSIVE;

	if ((j->mask != MASK_YEAR && j->mask != MASK_ROUND) ||
	    part->form != FORM_SCALAR || (!has_lower && !has_upper) ||
	    !mask_bound(j, !has_lower, &r->lower) ||
	    !mask_bound(j, !has_upper, &r->upper))
		return false;
	if (!has_lower || !has_upper || !is_same(type, r->lower, r->upper))
		return true;
	return (r->flags & closed) == closed && !is_discrete(type.oid);
}

/* --- writing -------------------------------------------------------------- */

static void
put_text(struct nest_builder *b, const struct range *r)
{
	nest_put_char(b, r->flags & RANGE_LOWER_INCLUSIVE ? '[' : '(');
	if ((r->flags & RANGE_LOWER_INFINITE) == 0)
		nest_put_part(b, &quoting, r->lower);
	nest_put_char(b, ',');
	if ((r->flags & RANGE_UPPER_INFINITE) == 0)
		nest_put_part(b, &quoting, r->upper);
	nest_put_char(b, r->flags & RANGE_UPPER_INCLUSIVE ? ']' : ')');
}

static void
put_binary(struct nest_builder *b, const struct range *r)
{
	const struct masked lower = {false, r->lower};
	const struct masked upper = {false, r->upper};

	nest_put_char(b, (char)r->flags);
	if ((r->flags & RANGE_LOWER_INFINITE) == 0)
		nest_put_masked(b, &lower);
	if ((r->flags & RANGE_UPPER_INFINITE) == 0)
		nest_put_masked(b, &upper);
}

bool
mask_range(const struct mask_job *j, struct text *out)
{
	struct nest_cursor in = {.text = j->value};
	struct nest_builder b = {.arena = j->arena};
	struct range r;

	if (j->type.is_binary ? !read_binary(j->value, &r)
			      : !read_text(&in, j->arena, &r) ||
		    in.at != in.text.len)
		return false;
	if (!mask_bounds(j, &r))
		return false;
	if (j->type.is_binary)
		put_binary(&b, &r);
	else
		put_text(&b, &r);
	return nest_done(&b, out);
}

/* --- multiranges: {[a,b),[c,d)} ------------------------------------------- */

/* Masked ranges that meet would be one. */
static bool
do_meet(const struct mask_job *j, const struct range *before,
    const struct range *r)
{
	const struct mask_shape *part = j->type.shape->parts;
	const struct mask_type type = {part->base, j->type.is_binary, part};

	return (before->flags & RANGE_UPPER_INFINITE) != 0 ||
	    (r->flags & RANGE_LOWER_INFINITE) != 0 ||
	    is_same(type, before->upper, r->lower);
}

static bool
multirange_text(const struct mask_job *j, struct text *out)
{
	struct nest_cursor in = {.text = j->value};
	struct nest_builder b = {.arena = j->arena};
	struct range r, before;
	bool is_first = true;

	if (!nest_has(&in, '{'))
		return false;
	do {
		if (!read_text(&in, j->arena, &r) || !mask_bounds(j, &r) ||
		    (!is_first && do_meet(j, &before, &r)))
			return false;
		nest_put_char(&b, is_first ? '{' : ',');
		put_text(&b, &r);
		before = r;
		is_first = false;
	} while (nest_has(&in, ','));
	nest_put_char(&b, '}');
	return nest_has(&in, '}') && in.at == in.text.len &&
	    nest_done(&b, out);
}

static bool
multirange_binary(const struct mask_job *j, struct text *out)
{
	struct wire w = wire_of(j->value.at, j->value.len);
	struct nest_builder b = {.arena = j->arena};
	uint32_t count = wire_u32(&w), i;
	struct range r, before;

	if (count == 0 || count > w.left / 4)
		return false;
	nest_put_u32(&b, count);
	for (i = 0; i < count; i++) {
		struct nest_builder one = {.arena = j->arena};
		struct masked m = {.is_null = false};
		struct text value;

		if (!nest_read_binary(&w, &value) ||
		    !read_binary(value, &r) || !mask_bounds(j, &r) ||
		    (i > 0 && do_meet(j, &before, &r)))
			return false;
		put_binary(&one, &r);
		if (!nest_done(&one, &m.value))
			return false;
		nest_put_masked(&b, &m);
		before = r;
	}
	return wire_end(&w) == ERR_NONE && nest_done(&b, out);
}

bool
mask_multirange(const struct mask_job *j, struct text *out)
{
	return j->type.is_binary ? multirange_binary(j, out)
				 : multirange_text(j, out);
}
