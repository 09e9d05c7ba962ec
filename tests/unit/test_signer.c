/* links: master/signer.c common/tls_context.c common/tls_files.c common/tls_trust.c common/tls_system.c common/tls_key.c common/tls_warm.c common/settings_files.c common/file_trust.c common/slot.c common/broker_channel.c common/wire.c common/text.c common/arena.c common/diagnostics.c common/err.c common/log.c common/parcel.c */
/*
 * What the broker signs, and what it does not; and a certificate's channel
 * binding.  Keys and certificates are made here, of every kind served.
 */
#include <check.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "master/signer.h"
#include "tests/unit/scratch.h"
#include "tests/unit/suite.h"

#define SPACES_8 "        "
#define SPACES                                                          \
	SPACES_8 SPACES_8 SPACES_8 SPACES_8 SPACES_8 SPACES_8 SPACES_8 \
	    SPACES_8
#define HASH "0123456789abcdef0123456789abcdef"
#define SERVER SPACES "TLS 1.3, server CertificateVerify\0"
#define CLIENT SPACES "TLS 1.3, client CertificateVerify\0"

static struct settings settings;
static struct listener listener;
static struct upstream upstream;
static struct tls_contexts *contexts;
static struct signer *signer;
static EVP_PKEY *key;
static char certificate_path[256], key_path[256];

static void
write_pem(X509 *x)
{
	FILE *f = fopen(certificate_path, "w");

	ck_assert(f != NULL && PEM_write_X509(f, x) == 1);
	fclose(f);
	f = fopen(key_path, "w");
	ck_assert(f != NULL &&
	    PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1);
	fclose(f);
	ck_assert_int_eq(chmod(key_path, 0600), 0);
}

/* A certificate by itself, signed with this digest; NULL: the key's own. */
static X509 *
make_certificate(const EVP_MD *digest)
{
	X509 *x = X509_new();

	ck_assert_ptr_nonnull(x);
	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -60);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, key);
	ck_assert_int_gt(X509_sign(x, key, digest), 0);
	return x;
}

static void
start(EVP_PKEY *with)
{
	char reason[512] = "";
	X509 *x;

	key = with;
	ck_assert_ptr_nonnull(key);
	scratch_make();
	snprintf(certificate_path, sizeof(certificate_path), "%s/x.crt",
	    scratch_folder);
	snprintf(key_path, sizeof(key_path), "%s/x.key", scratch_folder);
	x = make_certificate(EVP_sha256());
	write_pem(x);
	X509_free(x);
	listener.address = "127.0.0.1:1";
	upstream.name = "shop";
	upstream.tls_mode = TLS_REQUIRE;
	listener.tls.certificate = upstream.tls.certificate = certificate_path;
	listener.tls.key = upstream.tls.key = key_path;
	settings = (struct settings){.listeners = &listener,
	    .listener_count = 1,
	    .upstreams = &upstream,
	    .upstream_count = 1};
	ck_assert_msg(tls_contexts_new(&settings, &contexts, reason,
			  sizeof(reason)) == ERR_NONE,
	    "%s", reason);
	signer = signer_load(&settings, contexts);
	ck_assert_ptr_nonnull(signer);
}

static void
start_ec(void)
{
	start(EVP_EC_gen("P-256"));
}

static void
stop(void)
{
	signer_wipe(signer);
	tls_contexts_free(contexts);
	EVP_PKEY_free(key);
	scratch_remove();
}

static struct broker_request
request(uint32_t kind, struct text bytes)
{
	struct broker_request q = {.kind = kind,
	    .digest = BROKER_SHA256,
	    .auth_len = (uint32_t)bytes.len};

	ck_assert_uint_le(bytes.len, sizeof(q.auth));
	memcpy(q.auth, bytes.at, bytes.len);
	return q;
}

/* Both randoms (64 bytes), a named curve, a public key on it. */
#define KEY_EXCHANGE HASH HASH "\3\0\35\40" HASH
#define POINT "\3\0\27\101"

static const struct {
	const char *name;
	uint32_t kind;
	struct text bytes;
	bool want;
} handshakes[] = {
    {"a server's, 1.3", BROKER_LISTENER_SIGN, TEXT(SERVER HASH), true},
    {"with SHA-384", BROKER_LISTENER_SIGN,
	TEXT(SERVER HASH "0123456789abcdef"), true},
    {"a server's, 1.2", BROKER_LISTENER_SIGN, TEXT(KEY_EXCHANGE), true},
    {"a client's, 1.3", BROKER_UPSTREAM_SIGN, TEXT(CLIENT HASH), true},
    {"a client's, by a server", BROKER_LISTENER_SIGN, TEXT(CLIENT HASH),
	false},
    {"a server's, by a client", BROKER_UPSTREAM_SIGN, TEXT(SERVER HASH),
	false},
    {"a key exchange by a client", BROKER_UPSTREAM_SIGN, TEXT(KEY_EXCHANGE),
	false},
    {"nothing", BROKER_LISTENER_SIGN, TEXT(""), false},
    {"a hash", BROKER_LISTENER_SIGN, TEXT(HASH), false},
    {"no hash", BROKER_LISTENER_SIGN, TEXT(SERVER), false},
    {"a short hash", BROKER_LISTENER_SIGN, TEXT(SERVER "0123"), false},
    {"a long hash", BROKER_LISTENER_SIGN, TEXT(SERVER HASH HASH "x"), false},
    {"a space less", BROKER_LISTENER_SIGN, TEXT(&SERVER HASH[1]), false},
    {"a space that is none", BROKER_LISTENER_SIGN,
	TEXT("x" "       " SPACES_8 SPACES_8 SPACES_8 SPACES_8 SPACES_8
	     SPACES_8 SPACES_8 "TLS 1.3, server CertificateVerify\0" HASH),
	false},
    {"other words", BROKER_LISTENER_SIGN,
	TEXT(SPACES "TLS 1.3, server certificateVerify\0" HASH), false},
    {"another kind of curve", BROKER_LISTENER_SIGN,
	TEXT(HASH HASH "\1\0\35\40" HASH), false},
    {"a point", BROKER_LISTENER_SIGN, TEXT(HASH HASH POINT "\4" HASH HASH),
	true},
    {"a point that is none", BROKER_LISTENER_SIGN,
	TEXT(HASH HASH POINT "\60" HASH HASH), false},
    {"a key of another length", BROKER_LISTENER_SIGN,
	TEXT(HASH HASH "\3\0\35\4abcd"), false},
    {"a curve not agreed to", BROKER_LISTENER_SIGN,
	TEXT(HASH HASH "\3\0\26\40" HASH), false},
    {"a key exchange cut short", BROKER_LISTENER_SIGN,
	TEXT(HASH HASH "\3\0\35\41" HASH), false},
    {"more behind a key exchange", BROKER_LISTENER_SIGN,
	TEXT(KEY_EXCHANGE "x"), false},
    {"half the randoms", BROKER_LISTENER_SIGN, TEXT(HASH "\3\0\35\40" HASH),
	false},
    {"a token", BROKER_LISTENER_SIGN,
	TEXT("eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJyb290In0"), false},
};

START_TEST(only_handshakes_of_the_keys_side_are_signed)
{
	struct broker_request q =
	    request(handshakes[_i].kind, handshakes[_i].bytes);
	struct broker_reply reply = {0};

	ck_assert_msg(signer_sign(signer, &q, &reply) == handshakes[_i].want,
	    "%s", handshakes[_i].name);
	ck_assert_int_eq(reply.signed_len > 0, handshakes[_i].want);
}
END_TEST

START_TEST(requests_that_lie_are_refused)
{
	struct broker_request q =
	    request(BROKER_LISTENER_SIGN, TEXT(SERVER HASH));
	struct broker_reply reply = {0};

	q.place = 1; /* there is one listener */
	ck_assert(!signer_sign(signer, &q, &reply));
	q.place = UINT32_MAX;
	ck_assert(!signer_sign(signer, &q, &reply));
	q.place = 0;
	q.digest = 0;
	ck_assert(!signer_sign(signer, &q, &reply));
	q.digest = BROKER_DIGESTS;
	ck_assert(!signer_sign(signer, &q, &reply));
	q.digest = BROKER_SHA256;
	q.is_pss = 1; /* of an EC key */
	ck_assert(!signer_sign(signer, &q, &reply));
	q.is_pss = 0;
	q.is_hashed = 1; /* a server's is never too long */
	ck_assert(!signer_sign(signer, &q, &reply));
	q = request(BROKER_LISTENER_SIGN, TEXT(HASH));
	q.is_hashed = 1;
	ck_assert(!signer_sign(signer, &q, &reply));
	q = request(BROKER_UPSTREAM_SIGN, TEXT(HASH));
	q.is_hashed = 1;
	ck_assert(signer_sign(signer, &q, &reply));
	q.auth_len--;
	ck_assert(!signer_sign(signer, &q, &reply));
}
END_TEST

START_TEST(signature_is_right)
{
	struct broker_request q =
	    request(BROKER_LISTENER_SIGN, TEXT(SERVER HASH));
	struct broker_reply reply = {0};
	EVP_MD_CTX *c = EVP_MD_CTX_new();

	ck_assert(signer_sign(signer, &q, &reply));
	ck_assert_int_eq(
	    EVP_DigestVerifyInit(c, NULL, EVP_sha256(), NULL, key), 1);
	ck_assert_int_eq(EVP_DigestVerify(c, reply.signed_by_key,
			     reply.signed_len, (const uint8_t *)q.auth,
			     q.auth_len),
	    1);
	EVP_MD_CTX_free(c);
}
END_TEST

START_TEST(key_of_another_certificate_signs_nothing)
{
	struct broker_request q =
	    request(BROKER_LISTENER_SIGN, TEXT(SERVER HASH));
	struct broker_reply reply = {0};
	X509 *x;

	signer_wipe(signer);
	EVP_PKEY_free(key);
	key = EVP_EC_gen("P-256");
	x = make_certificate(EVP_sha256());
	write_pem(x); /* both are new, but the one in force is not */
	X509_free(x);
	signer = signer_load(&settings, contexts);
	ck_assert_ptr_nonnull(signer);
	ck_assert(!signer_sign(signer, &q, &reply));
}
END_TEST

/* --- tls-server-end-point --------------------------------------------------- */

START_TEST(binding_is_by_the_certificates_own_hash_but_never_a_weak_one)
{
	static const struct {
		const char *with, *want;
	} table[] = {{"SHA256", "SHA256"}, {"SHA384", "SHA384"},
	    {"SHA512", "SHA512"}, {"SHA224", "SHA224"}, {"SHA1", "SHA256"}};
	uint8_t got[TLS_BINDING_MAX], want[EVP_MAX_MD_SIZE];
	size_t i, len;
	unsigned want_len;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		X509 *x = make_certificate(EVP_get_digestbyname(table[i].with));

		ck_assert_int_eq(tls_end_point(x, got, &len), ERR_NONE);
		X509_digest(x, EVP_get_digestbyname(table[i].want), want,
		    &want_len);
		ck_assert_uint_eq(len, want_len);
		ck_assert_mem_eq(got, want, len);
		X509_free(x);
	}
}
END_TEST

START_TEST(binding_by_md5_is_by_sha256_instead)
{
	uint8_t got[TLS_BINDING_MAX], want[EVP_MAX_MD_SIZE];
	EVP_PKEY *ec = key;
	unsigned want_len;
	size_t len;
	X509 *x;

	key = EVP_RSA_gen(2048); /* there is no ECDSA with MD5 */
	x = make_certificate(EVP_md5());
	ck_assert_int_eq(tls_end_point(x, got, &len), ERR_NONE);
	X509_digest(x, EVP_sha256(), want, &want_len);
	ck_assert_uint_eq(len, want_len);
	ck_assert_mem_eq(got, want, len);
	X509_free(x);
	EVP_PKEY_free(key);
	key = ec;
}
END_TEST

START_TEST(signature_without_a_hash_binds_nothing)
{
	uint8_t got[TLS_BINDING_MAX];
	EVP_PKEY *ec = key;
	size_t len;
	X509 *x;

	key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	x = make_certificate(NULL);
	ck_assert_int_eq(tls_end_point(x, got, &len), ERR_UNSUPPORTED);
	ck_assert_uint_eq(len, 0);
	X509_free(x);
	EVP_PKEY_free(key);
	key = ec;
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("signer");
	TCase *c = tcase_create("ec");

	tcase_add_checked_fixture(c, start_ec, stop);
	tcase_add_loop_test(c, only_handshakes_of_the_keys_side_are_signed, 0,
	    sizeof(handshakes) / sizeof(*handshakes));
	tcase_add_test(c, requests_that_lie_are_refused);
	tcase_add_test(c, signature_is_right);
	tcase_add_test(c, key_of_another_certificate_signs_nothing);
	tcase_add_test(
	    c, binding_is_by_the_certificates_own_hash_but_never_a_weak_one);
	tcase_add_test(c, binding_by_md5_is_by_sha256_instead);
	tcase_add_test(c, signature_without_a_hash_binds_nothing);
	suite_add_tcase(suite, c);
	return suite_run(suite);
}
