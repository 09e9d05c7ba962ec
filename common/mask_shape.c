/*
 * mask_shape.c - the built-in types and their arrays.
 *
 * The rule: what is not in the table has no mask.  OIDs below 10,000 are given
 * out by hand in pg_type.dat and pg_range.dat and never change.
 */
#include "common/mask_nest.h"

/* name, OID, OID of its array, masker; types without a masker are here for
 * their arrays, which keep their length. */
#define SCALARS(X)                                                             \
	X(BOOL, 16, 1000, NULL)                                                \
	X(BYTEA, 17, 1001, mask_bytea)                                         \
	X(CHAR, 18, 1002, mask_char)                                           \
	X(NAME, 19, 1003, mask_text)                                           \
	X(INT8, 20, 1016, mask_integer)                                        \
	X(INT2, 21, 1005, mask_integer)                                        \
	X(INT4, 23, 1007, mask_integer)                                        \
	X(REGPROC, 24, 1008, NULL)                                             \
	X(TEXT, 25, 1009, mask_text)                                           \
	X(OID, 26, 1028, mask_integer)                                         \
	X(TID, 27, 1010, NULL)                                                 \
	X(XID, 28, 1011, NULL)                                                 \
	X(CID, 29, 1012, NULL)                                                 \
	X(JSON, 114, 199, mask_json)                                           \
	X(XML, 142, 143, mask_xml)                                             \
	X(POINT, 600, 1017, NULL)                                              \
	X(LSEG, 601, 1018, NULL)                                               \
	X(PATH, 602, 1019, NULL)                                               \
	X(BOX, 603, 1020, NULL)                                                \
	X(POLYGON, 604, 1027, NULL)                                            \
	X(LINE, 628, 629, NULL)                                                \
	X(CIDR, 650, 651, mask_inet)                                           \
	X(FLOAT4, 700, 1021, mask_float)                                       \
	X(FLOAT8, 701, 1022, mask_float)                                       \
	X(CIRCLE, 718, 719, NULL)                                              \
	X(MACADDR8, 774, 775, mask_macaddr)                                    \
	X(MONEY, 790, 791, mask_money)                                         \
	X(MACADDR, 829, 1040, mask_macaddr)                                    \
	X(INET, 869, 1041, mask_inet)                                          \
	X(ACLITEM, 1033, 1034, NULL)                                           \
	X(BPCHAR, 1042, 1014, mask_text)                                       \
	X(VARCHAR, 1043, 1015, mask_text)                                      \
	X(DATE, 1082, 1182, mask_date)                                         \
	X(TIME, 1083, 1183, mask_time)                                         \
	X(TIMESTAMP, 1114, 1115, mask_timestamp)                               \
	X(TIMESTAMPTZ, 1184, 1185, mask_timestamp)                             \
	X(INTERVAL, 1186, 1187, NULL)                                          \
	X(TIMETZ, 1266, 1270, mask_time)                                       \
	X(BIT, 1560, 1561, NULL)                                               \
	X(VARBIT, 1562, 1563, NULL)                                            \
	X(NUMERIC, 1700, 1231, mask_numeric)                                   \
	X(REFCURSOR, 1790, 2201, mask_text)                                    \
	X(REGPROCEDURE, 2202, 2207, NULL)                                      \
	X(REGOPER, 2203, 2208, NULL)                                           \
	X(REGOPERATOR, 2204, 2209, NULL)                                       \
	X(REGCLASS, 2205, 2210, NULL)                                          \
	X(REGTYPE, 2206, 2211, NULL)                                           \
	X(CSTRING, 2275, 1263, mask_text)                                      \
	X(UUID, 2950, 2951, mask_uuid)                                         \
	X(TXID_SNAPSHOT, 2970, 2949, NULL)                                     \
	X(PG_LSN, 3220, 3221, NULL)                                            \
	X(TSVECTOR, 3614, 3643, NULL)                                          \
	X(TSQUERY, 3615, 3645, NULL)                                           \
	X(REGCONFIG, 3734, 3735, NULL)                                         \
	X(REGDICTIONARY, 3769, 3770, NULL)                                     \
	X(JSONB, 3802, 3807, mask_json)                                        \
	X(JSONPATH, 4072, 4073, NULL)                                          \
	X(REGNAMESPACE, 4089, 4090, NULL)                                      \
	X(REGROLE, 4096, 4097, NULL)                                           \
	X(REGCOLLATION, 4191, 4192, NULL)                                      \
	X(PG_SNAPSHOT, 5038, 5039, NULL)                                       \
	X(XID8, 5069, 271, NULL)

/* subtype, OIDs of the range, its array, its multirange and that one's array
 */
#define RANGES(X)                                                              \
	X(INT4, 3904, 3905, 4451, 6150)                                        \
	X(NUMERIC, 3906, 3907, 4532, 6151)                                     \
	X(TIMESTAMP, 3908, 3909, 4533, 6152)                                   \
	X(TIMESTAMPTZ, 3910, 3911, 4534, 6153)                                 \
	X(DATE, 3912, 3913, 4535, 6155)                                        \
	X(INT8, 3926, 3927, 4536, 6157)

enum { RECORD_ARRAY = 2287, PLACES = 6158, LIKE_NO_OTHER = ';' };

enum place {
	NOWHERE,
#define X(name, oid, array, mask) AT_##name, AT_##name##_ARRAY,
	SCALARS(X)
#undef X
#define X(name, oid, array, multi, multi_array)                                \
	AT_##name##_RANGE, AT_##name##_RANGE_ARRAY, AT_##name##_MULTIRANGE,    \
	    AT_##name##_MULTIRANGE_ARRAY,
	RANGES(X)
#undef X
	AT_RECORD, AT_RECORD_ARRAY, AT_UNKNOWN, PLACE_COUNT,
};

_Static_assert(PLACE_COUNT <= UINT8_MAX, "a place fits a byte");

#define ARRAY_OF(place_name, array_oid)                                        \
	[AT_##place_name##_ARRAY] = {.oid = (array_oid),                       \
	    .base = (array_oid),                                               \
	    .form = FORM_ARRAY,                                                \
	    .delimiter = ',',                                                  \
	    .mask = mask_array,                                                \
	    .parts = &shapes[AT_##place_name],                                 \
	    .count = 1}
#define RANGE_OF(place_name, range_oid, its_form, masker, subtype)             \
	[AT_##place_name] = {.oid = (range_oid),                               \
	    .base = (range_oid),                                               \
	    .form = (its_form),                                                \
	    .delimiter = ',',                                                  \
	    .mask = (masker),                                                  \
	    .parts = &shapes[AT_##subtype],                                    \
	    .count = 1}

static const struct mask_shape shapes[PLACE_COUNT] = {
    [NOWHERE] = {.form = FORM_UNKNOWN, .delimiter = ','},
#define X(name, its_oid, array, its_mask)                                      \
	[AT_##name] = {.oid = (its_oid),                                       \
	    .base = (its_oid),                                                 \
	    .form = FORM_SCALAR,                                               \
	    .delimiter = (its_oid) == 603 /* box */ ? LIKE_NO_OTHER : ',',     \
	    .mask = (its_mask)},                                               \
	ARRAY_OF(name, array),
    SCALARS(X)
#undef X
#define X(name, range, array, multi, multi_array)                              \
	RANGE_OF(name##_RANGE, range, FORM_RANGE, mask_range, name),           \
	RANGE_OF(name##_MULTIRANGE, multi, FORM_MULTIRANGE, mask_multirange,   \
	    name),                                                             \
	ARRAY_OF(name##_RANGE, array),                                         \
	ARRAY_OF(name##_MULTIRANGE, multi_array),
    RANGES(X)
#undef X
    [AT_RECORD] = {.oid = TYPE_RECORD,
	.base = TYPE_RECORD,
	.form = FORM_RECORD,
	.delimiter = ',',
	.mask = mask_row},
    ARRAY_OF(RECORD, RECORD_ARRAY),
    [AT_UNKNOWN] = {.oid = TYPE_UNKNOWN,
	.base = TYPE_UNKNOWN,
	.form = FORM_SCALAR,
	.delimiter = ',',
	.mask = mask_text},
};

/* By OID. */
static const uint8_t places[PLACES] = {
#define X(name, oid, array, mask)                                              \
	[oid] = AT_##name, [array] = AT_##name##_ARRAY,
    SCALARS(X)
#undef X
#define X(name, oid, array, multi, multi_array)                                \
	[oid] = AT_##name##_RANGE, [array] = AT_##name##_RANGE_ARRAY,          \
	[multi] = AT_##name##_MULTIRANGE,                                      \
	[multi_array] = AT_##name##_MULTIRANGE_ARRAY,
    RANGES(X)
#undef X
    [TYPE_RECORD] = AT_RECORD,
    [RECORD_ARRAY] = AT_RECORD_ARRAY,
    [TYPE_UNKNOWN] = AT_UNKNOWN,
};

/* Built-in types that hold text and are no arrays or rows of such. */
static const uint32_t holding_text[] = {194 /* pg_node_tree */,
    2277 /* anyarray */, 3614 /* tsvector */, 3615 /* tsquery */,
    4072 /* jsonpath */};

const struct mask_shape *
mask_shape_of(uint32_t oid)
{
	return &shapes[oid < PLACES ? places[oid] : NOWHERE];
}

struct mask_shape
mask_shape_made(enum mask_form form, uint32_t oid,
    const struct mask_shape *parts, size_t count)
{
	static const masker maskers[] = {
	    [FORM_ARRAY] = mask_array,
	    [FORM_ROW] = mask_row,
	    [FORM_RANGE] = mask_range,
	    [FORM_MULTIRANGE] = mask_multirange,
	};
	bool is_made = (size_t)form < sizeof(maskers) / sizeof(*maskers) &&
	    maskers[form] != NULL;

	return (struct mask_shape){.oid = oid,
	    .form = is_made ? form : FORM_UNKNOWN,
	    .delimiter = ',',
	    .mask = is_made ? maskers[form] : NULL,
	    .parts = parts,
	    .count = count};
}

static bool
holds_text(uint32_t oid)
{
	size_t i;

	for (i = 0; i < sizeof(holding_text) / sizeof(*holding_text); i++) {
		if (holding_text[i] == oid)
			return true;
	}
	return false;
}

bool
mask_type_is_bytes(uint32_t oid)
{
	const struct mask_shape *s = mask_shape_of(oid);

	if (s->form == FORM_ARRAY)
		s = s->parts;
	return s->oid == TYPE_BYTEA;
}

bool
mask_type_is_textual(uint32_t oid)
{
	const struct mask_shape *s = mask_shape_of(oid);

	if (oid == 0 || oid >= TYPE_MADE_FIRST)
		return true;
	if (s->form == FORM_ARRAY)
		s = s->parts;
	return s->form == FORM_RECORD || s->mask == mask_text ||
	    s->mask == mask_json || s->mask == mask_xml || holds_text(s->oid);
}
