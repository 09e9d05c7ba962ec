/* links: common/siphash.c common/text.c */
#include <check.h>
#include <stdlib.h>

#include "common/siphash.h"
#include "tests/unit/suite.h"

/* The key 00 01 … 0f of the paper's appendix A, and its message of 15 bytes;
 * those of 0, 7 and 8 bytes are of the authors' test vectors. */
static const uint64_t key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};

static const char message[] =
    "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e";

static const struct {
	size_t len;
	uint64_t hash;
} vectors[] = {
    {0, 0x726fdb47dd0e0e31},
    {7, 0xab0200f58b01d137},
    {8, 0x93f5f5799a932462},
    {15, 0xa129ca6149be45e5},
};

START_TEST(hash_is_that_of_its_authors)
{
	struct text t = {message, vectors[_i].len};

	ck_assert_uint_eq(siphash(key, t), vectors[_i].hash);
}
END_TEST

START_TEST(number_is_hashed_as_its_bytes)
{
	ck_assert_uint_eq(siphash_number(key, 0x0706050403020100),
	    siphash(key, (struct text){message, 8}));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("siphash");
	TCase *all = tcase_create("all");

	tcase_add_loop_test(all, hash_is_that_of_its_authors, 0,
	    sizeof(vectors) / sizeof(*vectors));
	tcase_add_test(all, number_is_hashed_as_its_bytes);
	suite_add_tcase(suite, all);
	return suite_run(suite);
}
