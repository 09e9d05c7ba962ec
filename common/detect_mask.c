/*
 * detect_mask.c - masking all that the detectors find in one value.
 *
 * The rule: a value with more finds than can be kept track of is NULL.
 */
#include "common/detect.h"

enum { PARTS_FIRST = 16 };

/* Room for twice as many, the old ones kept. NULL: none. */
static struct mask_part *
grow(struct arena *a, const struct mask_part *parts, size_t *room)
{
	struct mask_part *more =
	    arena_array(a, *room * 2, sizeof(*more));

	if (more != NULL)
		memcpy(more, parts, *room * sizeof(*more));
	*room *= 2;
	return more;
}

size_t
detect_mask(uint64_t detectors, const enum mask masks[DETECT_MAX],
    struct mask_type type, const uint8_t *key, struct text value,
    struct arena *a, struct masked *out)
{
	struct mask_part first[PARTS_FIRST], *parts = first;
	size_t room = PARTS_FIRST, count = 0, from = 0;
	struct found f;

	*out = (struct masked){false, value};
	if (detectors == 0 || !mask_type_is_textual(type.oid))
		return 0;
	while (detect_next(detectors, value, from, &f)) {
		if (count == room)
			parts = grow(a, parts, &room);
		if (parts == NULL) {
			*out = (struct masked){true, {NULL, 0}};
			return count;
		}
		parts[count++] =
		    (struct mask_part){f.at, f.len, masks[f.detector]};
		from = f.at + f.len;
	}
	if (count > 0)
		mask_parts(type, key, value, parts, count, a, out);
	return count;
}
