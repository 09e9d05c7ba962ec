/*
 * certificate.c - whether a handshake proves a certificate.
 *
 * The rule: the signature of the broker first, then whose certificate it is,
 * then the client's signature; and what has not come to the end of that is no.
 */
#include "master/verifier/certificate.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/ipc.h"
#include "common/tls_trust.h"
#include "master/verifier/certificate_names.h"
#include "master/verifier/signature.h"
#include "master/verifier/transcript.h"

/* What a listener shows, and whom it trusts; without: nobody. */
struct trust {
	char listener[ERRAND_NAME_MAX]; /* its address */
	unsigned char *certificate; /* DER */
	size_t len;
	X509_STORE *store;
};

static struct trust trusts[LISTENERS_MAX];

/* --- loading -------------------------------------------------------------- */

static void
trust_clear(struct trust *t)
{
	OPENSSL_free(t->certificate);
	X509_STORE_free(t->store);
	*t = (struct trust){0};
}

void
certificate_unload(void)
{
	size_t i;

	for (i = 0; i < LISTENERS_MAX; i++)
		trust_clear(&trusts[i]);
}

static enum err
trust_load(struct trust *t, const struct listener *listener,
    char reason[TLS_REASON_MAX])
{
	const struct tls_files *f = &listener->tls;
	X509 *x;
	enum err e;
	int len;

	if (strlen(listener->address) >= sizeof(t->listener))
		return ERR_TOO_LONG;
	e = tls_certificate_load(f->certificate, &x, reason);
	if (e != ERR_NONE)
		return e;
	memcpy(t->listener, listener->address, strlen(listener->address) + 1);
	len = i2d_X509(x, &t->certificate);
	X509_free(x);
	if (len <= 0)
		return ERR_MEMORY;
	t->len = (size_t)len;
	t->store = X509_STORE_new();
	return t->store == NULL ? ERR_MEMORY
				: tls_trust_load(t->store, f, reason);
}

enum err
certificate_load(const struct settings *s, char reason[TLS_REASON_MAX])
{
	enum err e, first = ERR_NONE;
	size_t i;

	certificate_unload();
	reason[0] = '\0';
	/* files that are read when first needed, which will be too late */
	tzset();
	OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL);
	for (i = 0; i < s->listener_count && i < LISTENERS_MAX; i++) {
		const struct tls_files *f = &s->listeners[i].tls;
		char why[TLS_REASON_MAX] = "";

		if (f->certificate == NULL || f->ca == NULL)
			continue;
		e = trust_load(&trusts[i], &s->listeners[i], why);
		if (e == ERR_NONE)
			continue;
		trust_clear(&trusts[i]);
		snprintf(reason, TLS_REASON_MAX, "%s",
		    why[0] != '\0' ? why : err_text(e));
		first = first != ERR_NONE ? first : e;
	}
	ERR_clear_error();
	return first;
}

/* --- the chain ------------------------------------------------------------ */

/* To be freed with sk_X509_pop_free(, X509_free); NULL: one is no certificate. */
static STACK_OF(X509) *
chain_parse(const struct transcript *t)
{
	STACK_OF(X509) *chain = sk_X509_new_null();
	size_t i;

	for (i = 0; chain != NULL && i < t->count; i++) {
		const struct text der = t->certificates[i];
		const unsigned char *at = (const unsigned char *)der.at;
		X509 *x = d2i_X509(NULL, &at, (long)der.len);

		if (x != NULL &&
		    at == (const unsigned char *)der.at + der.len &&
		    sk_X509_push(chain, x) > 0)
			continue;
		X509_free(x);
		sk_X509_pop_free(chain, X509_free);
		return NULL;
	}
	return chain;
}

/* The first end of any certificate in the chain: from then on it would not be
 * good. */
static int64_t
chain_end(const STACK_OF(X509) *chain)
{
	int64_t end = INT64_MAX, one;
	int i;

	for (i = 0; i < sk_X509_num(chain); i++) {
		one = certificate_time(
		    X509_get0_notAfter(sk_X509_value(chain, i)));
		if (one < end)
			end = one;
	}
	return end;
}

/* As the handshake itself would: RFC 5280, for a TLS client, now. */
static const char *
chain_check(const struct trust *trust, STACK_OF(X509) *chain,
    struct certificate_facts *facts)
{
	X509_STORE_CTX *c = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *p;
	const char *wrong = "out of memory";

	if (c == NULL ||
	    X509_STORE_CTX_init(
		c, trust->store, sk_X509_value(chain, 0), chain) != 1 ||
	    X509_STORE_CTX_set_default(c, "ssl_client") != 1)
		goto out;
	p = X509_STORE_CTX_get0_param(c);
	X509_VERIFY_PARAM_set_auth_level(p, TLS_SECURITY_LEVEL);
	if (X509_verify_cert(c) == 1) {
		facts->not_after = chain_end(X509_STORE_CTX_get0_chain(c));
		wrong = NULL;
	} else {
		wrong = X509_verify_cert_error_string(
		    X509_STORE_CTX_get_error(c));
	}
out:
	X509_STORE_CTX_free(c);
	ERR_clear_error();
	return wrong;
}

/* --- the proof ------------------------------------------------------------ */

/* Is it this channel's handshake? */
static const char *
server_check(const struct errand *e, const struct trust *trust,
    const struct transcript *t)
{
	struct text ours = {(const char *)e->signature, e->signature_len};
	struct text shown = {(const char *)trust->certificate, trust->len};

	if (ours.len == 0 || ours.len > sizeof(e->signature) ||
	    !text_is(t->server_signature, ours))
		return "the handshake is not the one that was signed here";
	if (!text_is(t->server_certificate, shown))
		return "the handshake is with another server's certificate";
	if (!signature_is_random(t->server_scheme))
		return "the server's signature could be from another "
		       "connection: TLS 1.3 is needed, or an EC key";
	return NULL;
}

static const char *
client_check(const struct transcript *t, X509 *x)
{
	uint8_t room[TRANSCRIPT_CONTENT_MAX];
	EVP_PKEY *key = X509_get0_pubkey(x);
	struct text content;

	if (key == NULL)
		return "the client's key is of a kind that is not known";
	if (!transcript_content(t, room, &content))
		return "the handshake has an unknown cipher";
	return signature_check(key, t->version, t->client_scheme, content,
	    t->client_signature);
}

static const char *
proof_check(const struct errand *e, const struct trust *trust,
    const struct transcript *t, struct certificate_facts *facts)
{
	STACK_OF(X509) *chain;
	const char *wrong = server_check(e, trust, t);

	if (wrong != NULL)
		return wrong;
	chain = chain_parse(t);
	if (chain == NULL)
		return "what the client has shown is no certificate";
	wrong = client_check(t, sk_X509_value(chain, 0));
	if (wrong == NULL)
		wrong = certificate_facts_read(sk_X509_value(chain, 0), facts);
	if (wrong == NULL)
		wrong = chain_check(trust, chain, facts);
	sk_X509_pop_free(chain, X509_free);
	return wrong;
}

/* Of a listener that takes certificates, or NULL. */
static const struct trust *
trust_of(const char *listener)
{
	size_t i;

	for (i = 0; i < LISTENERS_MAX; i++) {
		if (trusts[i].store != NULL &&
		    strcmp(trusts[i].listener, listener) == 0)
			return &trusts[i];
	}
	return NULL;
}

enum outcome_result
certificate_check(
    const struct errand *e, struct text parcel, struct outcome *out)
{
	const struct trust *trust = trust_of(e->listener);
	struct certificate_facts facts = {0};
	struct transcript t;
	const char *wrong = transcript_read(parcel, &t);

	if (trust == NULL)
		wrong = "the listener takes no certificates of clients";
	if (wrong == NULL)
		wrong = proof_check(e, trust, &t, &facts);
	ERR_clear_error();
	out->result = wrong == NULL ? OUTCOME_YES : OUTCOME_NO;
	if (wrong == NULL)
		out->certificate = facts;
	else
		field_set(out->reason, sizeof(out->reason), text_of(wrong));
	return wrong == NULL ? OUTCOME_YES : OUTCOME_NO;
}
