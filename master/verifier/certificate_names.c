/*
 * certificate_names.c - names out of a certificate.
 *
 * The rule: a name that is none is passed over (a wildcard, say), but a
 * certificate that tries to be read in two ways proves nobody: zero bytes in a
 * name, a name twice, a SPIFFE ID that is badly formed or beside another URI.
 */
#include "master/verifier/certificate_names.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <time.h>

#include "common/certificate_name.h"
#include "common/ipc.h"

/* A certificate's names as they are collected. */
struct collection {
	struct certificate_facts *facts;
	const char *wrong; /* NULL: nothing yet; the first thing that was */
	unsigned uris, spiffe_ids;
};

static struct text
text_of_string(const ASN1_STRING *s)
{
	return (struct text){(const char *)ASN1_STRING_get0_data(s),
	    (size_t)ASN1_STRING_length(s)};
}

/* --- names ---------------------------------------------------------------- */

static bool
is_there(const struct certificate_facts *facts, struct text name)
{
	return certificate_names_meet(
	    &name, 1, (struct text){facts->names, facts->names_len});
}

static void
name_add(struct collection *c, enum certificate_name_kind kind,
    struct text value)
{
	struct certificate_facts *f = c->facts;
	char spelled[CERTIFICATE_NAME_MAX];
	size_t size;

	if (c->wrong != NULL)
		return;
	if (value.len > 0 && memchr(value.at, '\0', value.len) != NULL) {
		c->wrong = "a name in the certificate has a zero byte in it";
		return;
	}
	if (!certificate_name_spell(kind, value, spelled))
		return;
	size = strlen(spelled) + 1;
	if (is_there(f, text_of(spelled)))
		c->wrong = "a name is in the certificate twice";
	else if (f->name_count == ERRAND_NAMES_MAX ||
	    size > sizeof(f->names) - f->names_len)
		c->wrong = "there are too many names in the certificate";
	if (c->wrong != NULL)
		return;
	memcpy(f->names + f->names_len, spelled, size);
	f->names_len += (uint32_t)size;
	f->name_count++;
}

/* The common name, if there is just one. */
static void
subject_collect(struct collection *c, const X509 *x)
{
	const X509_NAME *subject = X509_get_subject_name(x);
	int first =
	    X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	const ASN1_STRING *value;
	int type;

	if (first < 0 ||
	    X509_NAME_get_index_by_NID(subject, NID_commonName, first) >= 0)
		return;
	value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, first));
	type = ASN1_STRING_type(value);
	if (type == V_ASN1_UTF8STRING || type == V_ASN1_PRINTABLESTRING ||
	    type == V_ASN1_IA5STRING)
		name_add(c, CERTIFICATE_CN, text_of_string(value));
}

static void
uri_collect(struct collection *c, struct text uri)
{
	unsigned before = c->facts->name_count;

	c->uris++;
	name_add(c, CERTIFICATE_URI, uri);
	if (!certificate_uri_is_spiffe(uri))
		return;
	c->spiffe_ids++;
	if (c->wrong == NULL && c->facts->name_count == before)
		c->wrong = "the SPIFFE ID in the certificate is badly formed";
}

static void
alternative_collect(struct collection *c, const GENERAL_NAME *name)
{
	switch (name->type) {
	case GEN_DNS:
		name_add(c, CERTIFICATE_DNS, text_of_string(name->d.dNSName));
		break;
	case GEN_EMAIL:
		name_add(
		    c, CERTIFICATE_EMAIL, text_of_string(name->d.rfc822Name));
		break;
	case GEN_URI:
		uri_collect(
		    c, text_of_string(name->d.uniformResourceIdentifier));
		break;
	default: /* addresses and the like are nobody's name */
		break;
	}
}

static void
alternatives_collect(struct collection *c, const X509 *x)
{
	int critical = -1, i;
	GENERAL_NAMES *names =
	    X509_get_ext_d2i(x, NID_subject_alt_name, &critical, NULL);

	if (names == NULL && critical != -1) /* -1: there is none */
		c->wrong = "subjectAltName in the certificate is broken";
	for (i = 0; i < sk_GENERAL_NAME_num(names); i++)
		alternative_collect(c, sk_GENERAL_NAME_value(names, i));
	if (c->wrong == NULL && c->spiffe_ids > 0 && c->uris > 1)
		c->wrong = "there is another URI beside a SPIFFE ID in the "
			   "certificate";
	GENERAL_NAMES_free(names);
}

/* --- what else there is to say -------------------------------------------- */

/* Those that sign certificates or CRLs are no clients, and a key that may
 * not sign proves nothing by it. */
static const char *
usage_wrong(X509 *x)
{
	uint32_t usage = X509_get_key_usage(x); /* all bits: not said */

	if ((X509_get_extension_flags(x) & EXFLAG_INVALID) != 0)
		return "the certificate is broken"; /* an extension twice … */
	if (X509_check_ca(x) != 0 ||
	    (usage != UINT32_MAX &&
		(usage & (KU_KEY_CERT_SIGN | KU_CRL_SIGN)) != 0))
		return "the certificate is a CA's";
	if ((usage & KU_DIGITAL_SIGNATURE) == 0)
		return "the certificate's key is not for signatures";
	return NULL;
}

static void
hex_put(const uint8_t *bytes, size_t len, char *out)
{
	size_t i;

	for (i = 0; i < len; i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static bool
serial_put(const X509 *x, struct certificate_facts *out)
{
	BIGNUM *number =
	    ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL);
	char *hex = number == NULL ? NULL : BN_bn2hex(number);
	bool is_put = hex != NULL && strlen(hex) < sizeof(out->serial);

	if (is_put)
		field_set(out->serial, sizeof(out->serial), text_of(hex));
	OPENSSL_free(hex);
	BN_free(number);
	return is_put;
}

static bool
subject_put(const X509 *x, struct certificate_facts *out)
{
	BIO *words = BIO_new(BIO_s_mem());
	char *at;
	long len = -1;

	if (words != NULL &&
	    X509_NAME_print_ex(words, X509_get_subject_name(x), 0,
		XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0)
		len = BIO_get_mem_data(words, &at);
	if (len > 0)
		field_set(out->subject, sizeof(out->subject),
		    (struct text){at, (size_t)len});
	BIO_free(words);
	return len >= 0;
}

int64_t
certificate_time(const ASN1_TIME *t)
{
	struct tm parts;

	return ASN1_TIME_to_tm(t, &parts) == 1 ? (int64_t)timegm(&parts) : -1;
}

static bool
particulars_put(const X509 *x, struct certificate_facts *out)
{
	uint8_t hash[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (!serial_put(x, out) || !subject_put(x, out) ||
	    X509_digest(x, EVP_sha256(), hash, &len) != 1 ||
	    2 * len >= sizeof(out->sha256))
		return false;
	hex_put(hash, len, out->sha256);
	out->not_after = certificate_time(X509_get0_notAfter(x));
	return out->not_after > 0;
}

const char *
certificate_facts_read(X509 *x, struct certificate_facts *out)
{
	struct collection c = {.facts = out};

	memset(out, 0, sizeof(*out));
	c.wrong = usage_wrong(x);
	if (c.wrong != NULL)
		return c.wrong;
	subject_collect(&c, x);
	alternatives_collect(&c, x);
	ERR_clear_error();
	if (c.wrong != NULL)
		return c.wrong;
	if (out->name_count == 0)
		return "there is no name in the certificate";
	return particulars_put(x, out) ? NULL
				       : "the certificate cannot be described";
}
