/* links: worker/postgres/catalog/catalog_types.c worker/postgres/catalog/catalog_rows.c common/arena.c common/text.c */
#include <check.h>
#include <stdlib.h>

#include "tests/unit/suite.h"
#include "worker/postgres/catalog/catalog_types.h"

static struct arena *arena;
static struct type_list list;
static uint32_t relation;

static void
setup(void)
{
	arena = arena_new(1024 * 1024);
	list = (struct type_list){.arena = arena};
}

static void
teardown(void)
{
	arena_free(arena);
}

/* NULL is a null. */
static enum err
row(const char *oid, const char *kind, const char *delimiter, const char *part)
{
	const struct text fields[] = {text_of(oid), text_of(kind),
	    text_of(delimiter), text_of(part), {NULL, 0}};

	return catalog_type_row(&list, fields, 5, &relation);
}

START_TEST(rows_become_types_with_their_parts)
{
	static const uint32_t want[] = {25, 23, 20001};
	size_t i;

	ck_assert_int_eq(row("16400", "d", ",", "25"), ERR_NONE);
	ck_assert_int_eq(row("16401", "a", ";", "16400"), ERR_NONE);
	ck_assert_int_eq(row("16402", "c", ",", "25"), ERR_NONE);
	ck_assert_int_eq(row("16402", "c", ",", "23"), ERR_NONE);
	ck_assert_int_eq(row("16402", "c", ",", "20001"), ERR_NONE);
	ck_assert_int_eq(row("16403", "c", ",", NULL), ERR_NONE);
	ck_assert_int_eq(row("16404", "m", ",", "16405"), ERR_NONE);
	ck_assert_uint_eq(list.count, 5);
	ck_assert_int_eq(list.types[0].kind, TYPE_KIND_ALIKE);
	ck_assert_int_eq(list.types[1].delimiter, ';');
	ck_assert_uint_eq(list.types[1].parts[0].type, 16400);
	ck_assert_uint_eq(list.types[2].part_count, 3);
	for (i = 0; i < 3; i++)
		ck_assert_uint_eq(list.types[2].parts[i].type, want[i]);
	ck_assert_uint_eq(list.types[3].part_count, 0);
	ck_assert_int_eq(list.types[4].kind, TYPE_KIND_MULTIRANGE);
}
END_TEST

START_TEST(row_that_makes_no_sense_ends_the_reading)
{
	static const char *const rows[][4] = {
	    {NULL, "c", ",", "25"},
	    {"x", "c", ",", "25"},
	    {"4294967296", "c", ",", "25"},
	    {"16500", NULL, ",", "25"},
	    {"16500", "e", ",", "25"},
	    {"16500", "cc", ",", "25"},
	    {"16500", "c", NULL, "25"},
	    {"16500", "c", "", "25"},
	    {"16500", "c", ",,", "25"},
	    {"16500", "c", ",", "-1"},
	    {"16399", "c", ",", "25"}, /* not in order */
	};
	size_t i;

	ck_assert_int_eq(row("16400", "d", ",", "25"), ERR_NONE);
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct type_list before = list;

		ck_assert_int_eq(row(rows[i][0], rows[i][1], rows[i][2],
				     rows[i][3]), ERR_MALFORMED);
		list = before;
	}
	ck_assert_int_eq(
	    catalog_type_row(&list, NULL, 4, &relation), ERR_MALFORMED);
}
END_TEST

START_TEST(row_type_of_a_relation_names_it_and_takes_its_columns)
{
	const struct text fields[] = {TEXT("16410"), TEXT("c"), TEXT(","),
	    {NULL, 0}, TEXT("16408")};

	ck_assert_int_eq(
	    catalog_type_row(&list, fields, 5, &relation), ERR_NONE);
	ck_assert_uint_eq(relation, 16408);
	ck_assert_int_eq(catalog_type_part(&list, 25), ERR_NONE);
	ck_assert_int_eq(catalog_type_part(&list, 23), ERR_NONE);
	ck_assert_uint_eq(list.types[0].part_count, 2);
	ck_assert_int_eq(row("16411", "a", ",", "16410"), ERR_NONE);
	ck_assert_uint_eq(relation, 0);
}
END_TEST

START_TEST(row_type_with_too_many_columns_is_refused)
{
	enum err e = ERR_NONE;
	int i;

	for (i = 0; i < 5000 && e == ERR_NONE; i++)
		e = row("16400", "c", ",", "25");
	ck_assert_int_eq(e, ERR_TOO_LONG);
	ck_assert_int_gt(i, 1600);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("catalog_types");
	TCase *tc = tcase_create("catalog_types");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, rows_become_types_with_their_parts);
	tcase_add_test(tc, row_that_makes_no_sense_ends_the_reading);
	tcase_add_test(
	    tc, row_type_of_a_relation_names_it_and_takes_its_columns);
	tcase_add_test(tc, row_type_with_too_many_columns_is_refused);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
