/*
 * tls_context.c - building the shared part of TLS from the settings.
 *
 * The rule: all or nothing; a listener or upstream whose TLS cannot be set up
 * as it is written has none at all, and neither have the others.
 */
#include "common/tls_context.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/tls_files.h"
#include "common/tls_key.h"
#include "common/tls_trust.h"
#include "common/tls_warm.h"

/* ephemeral keys and authenticated encryption only; those of TLS 1.3 are */
#define CIPHERS_OF_TLS_1_2 "ECDHE+AESGCM:ECDHE+CHACHA20"

struct tls_contexts {
	size_t listener_count, upstream_count;
	SSL_CTX **listeners, **upstreams;
};

static const unsigned char alpn[] = "\x0a" TLS_ALPN;

/* A client that names protocols must name ours. */
static int
alpn_select(SSL *ssl, const unsigned char **out, unsigned char *len_out,
    const unsigned char *theirs, unsigned theirs_len, void *context)
{
	unsigned char *found;

	(void)ssl;
	(void)context;
	if (SSL_select_next_proto(&found, len_out, alpn, sizeof(alpn) - 1,
		theirs, theirs_len) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = found;
	return SSL_TLSEXT_ERR_OK;
}

static bool
context_harden(SSL_CTX *c)
{
	SSL_CTX_set_options(c, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
				   SSL_OP_NO_TICKET |
				   SSL_OP_IGNORE_UNEXPECTED_EOF);
#ifdef SSL_OP_NO_RX_CERTIFICATE_COMPRESSION /* the verifier reads them bare */
	SSL_CTX_set_options(c, SSL_OP_NO_RX_CERTIFICATE_COMPRESSION |
				   SSL_OP_NO_TX_CERTIFICATE_COMPRESSION);
#endif
	SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS |
				SSL_MODE_ENABLE_PARTIAL_WRITE |
				SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_read_ahead(c, 1);
	SSL_CTX_set_security_level(c, TLS_SECURITY_LEVEL);
	return SSL_CTX_set_num_tickets(c, 0) == 1 &&
	       SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION) == 1 &&
	       SSL_CTX_set_cipher_list(c, CIPHERS_OF_TLS_1_2) == 1;
}

/* The certificate, those of its issuers, and the key that the broker has. */
static enum err
identity_load(SSL_CTX *c, const struct tls_files *f, enum tls_side side,
    size_t place, char reason[TLS_REASON_MAX])
{
	EVP_PKEY *key = NULL;
	const char *wrong = NULL;
	enum err e;

	if (SSL_CTX_use_certificate_chain_file(c, f->certificate) != 1) {
		wrong = tls_error_text();
		e = ERR_INVALID;
	} else {
		e = tls_key_remote(
		    SSL_CTX_get0_certificate(c), side, (uint32_t)place, &key);
		if (e != ERR_NONE)
			wrong = "keys of this kind are not served";
	}
	if (e == ERR_NONE && SSL_CTX_use_PrivateKey(c, key) != 1) {
		wrong = tls_error_text();
		e = ERR_INVALID;
	}
	EVP_PKEY_free(key);
	if (e != ERR_NONE)
		snprintf(
		    reason, TLS_REASON_MAX, "%s: %s", f->certificate, wrong);
	return e;
}

static enum err
ca_load(SSL_CTX *c, const char *path, char reason[TLS_REASON_MAX])
{
	if (SSL_CTX_load_verify_locations(c, path, NULL) == 1)
		return ERR_NONE;
	snprintf(reason, TLS_REASON_MAX, "%s: %s", path, tls_error_text());
	return ERR_INVALID;
}

/* Clients may come without a certificate; one they show must be good. */
static enum err
listener_fill(SSL_CTX *c, const struct listener *l, size_t place,
    char reason[TLS_REASON_MAX])
{
	STACK_OF(X509_NAME) * names;
	enum err e =
	    identity_load(c, &l->tls, TLS_SIDE_LISTENER, place, reason);

	SSL_CTX_set_alpn_select_cb(c, alpn_select, NULL);
	SSL_CTX_set_options(c, SSL_OP_CIPHER_SERVER_PREFERENCE);
	if (e != ERR_NONE || l->tls.ca == NULL)
		return e;
	e = tls_trust_load(SSL_CTX_get_cert_store(c), &l->tls, reason);
	if (e != ERR_NONE)
		return e;
	names = SSL_load_client_CA_file(l->tls.ca);
	if (names == NULL) {
		snprintf(reason, TLS_REASON_MAX, "%s: %s", l->tls.ca,
		    tls_error_text());
		return ERR_INVALID;
	}
	SSL_CTX_set_client_CA_list(c, names);
	SSL_CTX_set_verify(c, SSL_VERIFY_PEER, NULL);
	return SSL_CTX_set1_client_sigalgs_list(c, TLS_CLIENT_SIGNATURES) == 1
		   ? ERR_NONE
		   : ERR_MEMORY;
}

/* With `mode: require` a given CA is checked all the same, only the name is
 * not: whoever names a CA expects that it counts. */
static enum err
upstream_fill(SSL_CTX *c, const struct upstream *u, size_t place,
    char reason[TLS_REASON_MAX])
{
	enum err e = ERR_NONE;

	if (u->tls.certificate != NULL)
		e = identity_load(c, &u->tls, TLS_SIDE_UPSTREAM, place, reason);
	if (e == ERR_NONE && u->tls.ca != NULL)
		e = ca_load(c, u->tls.ca, reason);
	else if (e == ERR_NONE && u->tls_mode == TLS_VERIFY_FULL)
		tls_trust_system(SSL_CTX_get_cert_store(c));
	if (e != ERR_NONE)
		return e;
	if (u->tls_mode == TLS_VERIFY_FULL || u->tls.ca != NULL)
		SSL_CTX_set_verify(c, SSL_VERIFY_PEER, NULL);
	/* zero is success, of this function alone */
	return SSL_CTX_set_alpn_protos(c, alpn, sizeof(alpn) - 1) == 0
		   ? ERR_NONE
		   : ERR_MEMORY;
}

static enum err
listeners_make(struct tls_contexts *c, const struct settings *s,
    char reason[TLS_REASON_MAX])
{
	enum err e = ERR_NONE;
	size_t i;

	for (i = 0; i < s->listener_count && e == ERR_NONE; i++) {
		if (s->listeners[i].tls.certificate == NULL)
			continue;
		c->listeners[i] = SSL_CTX_new(TLS_server_method());
		if (c->listeners[i] == NULL || !context_harden(c->listeners[i]))
			return ERR_MEMORY;
		e = listener_fill(c->listeners[i], &s->listeners[i], i, reason);
	}
	return e;
}

static enum err
upstreams_make(struct tls_contexts *c, const struct settings *s,
    char reason[TLS_REASON_MAX])
{
	enum err e = ERR_NONE;
	size_t i;

	for (i = 0; i < s->upstream_count && e == ERR_NONE; i++) {
		if (s->upstreams[i].tls_mode == TLS_DISABLE)
			continue;
		c->upstreams[i] = SSL_CTX_new(TLS_client_method());
		if (c->upstreams[i] == NULL || !context_harden(c->upstreams[i]))
			return ERR_MEMORY;
		e = upstream_fill(c->upstreams[i], &s->upstreams[i], i, reason);
	}
	return e;
}

static void
warm_up(const struct tls_contexts *c)
{
	bool has_tls = false;
	size_t i;

	for (i = 0; i < c->listener_count; i++)
		has_tls |= c->listeners[i] != NULL;
	for (i = 0; i < c->upstream_count; i++)
		has_tls |= c->upstreams[i] != NULL;
	if (has_tls)
		tls_warm_up();
}

enum err
tls_contexts_new(const struct settings *s, struct tls_contexts **out,
    char *reason, size_t size)
{
	struct tls_contexts *c = calloc(1, sizeof(*c));
	char why[TLS_REASON_MAX] = "";
	enum err e = ERR_MEMORY;

	*out = NULL;
	if (c == NULL)
		return e;
	c->listener_count = s->listener_count;
	c->upstream_count = s->upstream_count;
	c->listeners = calloc(s->listener_count + 1, sizeof(*c->listeners));
	c->upstreams = calloc(s->upstream_count + 1, sizeof(*c->upstreams));
	if (c->listeners != NULL && c->upstreams != NULL)
		e = tls_key_prepare();
	if (e == ERR_NONE)
		e = listeners_make(c, s, why);
	if (e == ERR_NONE)
		e = upstreams_make(c, s, why);
	ERR_clear_error();
	if (e == ERR_NONE) {
		warm_up(c);
		*out = c;
		return ERR_NONE;
	}
	snprintf(reason, size, "%s", why[0] != '\0' ? why : err_text(e));
	tls_contexts_free(c);
	return e;
}

void
tls_contexts_free(struct tls_contexts *c)
{
	size_t i;

	if (c == NULL)
		return;
	for (i = 0; c->listeners != NULL && i < c->listener_count; i++)
		SSL_CTX_free(c->listeners[i]);
	for (i = 0; c->upstreams != NULL && i < c->upstream_count; i++)
		SSL_CTX_free(c->upstreams[i]);
	free(c->listeners);
	free(c->upstreams);
	free(c);
}

void
tls_check(const struct settings *s, struct diagnostics *d,
    void (*warn)(const char *line))
{
	size_t before = diagnostics_count(d);
	struct tls_contexts *contexts = NULL;
	char reason[TLS_REASON_MAX];

	tls_files_check(s, d, warn);
	if (diagnostics_count(d) == before &&
	    tls_contexts_new(s, &contexts, reason, sizeof(reason)) != ERR_NONE)
		diagnostics_add(d, s->file, 0, 0, "%s", reason);
	tls_contexts_free(contexts);
}

SSL_CTX *
tls_listener_context(const struct tls_contexts *c, size_t i)
{
	return c == NULL ? NULL : c->listeners[i];
}

SSL_CTX *
tls_upstream_context(const struct tls_contexts *c, size_t i)
{
	return c == NULL ? NULL : c->upstreams[i];
}

enum err
tls_end_point(const X509 *certificate, uint8_t *out, size_t *len_out)
{
	const EVP_MD *digest;
	int nid = NID_undef;
	unsigned len = 0;

	*len_out = 0;
	if (X509_get_signature_info(
		(X509 *)(uintptr_t)certificate, &nid, NULL, NULL, NULL) != 1 ||
	    nid == NID_undef) {
		ERR_clear_error();
		return ERR_UNSUPPORTED;
	}
	if (nid == NID_md5 || nid == NID_sha1 || nid == NID_md5_sha1)
		nid = NID_sha256;
	digest = EVP_get_digestbynid(nid);
	if (digest == NULL || EVP_MD_get_size(digest) > TLS_BINDING_MAX ||
	    X509_digest(certificate, digest, out, &len) != 1)
		return ERR_UNSUPPORTED;
	*len_out = len;
	return ERR_NONE;
}
