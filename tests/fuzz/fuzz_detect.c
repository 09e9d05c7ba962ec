/* links: common/detect.c common/detect_bank.c common/detect_person.c common/detect_net.c common/detect_mask.c common/mask.c common/mask_shape.c common/mask_nest.c common/mask_array.c common/mask_row.c common/mask_range.c common/mask_text.c common/mask_script.c common/mask_number.c common/mask_numeric.c common/mask_time.c common/mask_other.c common/mask_keyed.c common/siphash.c common/mask_part.c common/arena.c common/text.c common/wire.c */
/*
 * Finds must be in order and inside; masking them must keep text UTF-8.
 */
#include <stdlib.h>

#include "common/detect.h"
#include "common/vocab.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t oids[] = {25, 114, 3802, 142, 1009};
	static const uint8_t key[MASK_KEY_LEN] = "fuzz";
	struct text value;
	enum mask masks[DETECT_MAX];
	struct masked out;
	struct mask_type type = {0};
	struct arena *a;
	struct found f;
	size_t from = 0, i;

	if (size < 2)
		return 0;
	value = (struct text){(const char *)data + 2, size - 2};
	while (detect_next(BIT(DETECT_MAX) - 1, value, from, &f)) {
		if (f.at < from || f.len == 0 || f.len > value.len - f.at)
			abort();
		from = f.at + f.len;
	}
	for (i = 0; i < DETECT_MAX; i++)
		masks[i] = (enum mask)(1 + (data[0] + i) % (MASK_MAX - 1));
	type = (struct mask_type){oids[data[1] % 5], data[1] >= 128, NULL};
	a = arena_new(4 * 1024 * 1024);
	(void)detect_mask(
	    BIT(DETECT_MAX) - 1, masks, type, key, value, a, &out);
	if (!out.is_null && text_is_utf8(value) && !text_is_utf8(out.value))
		abort();
	arena_free(a);
	return 0;
}
