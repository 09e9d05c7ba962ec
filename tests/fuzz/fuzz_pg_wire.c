/* links: worker/postgres/wire/pg_wire.c worker/postgres/wire/pg_put.c worker/postgres/wire/pg_scrub.c common/wire.c common/text.c common/arena.c */
/*
 * Every parser of PostgreSQL messages, on the same bytes.
 */
#include <stdlib.h>

#include "worker/postgres/wire/pg_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum err
each_field(void *context, size_t i, const struct pg_field *field)
{
	size_t *total = context;

	*total += i + field->name.len;
	return ERR_NONE;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire w = wire_of(data, size);
	struct text rest = {(const char *)data, size};
	struct arena *a = arena_new(1 << 20);
	struct buffer b = {.ceiling = 1 << 20};
	struct pg_startup startup;
	struct pg_setting setting;
	union {
		struct pg_parse parse;
		struct pg_bind bind;
		struct pg_execute execute;
		struct pg_target target;
		struct pg_call call;
		struct pg_sasl_initial sasl;
		struct pg_error error;
		struct pg_parameter parameter;
	} out;
	size_t count, total = 0;
	unsigned bad = 0;

	bad += pg_parse_startup(w, &startup) != ERR_NONE;
	bad += pg_parse_parse(w, &out.parse) != ERR_NONE;
	bad += pg_parse_bind(w, &out.bind) != ERR_NONE;
	bad += pg_parse_execute(w, &out.execute) != ERR_NONE;
	bad += pg_parse_call(w, &out.call) != ERR_NONE;
	bad += pg_parse_target(w, &out.target) != ERR_NONE;
	bad += pg_parse_sasl_initial(w, &out.sasl) != ERR_NONE;
	bad += pg_parse_error(w, &out.error) != ERR_NONE;
	bad += pg_parse_parameter(w, &out.parameter) != ERR_NONE;
	bad += pg_parse_row_description(w, each_field, &total, &count) !=
	    ERR_NONE;
	bad += pg_put_scrubbed(&b, 'E', w, TEXT("a")) != ERR_NONE;
	while (pg_next_option(&rest, a, &setting) == ERR_NONE)
		total += setting.name.len;
	buffer_free(&b);
	arena_free(a);
	return bad > 11 && total == 0 ? -1 : 0;
}
