/* links: common/mask.c common/mask_shape.c common/mask_nest.c common/mask_array.c common/mask_row.c common/mask_range.c common/mask_text.c common/mask_script.c common/mask_number.c common/mask_numeric.c common/mask_time.c common/mask_other.c common/mask_keyed.c common/siphash.c common/arena.c common/text.c common/wire.c */
/*
 * Two bytes choose mask, format and type; the rest is the value.  Text must
 * stay UTF-8, and no mask that hides may answer with the value itself.
 */
#include <stdlib.h>

#include "common/mask_inner.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t oids[] = {TYPE_BYTEA, TYPE_CHAR, TYPE_NAME,
	    TYPE_INT8, TYPE_INT2, TYPE_INT4, TYPE_TEXT, TYPE_OID, TYPE_JSON,
	    TYPE_XML, TYPE_CIDR, TYPE_FLOAT4, TYPE_FLOAT8, TYPE_MACADDR8,
	    TYPE_MONEY, TYPE_MACADDR, TYPE_INET, TYPE_BPCHAR, TYPE_DATE,
	    TYPE_TIME, TYPE_TIMESTAMP, TYPE_TIMESTAMPTZ, TYPE_TIMETZ,
	    TYPE_NUMERIC, TYPE_UUID, TYPE_JSONB};
	static const uint8_t key[MASK_KEY_LEN] = "fuzz";
	struct arena *a;
	struct mask_type type = {0};
	struct masked out;
	struct text value;
	enum mask m;

	if (size < 2)
		return 0;
	m = (enum mask)(1 + data[0] % (MASK_MAX - 1));
	type.is_binary = data[0] >= 128;
	type.oid = oids[data[1] % (sizeof(oids) / sizeof(*oids))];
	value = (struct text){(const char *)data + 2, size - 2};
	a = arena_new(4 * 1024 * 1024);
	mask_value(m, type, key, value, a, &out);
	if (!out.is_null && type.oid == TYPE_TEXT && text_is_utf8(value) &&
	    !text_is_utf8(out.value))
		abort();
	if (!out.is_null && text_is(out.value, value) &&
	    (m == MASK_PSEUDONYM || m == MASK_LAST4 || m == MASK_EMAIL) &&
	    !text_is(value, TEXT("[redacted]")) &&
	    type.oid != TYPE_TIMESTAMP && type.oid != TYPE_TIMESTAMPTZ)
		abort();
	arena_free(a);
	return 0;
}
