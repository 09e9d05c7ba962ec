/*
 * tls.c - one TLS connection over a socket that never blocks.
 *
 * The rule: whether bytes may still be inside OpenSSL is known only after it
 * has said that it wants more; until then the transport has pending bytes.
 * Trusts OpenSSL; a connection on which it reports an error is over.
 */
#include "worker/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/handshake.h"

/* In one call OpenSSL takes no more from the socket: it goes on for as long as
 * there is something of its own (renewed keys, for one), and a peer that sends
 * that without end would not let it come back. */
enum { TURN_MAX = 64 * 1024 };

struct tls {
	SSL *ssl;
	int fd;
	struct buffer head; /* to be received before what the socket has */
	size_t head_used;
	/* of a listener that asks for certificates: what was said until the
	 * client had proved to hold the key of its own (handshake.h) */
	struct buffer said;
	bool is_listening; /* there is more to write down */
	size_t taken;	       /* from the socket, since the caller's call */
	bool is_pending;       /* no read has found everything taken since */
	bool is_over;	       /* an error: no goodbye either */
	bool read_wants_write; /* before a read can go on, and vice versa */
	bool write_wants_read;
	const char *failure;
};

/* --- the socket, as OpenSSL sees it --------------------------------------- */

static int
socket_result(BIO *bio, ssize_t n)
{
	BIO_clear_retry_flags(bio);
	if (n >= 0)
		return (int)n;
	if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
		BIO_set_flags(bio, BIO_FLAGS_SHOULD_RETRY);
	return -1;
}

static int
socket_read(BIO *bio, char *out, int size)
{
	struct tls *t = BIO_get_data(bio);
	size_t left = t->head.len - t->head_used;
	int n = size;
	int result;

	if (left > 0) {
		if ((size_t)n > left)
			n = (int)left;
		memcpy(out, t->head.bytes + t->head_used, (size_t)n);
		t->head_used += (size_t)n;
		return n;
	}
	if (t->taken >= TURN_MAX) {
		errno = EAGAIN; /* poll() knows of the rest */
		result = socket_result(bio, -1);
	} else {
		result = socket_result(
		    bio, recv(t->fd, out, (size_t)size, MSG_DONTWAIT));
	}
	if (result < 0 && BIO_should_retry(bio))
		BIO_set_retry_read(bio);
	if (result > 0)
		t->taken += (size_t)result;
	return result;
}

static int
socket_write(BIO *bio, const char *bytes, int len)
{
	struct tls *t = BIO_get_data(bio);
	int result = socket_result(
	    bio, send(t->fd, bytes, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT));

	if (result < 0 && BIO_should_retry(bio))
		BIO_set_retry_write(bio);
	return result;
}

static long
socket_control(BIO *bio, int what, long number, void *pointer)
{
	(void)bio;
	(void)number;
	(void)pointer;
	return what == BIO_CTRL_FLUSH; /* nothing is kept back */
}

/* Made once a process; a session's process makes one or two connections. */
static const BIO_METHOD *
socket_method(void)
{
	static BIO_METHOD *m;

	if (m != NULL)
		return m;
	m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
	if (m == NULL || BIO_meth_set_read(m, socket_read) != 1 ||
	    BIO_meth_set_write(m, socket_write) != 1 ||
	    BIO_meth_set_ctrl(m, socket_control) != 1)
		return NULL;
	return m;
}

/* --- beginning ------------------------------------------------------------ */

static void
tls_free(struct tls *t)
{
	SSL_free(t->ssl);
	buffer_free(&t->head);
	buffer_free(&t->said);
	free(t);
}

static struct tls *
tls_new(SSL_CTX *context, int fd)
{
	struct tls *t = calloc(1, sizeof(*t));
	const BIO_METHOD *method = socket_method();
	BIO *bio = method == NULL ? NULL : BIO_new(method);

	if (t != NULL)
		t->ssl = SSL_new(context);
	if (t == NULL || t->ssl == NULL || bio == NULL) {
		BIO_free(bio);
		if (t != NULL)
			tls_free(t);
		return NULL;
	}
	t->fd = fd;
	t->failure = "";
	t->is_pending = true;
	BIO_set_data(bio, t);
	BIO_set_init(bio, 1);
	SSL_set_bio(t->ssl, bio, bio);
	return t;
}

/* Called by OpenSSL with everything said, each handshake message whole. */
static void
message_note(int is_ours, int version, int content, const void *bytes,
    size_t len, SSL *ssl, void *context)
{
	struct tls *t = context;
	struct wire w = wire_of(bytes, len);
	uint8_t type = wire_u8(&w);

	(void)version;
	(void)ssl;
	if (content != SSL3_RT_HANDSHAKE || !t->is_listening)
		return;
	buffer_put(&t->said, bytes, len);
	if (is_ours)
		return;
	t->is_listening = type != HANDSHAKE_CERTIFICATE_VERIFY &&
			  type != HANDSHAKE_FINISHED;
	if (type == HANDSHAKE_FINISHED) /* and it has proved nothing */
		buffer_free(&t->said);
}

static void
messages_note(struct tls *t)
{
	t->said.ceiling = HANDSHAKE_MAX - HANDSHAKE_HEAD;
	t->is_listening = true;
	SSL_set_msg_callback(t->ssl, message_note);
	SSL_set_msg_callback_arg(t->ssl, t);
}

struct tls *
tls_accept(SSL_CTX *context, int fd, struct text head)
{
	struct tls *t = tls_new(context, fd);

	if (t == NULL)
		return NULL;
	SSL_set_accept_state(t->ssl);
	if ((SSL_get_verify_mode(t->ssl) & SSL_VERIFY_PEER) != 0)
		messages_note(t);
	buffer_put_text(&t->head, head);
	if (!t->head.failed)
		return t;
	tls_free(t);
	return NULL;
}

static bool
is_address(const char *name)
{
	unsigned char bytes[16];

	return inet_pton(AF_INET, name, bytes) == 1 ||
	       inet_pton(AF_INET6, name, bytes) == 1;
}

static bool
name_set(SSL *ssl, const char *name, bool verifies)
{
	X509_VERIFY_PARAM *p = SSL_get0_param(ssl);

	if (is_address(name)) /* SNI has none (RFC 6066) */
		return !verifies || X509_VERIFY_PARAM_set1_ip_asc(p, name) == 1;
	if (SSL_set_tlsext_host_name(ssl, name) != 1)
		return false;
	X509_VERIFY_PARAM_set_hostflags(
	    p, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return !verifies || X509_VERIFY_PARAM_set1_host(p, name, 0) == 1;
}

struct tls *
tls_connect(SSL_CTX *context, int fd, const char *name, bool verifies)
{
	struct tls *t = tls_new(context, fd);

	if (t == NULL)
		return NULL;
	SSL_set_connect_state(t->ssl);
	if (name_set(t->ssl, name, verifies))
		return t;
	tls_free(t);
	return NULL;
}

void
tls_be_anonymous(struct tls *t)
{
	SSL_certs_clear(t->ssl);
}

/* --- going on ------------------------------------------------------------- */

/* Why the last call gave nothing: ERR_INTERRUPTED (wait), ERR_CLOSED,
 * ERR_REFUSED. */
static enum err
tls_outcome(struct tls *t, int result, bool *wants_other, int other)
{
	unsigned long code;
	int why = SSL_get_error(t->ssl, result);

	*wants_other = why == other;
	if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
		return ERR_INTERRUPTED;
	t->is_over = why != SSL_ERROR_ZERO_RETURN;
	code = ERR_peek_error();
	if (why == SSL_ERROR_SSL && code != 0) {
		t->failure = ERR_reason_error_string(code);
		if (SSL_get_verify_result(t->ssl) != X509_V_OK)
			t->failure = X509_verify_cert_error_string(
			    SSL_get_verify_result(t->ssl));
		if (t->failure == NULL)
			t->failure = "unknown error";
	} else {
		t->failure = "the connection was closed";
	}
	ERR_clear_error();
	return why == SSL_ERROR_SSL ? ERR_REFUSED : ERR_CLOSED;
}

static ssize_t
outcome_as_errno(enum err e)
{
	errno = e == ERR_INTERRUPTED ? EAGAIN : EPROTO;
	return -1;
}

static ssize_t
tls_receive(void *state, void *bytes, size_t size)
{
	struct tls *t = state;
	uint8_t *out = bytes;
	size_t done = 0, n;
	enum err e = ERR_NONE;

	if (t->is_over)
		return outcome_as_errno(ERR_CLOSED);
	ERR_clear_error();
	t->taken = 0;
	while (done < size && SSL_read_ex(t->ssl, out + done, size - done, &n))
		done += n;
	t->is_pending = done == size;
	t->read_wants_write = false;
	if (!t->is_pending)
		e = tls_outcome(
		    t, 0, &t->read_wants_write, SSL_ERROR_WANT_WRITE);
	/* an end, or an error, is told after what came before it */
	if (done > 0) {
		t->is_pending |= e != ERR_NONE && e != ERR_INTERRUPTED;
		return (ssize_t)done;
	}
	return e == ERR_CLOSED ? 0 : outcome_as_errno(e);
}

static ssize_t
tls_send(void *state, const void *bytes, size_t len)
{
	struct tls *t = state;
	size_t n;

	if (t->is_over)
		return outcome_as_errno(ERR_CLOSED);
	ERR_clear_error();
	t->write_wants_read = false;
	t->taken = 0;
	if (SSL_write_ex(t->ssl, bytes, len, &n) == 1)
		return (ssize_t)n;
	return outcome_as_errno(
	    tls_outcome(t, 0, &t->write_wants_read, SSL_ERROR_WANT_READ));
}

static short
tls_interest(void *state, short events)
{
	const struct tls *t = state;
	short wanted = events;

	if ((events & POLLIN) != 0 && t->read_wants_write)
		wanted |= POLLOUT;
	if ((events & POLLOUT) != 0 && t->write_wants_read) {
		wanted |= POLLIN;
		if ((events & POLLIN) == 0 || !t->read_wants_write)
			wanted &= (short)~POLLOUT;
	}
	return wanted;
}

static bool
tls_has_pending(void *state)
{
	return ((const struct tls *)state)->is_pending;
}

static void
tls_close(void *state)
{
	struct tls *t = state;

	ERR_clear_error();
	if (!t->is_over && SSL_is_init_finished(t->ssl))
		SSL_shutdown(t->ssl); /* says goodbye, awaits none */
	ERR_clear_error();
	tls_free(t);
}

const struct transport tls_transport = {
    .receive = tls_receive,
    .send = tls_send,
    .interest = tls_interest,
    .has_pending = tls_has_pending,
    .close = tls_close,
};

enum err
tls_handshake(struct tls *t, short *events_out)
{
	bool wants_write;
	enum err e;
	int result;

	if (t->is_over)
		return ERR_REFUSED;
	ERR_clear_error();
	t->taken = 0;
	result = SSL_do_handshake(t->ssl);
	if (result == 1)
		return ERR_NONE;
	e = tls_outcome(t, result, &wants_write, SSL_ERROR_WANT_WRITE);
	*events_out = wants_write ? POLLOUT : POLLIN;
	return e == ERR_INTERRUPTED ? e : ERR_REFUSED;
}

/* --- what came of it ------------------------------------------------------ */

bool
tls_is_established(const struct tls *t)
{
	return SSL_is_init_finished(t->ssl) == 1;
}

const char *
tls_failure(const struct tls *t)
{
	return t->failure;
}

bool
tls_has_alpn(const struct tls *t)
{
	const unsigned char *name;
	unsigned len;

	SSL_get0_alpn_selected(t->ssl, &name, &len);
	return text_is((struct text){(const char *)name, len}, TEXT(TLS_ALPN));
}

enum err
tls_binding(const struct tls *t, uint8_t *out, size_t *len_out)
{
	const X509 *x = SSL_is_server(t->ssl)
			    ? SSL_get_certificate(t->ssl)
			    : SSL_get0_peer_certificate(t->ssl);

	*len_out = 0;
	return x == NULL ? ERR_UNSUPPORTED : tls_end_point(x, out, len_out);
}

bool
tls_handshake_messages(
    const struct tls *t, uint32_t *version, struct text *messages)
{
	*version = (uint32_t)SSL_version(t->ssl);
	*messages =
	    (struct text){(const char *)t->said.bytes, t->said.len};
	return tls_is_established(t) && !t->is_listening && t->said.len > 0 &&
	       !t->said.failed;
}

bool
tls_has_certificate(const struct tls *t)
{
	return SSL_get0_peer_certificate(t->ssl) != NULL;
}

void
tls_describe(const struct tls *t, struct json *j)
{
	X509 *x = SSL_get0_peer_certificate(t->ssl);
	BIO *words = x == NULL ? NULL : BIO_new(BIO_s_mem());
	char *subject;
	long len;

	json_cstring(j, "version", SSL_get_version(t->ssl));
	json_cstring(j, "cipher", SSL_get_cipher_name(t->ssl));
	if (words == NULL)
		return;
	if (X509_NAME_print_ex(words, X509_get_subject_name(x), 0,
		XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0) {
		len = BIO_get_mem_data(words, &subject);
		if (len > 0)
			json_text(
			    j, "subject", (struct text){subject, (size_t)len});
	}
	BIO_free(words);
}
