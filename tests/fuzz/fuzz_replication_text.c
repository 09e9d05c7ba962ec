/* links: worker/postgres/wire/replication_text.c common/lexer.c common/lexer_number.c common/lexer_string.c common/lexer_unicode.c common/wire.c common/text.c common/arena.c */
/*
 * Any text on a replication connection: what is taken for a command of its
 * grammar is written so that SQL's lexer reads it, as one statement.
 */
#include <stdlib.h>

#include "common/lexer.h"
#include "worker/postgres/wire/replication_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct lex_state state = {DIALECT_POSTGRES, true, true};
	struct text sql = {(const char *)data, size};
	struct buffer b = {.ceiling = 1 << 20};
	struct arena *a = arena_new(64 << 20);
	struct lexed l;
	enum err e;

	if (replication_of(sql) > REPLICATION_INVALID)
		abort();
	if (replication_read(sql, &b) && !b.failed) {
		sql = (struct text){(const char *)b.bytes, b.len};
		e = lexer_run(&state, sql, a, &l);
		if (e == ERR_NONE && l.count == 0)
			abort();
	}
	buffer_free(&b);
	arena_free(a);
	return 0;
}
