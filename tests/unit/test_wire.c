/* links: common/wire.c */
#include <check.h>
#include <stdlib.h>

#include "common/wire.h"
#include "tests/unit/suite.h"

START_TEST(numbers_are_read_in_network_order)
{
	struct wire w = wire_of("\x01\x02\x03\x04\x05\x06\x07", 7);

	ck_assert_uint_eq(wire_u8(&w), 1);
	ck_assert_uint_eq(wire_u16(&w), 0x0203);
	ck_assert_uint_eq(wire_u32(&w), 0x04050607);
	ck_assert_int_eq(wire_end(&w), ERR_NONE);
}
END_TEST

START_TEST(reading_past_the_end_is_sticky_and_gives_zero)
{
	struct wire w = wire_of("\x01\x02\x03", 3);

	ck_assert_uint_eq(wire_u32(&w), 0);
	ck_assert_uint_eq(wire_u8(&w), 0);
	ck_assert_uint_eq(wire_bytes(&w, 1).len, 0);
	ck_assert_int_eq(wire_end(&w), ERR_MALFORMED);
}
END_TEST

START_TEST(a_message_not_eaten_whole_is_malformed)
{
	struct wire w = wire_of("\x01\x02", 2);

	wire_u8(&w);
	ck_assert_int_eq(wire_end(&w), ERR_MALFORMED);
}
END_TEST

START_TEST(a_length_of_all_there_is_and_one_more)
{
	struct wire w = wire_of("abc", 3);

	ck_assert_uint_eq(wire_bytes(&w, 3).len, 3);
	ck_assert_int_eq(wire_end(&w), ERR_NONE);
	w = wire_of("abc", 3);
	ck_assert_uint_eq(wire_bytes(&w, 4).len, 0);
	ck_assert_int_eq(wire_end(&w), ERR_MALFORMED);
	w = wire_of("abc", 3);
	ck_assert_uint_eq(wire_bytes(&w, SIZE_MAX).len, 0);
	ck_assert_int_eq(wire_end(&w), ERR_MALFORMED);
}
END_TEST

START_TEST(a_string_without_its_nul_is_malformed)
{
	struct wire w = wire_of("ab\0cd", 5);

	ck_assert(text_is(wire_cstring(&w), TEXT("ab")));
	ck_assert_uint_eq(wire_cstring(&w).len, 0);
	ck_assert_int_eq(wire_end(&w), ERR_MALFORMED);
}
END_TEST

START_TEST(a_buffer_never_grows_past_its_ceiling)
{
	struct buffer b = {.ceiling = 300};
	char bytes[300] = {0};

	buffer_put(&b, bytes, 300);
	ck_assert(!b.failed);
	ck_assert_uint_eq(b.len, 300);
	buffer_put_u8(&b, 1);
	ck_assert(b.failed);
	ck_assert_uint_eq(b.len, 300);
	ck_assert_uint_le(b.size, 300);
	buffer_free(&b);
}
END_TEST

START_TEST(dropping_keeps_the_rest)
{
	struct buffer b = {0};

	buffer_put_text(&b, TEXT("abcdef"));
	buffer_drop(&b, 2);
	ck_assert_mem_eq(b.bytes, "cdef", 4);
	buffer_cut(&b, 5);
	ck_assert_uint_eq(b.len, 4);
	buffer_cut(&b, 3);
	ck_assert_uint_eq(b.len, 3);
	ck_assert_mem_eq(b.bytes, "cde", 3);
	buffer_drop(&b, 100);
	ck_assert_uint_eq(b.len, 0);
	buffer_free(&b);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("wire");
	TCase *c = tcase_create("wire");

	tcase_add_test(c, numbers_are_read_in_network_order);
	tcase_add_test(c, reading_past_the_end_is_sticky_and_gives_zero);
	tcase_add_test(c, a_message_not_eaten_whole_is_malformed);
	tcase_add_test(c, a_length_of_all_there_is_and_one_more);
	tcase_add_test(c, a_string_without_its_nul_is_malformed);
	tcase_add_test(c, a_buffer_never_grows_past_its_ceiling);
	tcase_add_test(c, dropping_keeps_the_rest);
	suite_add_tcase(s, c);
	return suite_run(s);
}
