/* links: common/saslprep.c common/text.c */
/* SASLprep: RFC 4013's examples, and what is taken as it stands. */
#include "common/saslprep.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <stdlib.h>

static const struct {
	struct text given, want;
} prepared[] = {
    /* RFC 4013, 3 */
    {TEXT("I\xc2\xadX"), TEXT("IX")},
    {TEXT("user"), TEXT("user")},
    {TEXT("USER"), TEXT("USER")},
    {TEXT("\xc2\xaa"), TEXT("a")},
    {TEXT("\xe2\x85\xa8"), TEXT("IX")},
    /* accents composed, letters wide and joined, spaces */
    {TEXT("caf\x65\xcc\x81"), TEXT("caf\xc3\xa9")},
    {TEXT("caf\xc3\xa9"), TEXT("caf\xc3\xa9")},
    {TEXT("\xef\xbd\x81\xef\xbd\x82"), TEXT("ab")},
    {TEXT("\xef\xac\x81"), TEXT("fi")},
    {TEXT("a\xc2\xa0" "b"), TEXT("a b")},
    {TEXT("a\xe3\x80\x80" "b"), TEXT("a b")},
    /* one that becomes eighteen */
    {TEXT("\xef\xb7\xba"),
	TEXT("\xd8\xb5\xd9\x84\xd9\x89 \xd8\xa7\xd9\x84\xd9\x84\xd9\x87 "
	     "\xd8\xb9\xd9\x84\xd9\x8a\xd9\x87 "
	     "\xd9\x88\xd8\xb3\xd9\x84\xd9\x85")},
};

/* Of these nothing changes. */
static const struct text raw[] = {
    TEXT(""),
    TEXT("\x07"),		  /* RFC 4013, 3: prohibited */
    TEXT("\xd8\xa7\x31"),	  /* and both directions */
    TEXT("\xc2\xad"),		  /* nothing would be left */
    TEXT("a\xc2\xad\x07"),	  /* not even what could be done */
    TEXT("\xef\xbd\x81\tb"),
    TEXT("key \xf0\x9f\x94\x91"), /* younger than Unicode 3.2 */
    TEXT("\xff\xfe"),
    TEXT("caf\xe9"),		  /* Latin-1 */
    TEXT("e\xcc"),		  /* cut */
    TEXT("\xed\xa0\x80"),	  /* a surrogate */
    TEXT("a\0\xef\xbd\x81"),
};

START_TEST(passwords_become_what_rfc_4013_says)
{
	char out[SASLPREP_MAX];
	size_t len;

	ck_assert_int_eq(saslprep(prepared[_i].given, out, &len), ERR_NONE);
	ck_assert(text_is((struct text){out, len}, prepared[_i].want));
}
END_TEST

START_TEST(what_cannot_be_prepared_is_taken_as_it_stands)
{
	char out[SASLPREP_MAX];
	size_t len;

	ck_assert_int_eq(saslprep(raw[_i], out, &len), ERR_NONE);
	ck_assert(text_is((struct text){out, len}, raw[_i]));
}
END_TEST

/* Never cut: half of a password is another one. */
START_TEST(what_does_not_fit_is_an_error)
{
	static char wide[SASLPREP_MAX];
	char out[SASLPREP_MAX];
	size_t len, i;

	for (i = 0; i + 3 < sizeof(wide); i += 3)
		memcpy(wide + i, "\xef\xb7\xba", 3);
	ck_assert_int_eq(
	    saslprep((struct text){wide, i}, out, &len), ERR_TOO_LONG);
	memset(wide, 'a', sizeof(wide));
	ck_assert_int_eq(
	    saslprep((struct text){wide, sizeof(wide)}, out, &len),
	    ERR_TOO_LONG);
	ck_assert_int_eq(
	    saslprep((struct text){wide, sizeof(wide) - 1}, out, &len),
	    ERR_NONE);
	ck_assert_uint_eq(len, sizeof(wide) - 1);
}
END_TEST

int
main(void)
{
	TCase *cases = tcase_create("saslprep");
	Suite *suite = suite_create("saslprep");

	tcase_add_loop_test(cases, passwords_become_what_rfc_4013_says, 0,
	    (int)(sizeof(prepared) / sizeof(*prepared)));
	tcase_add_loop_test(cases,
	    what_cannot_be_prepared_is_taken_as_it_stands, 0,
	    (int)(sizeof(raw) / sizeof(*raw)));
	tcase_add_test(cases, what_does_not_fit_is_an_error);
	suite_add_tcase(suite, cases);
	return suite_run(suite);
}
