/*
 * query_words.c - looking up the keywords of queries.
 */
#include "common/query_words.h"

/* The letters of QUERY_WORDS. */
enum {
	R = WORD_IS_RESERVED,
	C = WORD_IS_COLUMN,
	F = WORD_IS_FUNCTION,
	A = WORD_NEEDS_AS,
	M = WORD_CONTINUES,
	D = WORD_DIFFERS,
};

static const struct entry {
	const char *spelling;
	unsigned char len, flags;
} entries[] = {{"", 0, 0},
#define ENTRY(name, spelling, flags) {spelling, sizeof(spelling) - 1, flags},
    QUERY_WORDS(ENTRY)
#undef ENTRY
};

static int
compare(struct text spelling, const struct entry *e)
{
	size_t len = spelling.len < e->len ? spelling.len : e->len;
	int order = memcmp(spelling.at, e->spelling, len);

	if (order != 0)
		return order;
	return (spelling.len > e->len) - (spelling.len < e->len);
}

enum query_word
query_word(struct text spelling)
{
	size_t low = 1, high = WORD_COUNT, middle;
	int order;

	while (low < high) {
		middle = (low + high) / 2;
		order = compare(spelling, &entries[middle]);
		if (order == 0)
			return (enum query_word)middle;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NO_WORD;
}

unsigned
query_word_flags(enum query_word word)
{
	return entries[word].flags;
}
