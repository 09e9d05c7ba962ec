/* links: common/vocab.c common/text.c */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/vocab.h"
#include "tests/unit/suite.h"

START_TEST(every_operation_is_found_by_its_name)
{
	size_t i;

	for (i = 0; i < OP_MAX; i++)
		ck_assert_uint_eq(
		    operation_set(text_of(operation_name((enum operation)i))),
		    BIT(i));
}
END_TEST

START_TEST(every_operation_but_unknown_is_in_one_group)
{
	static const char *const groups[] = {"read", "write", "ddl",
	    "privilege", "file", "session", "transaction", "admin"};
	uint64_t seen = 0;
	size_t i;

	for (i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		uint64_t set = operation_set(text_of(groups[i]));

		ck_assert_uint_ne(set, 0);
		ck_assert_uint_eq(seen & set, 0);
		seen |= set;
	}
	ck_assert_uint_eq(seen, BIT(OP_MAX) - 1 - BIT(OP_UNKNOWN));
	ck_assert_uint_eq(operation_set(TEXT("any")), seen);
}
END_TEST

START_TEST(running_code_is_no_write)
{
	uint64_t write = operation_set(TEXT("write"));

	ck_assert_uint_eq(write & (BIT(OP_CALL) | BIT(OP_DO)), 0);
	ck_assert_uint_ne(operation_set(TEXT("admin")) & BIT(OP_DO), 0);
}
END_TEST

/* Run from the folder of the sources, as make does. */
static char *
manual_read(void)
{
	FILE *f = fopen("master/sallyport-policy.5", "r");
	char *text = calloc(1, 65536);

	ck_assert_ptr_nonnull(f);
	ck_assert_ptr_nonnull(text);
	ck_assert_uint_gt(fread(text, 1, 65535, f), 0);
	fclose(f);
	return text;
}

static void
check_manual(const char *manual, const char *word)
{
	char line[80];

	snprintf(line, sizeof(line), "Ql %s\n", word);
	if (strstr(manual, line) != NULL)
		return;
	snprintf(line, sizeof(line), "Ql %s ,\n", word);
	ck_assert_msg(strstr(manual, line) != NULL, "%s", word);
}

START_TEST(every_word_is_in_the_manual)
{
	const char *const *words;
	char *manual = manual_read();
	size_t count, i;

	words = operation_words(&count);
	for (i = 0; i < count; i++)
		check_manual(manual, words[i]);
	words = trait_words(&count);
	for (i = 0; i < count; i++)
		check_manual(manual, words[i]);
	free(manual);
}
END_TEST

START_TEST(words_nobody_knows_are_nothing)
{
	ck_assert_uint_eq(operation_set(TEXT("slect")), 0);
	ck_assert_uint_eq(operation_set(TEXT("")), 0);
	ck_assert_uint_eq(operation_set(TEXT("Read")), 0);
	ck_assert_uint_eq(trait_bit(TEXT("wher")), 0);
	ck_assert_str_eq(operation_name(OP_MAX), "unknown");
}
END_TEST

START_TEST(every_word_offered_is_known)
{
	const char *const *words;
	size_t count, i;

	words = operation_words(&count);
	ck_assert_uint_gt(count, OP_MAX);
	for (i = 0; i < count; i++)
		ck_assert_uint_ne(operation_set(text_of(words[i])), 0);
	words = trait_words(&count);
	ck_assert_uint_eq(count, TRAIT_MAX);
	for (i = 0; i < count; i++)
		ck_assert_uint_eq(trait_bit(text_of(words[i])), BIT(i));
}
END_TEST

START_TEST(reading_and_writing_do_not_overlap)
{
	ck_assert_uint_eq(operations_reading() & operations_writing(), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("vocab");
	TCase *t = tcase_create("vocab");

	tcase_add_test(t, every_word_is_in_the_manual);
	suite_add_tcase(s, t);
	tcase_add_test(t, every_operation_is_found_by_its_name);
	tcase_add_test(t, every_operation_but_unknown_is_in_one_group);
	tcase_add_test(t, running_code_is_no_write);
	tcase_add_test(t, words_nobody_knows_are_nothing);
	tcase_add_test(t, every_word_offered_is_known);
	tcase_add_test(t, reading_and_writing_do_not_overlap);
	return suite_run(s);
}
