/*
 * mask.c - masking one value.
 *
 * The rule: whatever goes wrong, the answer is NULL.  Nothing here trusts the
 * bytes of a value: they are the database's, put there by anybody.
 */
#include <stdarg.h>
#include <stdio.h>

#include "common/mask_nest.h"

static const char *const names[MASK_MAX] = {
    [MASK_NONE] = "none",
    [MASK_REDACT] = "redact",
    [MASK_NULL] = "null",
    [MASK_EMAIL] = "email",
    [MASK_LAST4] = "last4",
    [MASK_PSEUDONYM] = "pseudonym",
    [MASK_HASH] = "hash",
    [MASK_YEAR] = "year",
    [MASK_ROUND] = "round",
};

const char *
mask_name(enum mask m)
{
	return (unsigned)m < MASK_MAX ? names[m] : "unknown";
}

enum mask
mask_by_name(struct text word)
{
	int m;

	/* "none" is no mask a policy can ask for. */
	for (m = MASK_NONE + 1; m < MASK_MAX; m++) {
		if (text_is(text_of(names[m]), word))
			return (enum mask)m;
	}
	return MASK_MAX;
}

const char *const *
mask_words(size_t *count_out)
{
	*count_out = MASK_MAX - 1;
	return names + 1;
}

enum mask
mask_stricter(enum mask a, enum mask b)
{
	if (a == b || b == MASK_NONE)
		return a;
	if (a == MASK_NONE)
		return b;
	if (a == MASK_NULL || b == MASK_NULL)
		return MASK_NULL;
	return MASK_REDACT;
}

/* Does it hold values whose types are known? */
static bool
is_nested(struct mask_type type)
{
	enum mask_form form = type.shape->form;

	return form == FORM_ARRAY || form == FORM_ROW ||
	    (form == FORM_RECORD && type.is_binary);
}

/* Nothing that was asked to be masked leaves as it came, not even an array of
 * nulls.  But `year` and `round` have values that stay, `redact` one text; and
 * what is inside another value counts with the whole. */
static bool
is_unchanged(const struct mask_job *j, struct text masked)
{
	bool is_fixed = j->mask == MASK_REDACT &&
	    j->type.shape->form == FORM_SCALAR;

	return j->depth == 0 && j->visit == NULL && j->mask != MASK_YEAR &&
	    j->mask != MASK_ROUND && !is_fixed && text_is(masked, j->value);
}

/* The masker of the type, or what is asked for innermost values; and for arrays
 * and rows that cannot be taken apart inside others. */
static void
run(const struct mask_job *j, struct masked *out)
{
	const struct mask_shape *s = j->type.shape;
	bool is_asked = j->visit != NULL && !is_nested(j->type);

	*out = (struct masked){true, {NULL, 0}};
	if (!is_asked && s->mask != NULL && j->value.len <= MASK_VALUE_MAX &&
	    j->depth <= NEST_DEPTH_MAX)
		out->is_null = !s->mask(j, &out->value) ||
		    is_unchanged(j, out->value);
	if (out->is_null)
		out->value = (struct text){NULL, 0};
	if (is_asked || (out->is_null && j->visit != NULL && j->depth > 0))
		j->visit(j->context, j->type, j->value, j->arena, out);
}

void
mask_inner(const struct mask_job *j, const struct mask_shape *shape,
    struct text value, struct masked *out)
{
	struct mask_job inner = *j;

	inner.depth++;
	inner.type.oid = shape->base;
	inner.type.shape = shape;
	inner.value = value;
	run(&inner, out);
}

static const struct mask_shape *
shape_of(struct mask_type type)
{
	return type.shape != NULL ? type.shape : mask_shape_of(type.oid);
}

void
mask_value(enum mask m, struct mask_type type, const uint8_t *key,
    struct text value, struct arena *a, struct masked *out)
{
	const struct mask_shape *shape = shape_of(type);
	const struct mask_job j = {.mask = m,
	    .type = {shape->base, type.is_binary, shape},
	    .key = key,
	    .value = value,
	    .arena = a};

	*out = (struct masked){m != MASK_NONE, {NULL, 0}};
	if (m == MASK_NONE)
		out->value = value;
	if (m == MASK_NONE || m == MASK_NULL || (unsigned)m >= MASK_MAX)
		return;
	run(&j, out);
}

bool
mask_each(struct mask_type type, struct text value, struct arena *a,
    mask_visit visit, void *context, struct masked *out)
{
	const struct mask_shape *shape = shape_of(type);
	const struct mask_job j = {.type = {shape->base, type.is_binary, shape},
	    .value = value,
	    .arena = a,
	    .visit = visit,
	    .context = context};

	*out = (struct masked){true, {NULL, 0}};
	if (is_nested(j.type))
		run(&j, out);
	return !out->is_null;
}

bool
mask_printf(
    const struct mask_job *j, struct text *out, const char *format, ...)
{
	char line[128];
	va_list list;
	int len;

	va_start(list, format);
	len = vsnprintf(line, sizeof(line), format, list);
	va_end(list);
	if (len < 0 || (size_t)len >= sizeof(line))
		return false;
	return mask_bytes(j, out, (const uint8_t *)line, (size_t)len);
}

bool
mask_bytes(const struct mask_job *j, struct text *out, const uint8_t *bytes,
    size_t len)
{
	out->at = arena_copy(j->arena, bytes, len);
	out->len = len;
	return out->at != NULL;
}

uint64_t
mask_get(const char *at, size_t bytes)
{
	uint64_t value = 0;
	size_t i;

	for (i = 0; i < bytes; i++)
		value = value << 8 | (uint8_t)at[i];
	return value;
}

void
mask_put(uint8_t *at, size_t bytes, uint64_t value)
{
	while (bytes > 0) {
		at[--bytes] = (uint8_t)value;
		value >>= 8;
	}
}
