/* links: common/mask.c common/mask_shape.c common/mask_nest.c common/mask_array.c common/mask_row.c common/mask_range.c common/mask_text.c common/mask_script.c common/mask_number.c common/mask_numeric.c common/mask_time.c common/mask_other.c common/mask_keyed.c common/siphash.c common/mask_part.c common/arena.c common/text.c common/wire.c */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/mask_inner.h"
#include "tests/unit/suite.h"

static const uint8_t key[MASK_KEY_LEN] = "an example key of 32 bytes, fine";
static struct arena *arena;

static void
setup(void)
{
	arena = arena_new(16 * 1024 * 1024);
}

static void
teardown(void)
{
	arena_free(arena);
}

static struct masked
masked_in(enum mask m, uint32_t oid, bool is_binary, struct text value)
{
	struct masked out;

	mask_value(m, (struct mask_type){oid, is_binary, NULL}, key, value, arena,
	    &out);
	return out;
}

/* "NULL" for NULL, so that tables can say it. */
static const char *
masked_text(enum mask m, uint32_t oid, const char *value)
{
	struct masked out = masked_in(m, oid, false, text_of(value));

	if (out.is_null)
		return "NULL";
	return arena_copy(arena, out.value.at, out.value.len);
}

static struct text
hex(const char *digits)
{
	size_t len = strlen(digits) / 2, i;
	char *bytes = arena_alloc(arena, len);

	for (i = 0; i < len; i++) {
		unsigned byte;

		ck_assert_int_eq(sscanf(digits + 2 * i, "%2x", &byte), 1);
		bytes[i] = (char)byte;
	}
	return (struct text){bytes, len};
}

static const char *
masked_hex(enum mask m, uint32_t oid, const char *digits)
{
	struct masked out = masked_in(m, oid, true, hex(digits));
	char *line = arena_alloc(arena, 2 * out.value.len + 1);
	size_t i;

	if (out.is_null)
		return "NULL";
	for (i = 0; i < out.value.len; i++)
		sprintf(line + 2 * i, "%02x", (uint8_t)out.value.at[i]);
	return line;
}

struct row {
	enum mask mask;
	uint32_t oid;
	const char *value, *want;
};

static void
check_rows(const struct row *rows, size_t count,
    const char *(*masked)(enum mask, uint32_t, const char *))
{
	size_t i;

	for (i = 0; i < count; i++) {
		const char *got =
		    masked(rows[i].mask, rows[i].oid, rows[i].value);

		ck_assert_msg(strcmp(got, rows[i].want) == 0,
		    "%s of %u %s: %s, want %s", mask_name(rows[i].mask),
		    rows[i].oid, rows[i].value, got, rows[i].want);
	}
}
#define CHECK_TEXT(rows) check_rows(rows, sizeof(rows) / sizeof(*rows), masked_text)
#define CHECK_HEX(rows) check_rows(rows, sizeof(rows) / sizeof(*rows), masked_hex)

/* --- words ---------------------------------------------------------------- */

START_TEST(every_mask_is_found_by_its_name)
{
	size_t count, i;
	const char *const *words = mask_words(&count);

	ck_assert_uint_eq(count, MASK_MAX - 1);
	for (i = 0; i < count; i++)
		ck_assert_str_eq(
		    mask_name(mask_by_name(text_of(words[i]))), words[i]);
	ck_assert_int_eq(mask_by_name(TEXT("none")), MASK_MAX);
	ck_assert_int_eq(mask_by_name(TEXT("Redact")), MASK_MAX);
}
END_TEST

START_TEST(stricter_mask_does_not_depend_on_order)
{
	int a, b, c;

	ck_assert_int_eq(mask_stricter(MASK_EMAIL, MASK_LAST4), MASK_REDACT);
	ck_assert_int_eq(mask_stricter(MASK_REDACT, MASK_NULL), MASK_NULL);
	ck_assert_int_eq(mask_stricter(MASK_NONE, MASK_HASH), MASK_HASH);
	for (a = 0; a < MASK_MAX; a++)
		for (b = 0; b < MASK_MAX; b++)
			for (c = 0; c < MASK_MAX; c++) {
				enum mask x = (enum mask)a, y = (enum mask)b,
					  z = (enum mask)c;

				ck_assert_int_eq(mask_stricter(x, y),
				    mask_stricter(y, x));
				ck_assert_int_eq(
				    mask_stricter(mask_stricter(x, y), z),
				    mask_stricter(x, mask_stricter(y, z)));
			}
}
END_TEST

/* --- text ----------------------------------------------------------------- */

START_TEST(text_types_are_masked_as_text)
{
	static const struct row rows[] = {
	    {MASK_REDACT, TYPE_TEXT, "Ada", "[redacted]"},
	    {MASK_REDACT, TYPE_TEXT, "", "[redacted]"},
	    {MASK_REDACT, TYPE_NAME, "ada", "[redacted]"},
	    {MASK_REDACT, TYPE_XML, "<a/>", "[redacted]"},
	    {MASK_REDACT, TYPE_JSON, "{\"a\":1}", "\"[redacted]\""},
	    {MASK_NULL, TYPE_TEXT, "Ada", "NULL"},
	    {MASK_EMAIL, TYPE_TEXT, "ada@example.com", "a***@example.com"},
	    {MASK_EMAIL, TYPE_VARCHAR, "a@example.com", "***@example.com"},
	    {MASK_EMAIL, TYPE_BPCHAR, "ada@example.com  ", "a***@example.com"},
	    {MASK_EMAIL, TYPE_TEXT, "çınar@örnek.tr", "ç***@örnek.tr"},
	    {MASK_EMAIL, TYPE_TEXT, "not an address", "[redacted]"},
	    {MASK_EMAIL, TYPE_TEXT, "ada@example.com, bob@example.com",
		"[redacted]"},
	    {MASK_EMAIL, TYPE_TEXT, "secret@1", "[redacted]"},
	    {MASK_EMAIL, TYPE_TEXT, "@example.com", "[redacted]"},
	    {MASK_EMAIL, TYPE_TEXT, "a@b@example.com", "[redacted]"},
	    {MASK_EMAIL, TYPE_TEXT, "", "[redacted]"},
	    {MASK_LAST4, TYPE_TEXT, "4111-1111-1111-1234",
		"****-****-****-1234"},
	    {MASK_LAST4, TYPE_TEXT, "1234", "****"},
	    {MASK_LAST4, TYPE_TEXT, "12345", "*2345"},
	    {MASK_LAST4, TYPE_TEXT, "Łódź 12", "**dź 12"},
	    {MASK_LAST4, TYPE_TEXT, "--", "NULL"},
	    {MASK_LAST4, TYPE_TEXT, "", "NULL"},
	    {MASK_LAST4, TYPE_CHAR, "x", "*"},
	    {MASK_REDACT, TYPE_CHAR, "x", "NULL"},
	    {MASK_PSEUDONYM, TYPE_TEXT, "--- ", "NULL"},
	    {MASK_YEAR, TYPE_TEXT, "2020-02-03", "NULL"},
	    {MASK_ROUND, TYPE_TEXT, "1234", "NULL"},
	    {MASK_LAST4, TYPE_XML, "<a>12345</a>", "NULL"},
	    {MASK_HASH, TYPE_JSON, "1", "NULL"},
	};

	CHECK_TEXT(rows);
}
END_TEST

START_TEST(jsonb_in_binary_keeps_its_version)
{
	static const struct row rows[] = {{MASK_REDACT, TYPE_JSONB,
	    "017b7d", "01225b72656461637465645d22"}};

	CHECK_HEX(rows);
}
END_TEST

START_TEST(hash_is_sixteen_hex_digits_and_always_the_same)
{
	const char *one = masked_text(MASK_HASH, TYPE_TEXT, "Ada");

	ck_assert_uint_eq(strlen(one), 16);
	ck_assert_uint_eq(strspn(one, "0123456789abcdef"), 16);
	ck_assert_str_eq(one, masked_text(MASK_HASH, TYPE_VARCHAR, "Ada"));
	ck_assert_str_ne(one, masked_text(MASK_HASH, TYPE_TEXT, "ada"));
}
END_TEST

static char
class_of(char c)
{
	return c >= '0' && c <= '9' ? '0'
	    : c >= 'a' && c <= 'z'  ? 'a'
	    : c >= 'A' && c <= 'Z'  ? 'A'
	    : (c & 0x80) != 0	    ? 'x'
				    : c;
}

START_TEST(pseudonym_keeps_length_and_classes_of_text)
{
	static const char *const values[] = {"Ada Lovelace", "A", "z", "7",
	    "+44 20 7946 0958", "ada@example.com", "Жанна д'Арк", "山田太郎",
	    "Łódź", "Ελένη", "🙂 ok", "ﬁ", "नमस्ते", "٣٤٥"};
	size_t i, k;

	for (i = 0; i < sizeof(values) / sizeof(*values); i++) {
		const char *got =
		    masked_text(MASK_PSEUDONYM, TYPE_TEXT, values[i]);

		ck_assert_str_ne(got, values[i]);
		ck_assert_uint_eq(strlen(got), strlen(values[i]));
		ck_assert(text_is_utf8(text_of(got)));
		for (k = 0; got[k] != '\0'; k++)
			ck_assert_int_eq(
			    class_of(got[k]), class_of(values[i][k]));
		ck_assert_str_eq(
		    got, masked_text(MASK_PSEUDONYM, TYPE_BPCHAR, values[i]));
	}
}
END_TEST

START_TEST(text_that_is_not_utf8_loses_its_high_bytes)
{
	const char *latin = "Jos\351 Garc\355a", *got;
	size_t i;

	for (i = MASK_LAST4; i <= MASK_PSEUDONYM; i++) {
		got = masked_text((enum mask)i, TYPE_TEXT, latin);
		ck_assert(strchr(got, '\xe9') == NULL);
		ck_assert(strchr(got, '\xed') == NULL);
	}
}
END_TEST

/* --- numbers -------------------------------------------------------------- */

START_TEST(numbers_are_rounded_to_two_digits)
{
	static const struct row rows[] = {
	    {MASK_ROUND, TYPE_INT4, "12345", "12000"},
	    {MASK_ROUND, TYPE_INT4, "12500", "13000"},
	    {MASK_ROUND, TYPE_INT4, "-995", "-1000"},
	    {MASK_ROUND, TYPE_INT4, "0", "0"},
	    {MASK_ROUND, TYPE_INT2, "32767", "32000"},
	    {MASK_ROUND, TYPE_INT2, "-32768", "-32000"},
	    {MASK_ROUND, TYPE_INT8, "9223372036854775807",
		"9200000000000000000"},
	    {MASK_ROUND, TYPE_INT8, "-9223372036854775808",
		"-9200000000000000000"},
	    {MASK_ROUND, TYPE_OID, "4294967295", "4200000000"},
	    {MASK_ROUND, TYPE_NUMERIC, "1234.56", "1200.00"},
	    {MASK_ROUND, TYPE_NUMERIC, "0.00456", "0.00460"},
	    {MASK_ROUND, TYPE_NUMERIC, "0.004555", "0.004600"},
	    {MASK_ROUND, TYPE_NUMERIC, "99.96", "100.00"},
	    {MASK_ROUND, TYPE_NUMERIC, "-99.96", "-100.00"},
	    {MASK_ROUND, TYPE_NUMERIC, "0.0996", "0.1000"},
	    {MASK_ROUND, TYPE_NUMERIC, "0.00", "0.00"},
	    {MASK_ROUND, TYPE_NUMERIC, "NaN", "NULL"},
	    {MASK_ROUND, TYPE_NUMERIC, "-Infinity", "NULL"},
	    {MASK_ROUND, TYPE_FLOAT8, "1234.5", "1200"},
	    {MASK_ROUND, TYPE_FLOAT8, "-0.012345", "-0.012"},
	    {MASK_ROUND, TYPE_FLOAT8, "NaN", "NULL"},
	    {MASK_ROUND, TYPE_FLOAT4, "1e+30", "1e+30"},
	    {MASK_ROUND, TYPE_FLOAT4, "1234567", "1.2e+06"},
	    {MASK_ROUND, TYPE_FLOAT8, "1234567", "1200000"},
	    {MASK_ROUND, TYPE_MONEY, "$1,234.56", "$1,200.00"},
	    {MASK_ROUND, TYPE_MONEY, "-$0.05", "-$0.05"},
	    {MASK_ROUND, TYPE_MONEY, "$999.99", "NULL"},
	};

	CHECK_TEXT(rows);
}
END_TEST

START_TEST(numbers_in_binary_are_rounded_too)
{
	static const struct row rows[] = {
	    {MASK_ROUND, TYPE_INT2, "7fff", "7d00"},
	    {MASK_ROUND, TYPE_INT4, "00003039", "00002ee0"},
	    {MASK_ROUND, TYPE_INT4, "80000000", "82d48b00"},
	    {MASK_ROUND, TYPE_INT8, "8000000000000000", "805308be62680000"},
	    {MASK_ROUND, TYPE_FLOAT8, "40934a0000000000",
		"4092c00000000000"},
	    {MASK_ROUND, TYPE_FLOAT8, "7ff8000000000000", "NULL"},
	    /* 1234.56: digits 1234 5600, weight 0, scale 2 */
	    {MASK_ROUND, TYPE_NUMERIC, "000200000000000204d215e0",
		"000100000000000204b0"},
	    /* 9999.99: a carry makes a new first digit */
	    {MASK_ROUND, TYPE_NUMERIC, "0002000040000002270f26ac",
		"00010001400000020001"},
	    /* 0.00 has no digits */
	    {MASK_ROUND, TYPE_NUMERIC, "0000000000000002",
		"0000000000000002"},
	    /* NaN, infinity, cut short, longer than it says */
	    {MASK_ROUND, TYPE_NUMERIC, "00000000c0000000", "NULL"},
	    {MASK_ROUND, TYPE_NUMERIC, "00000000d0000000", "NULL"},
	    {MASK_ROUND, TYPE_NUMERIC, "0002000000000002", "NULL"},
	    {MASK_ROUND, TYPE_NUMERIC, "000100000000000204d215e0", "NULL"},
	    {MASK_ROUND, TYPE_NUMERIC, "0001", "NULL"},
	    {MASK_ROUND, TYPE_INT4, "000000", "NULL"},
	};

	CHECK_HEX(rows);
}
END_TEST

START_TEST(pseudonym_of_integers_keeps_sign_digits_and_range)
{
	static const struct {
		uint32_t oid;
		const char *value;
	} rows[] = {{TYPE_INT2, "32767"}, {TYPE_INT2, "-32768"},
	    {TYPE_INT4, "2147483647"}, {TYPE_INT4, "-2147483648"},
	    {TYPE_INT8, "9223372036854775807"},
	    {TYPE_INT8, "-9223372036854775808"}, {TYPE_OID, "4294967295"},
	    {TYPE_INT4, "5"}, {TYPE_INT4, "-5"}, {TYPE_INT4, "0"},
	    {TYPE_INT4, "10"}, {TYPE_INT8, "1000000000000000000"}};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *value = rows[i].value;
		const char *got =
		    masked_text(MASK_PSEUDONYM, rows[i].oid, value);

		ck_assert_str_ne(got, value);
		ck_assert_str_ne(got, "NULL");
		ck_assert_uint_eq(strlen(got), strlen(value));
		ck_assert_int_eq(got[0] == '-', value[0] == '-');
		if (strlen(value) > 1)
			ck_assert_int_ne(got[got[0] == '-'], '0');
		if (rows[i].oid == TYPE_INT2)
			ck_assert_int_le(labs(strtol(got, NULL, 10)), 32768);
		if (rows[i].oid == TYPE_INT4)
			ck_assert_int_le(
			    labs(strtol(got, NULL, 10)), 2147483648L);
	}
}
END_TEST

START_TEST(pseudonyms_of_different_integers_differ)
{
	static bool seen[10000];
	size_t fixed = 0;
	int i;

	for (i = 100; i < 1000; i++) {
		char line[16];
		long got;

		snprintf(line, sizeof(line), "%d", i);
		got = strtol(
		    masked_text(MASK_PSEUDONYM, TYPE_INT4, line), NULL, 10);
		ck_assert_int_ge(got, 100);
		ck_assert_int_le(got, 999);
		ck_assert_int_ne(got, i);
		fixed += seen[got]; /* only where the permutation stood still */
		seen[got] = true;
	}
	ck_assert_uint_le(fixed, 8);
}
END_TEST

START_TEST(pseudonym_is_the_same_in_text_and_binary)
{
	struct masked binary =
	    masked_in(MASK_PSEUDONYM, TYPE_INT4, true, hex("00003039"));
	/* 1234.56 */
	struct masked numeric = masked_in(MASK_PSEUDONYM, TYPE_NUMERIC, true,
	    hex("000200000000000204d215e0"));
	char line[32];

	ck_assert(!binary.is_null && !numeric.is_null);
	snprintf(line, sizeof(line), "%lld",
	    (long long)mask_get(binary.value.at, 4));
	ck_assert_str_eq(line, masked_text(MASK_PSEUDONYM, TYPE_INT4, "12345"));
	snprintf(line, sizeof(line), "%lld.%02lld",
	    (long long)mask_get(numeric.value.at + 8, 2),
	    numeric.value.len > 10
		? (long long)mask_get(numeric.value.at + 10, 2) / 100
		: 0);
	ck_assert_str_eq(
	    line, masked_text(MASK_PSEUDONYM, TYPE_NUMERIC, "1234.56"));
}
END_TEST

START_TEST(long_numerics_are_replaced_digit_by_digit)
{
	const char *value = "-123456789012345678901234567890.0123456789";
	const char *got = masked_text(MASK_PSEUDONYM, TYPE_NUMERIC, value);
	size_t i;

	ck_assert_str_ne(got, value);
	for (i = 0; value[i] != '\0'; i++)
		ck_assert_int_eq(class_of(got[i]), class_of(value[i]));
	ck_assert_uint_eq(strlen(got), strlen(value));
}
END_TEST

START_TEST(numbers_that_are_none_become_null)
{
	static const struct row rows[] = {
	    {MASK_PSEUDONYM, TYPE_INT4, "", "NULL"},
	    {MASK_PSEUDONYM, TYPE_INT4, "-", "NULL"},
	    {MASK_PSEUDONYM, TYPE_INT4, "12a", "NULL"},
	    {MASK_PSEUDONYM, TYPE_INT4, "2147483648", "NULL"},
	    {MASK_PSEUDONYM, TYPE_INT8, "99999999999999999999", "NULL"},
	    {MASK_PSEUDONYM, TYPE_OID, "-1", "NULL"},
	    {MASK_PSEUDONYM, TYPE_NUMERIC, "1.2.3", "NULL"},
	    {MASK_PSEUDONYM, TYPE_NUMERIC, ".", "NULL"},
	    {MASK_PSEUDONYM, TYPE_NUMERIC, "", "NULL"},
	    {MASK_PSEUDONYM, TYPE_FLOAT8, "abc", "NULL"},
	    {MASK_PSEUDONYM, TYPE_FLOAT8, "-0", "NULL"},
	    {MASK_ROUND, TYPE_MONEY, "$123,456,789,012,345,678,901.00",
		"NULL"},
	    {MASK_REDACT, TYPE_INT4, "5", "NULL"},
	    {MASK_HASH, TYPE_INT4, "5", "NULL"},
	    {MASK_LAST4, TYPE_INT8, "4111111111111111", "NULL"},
	};

	CHECK_TEXT(rows);
}
END_TEST

/* --- dates and times ------------------------------------------------------ */

START_TEST(year_gives_the_first_of_january)
{
	static const struct row rows[] = {
	    {MASK_YEAR, TYPE_DATE, "2024-02-29", "2024-01-01"},
	    {MASK_YEAR, TYPE_DATE, "0044-03-15 BC", "0044-01-01 BC"},
	    {MASK_YEAR, TYPE_DATE, "0001-12-31 BC", "0001-01-01 BC"},
	    {MASK_YEAR, TYPE_DATE, "12024-02-29", "12024-01-01"},
	    {MASK_YEAR, TYPE_DATE, "infinity", "NULL"},
	    {MASK_YEAR, TYPE_DATE, "29/02/2024", "NULL"},
	    {MASK_YEAR, TYPE_DATE, "02-29-2024", "NULL"},
	    {MASK_YEAR, TYPE_DATE, "2024-02-29 ", "NULL"},
	    {MASK_YEAR, TYPE_DATE, "2024-02-29 12:00:00", "NULL"},
	    {MASK_YEAR, TYPE_DATE, "2024-13-01", "NULL"},
	    {MASK_YEAR, TYPE_DATE, "2024-02-2", "NULL"},
	    {MASK_YEAR, TYPE_DATE, "", "NULL"},
	    {MASK_YEAR, TYPE_TIMESTAMP, "2024-02-29 12:34:56.789",
		"2024-01-01 00:00:00"},
	    {MASK_YEAR, TYPE_TIMESTAMP, "Thu Feb 29 12:34:56 2024", "NULL"},
	    {MASK_YEAR, TYPE_TIMESTAMPTZ, "2024-02-29 12:34:56+02",
		"2024-01-01 00:00:00+00"},
	    {MASK_YEAR, TYPE_TIMESTAMPTZ, "2024-01-01 00:30:00+05:45",
		"2023-01-01 00:00:00+00"},
	    {MASK_YEAR, TYPE_TIMESTAMPTZ, "2024-02-29 12:34:56", "NULL"},
	    {MASK_YEAR, TYPE_TIMESTAMPTZ, "0044-03-15 12:00:00+00:53:28 BC",
		"0044-01-01 00:00:00+00 BC"},
	    {MASK_YEAR, TYPE_TIME, "12:00:00", "NULL"},
	    {MASK_REDACT, TYPE_DATE, "2024-02-29", "NULL"},
	    {MASK_PSEUDONYM, TYPE_INTERVAL, "1 day", "NULL"},
	};

	CHECK_TEXT(rows);
}
END_TEST

START_TEST(year_works_in_binary)
{
	static const struct row rows[] = {
	    /* 2024-02-29 is day 8825 from 2000-01-01; 8766 is 2024-01-01 */
	    {MASK_YEAR, TYPE_DATE, "00002279", "0000223e"},
	    /* 1999-12-31 is day -1; day -365 is 1999-01-01 */
	    {MASK_YEAR, TYPE_DATE, "ffffffff", "fffffe93"},
	    {MASK_YEAR, TYPE_DATE, "7fffffff", "NULL"},
	    {MASK_YEAR, TYPE_DATE, "80000000", "NULL"},
	    /* one microsecond before 2000 */
	    {MASK_YEAR, TYPE_TIMESTAMP, "ffffffffffffffff",
		"ffffe35173ec2000"},
	    {MASK_YEAR, TYPE_TIMESTAMPTZ, "7fffffffffffffff", "NULL"},
	    {MASK_YEAR, TYPE_TIMESTAMPTZ, "8000000000000000", "NULL"},
	    {MASK_YEAR, TYPE_TIMESTAMP, "00", "NULL"},
	};

	CHECK_HEX(rows);
}
END_TEST

START_TEST(pseudonym_of_a_date_stays_in_its_year)
{
	int day;

	for (day = 1; day <= 28; day++) {
		char value[32], stamp[48];
		const char *got;

		snprintf(value, sizeof(value), "2023-02-%02d", day);
		snprintf(stamp, sizeof(stamp), "%s 00:00:00", value);
		got = masked_text(MASK_PSEUDONYM, TYPE_DATE, value);
		ck_assert_str_ne(got, value);
		ck_assert_int_eq(strncmp(got, "2023-", 5), 0);
		ck_assert_uint_eq(strlen(got), 10);
		ck_assert_str_eq(arena_printf(arena, "%s 00:00:00", got),
		    masked_text(MASK_PSEUDONYM, TYPE_TIMESTAMP, stamp));
	}
}
END_TEST

START_TEST(pseudonym_of_a_moment_is_the_same_in_every_zone)
{
	ck_assert_str_eq(masked_text(MASK_PSEUDONYM, TYPE_TIMESTAMPTZ,
			     "2024-02-29 12:34:56+00"),
	    masked_text(
		MASK_PSEUDONYM, TYPE_TIMESTAMPTZ, "2024-02-29 18:04:56+05:30"));
}
END_TEST

START_TEST(pseudonym_of_a_time_is_another_time)
{
	ck_assert_str_ne(
	    masked_text(MASK_PSEUDONYM, TYPE_TIME, "12:34:56"), "12:34:56");
	ck_assert_uint_eq(
	    strlen(masked_text(MASK_PSEUDONYM, TYPE_TIME, "12:34:56")), 8);
	ck_assert_ptr_nonnull(strstr(
	    masked_text(MASK_PSEUDONYM, TYPE_TIMETZ, "12:34:00-03:30"),
	    "-03:30"));
	ck_assert_str_eq(
	    masked_text(MASK_PSEUDONYM, TYPE_TIME, "00:00:00"), "NULL");
	ck_assert_str_eq(
	    masked_text(MASK_PSEUDONYM, TYPE_TIME, "25:00:00"), "NULL");
}
END_TEST

/* --- others --------------------------------------------------------------- */

START_TEST(uuid_keeps_its_version_and_variant)
{
	const char *value = "550e8400-e29b-41d4-a716-446655440000";
	const char *got = masked_text(MASK_PSEUDONYM, TYPE_UUID, value);

	ck_assert_uint_eq(strlen(got), 36);
	ck_assert_str_ne(got, value);
	ck_assert_int_eq(got[14], '4');
	ck_assert_ptr_nonnull(strchr("89ab", got[19]));
	ck_assert_str_ne(got, masked_text(MASK_HASH, TYPE_UUID, value));
	ck_assert_str_eq("NULL", masked_text(MASK_REDACT, TYPE_UUID, value));
	ck_assert_str_eq("NULL",
	    masked_text(MASK_PSEUDONYM, TYPE_UUID,
		"550e8400-e29b-41d4-a716-44665544000"));
	ck_assert_str_eq("NULL",
	    masked_text(MASK_PSEUDONYM, TYPE_UUID,
		"550e8400-e29b-41d4-a716-44665544000g"));
	ck_assert_uint_eq(strlen(masked_hex(MASK_PSEUDONYM, TYPE_UUID,
			      "550e8400e29b41d4a716446655440000")),
	    32);
}
END_TEST

START_TEST(addresses_and_bytes_have_pseudonyms)
{
	static const struct row rows[] = {
	    {MASK_PSEUDONYM, TYPE_BYTEA, "\\x", "NULL"},
	    {MASK_PSEUDONYM, TYPE_BYTEA, "", "NULL"},
	    {MASK_PSEUDONYM, TYPE_BYTEA, "\\xabc", "NULL"},
	    {MASK_PSEUDONYM, TYPE_BYTEA, "abc\\000", "NULL"},
	    {MASK_PSEUDONYM, TYPE_INET, "300.1.1.1", "NULL"},
	    {MASK_PSEUDONYM, TYPE_INET, "10.0.0.1/33", "NULL"},
	    {MASK_PSEUDONYM, TYPE_INET, "10.0.0.1/", "NULL"},
	    {MASK_PSEUDONYM, TYPE_CIDR, "0.0.0.0/0", "NULL"},
	    {MASK_PSEUDONYM, TYPE_MACADDR, "08:00:2b:01:02", "NULL"},
	    {MASK_REDACT, TYPE_INET, "10.0.0.1", "NULL"},
	    {MASK_PSEUDONYM, TYPE_BOOL, "t", "NULL"},
	};
	const char *got;

	CHECK_TEXT(rows);
	got = masked_text(MASK_PSEUDONYM, TYPE_BYTEA, "\\xdeadbeef");
	ck_assert_uint_eq(strlen(got), 10);
	ck_assert_str_ne(got, "\\xdeadbeef");
	got = masked_text(MASK_PSEUDONYM, TYPE_CIDR, "10.1.0.0/16");
	ck_assert_ptr_nonnull(strstr(got, ".0.0/16"));
	got = masked_text(MASK_PSEUDONYM, TYPE_INET, "2001:db8::1");
	ck_assert_ptr_nonnull(strchr(got, ':'));
	got = masked_text(MASK_PSEUDONYM, TYPE_MACADDR, "08:00:2b:01:02:03");
	ck_assert_uint_eq(strlen(got), 17);
	got = masked_hex(MASK_PSEUDONYM, TYPE_INET, "022000040a000001");
	ck_assert_int_eq(strncmp(got, "02200004", 8), 0);
}
END_TEST

START_TEST(unknown_types_become_null)
{
	static const uint32_t oids[] = {
	    0, 2249, 2277, 3904, 4451, 16385, 1560, 600};
	size_t i;
	int m;

	for (i = 0; i < sizeof(oids) / sizeof(*oids); i++)
		for (m = MASK_REDACT; m < MASK_MAX; m++)
			ck_assert_str_eq(
			    masked_text((enum mask)m, oids[i], "{a}"), "NULL");
}
END_TEST

/* Near zero floats are so far apart that other digits make the same one. */
START_TEST(no_float_is_its_own_pseudonym)
{
	static const char *const floats[] = {"5e-324", "1e-323",
	    "4.94065645841247e-324", "1.5e-323", "9.88e-324", "2e-323"};
	uint8_t other_key[MASK_KEY_LEN] = {0};
	struct masked out;
	size_t i;

	for (i = 0; i < sizeof(floats) / sizeof(*floats); i++) {
		for (other_key[0] = 0; other_key[0] < 50; other_key[0]++) {
			mask_value(MASK_PSEUDONYM,
			    (struct mask_type){.oid = TYPE_FLOAT8}, other_key,
			    text_of(floats[i]), arena, &out);
			ck_assert(out.is_null ||
			    strtod(arena_copy(arena, out.value.at,
				       out.value.len), NULL) !=
				strtod(floats[i], NULL));
		}
	}
}
END_TEST

START_TEST(day_that_falls_out_of_the_calendar_becomes_null)
{
	static const struct row rows[] = {
	    {MASK_YEAR, TYPE_DATE, "4714-11-24 BC", "NULL"},
	    {MASK_YEAR, TYPE_DATE, "4713-11-24 BC", "4713-01-01 BC"},
	    {MASK_YEAR, TYPE_TIMESTAMP, "4714-12-31 23:59:59 BC", "NULL"},
	    {MASK_PSEUDONYM, TYPE_DATE, "4714-11-23 BC", "NULL"},
	};

	CHECK_TEXT(rows);
}
END_TEST

START_TEST(arena_that_is_full_gives_null)
{
	struct arena *small = arena_new(16);
	struct masked out;

	mask_value(MASK_PSEUDONYM, (struct mask_type){.oid = TYPE_TEXT}, key,
	    TEXT("a value longer than the arena is"), small, &out);
	ck_assert(out.is_null);
	arena_free(small);
}
END_TEST

/* --- parts ---------------------------------------------------------------- */

static const char *
parts_masked(
    uint32_t oid, const char *value, const char *found, enum mask m)
{
	struct mask_part part = {
	    (size_t)(strstr(value, found) - value), strlen(found), m};
	struct masked out;

	mask_parts((struct mask_type){.oid = oid}, key, text_of(value), &part,
	    1, arena, &out);
	return out.is_null ? "NULL"
			   : arena_copy(arena, out.value.at, out.value.len);
}

START_TEST(parts_are_masked_and_the_rest_kept)
{
	static const struct {
		uint32_t oid;
		const char *value, *found;
		enum mask mask;
		const char *want;
	} rows[] = {
	    {TYPE_TEXT, "pay 4111-1111-1111-1111 now", "4111-1111-1111-1111",
		MASK_LAST4, "pay ****-****-****-1111 now"},
	    {TYPE_TEXT, "mail ada@example.com", "ada@example.com", MASK_EMAIL,
		"mail a***@example.com"},
	    {TYPE_TEXT, "x 1.2.3.4 y", "1.2.3.4", MASK_REDACT,
		"x [redacted] y"},
	    {TYPE_TEXT, "x 1.2.3.4 y", "1.2.3.4", MASK_YEAR,
		"x [redacted] y"},
	    {TYPE_TEXT, "x 1.2.3.4 y", "1.2.3.4", MASK_NULL, "NULL"},
	    {TYPE_JSON, "{\"c\": \"4111111111111111\"}", "4111111111111111",
		MASK_LAST4, "{\"c\": \"************1111\"}"},
	    {TYPE_JSON, "{\"c\": 4111111111111111}", "4111111111111111",
		MASK_LAST4, "{\"c\": null}"},
	    {TYPE_JSON, "[-4111111111111111]", "4111111111111111",
		MASK_REDACT, "[null]"},
	    {TYPE_JSON, "\"a\\nada@example.com\"", "nada@example.com",
		MASK_EMAIL, "\"a\\na***@example.com\""},
	    {TYPE_JSON, "\"a\\u0041da@example.com\"", "u0041da@example.com",
		MASK_EMAIL, "\"a\\u0041d***@example.com\""},
	    {TYPE_JSON, "\"\\\"4111111111111111\\\"\"", "4111111111111111",
		MASK_REDACT, "\"\\\"[redacted]\\\"\""},
	    {TYPE_UUID, "4111111111111111", "4111111111111111", MASK_REDACT,
		"NULL"},
	    {1009, "{4111111111111111}", "4111111111111111", MASK_LAST4,
		"NULL"},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		ck_assert_str_eq(parts_masked(rows[i].oid, rows[i].value,
				     rows[i].found, rows[i].mask),
		    rows[i].want);
}
END_TEST

START_TEST(textual_types_are_those_a_detector_can_read)
{
	static const uint32_t yes[] = {TYPE_TEXT, TYPE_VARCHAR, TYPE_BPCHAR,
	    TYPE_NAME, TYPE_JSON, TYPE_JSONB, TYPE_XML, 1009, 2249, 16384};
	static const uint32_t no[] = {
	    TYPE_INT4, TYPE_BOOL, TYPE_UUID, TYPE_DATE, TYPE_BYTEA, 1007};
	size_t i;

	for (i = 0; i < sizeof(yes) / sizeof(*yes); i++)
		ck_assert(mask_type_is_textual(yes[i]));
	for (i = 0; i < sizeof(no) / sizeof(*no); i++)
		ck_assert(!mask_type_is_textual(no[i]));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("mask");
	TCase *tc = tcase_create("mask");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, every_mask_is_found_by_its_name);
	tcase_add_test(tc, stricter_mask_does_not_depend_on_order);
	tcase_add_test(tc, text_types_are_masked_as_text);
	tcase_add_test(tc, jsonb_in_binary_keeps_its_version);
	tcase_add_test(tc, hash_is_sixteen_hex_digits_and_always_the_same);
	tcase_add_test(tc, pseudonym_keeps_length_and_classes_of_text);
	tcase_add_test(tc, text_that_is_not_utf8_loses_its_high_bytes);
	tcase_add_test(tc, numbers_are_rounded_to_two_digits);
	tcase_add_test(tc, numbers_in_binary_are_rounded_too);
	tcase_add_test(tc, pseudonym_of_integers_keeps_sign_digits_and_range);
	tcase_add_test(tc, pseudonyms_of_different_integers_differ);
	tcase_add_test(tc, pseudonym_is_the_same_in_text_and_binary);
	tcase_add_test(tc, long_numerics_are_replaced_digit_by_digit);
	tcase_add_test(tc, numbers_that_are_none_become_null);
	tcase_add_test(tc, year_gives_the_first_of_january);
	tcase_add_test(tc, year_works_in_binary);
	tcase_add_test(tc, pseudonym_of_a_date_stays_in_its_year);
	tcase_add_test(tc, pseudonym_of_a_moment_is_the_same_in_every_zone);
	tcase_add_test(tc, pseudonym_of_a_time_is_another_time);
	tcase_add_test(tc, uuid_keeps_its_version_and_variant);
	tcase_add_test(tc, addresses_and_bytes_have_pseudonyms);
	tcase_add_test(tc, unknown_types_become_null);
	tcase_add_test(tc, no_float_is_its_own_pseudonym);
	tcase_add_test(tc, day_that_falls_out_of_the_calendar_becomes_null);
	tcase_add_test(tc, arena_that_is_full_gives_null);
	tcase_add_test(tc, parts_are_masked_and_the_rest_kept);
	tcase_add_test(tc, textual_types_are_those_a_detector_can_read);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
