/* links: common/encoding.c common/encoding_data.c common/text.c common/arena.c */
/*
 * Any bytes in every encoding that is converted: what comes out is UTF-8, and
 * what goes back and forth once more stays what it is.
 */
#include <stdlib.h>

#include "common/encoding.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct text names[] = {{"UTF8", 4}, {"LATIN1", 6}, {"LATIN9", 6},
    {"WIN1252", 7}, {"KOI8R", 5}, {"EUC_JP", 6}, {"SJIS", 4}, {"BIG5", 4},
    {"GBK", 3}, {"GB18030", 7}, {"SQL_ASCII", 9}, {"EUC_KR", 6}, {"UHC", 3}};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct coder c = {.encoding = NULL};
	const struct encoding *encoding;
	struct text in, out, back, again;
	struct arena *a;

	if (size < 1)
		return 0;
	encoding = encoding_by_name(
	    names[data[0] % (sizeof(names) / sizeof(names[0]))]);
	if (encoding == NULL)
		abort();
	a = arena_new(16 * 1024 * 1024);
	coder_set(&c, encoding);
	in = (struct text){(const char *)data + 1, size - 1};
	if (coder_to_utf8(&c, in, a, &out) == ERR_NONE) {
		if (encoding->kind == ENCODING_EXACT && !text_is_utf8(out))
			abort();
		if (coder_from_utf8(&c, out, a, &back) == ERR_NONE &&
		    (coder_to_utf8(&c, back, a, &again) != ERR_NONE ||
			!text_is(out, again)))
			abort();
	}
	arena_free(a);
	return 0;
}
