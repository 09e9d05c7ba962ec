/*
 * detect_mask.c - masking all that the detectors find in one value.
 *
 * The rule: a value with more finds than can be kept track of is NULL.
 *
 * Arrays and rows are taken apart first.  Of a binary value whose parts are not
 * known (hstore, tsvector …) the bytes are looked at as they stand: lengths
 * and counts between the texts then must not pass for letters and digits that
 * a find would be a part of.
 */
#include "common/detect.h"

enum {
	PARTS_FIRST = 16,
	HEADER_LEN = 4,	 /* bytes of a length, or of two counts */
	CONTROL_END = 8, /* bytes below are in no text, but in every header */
	HIDDEN_MAX = 80, /* longer than what starts with a digit or letter */
};

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

struct scan {
	uint64_t detectors;
	const enum mask *masks; /* DETECT_MAX */
	const uint8_t *key;
	size_t count; /* of finds, in all values */
};

/* Is there a find that begins just after a header's last byte? */
static bool
is_hidden(uint64_t detectors, struct text value)
{
	size_t i, header_end = 0;
	struct found f;

	if (value.len == 0 || memchr(value.at, '\0', value.len) == NULL)
		return false; /* it is all text */
	for (i = 0; i < value.len; i++) {
		struct text rest = {value.at + i, value.len - i};

		if (rest.len > HIDDEN_MAX)
			rest.len = HIDDEN_MAX;
		if (i < header_end && detect_next(detectors, rest, 0, &f) &&
		    f.at == 0)
			return true;
		if ((uint8_t)value.at[i] < CONTROL_END)
			header_end = i + 1 + HEADER_LEN;
	}
	return false;
}

/* Bytes that spell a text in which there is something: none of it leaves. */
static void
scan_bytes(struct scan *s, struct mask_type type, struct text value,
    struct arena *a, struct masked *out)
{
	struct text spelled;
	struct found f;

	if (mask_bytes_spelled(type, value, a, &spelled) &&
	    (!text_is_utf8(spelled) ||
		!detect_next(s->detectors, spelled, 0, &f)))
		return;
	s->count++;
	*out = (struct masked){true, {NULL, 0}};
}

static void
scan_value(void *context, struct mask_type type, struct text value,
    struct arena *a, struct masked *out)
{
	struct mask_part first[PARTS_FIRST], *parts = first;
	size_t room = PARTS_FIRST, count = 0, from = 0;
	struct scan *s = context;
	struct found f;

	*out = (struct masked){false, value};
	if (mask_type_is_bytes(type.oid)) {
		scan_bytes(s, type, value, a, out);
		return;
	}
	while (detect_next(s->detectors, value, from, &f)) {
		s->count++;
		if (count == room)
			parts = grow(a, parts, &room);
		if (parts == NULL) {
			*out = (struct masked){true, {NULL, 0}};
			return;
		}
		parts[count++] =
		    (struct mask_part){f.at, f.len, s->masks[f.detector]};
		from = f.at + f.len;
	}
	if (count > 0) {
		mask_parts(type, s->key, value, parts, count, a, out);
	} else if (type.is_binary && is_hidden(s->detectors, value)) {
		s->count++;
		*out = (struct masked){true, {NULL, 0}};
	}
}

bool
detect_looks_into(uint32_t oid)
{
	return mask_type_is_textual(oid) || mask_type_is_bytes(oid);
}

size_t
detect_mask(uint64_t detectors, const enum mask masks[DETECT_MAX],
    struct mask_type type, const uint8_t *key, struct text value,
    struct arena *a, struct masked *out)
{
	struct scan s = {detectors, masks, key, 0};

	*out = (struct masked){false, value};
	if (detectors == 0 || !detect_looks_into(type.oid))
		return 0;
	/* What cannot be taken apart is looked at as it stands. */
	if (!mask_each(type, value, a, scan_value, &s, out)) {
		s.count = 0;
		scan_value(&s, type, value, a, out);
	}
	if (s.count == 0)
		*out = (struct masked){false, value};
	return s.count;
}
