/* links: worker/tls.c common/tls_context.c common/tls_files.c common/tls_trust.c common/tls_system.c common/tls_key.c common/tls_warm.c common/settings_files.c common/file_trust.c common/log.c common/slot.c common/broker_channel.c common/json.c common/diagnostics.c common/wire.c common/text.c common/arena.c common/err.c common/parcel.c */
/*
 * tls.c against a client that is OpenSSL on memory, on a pair of sockets.
 */
#include "tests/unit/suite.h"
#include "worker/tls.h"

#include <check.h>
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { KEYS = 20000, PIECE = 16384 };

struct ends {
	struct tls *server;
	SSL_CTX *ours, *theirs;
	SSL *client;
	BIO *come, *gone; /* the client's */
	size_t poured;	  /* of what is in `gone` */
	int fds[2];	  /* the server's, the client's */
};

static SSL_CTX *
server_context(void)
{
	SSL_CTX *c = SSL_CTX_new(TLS_server_method());
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();

	ck_assert(c != NULL && key != NULL && x != NULL);
	X509_gmtime_adj(X509_getm_notBefore(x), 0);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	ck_assert_int_eq(X509_set_pubkey(x, key), 1);
	ck_assert_int_gt(X509_sign(x, key, EVP_sha256()), 0);
	ck_assert_int_eq(SSL_CTX_use_certificate(c, x), 1);
	ck_assert_int_eq(SSL_CTX_use_PrivateKey(c, key), 1);
	SSL_CTX_set_read_ahead(c, 1);
	X509_free(x);
	EVP_PKEY_free(key);
	return c;
}

/* What the client has to say by now goes to the server. */
static void
client_speak(struct ends *e)
{
	char *bytes;
	long len = BIO_get_mem_data(e->gone, &bytes);

	ck_assert_int_eq(write(e->fds[1], bytes, (size_t)len), len);
	(void)BIO_reset(e->gone);
}

static void
client_hear(struct ends *e)
{
	char bytes[16384];
	ssize_t n = recv(e->fds[1], bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n > 0)
		ck_assert_int_eq(BIO_write(e->come, bytes, (int)n), n);
}

static void
open_ends(struct ends *e)
{
	short events = 0;
	bool is_done = false;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, e->fds), 0);
	e->ours = server_context();
	e->theirs = SSL_CTX_new(TLS_client_method());
	e->client = SSL_new(e->theirs);
	e->come = BIO_new(BIO_s_mem());
	e->gone = BIO_new(BIO_s_mem());
	ck_assert(e->client != NULL && e->come != NULL && e->gone != NULL);
	SSL_set_bio(e->client, e->come, e->gone);
	SSL_set_connect_state(e->client);
	e->server = tls_accept(e->ours, e->fds[0], TEXT(""));
	ck_assert_ptr_nonnull(e->server);
	while (!is_done) {
		is_done = SSL_do_handshake(e->client) == 1;
		client_speak(e);
		if (!tls_is_established(e->server)) {
			enum err w = tls_handshake(e->server, &events);

			ck_assert(w == ERR_NONE || w == ERR_INTERRUPTED);
		}
		client_hear(e);
	}
	while (!tls_is_established(e->server))
		ck_assert_int_eq(
		    tls_handshake(e->server, &events), ERR_NONE);
}

static void
close_ends(struct ends *e)
{
	tls_transport.close(e->server);
	SSL_free(e->client);
	SSL_CTX_free(e->ours);
	SSL_CTX_free(e->theirs);
	close(e->fds[0]);
	close(e->fds[1]);
}

/* As much of what the client has to say as the sockets hold. */
static void
pour(struct ends *e)
{
	char *bytes;
	size_t left = (size_t)BIO_get_mem_data(e->gone, &bytes) - e->poured;
	ssize_t n = 1;

	bytes += e->poured;
	while (left > 0 && n > 0) {
		n = send(e->fds[1], bytes, left < PIECE ? left : PIECE,
		    MSG_DONTWAIT);
		if (n <= 0)
			break;
		bytes += n;
		left -= (size_t)n;
		e->poured += (size_t)n;
	}
}

START_TEST(peer_that_renews_its_keys_without_end_lets_the_caller_go_on)
{
	struct ends e = {.poured = 0};
	char word[16];
	ssize_t n = -1;
	int i, left = 0;

	open_ends(&e);
	for (i = 0; i < KEYS; i++) {
		ck_assert_int_eq(SSL_key_update(e.client, 0), 1);
		ck_assert_int_eq(SSL_do_handshake(e.client), 1);
	}
	ck_assert_int_eq(SSL_write(e.client, "word", 4), 4);
	pour(&e);
	ck_assert_int_eq(
	    tls_transport.receive(e.server, word, sizeof(word)), -1);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_eq(ioctl(e.fds[0], FIONREAD, &left), 0);
	ck_assert_int_gt(left, 0); /* it came back before it had heard all */
	while (n < 0) {
		pour(&e);
		n = tls_transport.receive(e.server, word, sizeof(word));
		ck_assert(n > 0 || errno == EAGAIN);
	}
	ck_assert_int_eq(n, 4);
	ck_assert_mem_eq(word, "word", 4);
	close_ends(&e);
}
END_TEST

START_TEST(large_transfer_arrives_whole)
{
	enum { TOTAL = 1 << 20 };
	struct ends e = {.poured = 0};
	char *sent = malloc(TOTAL), *got = malloc(TOTAL + 1);
	size_t done = 0;
	ssize_t n;
	int i;

	open_ends(&e);
	for (i = 0; i < TOTAL; i++)
		sent[i] = (char)(i * 31 + i / 251);
	ck_assert_int_eq(SSL_write(e.client, sent, TOTAL), TOTAL);
	while (done < TOTAL) {
		pour(&e);
		n = tls_transport.receive(
		    e.server, got + done, TOTAL + 1 - done);
		ck_assert(n > 0 || (n < 0 && errno == EAGAIN));
		done += n > 0 ? (size_t)n : 0;
	}
	ck_assert_mem_eq(got, sent, TOTAL);
	close_ends(&e);
	free(sent);
	free(got);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("tls");
	TCase *c = tcase_create("tls");

	tcase_add_test(
	    c, peer_that_renews_its_keys_without_end_lets_the_caller_go_on);
	tcase_add_test(c, large_transfer_arrives_whole);
	tcase_set_timeout(c, 20);
	suite_add_tcase(s, c);
	return suite_run(s);
}
