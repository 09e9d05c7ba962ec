/* links: common/scram.c common/hmac.c common/saslprep.c common/text.c */
/* SCRAM-SHA-256 against RFC 7677's exchange, and what must not parse. */
#include "common/scram.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <stdlib.h>

static const char auth_message[] =
    "n=user,r=rOprNGfwEbeRWgbNEkqO,"
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";

static const char rfc_proof[] = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
static const char rfc_signature[] =
    "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

static void
salted_of_pencil(uint8_t *salted)
{
	uint8_t salt[SCRAM_SALT_MAX];
	size_t len;

	ck_assert_int_eq(base64_decode(TEXT("W22ZaJ0SNY7soEsUEjb6gQ=="), salt,
			     sizeof(salt), &len),
	    ERR_NONE);
	ck_assert_int_eq(
	    scram_salt(TEXT("pencil"), salt, len, 4096, salted), ERR_NONE);
}

START_TEST(proof_and_signature_are_those_of_rfc_7677)
{
	uint8_t salted[SCRAM_KEY_LEN], proof[SCRAM_KEY_LEN];
	uint8_t signature[SCRAM_KEY_LEN];
	char text[64];

	salted_of_pencil(salted);
	ck_assert_int_eq(
	    scram_prove(salted, text_of(auth_message), proof, signature),
	    ERR_NONE);
	base64_encode(proof, sizeof(proof), text);
	ck_assert_str_eq(text, rfc_proof);
	base64_encode(signature, sizeof(signature), text);
	ck_assert_str_eq(text, rfc_signature);
}
END_TEST

/* A verifier made for `password`, and the client's proof for `tried`. */
static void
verifier_and_proof(struct text password, struct text tried,
    struct scram_verifier *v, uint8_t *proof, uint8_t *signature)
{
	char text[SCRAM_VERIFIER_MAX];
	uint8_t salted[SCRAM_KEY_LEN];

	ck_assert_int_eq(scram_verifier_make(password, text), ERR_NONE);
	ck_assert_int_eq(scram_verifier_parse(text_of(text), v), ERR_NONE);
	ck_assert_int_eq(
	    scram_salt(tried, v->salt, v->salt_len, v->iterations, salted),
	    ERR_NONE);
	ck_assert_int_eq(
	    scram_prove(salted, text_of(auth_message), proof, signature),
	    ERR_NONE);
}

START_TEST(right_password_is_right_and_signed_by_the_server)
{
	uint8_t proof[SCRAM_KEY_LEN], expected[SCRAM_KEY_LEN];
	uint8_t signature[SCRAM_KEY_LEN];
	struct scram_verifier v;
	bool is_right = false;

	verifier_and_proof(
	    TEXT("s3cret"), TEXT("s3cret"), &v, proof, expected);
	ck_assert_int_eq(scram_check(&v, text_of(auth_message), proof,
			     &is_right, signature),
	    ERR_NONE);
	ck_assert(is_right);
	ck_assert_mem_eq(signature, expected, SCRAM_KEY_LEN);
}
END_TEST

START_TEST(wrong_password_or_other_message_is_wrong)
{
	uint8_t proof[SCRAM_KEY_LEN], signature[SCRAM_KEY_LEN];
	struct scram_verifier v;
	bool is_right = true;

	verifier_and_proof(
	    TEXT("s3cret"), TEXT("s3cres"), &v, proof, signature);
	ck_assert_int_eq(scram_check(&v, text_of(auth_message), proof,
			     &is_right, signature),
	    ERR_NONE);
	ck_assert(!is_right);
	verifier_and_proof(
	    TEXT("s3cret"), TEXT("s3cret"), &v, proof, signature);
	ck_assert_int_eq(scram_check(&v, TEXT("another message"), proof,
			     &is_right, signature),
	    ERR_NONE);
	ck_assert(!is_right);
}
END_TEST

#define KEY "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
static const char *const bad_verifiers[] = {
    "",
    "SCRAM-SHA-256",
    "SCRAM-SHA-1$4096:c2FsdA==$" KEY ":" KEY,
    "SCRAM-SHA-256$0:c2FsdA==$" KEY ":" KEY,
    "SCRAM-SHA-256$:c2FsdA==$" KEY ":" KEY,
    "SCRAM-SHA-256$-1:c2FsdA==$" KEY ":" KEY,
    "SCRAM-SHA-256$04096:c2FsdA==$" KEY ":" KEY,
    "SCRAM-SHA-256$1000001:c2FsdA==$" KEY ":" KEY,
    "SCRAM-SHA-256$99999999999:c2FsdA==$" KEY ":" KEY,
    "SCRAM-SHA-256$4096:$" KEY ":" KEY,
    "SCRAM-SHA-256$4096:c2Fsd$" KEY ":" KEY,
    "SCRAM-SHA-256$4096:c2FsdA==$AAAA:" KEY,
    "SCRAM-SHA-256$4096:c2FsdA==$" KEY,
    "SCRAM-SHA-256$4096:c2FsdA==$" KEY ":" KEY ":",
    "SCRAM-SHA-256$4096:c2FsdA==$" KEY ":" KEY "\n",
    "SCRAM-SHA-256$4096:c2FsdA==$" KEY ":" KEY KEY,
    "md5c4ca4238a0b923820dcc509a6f75849b",
};

START_TEST(malformed_verifier_is_refused)
{
	struct scram_verifier v;

	ck_assert_msg(scram_verifier_parse(text_of(bad_verifiers[_i]), &v) ==
		ERR_MALFORMED,
	    "%s", bad_verifiers[_i]);
}
END_TEST

static const struct {
	const char *bytes, *base64;
} base64_pairs[] = {/* RFC 4648, chapter 10 */
    {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};

START_TEST(base64_goes_both_ways)
{
	struct text bytes = text_of(base64_pairs[_i].bytes);
	char text[32];
	uint8_t back[32];
	size_t len;

	base64_encode((const uint8_t *)bytes.at, bytes.len, text);
	ck_assert_str_eq(text, base64_pairs[_i].base64);
	ck_assert_int_eq(
	    base64_decode(text_of(text), back, bytes.len, &len), ERR_NONE);
	ck_assert_uint_eq(len, bytes.len);
	ck_assert_mem_eq(back, bytes.at, len);
	if (bytes.len > 0) /* one byte too little room */
		ck_assert_int_eq(base64_decode(text_of(text), back,
				     bytes.len - 1, &len),
		    ERR_MALFORMED);
}
END_TEST

static const char *const bad_base64[] = {"Z", "Zg", "Zg=", "Zg==Zg==", "Zh==",
    "Zm9=", "Zm 9", "Zm9v\n", "====", "=AAA", "A=AA", "Zm9-", "Zg=A"};

START_TEST(loose_base64_is_refused)
{
	uint8_t out[32];
	size_t len;

	ck_assert_msg(base64_decode(text_of(bad_base64[_i]), out, sizeof(out),
			  &len) == ERR_MALFORMED,
	    "%s", bad_base64[_i]);
}
END_TEST

START_TEST(mock_salt_is_the_same_each_time_and_differs_by_name_and_secret)
{
	uint8_t secret[32] = {1}, other[32] = {2};
	uint8_t a[SCRAM_SALT_LEN], b[SCRAM_SALT_LEN];

	scram_mock_salt(secret, TEXT("mallory"), a);
	scram_mock_salt(secret, TEXT("mallory"), b);
	ck_assert_mem_eq(a, b, sizeof(a));
	scram_mock_salt(secret, TEXT("mallorz"), b);
	ck_assert_mem_ne(a, b, sizeof(a));
	scram_mock_salt(other, TEXT("mallory"), b);
	ck_assert_mem_ne(a, b, sizeof(a));
}
END_TEST

START_TEST(md5_response_is_postgresqls)
{
	/* md5(md5("secret" "alice") "\1\2\3\4"), from md5sum */
	const uint8_t salt[4] = {1, 2, 3, 4};
	char out[36];

	ck_assert_int_eq(
	    scram_md5(TEXT("alice"), TEXT("secret"), salt, out), ERR_NONE);
	ck_assert_str_eq(out, "md598a0412b9c31436fc53776e863350083");
}
END_TEST

START_TEST(salting_refuses_what_no_server_asks)
{
	uint8_t salt[SCRAM_SALT_MAX + 1] = {0}, out[SCRAM_KEY_LEN];

	ck_assert_int_ne(
	    scram_salt(TEXT("x"), salt, sizeof(salt), 1, out), ERR_NONE);
	ck_assert_int_ne(scram_salt(TEXT("x"), salt, 0, 1, out), ERR_NONE);
	ck_assert_int_ne(scram_salt(TEXT("x"), salt, 16, 0, out), ERR_NONE);
	ck_assert_int_ne(scram_salt(TEXT("x"), salt, 16,
			     SCRAM_ITERATIONS_MAX + 1, out),
	    ERR_NONE);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof(*(table))))

int
main(void)
{
	Suite *suite = suite_create("scram");
	TCase *all = tcase_create("all");

	tcase_add_test(all, proof_and_signature_are_those_of_rfc_7677);
	tcase_add_test(all, right_password_is_right_and_signed_by_the_server);
	tcase_add_test(all, wrong_password_or_other_message_is_wrong);
	tcase_add_loop_test(
	    all, malformed_verifier_is_refused, 0, COUNT(bad_verifiers));
	tcase_add_loop_test(
	    all, base64_goes_both_ways, 0, COUNT(base64_pairs));
	tcase_add_loop_test(
	    all, loose_base64_is_refused, 0, COUNT(bad_base64));
	tcase_add_test(all,
	    mock_salt_is_the_same_each_time_and_differs_by_name_and_secret);
	tcase_add_test(all, md5_response_is_postgresqls);
	tcase_add_test(all, salting_refuses_what_no_server_asks);
	suite_add_tcase(suite, all);
	return suite_run(suite);
}
