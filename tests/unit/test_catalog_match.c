/* links: worker/postgres/catalog/catalog_match.c common/text.c */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"
#include "worker/postgres/catalog/catalog_match.h"

static struct column customers[] = {{.name = {"id", 2}},
    {.name = {"email", 5}}, {.name = {"", 0}}};
static struct column notes[] = {{.name = {"body", 4}}};
static struct relation relations[] = {
    {.schema = {"public", 6}, .name = {"customers", 9}, .columns = customers,
	.column_count = 3},
    {.schema = {"app.v2", 6}, .name = {"notes", 5}, .columns = notes,
	.column_count = 1},
};
static const struct catalog_reading reading = {
    .relations = relations, .count = 2};

static void
match(struct text *patterns, size_t count, char *out, size_t size)
{
	struct protect protect = {.name = TEXT("emails"),
	    .columns = patterns, .column_count = count};
	const struct policy policy = {
	    .protects = &protect, .protect_count = 1};

	catalog_match(&policy, &reading, "shop/shop", out, size);
}

static const char *const there[] = {"public.customers.email",
    "*.customers.email", "public.cust*.e?ail", "public.*.id", "*.*.body"};

START_TEST(pattern_of_a_column_that_is_there_says_nothing)
{
	struct text pattern = text_of(there[_i]);
	char out[512];

	match(&pattern, 1, out, sizeof(out));
	ck_assert_str_eq(out, "");
}
END_TEST

static const char *const absent[] = {"public.customers.emial",
    "public.custmers.email", "other.customers.email", "public.notes.body",
    "public.customers.EMAIL", "public.customers.email*x"};

START_TEST(pattern_that_matches_no_column_is_told)
{
	struct text pattern = text_of(absent[_i]);
	char out[512], want[512];

	match(&pattern, 1, out, sizeof(out));
	snprintf(want, sizeof(want),
	    "protection \"emails\": %s matches no column in shop/shop\n",
	    absent[_i]);
	ck_assert_str_eq(out, want);
}
END_TEST

/* A dropped column has no name, and `*` is not to find it. */
START_TEST(relation_of_dropped_columns_matches_nothing)
{
	static struct column gone[] = {{.name = {"", 0}}};
	static struct relation one[] = {{.schema = {"s", 1},
	    .name = {"t", 1}, .columns = gone, .column_count = 1}};
	const struct catalog_reading only = {.relations = one, .count = 1};
	struct text pattern = TEXT("s.t.*");
	struct protect protect = {.name = TEXT("p"), .columns = &pattern,
	    .column_count = 1};
	const struct policy policy = {
	    .protects = &protect, .protect_count = 1};
	char out[512];

	catalog_match(&policy, &only, "shop/shop", out, sizeof(out));
	ck_assert_ptr_nonnull(strstr(out, "s.t.* matches no column"));
}
END_TEST

START_TEST(lines_without_room_are_counted)
{
	struct text patterns[40];
	char out[512];
	size_t i, lines = 0;
	unsigned more;
	const char *at;

	for (i = 0; i < 40; i++)
		patterns[i] = TEXT("public.customers.emial");
	match(patterns, 40, out, sizeof(out));
	for (at = out; *at != '\0'; at++)
		lines += *at == '\n';
	at = strstr(out, "and ");
	ck_assert_ptr_nonnull(at);
	ck_assert_int_eq(sscanf(at, "and %u more", &more), 1);
	ck_assert_uint_eq(lines - 1 + more, 40);
	ck_assert_uint_lt(strlen(out), sizeof(out));
}
END_TEST

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

int
main(void)
{
	Suite *suite = suite_create("catalog_match");
	TCase *c = tcase_create("all");

	tcase_add_loop_test(c, pattern_of_a_column_that_is_there_says_nothing,
	    0, COUNT(there));
	tcase_add_loop_test(
	    c, pattern_that_matches_no_column_is_told, 0, COUNT(absent));
	tcase_add_test(c, relation_of_dropped_columns_matches_nothing);
	tcase_add_test(c, lines_without_room_are_counted);
	suite_add_tcase(suite, c);
	return suite_run(suite);
}
