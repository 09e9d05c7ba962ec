/* links: common/json.c common/text.c */
#include <check.h>
#include <jansson.h>
#include <stdlib.h>

#include "common/json.h"
#include "tests/unit/suite.h"

static const struct {
	struct text value;
	const char *written;
} strings[] = {
    {TEXT("plain"), "{\"k\":\"plain\"}"},
    {TEXT("a\"b\\c"), "{\"k\":\"a\\\"b\\\\c\"}"},
    {TEXT("line\nend\t\x01"), "{\"k\":\"line\\nend\\u0009\\u0001\"}"},
    {TEXT("\xc3\xa9"), "{\"k\":\"\xc3\xa9\"}"},
    {TEXT("\xff\xc3"), "{\"k\":\"\\ufffd\\ufffd\"}"},
    {TEXT("\x7f"), "{\"k\":\"\\u007f\"}"},
    {TEXT("a\0b"), "{\"k\":\"a\\ufffdb\"}"}, /* many end a string there */
    {TEXT(""), "{\"k\":\"\"}"},
};

START_TEST(strings_are_always_valid_json)
{
	char buffer[256];
	struct json j;
	json_t *back;

	json_init(&j, buffer, sizeof(buffer));
	json_open(&j, NULL, '{');
	json_text(&j, "k", strings[_i].value);
	json_close(&j, '}');
	ck_assert_uint_eq(j.len, strlen(strings[_i].written));
	ck_assert_mem_eq(buffer, strings[_i].written, j.len);
	back = json_loadb(buffer, j.len, 0, NULL);
	ck_assert_ptr_nonnull(back);
	json_decref(back);
}
END_TEST

START_TEST(members_and_elements_are_separated_by_commas)
{
	const struct text two[] = {TEXT("a"), TEXT("b")};
	char buffer[256];
	struct json j;

	json_init(&j, buffer, sizeof(buffer));
	json_open(&j, NULL, '{');
	json_number(&j, "n", -9223372036854775807LL - 1);
	json_texts(&j, "l", two, 2);
	json_open(&j, "o", '{');
	json_close(&j, '}');
	json_bool(&j, "b", true);
	json_close(&j, '}');
	ck_assert(!j.overflowed);
	buffer[j.len] = '\0';
	ck_assert_str_eq(buffer,
	    "{\"n\":-9223372036854775808,\"l\":[\"a\",\"b\"],\"o\":{},"
	    "\"b\":true}");
}
END_TEST

START_TEST(a_full_buffer_overflows_and_stays_so)
{
	char buffer[16];
	struct json j;

	json_init(&j, buffer, sizeof(buffer));
	json_open(&j, NULL, '{');
	json_text(&j, "key", TEXT("far too long for it"));
	ck_assert(j.overflowed);
	ck_assert_uint_le(j.len, sizeof(buffer));
	json_close(&j, '}');
	ck_assert(j.overflowed);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("json");
	TCase *c = tcase_create("json");

	tcase_add_loop_test(c, strings_are_always_valid_json, 0,
	    sizeof(strings) / sizeof(strings[0]));
	tcase_add_test(c, members_and_elements_are_separated_by_commas);
	tcase_add_test(c, a_full_buffer_overflows_and_stays_so);
	suite_add_tcase(s, c);
	return suite_run(s);
}
