/*
 * pg_check.c - is what the server sent a message of its type at all?
 *
 * The rule: every message but a row is looked at to its last byte before
 * anybody acts on it; a row is, by whoever masks it.
 * Source: PostgreSQL documentation, chapter 55.7, "Message Formats".
 */
#include <string.h>

#include "worker/postgres/wire/pg_wire.h"

static enum err
check_empty(struct wire w)
{
	return wire_end(&w);
}

static enum err
check_status(struct wire w)
{
	uint8_t status = wire_u8(&w);

	if (status == 0 || strchr("ITE", status) == NULL)
		return ERR_MALFORMED;
	return wire_end(&w);
}

static enum err
check_tag(struct wire w)
{
	wire_cstring(&w);
	return wire_end(&w);
}

static enum err
check_complaint(struct wire w)
{
	struct pg_error error;

	return pg_parse_error(w, &error);
}

static enum err
check_types(struct wire w)
{
	/* PREPARE by message takes more parameters than the count can say */
	uint16_t count = wire_u16(&w);

	if (w.left % 4 != 0 || (uint16_t)(w.left / 4) != count)
		return ERR_MALFORMED;
	wire_rest(&w);
	return wire_end(&w);
}

static enum err
check_parameter(struct wire w)
{
	struct pg_parameter p;

	return pg_parse_parameter(w, &p);
}

static enum err
check_notification(struct wire w)
{
	wire_u32(&w);
	wire_cstring(&w);
	wire_cstring(&w);
	return wire_end(&w);
}

static enum err
ignore_field(void *context, size_t i, const struct pg_field *field)
{
	(void)context, (void)i, (void)field;
	return ERR_NONE;
}

static enum err
check_fields(struct wire w)
{
	size_t count;

	return pg_parse_row_description(w, ignore_field, NULL, &count);
}

/* CopyInResponse and its like: a format and one for each column. */
static enum err
check_copy(struct wire w)
{
	uint8_t format = wire_u8(&w);
	uint16_t count = wire_u16(&w), i;

	for (i = 0; i < count; i++) {
		if (wire_u16(&w) > 1)
			return ERR_MALFORMED;
	}
	return format > 1 ? ERR_MALFORMED : wire_end(&w);
}

static enum err
check_result(struct wire w)
{
	int32_t len = wire_i32(&w);

	if (len < -1)
		return ERR_MALFORMED;
	if (len > 0)
		wire_bytes(&w, (size_t)len);
	return wire_end(&w);
}

enum err
pg_check_answer(char type, struct wire body)
{
	static enum err (*const checks[128])(struct wire w) = {
	    ['1'] = check_empty,
	    ['2'] = check_empty,
	    ['3'] = check_empty,
	    ['A'] = check_notification,
	    ['C'] = check_tag,
	    ['E'] = check_complaint,
	    ['G'] = check_copy,
	    ['H'] = check_copy,
	    ['I'] = check_empty,
	    ['N'] = check_complaint,
	    ['S'] = check_parameter,
	    ['T'] = check_fields,
	    ['V'] = check_result,
	    ['W'] = check_copy,
	    ['Z'] = check_status,
	    ['c'] = check_empty,
	    ['n'] = check_empty,
	    ['s'] = check_empty,
	    ['t'] = check_types,
	};
	unsigned at = (unsigned char)type;

	if (at >= 128 || checks[at] == NULL)
		return ERR_NONE; /* whether it may come at all, others say */
	return checks[at](body);
}
