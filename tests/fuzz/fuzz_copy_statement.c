/* links: worker/postgres/copy/copy_statement.c worker/postgres/copy/copy_options.c worker/postgres/copy/copy_format.c worker/postgres/wire/pg_put.c common/lexer.c common/lexer_number.c common/lexer_string.c common/lexer_unicode.c common/wire.c common/text.c common/arena.c */
#include <stdlib.h>

#include "worker/postgres/copy/copy_statement.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Any text as a COPY: a refusal says why; what is read gives a query, which
 * for a relation has no byte that the client did not put within quotes. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct lex_state state = {DIALECT_POSTGRES, true, true};
	struct text sql = {(const char *)data, size};
	struct arena *a = arena_new(64 << 20);
	struct buffer b = {.ceiling = 64 << 20};
	struct copy_statement c;
	struct lexed l;
	size_t i, quotes = 0;
	enum err e;

	if (lexer_run(&state, sql, a, &l) != ERR_NONE) {
		arena_free(a);
		return 0;
	}
	e = copy_statement_read(l.tokens, l.count, a, &c);
	if (e != ERR_NONE && c.error == NULL)
		abort();
	if (e == ERR_NONE) {
		copy_put_query(&b, &c, sql);
		if (copy_format_check(&c.format) != NULL)
			abort();
		for (i = 0; i < b.len; i++)
			quotes += b.bytes[i] == '"';
		if (!c.is_query && quotes % 2 != 0)
			abort();
		if (c.is_query && b.len > size)
			abort();
	}
	buffer_free(&b);
	arena_free(a);
	return 0;
}
