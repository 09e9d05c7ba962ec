/*
 * mask_array.c - masks on the elements of arrays.
 *
 * The rule: bounds and nesting leave as they came, each element as the mask of
 * its own type has it, or as NULL.  Formats: array_out() and array_send() of
 * the server's arrayfuncs.c.
 */
#include "common/mask_nest.h"

/* --- text: [0:1][1:2]={{a,"b c"},{NULL,d}} -------------------------------- */

struct array_text {
	const struct mask_job *job;
	const struct mask_shape *element;
	struct nest_quoting quoting;
	struct nest_cursor in;
	struct nest_builder out;
	unsigned depth;
	unsigned floor; /* the depth at which the elements are; 0: not known */
};

static bool
skip_number(struct nest_cursor *c)
{
	size_t start;

	(void)nest_has(c, '-');
	for (start = c->at; c->at < c->text.len; c->at++) {
		if (c->text.at[c->at] < '0' || c->text.at[c->at] > '9')
			break;
	}
	return c->at > start;
}

/* Bounds are written when one of them does not begin at 1. */
static bool
copy_bounds(struct array_text *t)
{
	unsigned count = 0;

	while (nest_has(&t->in, '[')) {
		if (++count > ARRAY_DIMENSIONS_MAX || !skip_number(&t->in) ||
		    !nest_has(&t->in, ':') || !skip_number(&t->in) ||
		    !nest_has(&t->in, ']'))
			return false;
	}
	if (count > 0 && !nest_has(&t->in, '='))
		return false;
	nest_put(&t->out, (struct text){t->in.text.at, t->in.at});
	return true;
}

static bool
copy_element(struct array_text *t)
{
	struct nest_part part;
	struct masked m = {true, {NULL, 0}};

	if (t->depth == 0 || (t->floor != 0 && t->floor != t->depth) ||
	    !nest_read(&t->in, &t->quoting, t->job->arena, &part) ||
	    (!part.is_quoted && part.value.len == 0))
		return false;
	t->floor = t->depth;
	if (part.is_quoted || !text_is_folded(part.value, TEXT("null")))
		mask_inner(t->job, t->element, part.value, &m);
	if (m.is_null)
		nest_put(&t->out, TEXT("NULL"));
	else
		nest_put_part(&t->out, &t->quoting, m.value);
	return true;
}

/* Braces, delimiters and elements in turn. `{}` is no array with elements to
 * mask: it is malformed here. */
static bool
copy_items(struct array_text *t)
{
	const char delimiter = t->element->delimiter;
	bool is_after = false; /* an element, or a whole sub-array */

	do {
		if (!is_after && nest_has(&t->in, '{')) {
			nest_put_char(&t->out, '{');
			if (++t->depth > ARRAY_DIMENSIONS_MAX)
				return false;
		} else if (is_after && nest_has(&t->in, '}')) {
			nest_put_char(&t->out, '}');
			t->depth--;
		} else if (is_after && nest_has(&t->in, delimiter)) {
			nest_put_char(&t->out, delimiter);
			is_after = false;
		} else {
			if (is_after || !copy_element(t))
				return false;
			is_after = true;
		}
	} while (t->depth > 0);
	return t->in.at == t->in.text.len;
}

static bool
array_text(const struct mask_job *j, struct text *out)
{
	const struct mask_shape *element = j->type.shape->parts;
	const char marks[] = {'"', '\\', '{', '}', element->delimiter, '\0'};
	struct array_text t = {
	    .job = j,
	    .element = element,
	    .quoting = {.marks = marks, .escape = '\\', .has_null = true},
	    .in = {.text = j->value},
	    .out = {.arena = j->arena},
	};

	return copy_bounds(&t) && copy_items(&t) && nest_done(&t.out, out);
}

/* --- binary --------------------------------------------------------------- */

/* Dimensions, as they came; how many elements they make. */
static bool
copy_dimensions(struct wire *w, uint32_t dimensions, struct nest_builder *b,
    size_t *count_out)
{
	size_t count = 1;
	uint32_t i;

	for (i = 0; i < dimensions; i++) {
		uint32_t len = wire_u32(w), lower = wire_u32(w);

		/* an element takes four bytes at least */
		if (len == 0 || len > w->left / 4 / count)
			return false;
		count *= len;
		nest_put_u32(b, len);
		nest_put_u32(b, lower);
	}
	*count_out = count;
	return !w->bad && count <= w->left / 4;
}

static bool
array_binary(const struct mask_job *j, struct text *out)
{
	const struct mask_shape *element = j->type.shape->parts;
	struct wire w = wire_of(j->value.at, j->value.len);
	struct nest_builder b = {.arena = j->arena};
	uint32_t dimensions = wire_u32(&w), flags = wire_u32(&w);
	uint32_t oid = wire_u32(&w);
	bool has_null = false;
	size_t count;

	if (dimensions == 0 || dimensions > ARRAY_DIMENSIONS_MAX ||
	    flags > 1 || oid != element->oid)
		return false;
	nest_put_u32(&b, dimensions);
	nest_put_u32(&b, flags);
	nest_put_u32(&b, oid);
	if (!copy_dimensions(&w, dimensions, &b, &count))
		return false;
	while (count-- > 0) {
		struct masked m = {true, {NULL, 0}};
		struct text value;

		if (nest_read_binary(&w, &value))
			mask_inner(j, element, value, &m);
		if (w.bad)
			return false;
		has_null |= m.is_null;
		nest_put_masked(&b, &m);
	}
	if (!nest_done(&b, out) || wire_end(&w) != ERR_NONE)
		return false;
	mask_put((uint8_t *)b.at + 4, 4, has_null); /* the flags */
	return true;
}

bool
mask_array(const struct mask_job *j, struct text *out)
{
	return j->type.is_binary ? array_binary(j, out) : array_text(j, out);
}
