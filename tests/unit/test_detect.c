/* links: common/detect.c common/detect_bank.c common/detect_person.c common/detect_net.c common/detect_mask.c common/mask.c common/mask_shape.c common/mask_nest.c common/mask_array.c common/mask_row.c common/mask_range.c common/mask_text.c common/mask_script.c common/mask_number.c common/mask_numeric.c common/mask_time.c common/mask_other.c common/mask_keyed.c common/siphash.c common/mask_part.c common/arena.c common/text.c common/wire.c */
#include <check.h>
#include <stdio.h>
#include <time.h>

#include "common/detect.h"
#include "common/vocab.h"
#include "tests/unit/suite.h"

static const uint64_t all = BIT(DETECT_MAX) - 1;

/* What is found first, or "" for nothing. */
static const char *
found_in(uint64_t detectors, const char *value, enum detector *detector)
{
	static char line[256];
	struct found f;

	line[0] = '\0';
	if (!detect_next(detectors, text_of(value), 0, &f))
		return line;
	ck_assert_uint_le(f.at + f.len, strlen(value));
	*detector = f.detector;
	snprintf(line, sizeof(line), "%.*s", (int)f.len, value + f.at);
	return line;
}

struct hit {
	const char *value, *part;
};

static void
check_hits(enum detector wanted, const struct hit *hits, size_t count)
{
	enum detector detector;
	size_t i;

	for (i = 0; i < count; i++) {
		const char *got =
		    found_in(BIT(wanted), hits[i].value, &detector);

		ck_assert_msg(strcmp(got, hits[i].part) == 0,
		    "%s in <%s>: <%s>, want <%s>", detector_name(wanted),
		    hits[i].value, got, hits[i].part);
	}
}
#define CHECK_HITS(detector, hits)                                             \
	check_hits(detector, hits, sizeof(hits) / sizeof(*hits))

START_TEST(every_detector_is_found_by_its_name)
{
	size_t count, i;
	const char *const *words = detector_words(&count);

	ck_assert_uint_eq(count, DETECT_MAX);
	for (i = 0; i < count; i++)
		ck_assert_uint_eq(detector_bit(text_of(words[i])), BIT(i));
	ck_assert_uint_eq(detector_bit(TEXT("credit")), 0);
}
END_TEST

START_TEST(card_numbers_are_found)
{
	static const struct hit hits[] = {
	    {"4111111111111111", "4111111111111111"},
	    {"4111 1111 1111 1111", "4111 1111 1111 1111"},
	    {"card: 4111-1111-1111-1111.", "4111-1111-1111-1111"},
	    {"378282246310005", "378282246310005"},
	    {"3782 822463 10005", "3782 822463 10005"},
	    {"5555555555554444", "5555555555554444"},
	    {"2223003122003222", "2223003122003222"},
	    {"6011111111111117", "6011111111111117"},
	    {"3530111333300000", "3530111333300000"},
	    {"30569309025904", "30569309025904"},
	    {"4222222222222", "4222222222222"},
	    {"6205500000000000004", "6205500000000000004"},
	    {"a,4111111111111111,b", "4111111111111111"},
	    {"5,4111111111111111,7", "4111111111111111"},
	    {"(4111111111111111)", "4111111111111111"},
	    {"visa-4111111111111111", "4111111111111111"},
	    {"4111 1111 1111 1111 12/26", "4111 1111 1111 1111"},
	    {"\xe5\x8d\xa1""4111111111111111", "4111111111111111"},
	};

	CHECK_HITS(DETECT_CREDIT_CARD, hits);
}
END_TEST

START_TEST(what_only_looks_like_a_card_is_left_alone)
{
	static const struct hit misses[] = {
	    {"4111111111111112", ""},	  /* Luhn */
	    {"41111111111111111111", ""}, /* twenty digits */
	    {"411111111111", ""},	  /* twelve */
	    {"9999999999999995", ""},	  /* nobody's range */
	    {"1700000000000000", ""},	  /* microseconds */
	    {"20231122123456", ""},	  /* a moment */
	    {"0.4111111111111111", ""},	  /* a fraction */
	    {"4111111111111111.5", ""},
	    {"x4111111111111111", ""},
	    {"4111111111111111x", ""},
	    {"_4111111111111111", ""},
	    {"4111-1111 1111-1111", ""}, /* mixed marks */
	    {"4111  1111  1111  1111", ""},
	    {"41 11 11 11 11 11 11 11", ""},
	    {"550e8400-e29b-4111-1111-111111111111", ""},
	    {"12-4111111111111111", ""},
	    {"4111.1111.1111.1111", ""},
	    {"", ""},
	};

	CHECK_HITS(DETECT_CREDIT_CARD, misses);
}
END_TEST

START_TEST(social_security_numbers_are_found)
{
	static const struct hit hits[] = {
	    {"078-05-1120", "078-05-1120"},
	    {"SSN: 123-45-6789.", "123-45-6789"},
	    {"123 45 6789", "123 45 6789"},
	};
	static const struct hit misses[] = {
	    {"123456789", ""},
	    {"000-12-3456", ""},
	    {"666-12-3456", ""},
	    {"900-12-3456", ""},
	    {"123-00-4567", ""},
	    {"123-45-0000", ""},
	    {"123-45 6789", ""},
	    {"1123-45-6789", ""},
	    {"123-45-67890", ""},
	    {"12-123-45-6789", ""},
	    {"123-45-6789-1", ""},
	    {"7 123 45 6789", ""},
	    {"123 45 6789 7", ""},
	    {"2023-11-22", ""},
	};

	CHECK_HITS(DETECT_US_SSN, hits);
	CHECK_HITS(DETECT_US_SSN, misses);
}
END_TEST

START_TEST(telephone_numbers_are_found)
{
	static const struct hit hits[] = {
	    {"+12125550123", "+12125550123"},
	    {"+1 212 555 0123 24 apples", "+1 212 555 0123"},
	    {"+1 (212) 555-0123", "+1 (212) 555-0123"},
	    {"+44 20 7946 0958", "+44 20 7946 0958"},
	    {"+49 (0)30 123456", "+49 (0)30 123456"},
	    {"+491234567890 or so", "+491234567890"},
	    {"call (212) 555-0123!", "(212) 555-0123"},
	    {"212-555-0123", "212-555-0123"},
	    {"212.555.0123", "212.555.0123"},
	    {"1-212-555-0123", "1-212-555-0123"},
	    {"01 23 45 67 89", "01 23 45 67 89"},
	    {"020 7946 0958", "020 7946 0958"},
	    {"07700 900123", "07700 900123"},
	};
	static const struct hit misses[] = {
	    {"2125550123", ""},
	    {"212 555 0123", ""},
	    {"+0012125550123", ""},
	    {"+1 112 555 0123", ""},
	    {"+12345", ""},
	    {"1+2125550123456", ""},
	    {"112-555-0123", ""},
	    {"212-155-0123", ""},
	    {"A-212-555-01234", ""},
	    {"7-212-555-0123", ""},
	    {"212-555.0123", ""},
	    {"2023-11-22 10:11:12+00", ""},
	    {"1.212.555.0123", ""},
	    {"+999999999999999999", ""},
	    {"978-3-16-148410-0", ""},
	    {"+", ""},
	    {"(", ""},
	};

	CHECK_HITS(DETECT_PHONE, hits);
	CHECK_HITS(DETECT_PHONE, misses);
}
END_TEST

START_TEST(ibans_are_found)
{
	static const struct hit hits[] = {
	    {"DE89370400440532013000", "DE89370400440532013000"},
	    {"to DE89 3704 0044 0532 0130 00 please",
		"DE89 3704 0044 0532 0130 00"},
	    {"GB82 WEST 1234 5698 7654 32", "GB82 WEST 1234 5698 7654 32"},
	    {"nl91abna0417164300", "nl91abna0417164300"},
	    {"NO9386011117947", "NO9386011117947"},
	    {"MT84MALT011000012345MTLCAST001S",
		"MT84MALT011000012345MTLCAST001S"},
	};
	static const struct hit misses[] = {
	    {"DE88370400440532013000", ""},
	    {"DE8937040044053201300", ""},
	    {"DE893704004405320130001", ""},
	    {"XX89370400440532013000", ""},
	    {"XDE89370400440532013000", ""},
	    {"DE89-3704-0044-0532-0130-00", ""},
	    {"DE89  370400440532013000", ""},
	    {"DE", ""},
	};

	CHECK_HITS(DETECT_IBAN, hits);
	CHECK_HITS(DETECT_IBAN, misses);
}
END_TEST

START_TEST(ipv4_addresses_are_found)
{
	static const struct hit hits[] = {
	    {"10.0.0.1", "10.0.0.1"},
	    {"from 192.168.1.254:5432", "192.168.1.254"},
	    {"255.255.255.255/32", "255.255.255.255"},
	    {"10.0.0.1-10.0.0.9", "10.0.0.1"},
	    {"It was 8.8.8.8.", "8.8.8.8"},
	};
	static const struct hit misses[] = {
	    {"1.2.3", ""},
	    {"1.2.3.4.5", ""},
	    {"256.1.1.1", ""},
	    {"01.2.3.4", ""},
	    {"v1.2.3.4", ""},
	    {"version 1.2.3.4", ""},
	    {"Version: 1.2.3.4", ""},
	    {"1.2.3.4-beta", ""},
	    {"1.2.3.4a", ""},
	    {"1..2.3", ""},
	    {"1.2.3.", ""},
	};

	CHECK_HITS(DETECT_IPV4, hits);
	CHECK_HITS(DETECT_IPV4, misses);
}
END_TEST

START_TEST(email_addresses_are_found)
{
	static const struct hit hits[] = {
	    {"ada@example.com", "ada@example.com"},
	    {"<ada.l+x@mail.example.co.uk>", "ada.l+x@mail.example.co.uk"},
	    {"write to ada@example.com.", "ada@example.com"},
	    {"'o'brien@example.ie'", "o'brien@example.ie"},
	    {"postgres://u:secret@db.example.com/x",
		"secret@db.example.com"},
	    {"x@y@ada@example.com", "ada@example.com"},
	    {"{\"e\":\"ada@example.com\"}", "ada@example.com"},
	    {"çınar@örnek.tr", "çınar@örnek.tr"},
	};
	static const struct hit misses[] = {
	    {"@example.com", ""},
	    {"ada@localhost", ""},
	    {"ada@example.c", ""},
	    {"pkg@1.2.3", ""},
	    {"icon@2x.png", ""},
	    {"ada @example.com", ""},
	    {"ada@.com", ""},
	    {"ada@example..com", ""},
	    {"@", ""},
	    {"a@", ""},
	    {"@@@@", ""},
	};

	CHECK_HITS(DETECT_EMAIL, hits);
	CHECK_HITS(DETECT_EMAIL, misses);
}
END_TEST

START_TEST(detectors_not_asked_for_find_nothing)
{
	enum detector detector;

	ck_assert_str_eq(
	    found_in(0, "4111111111111111 ada@example.com", &detector), "");
	ck_assert_str_eq(found_in(all & ~BIT(DETECT_EMAIL),
			     "ada@example.com", &detector),
	    "");
}
END_TEST

START_TEST(all_finds_of_a_value_come_in_order)
{
	const char *value = "ada@example.com 4111111111111111 10.0.0.1 "
			    "078-05-1120 +12125550123";
	static const enum detector want[] = {DETECT_EMAIL, DETECT_CREDIT_CARD,
	    DETECT_IPV4, DETECT_US_SSN, DETECT_PHONE};
	struct found f;
	size_t from = 0, count = 0;

	while (detect_next(all, text_of(value), from, &f)) {
		ck_assert_uint_lt(count, 5);
		ck_assert_int_eq(f.detector, want[count++]);
		ck_assert_uint_ge(f.at, from);
		from = f.at + f.len;
	}
	ck_assert_uint_eq(count, 5);
}
END_TEST

START_TEST(all_finds_of_a_value_are_masked)
{
	static const enum mask masks[DETECT_MAX] = {
	    [DETECT_EMAIL] = MASK_EMAIL,
	    [DETECT_CREDIT_CARD] = MASK_LAST4};
	static const uint8_t key[MASK_KEY_LEN];
	struct arena *a = arena_new(1024 * 1024);
	struct masked out;
	size_t count, i;
	char many[40 * 20 + 1] = "";

	count = detect_mask(BIT(DETECT_EMAIL) | BIT(DETECT_CREDIT_CARD), masks,
	    (struct mask_type){.oid = 25}, key,
	    TEXT("ada@example.com paid 4111111111111111."), a, &out);
	ck_assert_uint_eq(count, 2);
	ck_assert(text_is(
	    out.value, TEXT("a***@example.com paid ************1111.")));
	for (i = 0; i < 40; i++)
		strcat(many, "4111111111111111 ");
	count = detect_mask(all, masks, (struct mask_type){.oid = 25}, key,
	    text_of(many), a, &out);
	ck_assert_uint_eq(count, 40);
	ck_assert(!out.is_null && memmem(out.value.at, out.value.len,
				      "41111", 5) == NULL);
	arena_free(a);
}
END_TEST

START_TEST(time_grows_with_length_and_not_faster)
{
	static const char *const worst[] = {"4111 ", "@a.", "a@a.", "1", "1.",
	    "+1 (", "DE89 3704 ", "a.a.a@", "(((", "0", "@"};
	static char value[1024 * 1024];
	size_t i, k, len;
	struct found f;

	for (i = 0; i < sizeof(worst) / sizeof(*worst); i++) {
		size_t from = 0;
		clock_t start = clock();

		len = strlen(worst[i]);
		for (k = 0; k < sizeof(value); k++)
			value[k] = worst[i][k % len];
		while (detect_next(all, (struct text){value, sizeof(value)},
		    from, &f))
			from = f.at + f.len;
		/* quadratic would be minutes */
		ck_assert_int_lt((clock() - start) / CLOCKS_PER_SEC, 3);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("detect");
	TCase *tc = tcase_create("detect");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, every_detector_is_found_by_its_name);
	tcase_add_test(tc, card_numbers_are_found);
	tcase_add_test(tc, what_only_looks_like_a_card_is_left_alone);
	tcase_add_test(tc, social_security_numbers_are_found);
	tcase_add_test(tc, telephone_numbers_are_found);
	tcase_add_test(tc, ibans_are_found);
	tcase_add_test(tc, ipv4_addresses_are_found);
	tcase_add_test(tc, email_addresses_are_found);
	tcase_add_test(tc, detectors_not_asked_for_find_nothing);
	tcase_add_test(tc, all_finds_of_a_value_come_in_order);
	tcase_add_test(tc, all_finds_of_a_value_are_masked);
	tcase_add_test(tc, time_grows_with_length_and_not_faster);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
