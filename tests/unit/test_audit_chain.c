/* links: common/audit_chain.c common/hmac.c common/text.c */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/audit_chain.h"
#include "tests/unit/suite.h"

static const char record[] = "{\"a\":1}";

/* Computed with Python's hmac module. */
static const struct {
	const char *secret; /* repeated up to `len` */
	size_t len;
	const char *id, *session, *key;
	const char *first, *third; /* macs of `record` */
} vectors[] = {
    {"k", 32, "7.1", "0123456789abcdef",
	"b6fa9943ff9fd1f740a04ece8ff9fcf9"
	"e2115811a7dad2b32bfd3f300d50b795",
	"583fec9ee2080e5aa18dc6e54ffb3a8a",
	"24d62bcece968d1ce4b34cf9feab7214"},
    {"k", 32, "7.0", "",
	"a124914ab51de1ea4e982dcc8ba34567"
	"8eab791e7b2a8e1c91cb7ba1859ec439",
	"aeb8aa5813c2168f9b82476d848ff5a1",
	"a14711357bfe8441698f05824a658bee"},
    {"0123456789abcdef", 128, "7.1", "0123456789abcdef",
	"6d658963ceadc1a7aae181bc009a9629"
	"68a262cb69b99e2b289995f20c4822fa",
	"76633854aa8db45e624de0cb8796c024",
	"49a650e2038d559f8cefdb82fb301682"},
    {"0123456789abcdef", 128, "7.0", "",
	"cfc0485f397b93fc1543e4dc1ebc8f3b"
	"0313f7a83531bcf19853dce4d52c638a",
	"1f8daae5dee9e1471877e1807769a7d0",
	"a68660b274b3157ec7d82303ee9d8e87"},
};

static void
secret_fill(struct audit_key *key, const char *secret, size_t len)
{
	size_t i;

	key->len = len;
	for (i = 0; i < len; i++)
		key->bytes[i] = secret[i % strlen(secret)];
}

static void
chain_make(struct audit_chain *c, int vector)
{
	struct audit_key key;
	uint8_t first[AUDIT_KEY_LEN];

	secret_fill(&key, vectors[vector].secret, vectors[vector].len);
	ck_assert_int_eq(
	    audit_chain_derive(&key, TEXT("node"),
		text_of(vectors[vector].id), text_of(vectors[vector].session),
		first),
	    ERR_NONE);
	*c = (struct audit_chain){.next = 0};
	audit_chain_begin(c, vectors[vector].id, first);
	explicit_bzero(first, sizeof(first)); /* one test looks for it */
}

static const char *
hex_of(const uint8_t key[AUDIT_KEY_LEN])
{
	static char hex[AUDIT_KEY_LEN * 2 + 1];
	size_t i;

	for (i = 0; i < AUDIT_KEY_LEN; i++)
		snprintf(hex + i * 2, 3, "%02x", key[i]);
	return hex;
}

START_TEST(keys_and_macs_are_what_the_header_says)
{
	char mac[AUDIT_MAC_SIZE];
	struct audit_chain c;

	chain_make(&c, _i);
	ck_assert_str_eq(hex_of(c.key), vectors[_i].key);
	ck_assert_int_eq(
	    audit_chain_seal(&c, 1, text_of(record), mac), ERR_NONE);
	ck_assert_str_eq(mac, vectors[_i].first);
	ck_assert_int_eq(
	    audit_chain_seal(&c, 3, text_of(record), mac), ERR_NONE);
	ck_assert_str_eq(mac, vectors[_i].third);
	ck_assert_uint_eq(c.next, 4);
}
END_TEST

START_TEST(every_part_makes_another_key)
{
	static const char *const others[][3] = {{"node", "7.1", "0"},
	    {"node", "7.2", ""}, {"nodf", "7.1", ""}, {"node", "7.10", ""},
	    {"node7", ".1", ""}, {"node", "7.", "1"}, {"", "node7.1", ""}};
	struct audit_key key;
	uint8_t one[AUDIT_KEY_LEN], other[AUDIT_KEY_LEN];
	size_t i;

	secret_fill(&key, "k", 32);
	ck_assert_int_eq(audit_chain_derive(&key, TEXT("node"), TEXT("7.1"),
			     TEXT(""), one),
	    ERR_NONE);
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		ck_assert_int_eq(
		    audit_chain_derive(&key, text_of(others[i][0]),
			text_of(others[i][1]), text_of(others[i][2]), other),
		    ERR_NONE);
		ck_assert_int_ne(memcmp(one, other, sizeof(one)), 0);
	}
	/* a zero would move the border between two parts */
	ck_assert_int_ne(audit_chain_derive(&key, TEXT("node\0007.1"),
			     TEXT(""), TEXT(""), other),
	    ERR_NONE);
}
END_TEST

START_TEST(record_that_was_sealed_cannot_be_sealed_again)
{
	char mac[AUDIT_MAC_SIZE];
	struct audit_chain c;

	chain_make(&c, 0);
	ck_assert_int_eq(
	    audit_chain_seal(&c, 2, text_of(record), mac), ERR_NONE);
	ck_assert_int_eq(
	    audit_chain_seal(&c, 2, text_of(record), mac), ERR_REFUSED);
	ck_assert_int_eq(
	    audit_chain_seal(&c, 1, text_of(record), mac), ERR_REFUSED);
	ck_assert_int_eq(audit_chain_seal(&c, 4 + (uint64_t)AUDIT_SKIP_MAX,
			     text_of(record), mac),
	    ERR_TOO_LONG);
	ck_assert_uint_eq(c.next, 3);
}
END_TEST

enum {
	STACK_LEN = 8192
};

/* In what others have left on the stack, each byte xored with `mask`. */
static __attribute__((noinline, no_sanitize("address", "undefined"))) bool
is_on_stack(const uint8_t key[AUDIT_KEY_LEN], uint8_t mask)
{
	const volatile uint8_t *stack =
	    (uint8_t *)__builtin_frame_address(0) - STACK_LEN;
	size_t i, k;

	for (i = 0; i < STACK_LEN - AUDIT_KEY_LEN; i++) {
		for (k = 0; k < AUDIT_KEY_LEN; k++) {
			if ((stack[i + k] ^ mask) != key[k])
				break;
		}
		if (k == AUDIT_KEY_LEN)
			return true;
	}
	return false;
}

/* Neither in the chain nor in what its functions left on the stack. */
START_TEST(key_of_a_sealed_record_is_gone)
{
	static uint8_t before[AUDIT_KEY_LEN];
	bool is_there;
	enum err e;
	char mac[AUDIT_MAC_SIZE];
	struct audit_chain c;
	size_t i;

	chain_make(&c, 0);
	for (i = 0; i < sizeof(before); i++)
		before[i] = c.key[i] ^ 0x55; /* so that this copy is none */
	/* looked for at once: whatever is called writes over it */
	e = audit_chain_seal(&c, 1, text_of(record), mac);
	is_there = is_on_stack(before, 0x55) ||
	    is_on_stack(before, 0x55 ^ 0x36) ||
	    is_on_stack(before, 0x55 ^ 0x5c);
	ck_assert_int_eq(e, ERR_NONE);
	ck_assert(!is_there);
	audit_chain_wipe(&c);
	for (i = 0; i < sizeof(c); i++)
		ck_assert_int_eq(((const uint8_t *)&c)[i], 0);
}
END_TEST

START_TEST(chain_that_has_not_begun_seals_nothing)
{
	struct audit_chain c = {0};
	char mac[AUDIT_MAC_SIZE];

	ck_assert_int_eq(
	    audit_chain_seal(&c, 1, text_of(record), mac), ERR_REFUSED);
}
END_TEST

static const struct {
	const char *text;
	uint64_t book, number;
	enum audit_writer writer;
} ids[] = {
    {"1.0", 1, 0, AUDIT_OF_MASTER},
    {"1795398034.1", 1795398034, 1, AUDIT_OF_SESSION},
    {"12.345c", 12, 345, AUDIT_OF_COMMAND},
    {"12.345b", 12, 345, AUDIT_OF_BROKER},
};

START_TEST(ids_are_read_as_they_are_written)
{
	char written[AUDIT_CHAIN_ID_MAX];
	enum audit_writer writer;
	uint64_t book, number;

	ck_assert(audit_chain_parse(
	    text_of(ids[_i].text), &book, &number, &writer));
	ck_assert_uint_eq(book, ids[_i].book);
	ck_assert_uint_eq(number, ids[_i].number);
	ck_assert_int_eq((int)writer, (int)ids[_i].writer);
	audit_chain_name(book, number, writer, written);
	ck_assert_str_eq(written, ids[_i].text);
}
END_TEST

static const char *const wrong_ids[] = {"", ".", "1", "1.", ".1", "1.1x",
    "1.0c", "01.1", "1.01", "1.1cc", "1.1 ", " 1.1", "-1.1", "1.-1", "1.1.1",
    "99999999999999999999.1", "1.99999999999999999999", "+1.1", "1.1C"};

START_TEST(what_no_writer_writes_is_no_id)
{
	enum audit_writer writer;
	uint64_t book, number;

	ck_assert(!audit_chain_parse(
	    text_of(wrong_ids[_i]), &book, &number, &writer));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("audit_chain");
	TCase *c = tcase_create("all");

	tcase_add_loop_test(c, keys_and_macs_are_what_the_header_says, 0,
	    sizeof(vectors) / sizeof(vectors[0]));
	tcase_add_test(c, every_part_makes_another_key);
	tcase_add_test(c, record_that_was_sealed_cannot_be_sealed_again);
	tcase_add_test(c, key_of_a_sealed_record_is_gone);
	tcase_add_test(c, chain_that_has_not_begun_seals_nothing);
	tcase_add_loop_test(c, ids_are_read_as_they_are_written, 0,
	    sizeof(ids) / sizeof(ids[0]));
	tcase_add_loop_test(c, what_no_writer_writes_is_no_id, 0,
	    sizeof(wrong_ids) / sizeof(wrong_ids[0]));
	suite_add_tcase(s, c);
	return suite_run(s);
}
