/*
 * signer.c - signing handshakes with keys that stay here.
 *
 * The rule: the broker itself sees that what it signs is a TLS handshake, of
 * the side whose key it is: RFC 8446, 4.4.3 and RFC 8422, 5.4 say what that
 * looks like.  What a TLS client before 1.3 signs may be longer than a
 * request: of that alone the digest is taken.
 */
#include "master/signer.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/tls_files.h"
#include "common/wire.h"

enum {
	SPACES = 64,	 /* begin what TLS 1.3 signs */
	RANDOMS = 64,	 /* the client's and the server's, of TLS 1.2 */
	NAMED_CURVE = 3, /* ECCurveType */
};

struct signer {
	size_t listener_count, upstream_count;
	EVP_PKEY *listeners[LISTENERS_MAX], *upstreams[UPSTREAMS_MAX];
};

static const EVP_MD *
digest_of(uint32_t digest)
{
	return digest == BROKER_SHA256	 ? EVP_sha256()
	       : digest == BROKER_SHA384 ? EVP_sha384()
	       : digest == BROKER_SHA512 ? EVP_sha512()
					 : NULL;
}

/* 64 spaces, who signs, a zero, a hash of all that was said. */
static bool
is_tls_1_3(struct text bytes, struct text who)
{
	struct wire w = wire_of(bytes.at, bytes.len);
	struct text spaces = wire_bytes(&w, SPACES), hash;
	bool is_right;
	size_t i;

	is_right = text_is(wire_cstring(&w), who);
	hash = wire_rest(&w);
	if (w.bad || !is_right || (hash.len != 32 && hash.len != 48))
		return false;
	for (i = 0; i < SPACES; i++) {
		if (spaces.at[i] != ' ')
			return false;
	}
	return true;
}

/* A public key on one of the curves we agree to. */
static bool
is_public_key(uint16_t curve, struct text key)
{
	static const struct {
		uint16_t curve; /* NamedCurve of RFC 8422 */
		size_t len;
		bool is_point; /* uncompressed: it begins with a 4 */
	} known[] = {{23, 65, true}, {24, 97, true}, {25, 133, true},
	    {29, 32, false}, {30, 56, false}};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (known[i].curve == curve)
			return key.len == known[i].len &&
			       (!known[i].is_point || key.at[0] == 4);
	}
	return false;
}

/* Both randoms and the server's ephemeral key: a ServerKeyExchange. Whoever
 * asks chooses the randoms, so nothing else is left to choose in length. */
static bool
is_server_key_exchange(struct text bytes)
{
	struct wire w = wire_of(bytes.at, bytes.len);
	struct text key;
	uint16_t curve;

	wire_bytes(&w, RANDOMS);
	if (wire_u8(&w) != NAMED_CURVE)
		return false;
	curve = wire_u16(&w);
	key = wire_bytes(&w, wire_u8(&w));
	return wire_end(&w) == ERR_NONE && is_public_key(curve, key);
}

static bool
is_handshake(const struct broker_request *q)
{
	struct text bytes = {q->auth, q->auth_len};
	const EVP_MD *digest = digest_of(q->digest);

	if (digest == NULL)
		return false;
	if (q->kind == BROKER_LISTENER_SIGN)
		return !q->is_hashed &&
		       (is_tls_1_3(
			    bytes, TEXT("TLS 1.3, server CertificateVerify")) ||
			   is_server_key_exchange(bytes));
	if (q->is_hashed)
		return (size_t)EVP_MD_get_size(digest) == bytes.len;
	return is_tls_1_3(bytes, TEXT("TLS 1.3, client CertificateVerify"));
}

static bool
padding_choose(EVP_PKEY_CTX *c, const EVP_PKEY *key, bool is_pss)
{
	if (!EVP_PKEY_is_a(key, "RSA"))
		return !is_pss;
	if (!is_pss)
		return EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PADDING) == 1;
	return EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PSS_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(c, RSA_PSS_SALTLEN_DIGEST) == 1;
}

static bool
sign_bytes(
    EVP_PKEY *key, const struct broker_request *q, struct broker_reply *reply)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	EVP_PKEY_CTX *options = NULL;
	size_t len = sizeof(reply->signed_by_key);
	bool is_done = c != NULL &&
		       EVP_DigestSignInit(
			   c, &options, digest_of(q->digest), NULL, key) == 1 &&
		       padding_choose(options, key, q->is_pss != 0) &&
		       EVP_DigestSign(c, reply->signed_by_key, &len,
			   (const unsigned char *)q->auth, q->auth_len) == 1;

	EVP_MD_CTX_free(c);
	reply->signed_len = is_done ? (uint32_t)len : 0;
	return is_done;
}

static bool
sign_digest(
    EVP_PKEY *key, const struct broker_request *q, struct broker_reply *reply)
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(key, NULL);
	size_t len = sizeof(reply->signed_by_key);
	bool is_done =
	    c != NULL && EVP_PKEY_sign_init(c) == 1 &&
	    EVP_PKEY_CTX_set_signature_md(c, digest_of(q->digest)) == 1 &&
	    padding_choose(c, key, q->is_pss != 0) &&
	    EVP_PKEY_sign(c, reply->signed_by_key, &len,
		(const unsigned char *)q->auth, q->auth_len) == 1;

	EVP_PKEY_CTX_free(c);
	reply->signed_len = is_done ? (uint32_t)len : 0;
	return is_done;
}

static EVP_PKEY *
key_of(const struct signer *s, const struct broker_request *q)
{
	if (q->kind == BROKER_LISTENER_SIGN)
		return q->place < s->listener_count ? s->listeners[q->place]
						    : NULL;
	return q->place < s->upstream_count ? s->upstreams[q->place] : NULL;
}

bool
signer_sign(const struct signer *s, const struct broker_request *q,
    struct broker_reply *reply)
{
	EVP_PKEY *key = key_of(s, q);
	bool is_done = key != NULL && is_handshake(q) &&
		       (q->is_hashed ? sign_digest(key, q, reply)
				     : sign_bytes(key, q, reply));

	ERR_clear_error();
	return is_done;
}

/* --- loading -------------------------------------------------------------- */

/* The files may have changed since the certificate was taken: a signature
 * that fits no certificate would only puzzle clients. */
static EVP_PKEY *
key_load(const struct tls_files *f, const SSL_CTX *context, const char *whose)
{
	X509 *x = context == NULL ? NULL : SSL_CTX_get0_certificate(context);
	char reason[TLS_REASON_MAX];
	EVP_PKEY *key;

	if (f->key == NULL)
		return NULL;
	if (tls_key_load(f->key, &key, reason) != ERR_NONE) {
		log_error("%s: %s: no TLS there", whose, reason);
		return NULL;
	}
	if (x != NULL && X509_check_private_key(x, key) == 1)
		return key;
	ERR_clear_error();
	EVP_PKEY_free(key);
	log_error("%s: %s is not the key of the certificate in force: no TLS "
		  "there before a reload",
	    whose, f->key);
	return NULL;
}

struct signer *
signer_load(const struct settings *s, const struct tls_contexts *contexts)
{
	struct signer *signer = calloc(1, sizeof(*signer));
	size_t i;

	if (signer == NULL)
		return NULL;
	for (i = 0; i < s->listener_count && i < LISTENERS_MAX; i++)
		signer->listeners[i] = key_load(&s->listeners[i].tls,
		    tls_listener_context(contexts, i), s->listeners[i].address);
	signer->listener_count = i;
	for (i = 0; i < s->upstream_count && i < UPSTREAMS_MAX; i++)
		signer->upstreams[i] = key_load(&s->upstreams[i].tls,
		    tls_upstream_context(contexts, i), s->upstreams[i].name);
	signer->upstream_count = i;
	return signer;
}

void
signer_wipe(struct signer *s)
{
	size_t i;

	if (s == NULL)
		return;
	for (i = 0; i < s->listener_count; i++)
		EVP_PKEY_free(s->listeners[i]);
	for (i = 0; i < s->upstream_count; i++)
		EVP_PKEY_free(s->upstreams[i]);
	free(s);
}
