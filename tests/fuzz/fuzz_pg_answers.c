/* links: worker/postgres/wire/pg_wire.c worker/postgres/wire/pg_put.c worker/postgres/wire/pg_check.c worker/postgres/wire/pg_scrub.c common/wire.c common/text.c common/arena.c */
/*
 * The server's messages: a type and a body.  What pg_check lets through is
 * understood by whoever acts on it; a complaint written again is one, too,
 * and tells of the first only what it may.
 */
#include <stdlib.h>

#include "worker/postgres/wire/pg_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum err
note_field(void *context, size_t i, const struct pg_field *field)
{
	size_t *seen = context;

	if (i != *seen || memchr(field->name.at, 0, field->name.len) != NULL)
		abort();
	(*seen)++;
	return ERR_NONE;
}

static void
check_complaint(char type, struct wire body)
{
	struct buffer b = {.ceiling = 1 << 20};
	struct pg_error was, is;
	struct wire w;

	if (pg_parse_error(body, &was) != ERR_NONE)
		abort();
	if (pg_put_scrubbed(&b, type, body, TEXT("select a")) != ERR_NONE) {
		buffer_free(&b);
		return;
	}
	w = wire_of(b.bytes, b.len);
	if (wire_u8(&w) != (uint8_t)type || wire_u32(&w) != b.len - 1 ||
	    pg_parse_error(w, &is) != ERR_NONE ||
	    !text_is(was.sqlstate, is.sqlstate) || is.detail.len > 0 ||
	    is.hint.len > 0 || is.context.len > 0)
		abort();
	buffer_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pg_parameter parameter;
	struct wire body;
	size_t count, seen = 0;
	char type;

	if (size < 1)
		return 0;
	type = (char)data[0];
	body = wire_of(data + 1, size - 1);
	if (pg_check_answer(type, body) != ERR_NONE)
		return 0;
	if (type == 'T' &&
	    (pg_parse_row_description(body, note_field, &seen, &count) !=
		    ERR_NONE ||
		seen != count || count > PG_FIELDS_MAX))
		abort();
	if (type == 'S' && pg_parse_parameter(body, &parameter) != ERR_NONE)
		abort();
	if (type == 'E' || type == 'N')
		check_complaint(type, body);
	return 0;
}
