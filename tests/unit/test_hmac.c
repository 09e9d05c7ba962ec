/* links: common/hmac.c common/text.c */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/hmac.h"
#include "tests/unit/suite.h"

/* RFC 4231, the cases of 4.2 to 4.4, 4.7 and 4.8; 0xaa stands for a key that
 * is repeated. */
static const struct {
	const char *key;
	size_t key_len; /* the last byte is repeated up to it */
	const char *value, *mac;
} vectors[] = {
    {"\x0b", 20, "Hi There",
	"b0344c61d8db38535ca8afceaf0bf12b"
	"881dc200c9833da726e9376c2e32cff7"},
    {"Jefe", 4, "what do ya want for nothing?",
	"5bdcc146bf60754e6a042426089575c7"
	"5a003f089d2739839dec58b964ec3843"},
    {"\xaa", 131, "Test Using Larger Than Block-Size Key - Hash Key First",
	"60e431591ee0b67f0d8a26aacbf5b77f"
	"8e0bc6213728c5140546040f0ee37f54"},
    {"\xaa", 131,
	"This is a test using a larger than block-size key and a larger than "
	"block-size data. The key needs to be hashed before being used by the "
	"HMAC algorithm.",
	"9b09ffa71b942fcb27635fbcd5b0e944"
	"bfdc63644f0713938a7f51535c3a35e2"},
};

static void
check_hex(const uint8_t bytes[HMAC_LEN], const char *hex)
{
	char found[2 * HMAC_LEN + 1];
	size_t i;

	for (i = 0; i < HMAC_LEN; i++)
		snprintf(found + 2 * i, 3, "%02x", bytes[i]);
	ck_assert_str_eq(found, hex);
}

/* Key `i` in `room`. */
static struct text
key_of(int i, char room[256])
{
	size_t len = strlen(vectors[i].key), n;

	for (n = 0; n < vectors[i].key_len; n++)
		room[n] = vectors[i].key[n < len ? n : len - 1];
	return (struct text){room, vectors[i].key_len};
}

START_TEST(mac_is_that_of_the_standard)
{
	char room[256];
	uint8_t mac[HMAC_LEN];

	ck_assert_int_eq(hmac_sha256(key_of(_i, room),
			     text_of(vectors[_i].value), mac),
	    ERR_NONE);
	check_hex(mac, vectors[_i].mac);
}
END_TEST

START_TEST(mac_may_replace_its_key)
{
	char room[256] = "";
	uint8_t whole[HMAC_LEN] = "a key of thirty-two bytes, whole";
	uint8_t mac[HMAC_LEN];
	struct text key = {(const char *)whole, sizeof(whole)};

	memcpy(room, whole, sizeof(whole));
	ck_assert_int_eq(
	    hmac_sha256((struct text){room, sizeof(whole)}, TEXT("next"), mac),
	    ERR_NONE);
	ck_assert_int_eq(hmac_sha256(key, TEXT("next"), whole), ERR_NONE);
	ck_assert_mem_eq(whole, mac, sizeof(mac));
}
END_TEST

START_TEST(hash_of_nothing_and_of_something)
{
	uint8_t hash[HMAC_LEN];

	ck_assert_int_eq(
	    hash_sha256((struct text){NULL, 0}, hash), ERR_NONE);
	check_hex(hash,
	    "e3b0c44298fc1c149afbf4c8996fb924"
	    "27ae41e4649b934ca495991b7852b855");
	ck_assert_int_eq(hash_sha256(TEXT("abc"), hash), ERR_NONE);
	check_hex(hash,
	    "ba7816bf8f01cfea414140de5dae2223"
	    "b00361a396177a9cb410ff61f20015ad");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("hmac");
	TCase *all = tcase_create("all");

	tcase_add_loop_test(all, mac_is_that_of_the_standard, 0,
	    sizeof(vectors) / sizeof(*vectors));
	tcase_add_test(all, mac_may_replace_its_key);
	tcase_add_test(all, hash_of_nothing_and_of_something);
	suite_add_tcase(suite, all);
	return suite_run(suite);
}
