/* links: common/mask.c common/mask_shape.c common/mask_nest.c common/mask_array.c common/mask_row.c common/mask_range.c common/mask_text.c common/mask_script.c common/mask_number.c common/mask_numeric.c common/mask_time.c common/mask_other.c common/mask_keyed.c common/siphash.c common/mask_part.c common/detect.c common/detect_bank.c common/detect_mask.c common/detect_net.c common/detect_person.c common/arena.c common/text.c common/wire.c */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/detect.h"
#include "common/mask_nest.h"
#include "common/vocab.h"
#include "tests/unit/suite.h"

/* Arrays, rows, ranges and multiranges: the parts are test_mask.c's. */

enum {
	INT4_ARRAY = 1007,
	TEXT_ARRAY = 1009,
	BOX_ARRAY = 1020,
	DATE_ARRAY = 1182,
	BOOL_ARRAY = 1000,
	RECORD_ARRAY = 2287,
	INT4_RANGE = 3904,
	NUM_RANGE = 3906,
	TS_RANGE = 3908,
	DATE_RANGE = 3912,
	INT4_RANGE_ARRAY = 3905,
	INT4_MULTIRANGE = 4451,
	NUM_MULTIRANGE = 4532,
	PERSON = 20000, /* a row: name text, limit int4, mood (an enum) */
	PEOPLE = 20001,
	MAIL = 20002, /* a domain over text */
	MAILS = 20003,
	MOOD = 20004,
	TAGS = 20005, /* a domain over text[] */
	TAGS_ARRAY = 20006,
	NOTHING = 20007, /* a row without columns */
	AMOUNTS = 20008, /* a range over numeric */
};

static const uint8_t key[MASK_KEY_LEN] = "an example key of 32 bytes, fine";
static struct arena *arena;
static struct mask_shape person_parts[3], person, people, mail, mails, mood,
    tags, tags_array, nothing, amounts;

static void
setup(void)
{
	arena = arena_new(16 * 1024 * 1024);
	mood = mask_shape_made(FORM_UNKNOWN, MOOD, NULL, 0);
	person_parts[0] = *mask_shape_of(TYPE_TEXT);
	person_parts[1] = *mask_shape_of(TYPE_INT4);
	person_parts[2] = mood;
	person = mask_shape_made(FORM_ROW, PERSON, person_parts, 3);
	people = mask_shape_made(FORM_ARRAY, PEOPLE, &person, 1);
	mail = *mask_shape_of(TYPE_TEXT);
	mail.oid = MAIL;
	mails = mask_shape_made(FORM_ARRAY, MAILS, &mail, 1);
	tags = *mask_shape_of(TEXT_ARRAY);
	tags.oid = TAGS;
	tags_array = mask_shape_made(FORM_ARRAY, TAGS_ARRAY, &tags, 1);
	nothing = mask_shape_made(FORM_ROW, NOTHING, NULL, 0);
	amounts = mask_shape_made(
	    FORM_RANGE, AMOUNTS, mask_shape_of(TYPE_NUMERIC), 1);
}

static void
teardown(void)
{
	arena_free(arena);
}

static const struct mask_shape *
shape_of(uint32_t oid)
{
	const struct mask_shape *all[] = {&person, &people, &mail, &mails,
	    &mood, &tags, &tags_array, &nothing, &amounts};
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(*all); i++) {
		if (all[i]->oid == oid)
			return all[i];
	}
	return mask_shape_of(oid);
}

static const char *
shown(const struct masked *m)
{
	return m->is_null ? "NULL"
			  : arena_copy(arena, m->value.at, m->value.len);
}

static const char *
masked_text(enum mask m, uint32_t oid, const char *value)
{
	struct masked out;

	mask_value(m, (struct mask_type){oid, false, shape_of(oid)}, key,
	    text_of(value), arena, &out);
	return shown(&out);
}

/* Hex digits, and spaces between them. */
static struct text
hex(const char *digits)
{
	char *bytes = arena_alloc(arena, strlen(digits));
	size_t len = 0;
	unsigned byte;

	for (; *digits != '\0'; digits++) {
		if (*digits == ' ')
			continue;
		ck_assert_int_eq(sscanf(digits++, "%2x", &byte), 1);
		bytes[len++] = (char)byte;
	}
	return (struct text){bytes, len};
}

static const char *
masked_hex(enum mask m, uint32_t oid, const char *digits)
{
	struct masked out;
	char *line;
	size_t i;

	mask_value(m, (struct mask_type){oid, true, shape_of(oid)}, key,
	    hex(digits), arena, &out);
	line = arena_alloc(arena, 2 * out.value.len + 1);
	for (i = 0; i < out.value.len; i++)
		sprintf(line + 2 * i, "%02x", (uint8_t)out.value.at[i]);
	return out.is_null ? "NULL" : line;
}

/* Without its spaces. */
static const char *
closed_up(const char *digits)
{
	char *line = arena_alloc(arena, strlen(digits) + 1), *at = line;

	for (; *digits != '\0'; digits++) {
		if (*digits != ' ')
			*at++ = *digits;
	}
	return line;
}

struct row {
	enum mask mask;
	uint32_t oid;
	const char *value, *want;
};

static void
check_text(const struct row *r, size_t count)
{
	for (; count > 0; count--, r++) {
		const char *got = masked_text(r->mask, r->oid, r->value);

		ck_assert_msg(strcmp(got, r->want) == 0,
		    "%s of %u %s: %s, want %s", mask_name(r->mask), r->oid,
		    r->value, got, r->want);
	}
}

static void
check_hex(const struct row *r, size_t count)
{
	for (; count > 0; count--, r++) {
		const char *got = masked_hex(r->mask, r->oid, r->value);
		const char *want = closed_up(r->want);

		ck_assert_msg(strcmp(got, want) == 0,
		    "%s of %u %s: %s, want %s", mask_name(r->mask), r->oid,
		    r->value, got, want);
	}
}
#define CHECK_TEXT(rows) check_text(rows, sizeof(rows) / sizeof(*rows))
#define CHECK_HEX(rows) check_hex(rows, sizeof(rows) / sizeof(*rows))

/* --- arrays --------------------------------------------------------------- */

START_TEST(text_array_has_each_element_masked)
{
	static const struct row rows[] = {
	    {MASK_REDACT, TEXT_ARRAY, "{a,b}", "{[redacted],[redacted]}"},
	    {MASK_REDACT, TEXT_ARRAY, "{a,NULL,\"NULL\",null}",
		"{[redacted],NULL,[redacted],NULL}"},
	    {MASK_REDACT, TEXT_ARRAY, "{\"\"}", "{[redacted]}"},
	    {MASK_REDACT, TEXT_ARRAY, "[0:1][-2:-2]={{a},{b}}",
		"[0:1][-2:-2]={{[redacted]},{[redacted]}}"},
	    {MASK_LAST4, TEXT_ARRAY, "{\"ab \\\"c\\\\d}, 12345\"}",
		"{\"** \\\"*\\\\*}, *2345\"}"},
	    {MASK_LAST4, TEXT_ARRAY, "{\"--\",12345}", "{NULL,*2345}"},
	    {MASK_ROUND, INT4_ARRAY, "{631,NULL,-1234}", "{630,NULL,-1200}"},
	    {MASK_ROUND, INT4_ARRAY, "{10,20}", "{10,20}"},
	    {MASK_REDACT, INT4_ARRAY, "{1,2}", "{NULL,NULL}"},
	    {MASK_YEAR, DATE_ARRAY, "{2020-03-04,infinity,\"0044-03-15 BC\"}",
		"{2020-01-01,NULL,\"0044-01-01 BC\"}"},
	    {MASK_REDACT, TEXT_ARRAY, "{a;b}", "{[redacted]}"},
	    {MASK_REDACT, BOX_ARRAY, "{(3,4),(1,2);(7,8),(5,6)}",
		"{NULL;NULL}"},
	    {MASK_REDACT, BOOL_ARRAY, "{t,f}", "{NULL,NULL}"},
	};

	CHECK_TEXT(rows);
}
END_TEST

START_TEST(element_that_reads_as_null_is_quoted)
{
	/* nUlL keeps its letters' classes until it happens to read so */
	static const struct nest_quoting q = {
	    .marks = "\"\\{},", .escape = '\\', .has_null = true};
	struct nest_builder b = {.arena = arena};
	struct text out;

	nest_put_part(&b, &q, TEXT("nUlL"));
	nest_put_part(&b, &q, TEXT("nil"));
	nest_put_part(&b, &q, TEXT(""));
	nest_put_part(&b, &q, TEXT("a\vb"));
	ck_assert(nest_done(&b, &out));
	ck_assert(text_is(out, TEXT("\"nUlL\"nil\"\"\"a\vb\"")));
}
END_TEST

START_TEST(array_that_is_malformed_becomes_null)
{
	static const char *const arrays[] = {"", "{", "}", "a", "{a", "{a,}",
	    "{,a}", "{a,,b}", "{a}b", "{a}{b}", "{}", "{{}}", "{{a},b}",
	    "{a,{b}}", "{{a},{{b}}}", "{\"a}", "{\"a\\\"}", "{\"a\"b}",
	    "{a\"b\"}", "{a b}", "{a\\,b}", "[0:1]{a}", "[0:1={a}", "[0]={a}",
	    "[:1]={a}", "[0:x]={a}", "[0:1]=", "[--1:1]={a}", " {a}", "{a} ",
	    "[1:1][1:1][1:1][1:1][1:1][1:1][1:1]={a}", "{{{{{{{a}}}}}}}",
	    "{{{{{{{{{{{{{{{{{{{{{{{{", "{\"a\"\"b\"}", "[1:1]"};
	size_t i;

	for (i = 0; i < sizeof(arrays) / sizeof(*arrays); i++)
		ck_assert_msg(strcmp(masked_text(MASK_REDACT, TEXT_ARRAY,
				  arrays[i]), "NULL") == 0,
		    "%s", arrays[i]);
}
END_TEST

/* dimensions, flags, element type; length and lower bound; elements */
#define ONE_OF(oid, len) "00000001 00000000 " oid len "00000001 "
#define TEXTS "00000019 "
#define INTS "00000017 "
#define REDACTED_HEX "0000000a 5b72656461637465645d "

START_TEST(binary_array_has_each_element_masked)
{
	static const struct row rows[] = {
	    {MASK_REDACT, TEXT_ARRAY,
		ONE_OF(TEXTS, "00000002 ") "00000001 61 00000002 6262",
		ONE_OF(TEXTS, "00000002 ") REDACTED_HEX REDACTED_HEX},
	    /* what becomes NULL raises the flag */
	    {MASK_LAST4, TEXT_ARRAY,
		ONE_OF(TEXTS, "00000002 ") "00000001 61 00000001 2d",
		"00000001 00000001 " TEXTS
		"00000002 00000001 00000001 2a ffffffff"},
	    {MASK_ROUND, INT4_ARRAY,
		ONE_OF(INTS, "00000001 ") "00000004 00000277",
		ONE_OF(INTS, "00000001 ") "00000004 00000276"},
	    /* two dimensions, from 0 and from -1; a null that was there */
	    {MASK_ROUND, INT4_ARRAY,
		"00000002 00000001 " INTS "00000001 00000000 00000002 "
		"ffffffff ffffffff 00000004 00000277",
		"00000002 00000001 " INTS "00000001 00000000 00000002 "
		"ffffffff ffffffff 00000004 00000276"},
	    {MASK_REDACT, MAILS, ONE_OF("00004e22 ", "00000001 ") "00000001 61",
		ONE_OF("00004e22 ", "00000001 ") REDACTED_HEX},
	};

	CHECK_HEX(rows);
}
END_TEST

START_TEST(binary_array_that_lies_becomes_null)
{
	static const char *const arrays[] = {"", "00000001",
	    /* no dimensions, seven, none left, one with no elements */
	    "00000000 00000000 " TEXTS,
	    "00000007 00000000 " TEXTS "00000001 00000001",
	    "00000002 00000000 " TEXTS "00000001 00000001",
	    ONE_OF(TEXTS, "00000000 "),
	    /* flags, type */
	    "00000001 00000002 " TEXTS "00000001 00000001 00000001 61",
	    ONE_OF(INTS, "00000001 ") "00000001 61",
	    /* more elements than bytes; counts whose product overflows */
	    ONE_OF(TEXTS, "00000002 ") "00000001 61",
	    ONE_OF(TEXTS, "ffffffff ") "00000001 61",
	    "00000002 00000000 " TEXTS "80000000 00000001 80000000 00000001 "
	    "00000001 61",
	    /* lengths: past the end, below -1; bytes left over */
	    ONE_OF(TEXTS, "00000001 ") "00000002 61",
	    ONE_OF(TEXTS, "00000001 ") "fffffffe 61",
	    ONE_OF(TEXTS, "00000001 ") "7fffffff 61",
	    ONE_OF(TEXTS, "00000001 ") "00000001 61 00"};
	size_t i;

	for (i = 0; i < sizeof(arrays) / sizeof(*arrays); i++)
		ck_assert_msg(strcmp(masked_hex(MASK_REDACT, TEXT_ARRAY,
				  arrays[i]), "NULL") == 0,
		    "%s", arrays[i]);
}
END_TEST

/* --- rows ----------------------------------------------------------------- */

START_TEST(row_has_each_column_masked_by_its_type)
{
	static const struct row rows[] = {
	    {MASK_REDACT, PERSON, "(Ada,631,sad)", "([redacted],,)"},
	    {MASK_REDACT, PERSON, "(\"\",,)", "([redacted],,)"},
	    {MASK_ROUND, PERSON, "(Ada,631,sad)", "(,630,)"},
	    {MASK_LAST4, PERSON, "(\"a (b), \"\"12345\\\\\",,)",
		"(\"* (*), \"\"*2345\\\\\",,)"},
	    {MASK_REDACT, PEOPLE,
		"{\"(Ada,631,sad)\",NULL,\"(\\\"a b\\\",,)\"}",
		"{\"([redacted],,)\",NULL,\"([redacted],,)\"}"},
	    {MASK_LAST4, PEOPLE, "{\"(\\\"a 12345\\\",,)\"}",
		"{\"(\\\"* *2345\\\",,)\"}"},
	    {MASK_REDACT, TAGS_ARRAY, "{\"{a,b}\",\"{\\\"c d\\\"}\"}",
		"{\"{[redacted],[redacted]}\",\"{[redacted]}\"}"},
	    {MASK_REDACT, MAIL, "Ada", "[redacted]"},
	};

	CHECK_TEXT(rows);
}
END_TEST

START_TEST(row_that_is_malformed_or_holds_nothing_becomes_null)
{
	static const struct row rows[] = {
	    {MASK_REDACT, PERSON, "(,,)", "NULL"},
	    {MASK_REDACT, NOTHING, "()", "NULL"},
	    {MASK_REDACT, PERSON, "", "NULL"},
	    {MASK_REDACT, PERSON, "(a,1)", "NULL"},
	    {MASK_REDACT, PERSON, "(a,1,s,t)", "NULL"},
	    {MASK_REDACT, PERSON, "(a,1,s", "NULL"},
	    {MASK_REDACT, PERSON, "(a,1,s)x", "NULL"},
	    {MASK_REDACT, PERSON, "a,1,s)", "NULL"},
	    {MASK_REDACT, PERSON, "(\"a,1,s)", "NULL"},
	    {MASK_REDACT, PERSON, "(\"a\"b,1,s)", "NULL"},
	    {MASK_REDACT, PERSON, "(a b,1,s)", "NULL"},
	    {MASK_REDACT, PERSON, "(a\\b,1,s)", "NULL"},
	    {MASK_REDACT, PERSON, "(\"a\\", "NULL"},
	    {MASK_REDACT, TYPE_RECORD, "(a,1)", "NULL"},
	    {MASK_REDACT, MOOD, "sad", "NULL"},
	};

	CHECK_TEXT(rows);
}
END_TEST

START_TEST(binary_row_has_each_column_masked_by_its_type)
{
	static const struct row rows[] = {
	    {MASK_REDACT, PERSON,
		"00000003 00000019 00000003 416461 00000017 00000004 00000277 "
		"00004e24 00000003 736164",
		"00000003 00000019 " REDACTED_HEX "00000017 ffffffff "
		"00004e24 ffffffff"},
	    /* anonymous: the value itself says its types; a user's is NULL */
	    {MASK_ROUND, TYPE_RECORD,
		"00000002 00000017 00000004 00000277 00004e24 00000001 61",
		"00000002 00000017 00000004 00000276 00004e24 ffffffff"},
	    {MASK_ROUND, RECORD_ARRAY,
		ONE_OF("000008c9 ", "00000001 ")
		"00000010 00000001 00000017 00000004 00000277",
		ONE_OF("000008c9 ", "00000001 ")
		"00000010 00000001 00000017 00000004 00000276"},
	    /* fewer, more, of another type, too long, left over */
	    {MASK_REDACT, PERSON, "00000001 00000019 00000001 61", "NULL"},
	    {MASK_REDACT, PERSON,
		"00000004 00000019 00000001 61 00000017 ffffffff "
		"00004e24 ffffffff 00004e24 ffffffff", "NULL"},
	    {MASK_REDACT, PERSON,
		"00000003 00000017 00000001 61 00000017 ffffffff "
		"00004e24 ffffffff", "NULL"},
	    {MASK_REDACT, PERSON,
		"00000003 00000019 00000009 61 00000017 ffffffff "
		"00004e24 ffffffff", "NULL"},
	    {MASK_REDACT, PERSON,
		"00000003 00000019 00000001 61 00000017 ffffffff "
		"00004e24 ffffffff 00", "NULL"},
	    {MASK_REDACT, TYPE_RECORD, "ffffffff", "NULL"},
	    {MASK_REDACT, TYPE_RECORD, "00000681", "NULL"},
	    {MASK_REDACT, TYPE_RECORD, "", "NULL"},
	};

	CHECK_HEX(rows);
}
END_TEST

/* A record in a record in a record …: as deep as its bytes say. */
START_TEST(values_nested_without_end_become_null)
{
	const size_t depth = 20000, layer = 12;
	uint8_t *bytes = arena_alloc(arena, depth * layer);
	struct masked out;
	size_t i;

	for (i = 0; i < depth; i++) {
		mask_put(bytes + i * layer, 4, 1);
		mask_put(bytes + i * layer + 4, 4, TYPE_RECORD);
		mask_put(bytes + i * layer + 8, 4, (depth - i - 1) * layer);
	}
	mask_value(MASK_REDACT, (struct mask_type){TYPE_RECORD, true, NULL},
	    key, (struct text){(const char *)bytes, depth * layer}, arena,
	    &out);
	/* what is deeper than the limit is NULL inside */
	ck_assert(out.is_null || out.value.len < 100 * layer);
}
END_TEST

/* --- ranges --------------------------------------------------------------- */

START_TEST(range_has_both_bounds_masked_in_order)
{
	static const struct row rows[] = {
	    {MASK_ROUND, INT4_RANGE, "[631,1234)", "[630,1200)"},
	    {MASK_ROUND, INT4_RANGE, "[631,)", "[630,)"},
	    {MASK_ROUND, INT4_RANGE, "(,631)", "(,630)"},
	    {MASK_ROUND, NUM_RANGE, "(629,631.50]", "NULL"},
	    {MASK_ROUND, NUM_RANGE, "[629,631.50]", "[630,630.00]"},
	    {MASK_ROUND, NUM_RANGE, "[629,631.50)", "NULL"},
	    {MASK_ROUND, AMOUNTS, "[631.5,1234.25)", "[630.0,1200.00)"},
	    {MASK_YEAR, DATE_RANGE, "[2020-03-04,2021-05-06)",
		"[2020-01-01,2021-01-01)"},
	    {MASK_YEAR, DATE_RANGE, "[2020-03-04,2020-05-06)", "NULL"},
	    {MASK_YEAR, DATE_RANGE, "[2020-03-04,infinity)", "NULL"},
	    {MASK_YEAR, TS_RANGE,
		"[\"2020-03-04 05:06:07\",\"2020-05-06 00:00:00\"]",
		"[\"2020-01-01 00:00:00\",\"2020-01-01 00:00:00\"]"},
	    {MASK_ROUND, INT4_RANGE_ARRAY, "{\"[631,1234)\",empty,NULL}",
		"{\"[630,1200)\",NULL,NULL}"},
	    {MASK_ROUND, INT4_MULTIRANGE, "{[1,5),[631,1234)}",
		"{[1,5),[630,1200)}"},
	    {MASK_ROUND, INT4_MULTIRANGE, "{(,5),[631,)}", "{(,5),[630,)}"},
	    /* masked, these would be one */
	    {MASK_ROUND, NUM_MULTIRANGE, "{[1,629),[631.5,700)}", "NULL"},
	    {MASK_YEAR, DATE_RANGE, "[03-04-2020,05-06-2021)", "NULL"},
	};

	CHECK_TEXT(rows);
}
END_TEST

START_TEST(range_without_bounds_or_for_other_masks_becomes_null)
{
	static const struct row rows[] = {
	    {MASK_ROUND, INT4_RANGE, "empty", "NULL"},
	    {MASK_ROUND, INT4_RANGE, "(,)", "NULL"},
	    {MASK_ROUND, INT4_MULTIRANGE, "{}", "NULL"},
	    {MASK_REDACT, INT4_RANGE, "[631,1234)", "NULL"},
	    {MASK_PSEUDONYM, INT4_RANGE, "[631,1234)", "NULL"},
	    {MASK_ROUND, INT4_RANGE, "", "NULL"},
	    {MASK_ROUND, INT4_RANGE, "[631,1234", "NULL"},
	    {MASK_ROUND, INT4_RANGE, "631,1234)", "NULL"},
	    {MASK_ROUND, INT4_RANGE, "[631)", "NULL"},
	    {MASK_ROUND, INT4_RANGE, "[631,1234)x", "NULL"},
	    {MASK_ROUND, INT4_RANGE, "[\"631,1234)", "NULL"},
	    {MASK_ROUND, INT4_RANGE, "[6 31,1234)", "NULL"},
	    {MASK_ROUND, INT4_MULTIRANGE, "{[1,5)", "NULL"},
	    {MASK_ROUND, INT4_MULTIRANGE, "{[1,5),}", "NULL"},
	    {MASK_ROUND, INT4_MULTIRANGE, "[1,5)", "NULL"},
	    {MASK_ROUND, INT4_MULTIRANGE, "{[1,5)}x", "NULL"},
	    {MASK_ROUND, INT4_MULTIRANGE, "{(,),[1,5)}", "NULL"},
	};

	CHECK_TEXT(rows);
}
END_TEST

#define LOWER "00000004 00000277 "
#define UPPER "00000004 000004d2 "

START_TEST(binary_range_has_both_bounds_masked_in_order)
{
	static const struct row rows[] = {
	    {MASK_ROUND, INT4_RANGE, "02 " LOWER UPPER,
		"02 00000004 00000276 00000004 000004b0"},
	    {MASK_ROUND, INT4_RANGE, "12 " LOWER, "12 00000004 00000276"},
	    {MASK_ROUND, INT4_RANGE, "08 " UPPER, "08 00000004 000004b0"},
	    {MASK_ROUND, INT4_MULTIRANGE,
		"00000001 00000011 02 " LOWER UPPER,
		"00000001 00000011 02 00000004 00000276 00000004 000004b0"},
	    /* numeric 630 and 630.00: 631 and 631.50 with one more place */
	    {MASK_ROUND, NUM_RANGE,
		"06 0000000a 0001 0000 0000 0000 0277 "
		"0000000c 0002 0000 0000 0002 0277 1388",
		"06 0000000a 0001 0000 0000 0000 0276 "
		"0000000a 0001 0000 0000 0002 0276"},
	    {MASK_ROUND, NUM_RANGE,
		"02 0000000a 0001 0000 0000 0000 0277 "
		"0000000c 0002 0000 0000 0002 0277 1388", "NULL"},
	    /* empty, unbounded, unknown flags, short, long, null, no bytes */
	    {MASK_ROUND, INT4_RANGE, "01", "NULL"},
	    {MASK_ROUND, INT4_RANGE, "18", "NULL"},
	    {MASK_ROUND, INT4_RANGE, "22 " LOWER UPPER, "NULL"},
	    {MASK_ROUND, INT4_RANGE, "02 " LOWER, "NULL"},
	    {MASK_ROUND, INT4_RANGE, "02 " LOWER UPPER "00", "NULL"},
	    {MASK_ROUND, INT4_RANGE, "02 ffffffff " UPPER, "NULL"},
	    {MASK_ROUND, INT4_RANGE, "", "NULL"},
	    {MASK_ROUND, INT4_MULTIRANGE, "00000000", "NULL"},
	    {MASK_ROUND, INT4_MULTIRANGE, "ffffffff 00000001 01", "NULL"},
	    {MASK_ROUND, INT4_MULTIRANGE, "00000001 ffffffff", "NULL"},
	};

	CHECK_HEX(rows);
}
END_TEST

/* --- all of them ---------------------------------------------------------- */

START_TEST(array_of_nulls_does_not_leave_as_it_came)
{
	static const struct row rows[] = {
	    {MASK_REDACT, TEXT_ARRAY, "{NULL}", "NULL"},
	    {MASK_REDACT, TEXT_ARRAY, "{[redacted]}", "NULL"},
	    {MASK_ROUND, INT4_ARRAY, "{NULL,10}", "{NULL,10}"},
	};

	CHECK_TEXT(rows);
}
END_TEST

START_TEST(every_array_type_leads_to_its_element)
{
	static const struct {
		uint32_t array, element;
	} rows[] = {{1000, 16}, {1009, 25}, {1016, 20}, {1231, 1700},
	    {2951, 2950}, {3807, 3802}, {6157, 4536}, {3905, 3904},
	    {2287, 2249}, {271, 5069}};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct mask_shape *s = mask_shape_of(rows[i].array);

		ck_assert_uint_eq(s->oid, rows[i].array);
		ck_assert_int_eq(s->form, FORM_ARRAY);
		ck_assert_uint_eq(s->parts->oid, rows[i].element);
	}
	ck_assert_int_eq(mask_shape_of(0)->form, FORM_UNKNOWN);
	ck_assert_int_eq(mask_shape_of(6158)->form, FORM_UNKNOWN);
	ck_assert_int_eq(mask_shape_of(UINT32_MAX)->form, FORM_UNKNOWN);
}
END_TEST

/* --- detectors ------------------------------------------------------------ */

static const char *
scanned(uint32_t oid, const char *value)
{
	static const enum mask masks[DETECT_MAX] = {
	    [DETECT_EMAIL] = MASK_REDACT, [DETECT_CREDIT_CARD] = MASK_LAST4};
	struct masked out;
	struct text text = text_of(value);

	if (detect_mask(BIT(DETECT_EMAIL) | BIT(DETECT_CREDIT_CARD), masks,
		(struct mask_type){oid, false, shape_of(oid)}, key, text,
		arena, &out) == 0)
		ck_assert(out.value.at == value);
	return shown(&out);
}

START_TEST(detectors_mask_the_elements_that_they_find)
{
	static const struct {
		uint32_t oid;
		const char *value, *want;
	} rows[] = {
	    {TEXT_ARRAY, "{a,\"b c\"}", "{a,\"b c\"}"},
	    {TEXT_ARRAY, "{}", "{}"},
	    {TEXT_ARRAY, "{a,\"x ada@example.org, y\",NULL}",
		"{a,\"x [redacted], y\",NULL}"},
	    {PERSON, "(\"card 4111111111111111\",,sad)",
		"(\"card ************1111\",,sad)"},
	    /* where no part of the value can be masked it is NULL */
	    {PERSON, "(a,1,ada@example.org)", "(a,1,)"},
	    {MOOD, "ada@example.org", "NULL"},
	    {TEXT_ARRAY, "{\"ada@example.org\"", "NULL"},
	    {TYPE_RECORD, "(1,ada@example.org)", "NULL"},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		ck_assert_str_eq(
		    scanned(rows[i].oid, rows[i].value), rows[i].want);
}
END_TEST

static size_t
scanned_binary(uint32_t oid, struct text value, struct masked *out)
{
	static const enum mask masks[DETECT_MAX] = {
	    [DETECT_CREDIT_CARD] = MASK_REDACT};

	return detect_mask(BIT(DETECT_CREDIT_CARD), masks,
	    (struct mask_type){oid, true, shape_of(oid)}, key, value, arena,
	    out);
}

/* Records in one another, `depth` of them, around a text. */
static struct text
nested_records(size_t depth, struct text inside)
{
	const size_t layer = 12;
	struct nest_builder b = {.arena = arena};
	struct text out;
	size_t i;

	for (i = depth; i > 0; i--) {
		nest_put_u32(&b, 1);
		nest_put_u32(&b, i == 1 ? TYPE_TEXT : TYPE_RECORD);
		nest_put_u32(
		    &b, (uint32_t)((i - 1) * layer + inside.len));
	}
	nest_put(&b, inside);
	ck_assert(nest_done(&b, &out));
	return out;
}

START_TEST(card_number_is_found_however_deep_it_is)
{
	const struct text card = TEXT("4111111111111111");
	size_t depth;
	struct masked out;

	for (depth = 1; depth < 100; depth++) {
		ck_assert_uint_ge(scanned_binary(TYPE_RECORD,
				      nested_records(depth, card), &out), 1);
		ck_assert(out.is_null ||
		    memmem(out.value.at, out.value.len, card.at, card.len) ==
			NULL);
	}
}
END_TEST

/* The length before a text is a byte like any other: 49 is the digit 1. */
START_TEST(length_that_looks_like_a_digit_hides_no_card_number)
{
	static const uint32_t oids[] = {
	    TEXT_ARRAY, PERSON, MOOD, 3614 /* tsvector */};
	char text[80];
	size_t len, i;
	struct masked out;

	memset(text, ' ', sizeof(text));
	memcpy(text, "4111111111111111", 16);
	for (i = 0; i < sizeof(oids) / sizeof(*oids); i++) {
		for (len = 20; len < sizeof(text); len++) {
			struct nest_builder b = {.arena = arena};
			struct text value;

			nest_put_u32(&b, 1);
			nest_put_u32(&b, (uint32_t)len);
			nest_put(&b, (struct text){text, len});
			ck_assert(nest_done(&b, &value));
			ck_assert_uint_ge(
			    scanned_binary(oids[i], value, &out), 1);
			ck_assert(out.is_null);
		}
	}
}
END_TEST

START_TEST(binary_without_a_find_passes_as_it_is)
{
	struct text value = hex("00000001 0000000a 3132333435363738 3930");
	struct masked out;

	ck_assert_uint_eq(scanned_binary(MOOD, value, &out), 0);
	ck_assert(out.value.at == value.at);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("mask_nest");
	TCase *tc = tcase_create("mask_nest");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, text_array_has_each_element_masked);
	tcase_add_test(tc, element_that_reads_as_null_is_quoted);
	tcase_add_test(tc, array_that_is_malformed_becomes_null);
	tcase_add_test(tc, binary_array_has_each_element_masked);
	tcase_add_test(tc, binary_array_that_lies_becomes_null);
	tcase_add_test(tc, row_has_each_column_masked_by_its_type);
	tcase_add_test(
	    tc, row_that_is_malformed_or_holds_nothing_becomes_null);
	tcase_add_test(tc, binary_row_has_each_column_masked_by_its_type);
	tcase_add_test(tc, values_nested_without_end_become_null);
	tcase_add_test(tc, range_has_both_bounds_masked_in_order);
	tcase_add_test(
	    tc, range_without_bounds_or_for_other_masks_becomes_null);
	tcase_add_test(tc, binary_range_has_both_bounds_masked_in_order);
	tcase_add_test(tc, array_of_nulls_does_not_leave_as_it_came);
	tcase_add_test(tc, every_array_type_leads_to_its_element);
	tcase_add_test(tc, detectors_mask_the_elements_that_they_find);
	tcase_add_test(tc, card_number_is_found_however_deep_it_is);
	tcase_add_test(
	    tc, length_that_looks_like_a_digit_hides_no_card_number);
	tcase_add_test(tc, binary_without_a_find_passes_as_it_is);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
