/* links: common/mask.c common/mask_shape.c common/mask_nest.c common/mask_array.c common/mask_row.c common/mask_range.c common/mask_text.c common/mask_script.c common/mask_number.c common/mask_numeric.c common/mask_time.c common/mask_other.c common/mask_keyed.c common/siphash.c common/arena.c common/text.c common/wire.c */
/*
 * Arrays, rows, ranges and multiranges.  Two bytes choose mask, format and
 * type; the rest is the value.  What comes out must be understood by the same
 * reader, and nothing leaves as it came but what `year` and `round` keep.
 */
#include <stdlib.h>

#include "common/mask_nest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	PERSON = 20000,
	PEOPLE,
	MOOD,
	TAGS,
	TAGS_ARRAY
};

static const uint32_t built_in[] = {1000, 1001, 1003, 1007, 1009, 1020, 1041,
    1115, 1182, 1231, 199, 2249, 2287, 2951, 3807, 3904, 3905, 3906, 3907,
    3908, 3910, 3912, 3913, 4451, 4532, 4533, 4535, 6150, 6155};

/* A user's types: a row, an array of it, a domain over an array. */
static struct mask_type
type_of(uint8_t choice, bool is_binary)
{
	static struct mask_shape parts[5], person, people, tags, tags_array;
	const struct mask_shape *mine[] = {&person, &people, &tags_array};
	size_t i = choice % (sizeof(built_in) / sizeof(*built_in) + 3);

	tags = *mask_shape_of(1009);
	tags.oid = TAGS;
	tags_array = mask_shape_made(FORM_ARRAY, TAGS_ARRAY, &tags, 1);
	parts[0] = *mask_shape_of(TYPE_TEXT);
	parts[1] = *mask_shape_of(TYPE_INT4);
	parts[2] = mask_shape_made(FORM_UNKNOWN, MOOD, NULL, 0);
	parts[3] = tags_array;
	parts[4] = *mask_shape_of(3904);
	person = mask_shape_made(FORM_ROW, PERSON, parts, 5);
	people = mask_shape_made(FORM_ARRAY, PEOPLE, &person, 1);
	if (i < 3)
		return (struct mask_type){mine[i]->oid, is_binary, mine[i]};
	return (struct mask_type){built_in[i - 3], is_binary, NULL};
}

static void
keep(void *context, struct mask_type type, struct text value, struct arena *a,
    struct masked *out)
{
	(void)context;
	(void)type;
	(void)a;
	*out = (struct masked){false, value};
}

/* What was taken apart and put together twice is the same. */
static void
check_round_trip(struct mask_type type, struct text value, struct arena *a)
{
	struct masked once, twice;

	if (!mask_each(type, value, a, keep, NULL, &once))
		return;
	if (!mask_each(type, once.value, a, keep, NULL, &twice) ||
	    !text_is(once.value, twice.value))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t key[MASK_KEY_LEN] = "fuzz";
	struct mask_type type;
	struct masked out, again;
	struct text value;
	struct arena *a;
	enum mask m;

	if (size < 2)
		return 0;
	m = (enum mask)(1 + data[0] % (MASK_MAX - 1));
	type = type_of(data[1], data[0] >= 128);
	value = (struct text){(const char *)data + 2, size - 2};
	a = arena_new(16 * 1024 * 1024);
	mask_value(m, type, key, value, a, &out);
	if (!out.is_null && m != MASK_YEAR && m != MASK_ROUND &&
	    text_is(out.value, value))
		abort();
	if (!out.is_null && m != MASK_ROUND && m != MASK_YEAR &&
	    !mask_each(type, out.value, a, keep, NULL, &again))
		abort();
	check_round_trip(type, value, a);
	arena_free(a);
	return 0;
}
