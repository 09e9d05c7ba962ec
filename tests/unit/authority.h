/*
 * authority.h - keys, certificates and CRLs for tests, made in memory.
 */
#ifndef SALLYPORT_TESTS_AUTHORITY_H
#define SALLYPORT_TESTS_AUTHORITY_H

#include <check.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>

/* A certificate and its key. */
struct holder {
	X509 *x;
	EVP_PKEY *key;
};

/* What to issue; zeros: an EC key, for an hour, no extensions. */
struct order {
	const char *key;   /* "EC" (P-256), "P-384", "RSA", "ED25519", … */
	const char *name;  /* CN; NULL: an empty subject */
	const char *names; /* subjectAltName */
	const char *usage, *extended_usage, *constraints;
	long from_s, to_s; /* from now; to 0: an hour */
	const char *digest; /* NULL: SHA256 */
};

static inline EVP_PKEY *
key_make(const char *kind)
{
	EVP_PKEY *key;

	if (kind == NULL || strcmp(kind, "EC") == 0)
		key = EVP_EC_gen("P-256");
	else if (kind[0] == 'P' && kind[1] == '-')
		key = EVP_EC_gen(kind);
	else if (strcmp(kind, "RSA") == 0)
		key = EVP_RSA_gen(2048);
	else if (strcmp(kind, "short") == 0)
		key = EVP_RSA_gen(1024);
	else
		key = EVP_PKEY_Q_keygen(NULL, NULL, kind);
	ck_assert_msg(key != NULL, "no key of kind %s", kind);
	return key;
}

static inline void
extension_add(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX c;
	X509_EXTENSION *e;

	if (value == NULL)
		return;
	X509V3_set_ctx(&c, issuer, x, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &c, nid, value);
	ck_assert_msg(e != NULL, "extension %s", value);
	ck_assert_int_eq(X509_add_ext(x, e, -1), 1);
	X509_EXTENSION_free(e);
}

static inline void
name_set_cn(X509 *x, const char *cn)
{
	if (cn != NULL)
		ck_assert_int_eq(X509_NAME_add_entry_by_txt(
				     X509_get_subject_name(x), "CN",
				     MBSTRING_UTF8, (const unsigned char *)cn,
				     -1, -1, 0),
		    1);
}

static inline void
certificate_sign(X509 *x, const struct holder *by, const char *digest)
{
	const EVP_MD *md = EVP_get_digestbyname(
	    digest == NULL ? "SHA256" : digest);

	if (EVP_PKEY_is_a(by->key, "ED25519"))
		md = NULL;
	ck_assert_int_gt(X509_sign(x, by->key, md), 0);
}

/* Not signed yet. `by` NULL: by itself. */
static inline struct holder
certificate_draft(const struct order *o, const struct holder *by)
{
	static long serial = 1000;
	struct holder h = {X509_new(), key_make(o->key)};
	X509 *issuer = by == NULL ? h.x : by->x;

	ck_assert_ptr_nonnull(h.x);
	X509_set_version(h.x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(h.x), serial++);
	X509_gmtime_adj(X509_getm_notBefore(h.x),
	    o->from_s == 0 ? -60 : o->from_s);
	X509_gmtime_adj(
	    X509_getm_notAfter(h.x), o->to_s == 0 ? 3600 : o->to_s);
	X509_set_pubkey(h.x, h.key);
	name_set_cn(h.x, o->name);
	X509_set_issuer_name(h.x, X509_get_subject_name(issuer));
	extension_add(h.x, issuer, NID_basic_constraints, o->constraints);
	extension_add(h.x, issuer, NID_key_usage, o->usage);
	extension_add(h.x, issuer, NID_ext_key_usage, o->extended_usage);
	extension_add(h.x, issuer, NID_subject_alt_name, o->names);
	return h;
}

static inline struct holder
certificate_issue(const struct order *o, const struct holder *by)
{
	struct holder h = certificate_draft(o, by);

	certificate_sign(h.x, by == NULL ? &h : by, o->digest);
	return h;
}

static inline struct holder
authority_make(const char *name)
{
	return certificate_issue(
	    &(struct order){.name = name,
		.constraints = "critical,CA:TRUE",
		.to_s = 7200},
	    NULL);
}

static inline void
holder_free(struct holder *h)
{
	X509_free(h->x);
	EVP_PKEY_free(h->key);
}

static inline void
certificate_write(const char *path, const X509 *x, const X509 *second)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(PEM_write_X509(f, x), 1);
	if (second != NULL)
		ck_assert_int_eq(PEM_write_X509(f, second), 1);
	fclose(f);
}

/* A CRL, added to the file; `revoked` NULL: nothing is. */
static inline void
crl_write(const char *path, const char *mode, const struct holder *by,
    const X509 *revoked, long from_s, long to_s)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *from = X509_gmtime_adj(NULL, from_s);
	ASN1_TIME *to = X509_gmtime_adj(NULL, to_s);
	X509_REVOKED *one;
	FILE *f = fopen(path, mode);

	ck_assert(crl != NULL && f != NULL);
	X509_CRL_set_version(crl, X509_CRL_VERSION_2);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(by->x));
	X509_CRL_set1_lastUpdate(crl, from);
	X509_CRL_set1_nextUpdate(crl, to);
	if (revoked != NULL) {
		one = X509_REVOKED_new();
		X509_REVOKED_set_serialNumber(
		    one, (ASN1_INTEGER *)(uintptr_t)
			     X509_get0_serialNumber(revoked));
		X509_REVOKED_set_revocationDate(one, from);
		ck_assert_int_eq(X509_CRL_add0_revoked(crl, one), 1);
	}
	ck_assert_int_gt(X509_CRL_sign(crl, by->key, EVP_sha256()), 0);
	ck_assert_int_eq(PEM_write_X509_CRL(f, crl), 1);
	fclose(f);
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
	X509_CRL_free(crl);
}

#endif
