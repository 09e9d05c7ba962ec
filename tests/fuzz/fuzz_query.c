/* links: common/query.c common/query_call.c common/query_change.c common/query_combine.c common/query_expression.c common/query_from.c common/query_infix.c common/query_join.c common/query_operator.c common/query_primary.c common/query_select.c common/query_special.c common/query_tokens.c common/query_type.c common/query_with.c common/query_words.c tests/unit/query_dump.c common/lexer.c common/lexer_number.c common/lexer_string.c common/lexer_unicode.c common/arena.c common/text.c */
#include <stdlib.h>

#include "tests/unit/query_dump.h"

/* Whatever the lexer takes: a tree that can be walked and is no higher than
 * promised, or a reason at one of the tokens. The first byte says how much
 * memory there is. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct lex_state state = {.dialect = DIALECT_POSTGRES,
	    .standard_conforming_strings = true,
	    .is_utf8 = true};
	static FILE *nowhere;
	struct arena *lexing = arena_new(64 << 20), *a;
	struct query_tree tree;
	struct lexed l;
	enum err e;

	if (nowhere == NULL)
		nowhere = fopen("/dev/null", "w");
	if (size == 0 ||
	    lexer_run(&state, (struct text){(const char *)data + 1, size - 1},
		lexing, &l) != ERR_NONE) {
		arena_free(lexing);
		return 0;
	}
	a = arena_new(data[0] < 128 ? 64 << 20 : (size_t)data[0] * 64);
	e = query_parse(l.tokens, l.count, a, &tree);
	if (e == ERR_NONE) {
		if (tree.query == NULL || tree.query->height > QUERY_DEPTH_MAX)
			abort();
		query_dump(nowhere, l.tokens, &tree);
	} else if (e == ERR_UNSUPPORTED) {
		if (tree.declined == NULL || tree.query != NULL ||
		    tree.declined_at > l.count)
			abort();
	} else if (e != ERR_MEMORY) {
		abort();
	}
	arena_free(a);
	arena_free(lexing);
	return 0;
}
