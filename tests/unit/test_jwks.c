/* links: common/jwks.c common/jwk_numbers.c common/token_read.c common/base64url.c common/schema.c common/schema_scalar.c common/yaml.c common/diagnostics.c common/arena.c common/text.c */
/*
 * Sets of public keys, and entries of `tokens:`: right ones, and every way of
 * being wrong with what is said about it.
 */
#include <check.h>
#include <stdlib.h>

#include "common/base64url.h"
#include "common/jwks.h"
#include "tests/unit/scratch.h"
#include "tests/unit/suite.h"
#include "tests/unit/token_maker.h"

static struct arena *arena;
static struct diagnostics *diagnostics;
static struct token_issuer issuer;
static struct jwks set;

static void
setup(void)
{
	arena = arena_new(0);
	diagnostics = diagnostics_new(arena);
	scratch_make();
	issuer = (struct token_issuer){.issuer = TEXT("x"),
	    .keys_line = 7,
	    .keys_column = 3,
	    .algorithms = (1U << TOKEN_ALGORITHM_COUNT) - 1};
}

static void
teardown(void)
{
	scratch_remove();
	arena_free(arena);
}

static enum err
load(const char *text)
{
	issuer.keys = text_of(scratch_write("jwks.json", text));
	return jwks_load(&issuer, "i.yaml", arena, diagnostics, &set);
}

/* What is complained about, after the file's name. */
static const char *
complaint(void)
{
	const char *line = diagnostics_line(diagnostics, 0);
	const char *name = strstr(line, "jwks.json:");

	ck_assert_uint_eq(diagnostics_count(diagnostics), 1);
	ck_assert_msg(name != NULL, "%s", line);
	return name + strlen("jwks.json:");
}

START_TEST(keys_of_every_kind_are_read)
{
	static const struct {
		const char *kid;
		uint64_t algorithms;
	} wanted[] = {
	    {"rsa", TOKEN_RS256 | TOKEN_RS384 | TOKEN_RS512 | TOKEN_PS256},
	    {"p256", TOKEN_ES256},
	    {"p384", TOKEN_ES384},
	    {"ed", TOKEN_EDDSA},
	    {"rs256-only", TOKEN_RS256},
	};
	size_t i;

	ck_assert_int_eq(load(maker_set(&maker)), ERR_NONE);
	/* those for other things are left out */
	ck_assert_uint_eq(set.count, sizeof(wanted) / sizeof(*wanted));
	for (i = 0; i < set.count; i++) {
		ck_assert_str_eq(set.keys[i].kid.at, wanted[i].kid);
		ck_assert_uint_eq(
		    set.keys[i].algorithms, wanted[i].algorithms);
		ck_assert_ptr_null(strstr(set.keys[i].json, "kid"));
	}
}
END_TEST

START_TEST(keys_that_the_issuer_does_not_use_are_left_out)
{
	issuer.algorithms = TOKEN_ES384;
	ck_assert_int_eq(load(maker_set(&maker)), ERR_NONE);
	ck_assert_uint_eq(set.count, 1);
	ck_assert_str_eq(set.keys[0].kid.at, "p384");
}
END_TEST

#define X256 "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4"
#define Y256 "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"
#define EC(members)                                                            \
	"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X256           \
	"\",\"y\":\"" Y256 "\"" members "}]}"

static const char *const fine[] = {
    EC(""), EC(",\"use\":\"sig\""), EC(",\"key_ops\":[\"verify\"]"),
    EC(",\"alg\":\"ES256\",\"x5c\":[\"anything\"],\"new\":1"),
    EC("},{\"kty\":\"AKP\"},{\"kty\":\"EC\",\"crv\":\"P-521\""),
};

START_TEST(sets_that_are_right_are_taken)
{
	ck_assert_msg(load(fine[_i]) == ERR_NONE, "%s",
	    diagnostics_line(diagnostics, 0));
	ck_assert_uint_eq(set.count, 1);
}
END_TEST

static const struct {
	const char *text, *complaint;
} wrong[] = {
    {"", "1:0: not JSON: '[' or '{' expected near end of file"},
    {"{\"keys\":\n[}", "2:2: not JSON: unexpected token near '}'"},
    {"{\"keys\":[],\"keys\":[]}",
	"1:17: not JSON: duplicate object key near '\"keys\"'"},
    {"[]", " not a JSON Web Key Set: an object with a list `keys`"},
    {"{\"keys\":{}}",
	" not a JSON Web Key Set: an object with a list `keys`"},
    {"{\"keys\":[]}",
	" no key in it is for a signature of the issuer's `algorithms`"},
    {"{\"keys\":[{\"kty\":\"of-tomorrow\"}]}",
	" no key in it is for a signature of the issuer's `algorithms`"},
    {EC(",\"use\":\"enc\""),
	" no key in it is for a signature of the issuer's `algorithms`"},
    {EC(",\"key_ops\":[\"sign\"]"),
	" no key in it is for a signature of the issuer's `algorithms`"},
    {EC(",\"key_ops\":\"verify\""),
	" no key in it is for a signature of the issuer's `algorithms`"},
    {EC(",\"alg\":\"RS256\""),
	" no key in it is for a signature of the issuer's `algorithms`"},
    {EC(",\"alg\":7"), " keys[0]: `alg` is not a string"},
    {EC(",\"use\":[\"sig\"]"), " keys[0]: `use` is not a string"},
    {EC(",\"kid\":null"), " keys[0]: `kid` is not a string"},
    {EC(",\"d\":\"AAAA\""),
	" keys[0]: a private key (`d`): make a new one, and give only its "
	"public half"},
    /* whatever its kind */
    {EC("},{\"kty\":\"AKP\",\"d\":{}"),
	" keys[1]: a private key (`d`): make a new one, and give only its "
	"public half"},
    {EC("},{\"kty\":\"oct\",\"k\":\"c2VjcmV0\""),
	" keys[1]: a symmetric key: who can check a token with one can make "
	"one"},
    {EC("},{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\""),
	" keys[1]: an RSA key must have 2048 to 8192 bits"},
    {EC("},7,{\"kty\":\"x\""), " keys[1]: not an object"},
    {EC(",\"kid\":\"a\"},{\"kty\":\"x\",\"kid\":\"a\""),
	" keys[1]: its `kid` is that of keys[0], too"},
    {"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X256 "\"}]}",
	" keys[0]: a number is missing, too long, or not base64url"},
    {"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X256
     "\",\"y\":\"" Y256 "=\"}]}",
	" keys[0]: a number is missing, too long, or not base64url"},
    {"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" X256
     "\",\"y\":\"" Y256 "\"}]}",
	" keys[0]: a number has not the length of its curve's"},
    {"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}]}",
	" keys[0]: a number has not the length of its curve's"},
    /* beside the curve */
    {"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" Y256
     "\",\"y\":\"" X256 "\"}]}",
	" keys[0]: its numbers are not those of a public key"},
};

START_TEST(sets_that_are_wrong_are_refused)
{
	ck_assert_int_eq(load(wrong[_i].text), ERR_INVALID);
	ck_assert_str_eq(complaint(), wrong[_i].complaint);
}
END_TEST

/* An RSA key whose exponent is one takes anything for a signature. */
START_TEST(rsa_exponents_that_prove_nothing_are_refused)
{
	static const char *const exponents[] = {"AQ", "Ag", "AA", ""};
	json_t *key = maker_rsa_jwk(maker.rsa, "a"), *whole;
	size_t i;

	for (i = 0; i < 4; i++) {
		diagnostics = diagnostics_new(arena);
		json_object_set_new(key, "e", json_string(exponents[i]));
		whole = json_pack("{s:[O]}", "keys", key);
		ck_assert_int_eq(load(maker_text(whole)), ERR_INVALID);
		ck_assert_ptr_nonnull(strstr(complaint(), "keys[0]: "));
	}
	json_decref(key);
}
END_TEST

START_TEST(set_that_cannot_be_read_is_told_where_it_is_named)
{
	char line[512];

	issuer.keys = text_of(scratch_path("none.json"));
	ck_assert_int_eq(
	    jwks_load(&issuer, "i.yaml", arena, diagnostics, &set),
	    ERR_SYSTEM);
	snprintf(line, sizeof(line), "i.yaml:7:3: %s: %s", issuer.keys.at,
	    "No such file or directory");
	ck_assert_str_eq(diagnostics_line(diagnostics, 0), line);
}
END_TEST

/* --- base64url -------------------------------------------------------------- */

static const struct {
	const char *text, *bytes;
	enum err err;
} spellings[] = {
    {"", "", ERR_NONE},
    {"Zg", "f", ERR_NONE},
    {"Zm8", "fo", ERR_NONE},
    {"Zm9v", "foo", ERR_NONE},
    {"Zm9vYg", "foob", ERR_NONE},
    {"-_-_", "\xfb\xff\xbf", ERR_NONE},
    {"Zm9vYmFyIQ", NULL, ERR_TOO_LONG},
    {"Z", NULL, ERR_MALFORMED},
    {"Zm9vY", NULL, ERR_MALFORMED},
    {"Zh", NULL, ERR_MALFORMED},
    {"Zm9", NULL, ERR_MALFORMED},
    {"Zg==", NULL, ERR_MALFORMED},
    {"Zm8=", NULL, ERR_MALFORMED},
    {"+/+/", NULL, ERR_MALFORMED},
    {"Zm 8", NULL, ERR_MALFORMED},
    {"Zm9v\n", NULL, ERR_MALFORMED},
    {"Zm9\xc3", NULL, ERR_MALFORMED},
};

START_TEST(bytes_have_one_spelling)
{
	uint8_t bytes[6];
	size_t len;

	ck_assert_int_eq(base64url_decode(text_of(spellings[_i].text), bytes,
			     sizeof(bytes), &len),
	    spellings[_i].err);
	if (spellings[_i].err != ERR_NONE)
		return;
	ck_assert_uint_eq(len, strlen(spellings[_i].bytes));
	ck_assert_mem_eq(bytes, spellings[_i].bytes, len);
}
END_TEST

#define LOOP(t, test, table)                                                   \
	tcase_add_loop_test(t, test, 0, sizeof(table) / sizeof((table)[0]))

static Suite *
suite(void)
{
	Suite *s = suite_create("jwks");
	TCase *t = tcase_create("jwks");

	tcase_add_unchecked_fixture(t, maker_start, maker_end);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, keys_of_every_kind_are_read);
	tcase_add_test(t, keys_that_the_issuer_does_not_use_are_left_out);
	LOOP(t, sets_that_are_right_are_taken, fine);
	LOOP(t, sets_that_are_wrong_are_refused, wrong);
	tcase_add_test(t, rsa_exponents_that_prove_nothing_are_refused);
	tcase_add_test(t, set_that_cannot_be_read_is_told_where_it_is_named);
	LOOP(t, bytes_have_one_spelling, spellings);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return suite_run(suite());
}
