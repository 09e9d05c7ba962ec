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

/* Where the words of each letter begin, and those of the next. */
static const uint16_t *
words_of(char letter)
{
	static uint16_t starts['z' - 'a' + 2]; /* filled when first asked for */
	size_t i, word = 1;

	if (starts[0] == 0) {
		for (i = 0; i < sizeof(starts) / sizeof(*starts); i++) {
			while (word < WORD_COUNT &&
			       entries[word].spelling[0] < 'a' + (char)i)
				word++;
			starts[i] = (uint16_t)word;
		}
	}
	return &starts[letter - 'a'];
}

enum query_word
query_word(struct text spelling)
{
	const uint16_t *starts;
	size_t low, high, middle;
	int order;

	if (spelling.len == 0 || spelling.at[0] < 'a' || spelling.at[0] > 'z')
		return NO_WORD;
	starts = words_of(spelling.at[0]);
	low = starts[0];
	high = starts[1];
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
