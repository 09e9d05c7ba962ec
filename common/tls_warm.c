/*
 * tls_warm.c - a handshake with ourselves.
 *
 * OpenSSL looks algorithms up when they are first used, and keeps them.  Done
 * once before the first fork, all sessions share what is kept; else each
 * would have a copy of its own.  The rule: nothing depends on its success.
 */
#include "common/tls_warm.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

enum {
	ROUNDS_MAX = 10, /* of messages; a handshake takes three */
	LIFE_S = 3600,
};

static X509 *
certificate_make(EVP_PKEY *key)
{
	X509 *x = X509_new();

	if (x == NULL)
		return NULL;
	if (X509_set_version(x, X509_VERSION_3) == 1 &&
	    ASN1_INTEGER_set(X509_get_serialNumber(x), 1) == 1 &&
	    X509_gmtime_adj(X509_getm_notBefore(x), 0) != NULL &&
	    X509_gmtime_adj(X509_getm_notAfter(x), LIFE_S) != NULL &&
	    X509_set_pubkey(x, key) == 1 && X509_sign(x, key, EVP_sha256()) > 0)
		return x;
	X509_free(x);
	return NULL;
}

/* Both sides in turn, and a byte each way. */
static void
handshake_run(SSL *server, SSL *client)
{
	char byte = 0;
	int i;

	for (i = 0; i < ROUNDS_MAX; i++) {
		if (SSL_do_handshake(client) == 1 &&
		    SSL_do_handshake(server) == 1)
			break;
		(void)SSL_do_handshake(server);
	}
	if (SSL_write(client, &byte, 1) == 1 &&
	    SSL_read(server, &byte, 1) == 1 && SSL_write(server, &byte, 1) == 1)
		(void)SSL_read(client, &byte, 1);
}

static void
connection_run(SSL_CTX *context, int version)
{
	SSL *server = SSL_new(context), *client = SSL_new(context);
	BIO *one = NULL, *other = NULL;

	if (server != NULL && client != NULL &&
	    BIO_new_bio_pair(&one, 0, &other, 0) == 1) {
		SSL_set_bio(server, one, one);
		SSL_set_bio(client, other, other);
		SSL_set_accept_state(server);
		SSL_set_connect_state(client);
		SSL_set_max_proto_version(client, version);
		handshake_run(server, client);
	}
	SSL_free(server);
	SSL_free(client);
}

void
tls_warm_up(void)
{
	SSL_CTX *context = SSL_CTX_new(TLS_method());
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = key == NULL ? NULL : certificate_make(key);

	if (context != NULL && x != NULL &&
	    SSL_CTX_use_certificate(context, x) == 1 &&
	    SSL_CTX_use_PrivateKey(context, key) == 1) {
		connection_run(context, TLS1_2_VERSION);
		connection_run(context, TLS1_3_VERSION);
	}
	X509_free(x);
	EVP_PKEY_free(key);
	SSL_CTX_free(context);
	ERR_clear_error();
}
