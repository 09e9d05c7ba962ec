/*
 * mask.c - which masker speaks for which type.
 *
 * The rule: whatever goes wrong, the answer is NULL.  Nothing here trusts the
 * bytes of a value: they are the database's, put there by anybody.
 */
#include <stdarg.h>
#include <stdio.h>

#include "common/mask_inner.h"

static const char *const names[MASK_MAX] = {
    [MASK_NONE] = "none",
    [MASK_REDACT] = "redact",
    [MASK_NULL] = "null",
    [MASK_EMAIL] = "email",
    [MASK_LAST4] = "last4",
    [MASK_PSEUDONYM] = "pseudonym",
    [MASK_HASH] = "hash",
    [MASK_YEAR] = "year",
    [MASK_ROUND] = "round",
};

/* The types a mask can express; all others become NULL. */
static const struct {
	uint32_t oid;
	masker mask;
} maskers[] = {
    {TYPE_TEXT, mask_text},
    {TYPE_VARCHAR, mask_text},
    {TYPE_BPCHAR, mask_text},
    {TYPE_NAME, mask_text},
    {TYPE_UNKNOWN, mask_text},
    {TYPE_CSTRING, mask_text},
    {TYPE_REFCURSOR, mask_text},
    {TYPE_CHAR, mask_char},
    {TYPE_JSON, mask_json},
    {TYPE_JSONB, mask_json},
    {TYPE_XML, mask_xml},
    {TYPE_INT2, mask_integer},
    {TYPE_INT4, mask_integer},
    {TYPE_INT8, mask_integer},
    {TYPE_OID, mask_integer},
    {TYPE_MONEY, mask_money},
    {TYPE_FLOAT4, mask_float},
    {TYPE_FLOAT8, mask_float},
    {TYPE_NUMERIC, mask_numeric},
    {TYPE_DATE, mask_date},
    {TYPE_TIMESTAMP, mask_timestamp},
    {TYPE_TIMESTAMPTZ, mask_timestamp},
    {TYPE_TIME, mask_time},
    {TYPE_TIMETZ, mask_time},
    {TYPE_UUID, mask_uuid},
    {TYPE_BYTEA, mask_bytea},
    {TYPE_INET, mask_inet},
    {TYPE_CIDR, mask_inet},
    {TYPE_MACADDR, mask_macaddr},
    {TYPE_MACADDR8, mask_macaddr},
};

/* Built-in types that hold text without being it: arrays of the textual
 * types, rows, and text with a syntax of its own. */
static const uint32_t holding_text[] = {
    194 /* pg_node_tree */, 199 /* json[] */, 143 /* xml[] */,
    1002 /* "char"[] */, 1003 /* name[] */, 1009 /* text[] */,
    1014 /* bpchar[] */, 1015 /* varchar[] */, 1263 /* cstring[] */,
    2249 /* record */, 2277 /* anyarray */, 2287 /* record[] */,
    3614 /* tsvector */, 3615 /* tsquery */, 3643 /* tsvector[] */,
    3645 /* tsquery[] */, 3807 /* jsonb[] */, 4072 /* jsonpath */,
    4073 /* jsonpath[] */};

const char *
mask_name(enum mask m)
{
	return (unsigned)m < MASK_MAX ? names[m] : "unknown";
}

enum mask
mask_by_name(struct text word)
{
	int m;

	/* "none" is no mask a policy can ask for. */
	for (m = MASK_NONE + 1; m < MASK_MAX; m++) {
		if (text_is(text_of(names[m]), word))
			return (enum mask)m;
	}
	return MASK_MAX;
}

const char *const *
mask_words(size_t *count_out)
{
	*count_out = MASK_MAX - 1;
	return names + 1;
}

enum mask
mask_stricter(enum mask a, enum mask b)
{
	if (a == b || b == MASK_NONE)
		return a;
	if (a == MASK_NONE)
		return b;
	if (a == MASK_NULL || b == MASK_NULL)
		return MASK_NULL;
	return MASK_REDACT;
}

static masker
masker_of(uint32_t oid)
{
	size_t i;

	for (i = 0; i < sizeof(maskers) / sizeof(*maskers); i++) {
		if (maskers[i].oid == oid)
			return maskers[i].mask;
	}
	return NULL;
}

bool
mask_type_is_textual(uint32_t oid)
{
	masker m = masker_of(oid);
	size_t i;

	if (oid == 0 || oid >= TYPE_USER_FIRST || m == mask_text ||
	    m == mask_json || m == mask_xml)
		return true;
	for (i = 0; i < sizeof(holding_text) / sizeof(*holding_text); i++) {
		if (holding_text[i] == oid)
			return true;
	}
	return false;
}

void
mask_value(enum mask m, struct mask_type type, const uint8_t *key,
    struct text value, struct arena *a, struct masked *out)
{
	const struct mask_job j = {m, type, key, value, a};
	masker mask = masker_of(type.oid);

	out->is_null = true;
	out->value = (struct text){NULL, 0};
	if (m == MASK_NONE) {
		out->is_null = false;
		out->value = value;
		return;
	}
	if (mask == NULL || m == MASK_NULL || (unsigned)m >= MASK_MAX ||
	    value.len > MASK_VALUE_MAX)
		return;
	if (mask(&j, &out->value))
		out->is_null = false;
	else
		out->value = (struct text){NULL, 0};
}

bool
mask_printf(
    const struct mask_job *j, struct text *out, const char *format, ...)
{
	char line[128];
	va_list list;
	int len;

	va_start(list, format);
	len = vsnprintf(line, sizeof(line), format, list);
	va_end(list);
	if (len < 0 || (size_t)len >= sizeof(line))
		return false;
	return mask_bytes(j, out, (const uint8_t *)line, (size_t)len);
}

bool
mask_bytes(const struct mask_job *j, struct text *out, const uint8_t *bytes,
    size_t len)
{
	out->at = arena_copy(j->arena, bytes, len);
	out->len = len;
	return out->at != NULL;
}

uint64_t
mask_get(const char *at, size_t bytes)
{
	uint64_t value = 0;
	size_t i;

	for (i = 0; i < bytes; i++)
		value = value << 8 | (uint8_t)at[i];
	return value;
}

void
mask_put(uint8_t *at, size_t bytes, uint64_t value)
{
	while (bytes > 0) {
		at[--bytes] = (uint8_t)value;
		value >>= 8;
	}
}
