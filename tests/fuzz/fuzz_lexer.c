/* links: common/lexer.c common/lexer_number.c common/lexer_string.c common/lexer_unicode.c common/arena.c common/text.c */
#include <stdlib.h>

#include "common/lexer.h"

/* The first byte chooses the session's state, the rest is SQL. Every token
 * must lie within the text, in order, and every refusal must say why. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(64 << 20);
	struct lex_state state = {.dialect = DIALECT_POSTGRES,
	    .standard_conforming_strings = true,
	    .is_utf8 = true};
	struct text sql = {(const char *)data + 1, size - 1};
	struct lexed l;
	const char *at;
	enum err e;
	size_t i;

	if (size == 0) {
		arena_free(a);
		return 0;
	}
	state.standard_conforming_strings = data[0] & 1;
	state.is_utf8 = data[0] & 2;
	state.is_foreign_server = data[0] & 4;
	state.version = LEXER_VERSION_FIRST + (data[0] >> 3) % 8;
	e = lexer_run(&state, sql, a, &l);
	if (e == ERR_MALFORMED && (l.error == NULL || l.error_at > sql.len))
		abort();
	at = sql.at;
	for (i = 0; i < l.count; i++) {
		const struct token *t = &l.tokens[i];

		if (t->raw.at < at || t->raw.len == 0 ||
		    t->raw.at + t->raw.len > sql.at + sql.len)
			abort();
		at = t->raw.at + t->raw.len;
	}
	arena_free(a);
	return 0;
}
