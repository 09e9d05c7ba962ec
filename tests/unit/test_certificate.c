/* links: master/verifier/certificate.c master/verifier/certificate_names.c master/verifier/transcript.c master/verifier/signature.c worker/tls.c common/certificate_name.c common/tls_context.c common/tls_files.c common/tls_trust.c common/tls_system.c common/tls_key.c common/tls_warm.c common/settings_files.c common/file_trust.c common/log.c common/slot.c common/broker_channel.c common/json.c common/diagnostics.c common/wire.c common/text.c common/arena.c common/err.c common/parcel.c */
/*
 * What proves a client certificate: real handshakes, written down by the
 * worker's own code, and everything else that somebody might send instead.
 */
#include "master/verifier/certificate.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include "common/handshake.h"
#include "common/tls_trust.h"
#include "common/wire.h"
#include "master/verifier/signature.h"
#include "master/verifier/transcript.h"
#include "tests/unit/authority.h"
#include "tests/unit/scratch.h"
#include "tests/unit/suite.h"
#include "worker/tls.h"

enum { ROUNDS_MAX = 50 };

/* How a handshake is to be. Zeros: TLS 1.3, nothing in particular. */
struct manner {
	int version;
	const char *groups_theirs, *groups_ours; /* they first offer their
						  * first alone */
	const char *ciphers; /* of TLS 1.3 */
	const char *signatures; /* that the client takes from the server */
};

/* A handshake written down, as the broker would send it. */
struct told {
	struct errand errand;
	uint8_t parcel[HANDSHAKE_MAX];
	size_t len;
};

static struct holder authority, other_authority, server, client;
static struct listener listeners[2];
static struct settings settings;
static struct told told;

/* --- handshakes ----------------------------------------------------------- */

static SSL_CTX *
server_context(const struct manner *m)
{
	SSL_CTX *c = SSL_CTX_new(TLS_server_method());

	ck_assert_ptr_nonnull(c);
	SSL_CTX_use_certificate(c, server.x);
	ck_assert_int_eq(SSL_CTX_use_PrivateKey(c, server.key), 1);
	SSL_CTX_set_verify(c, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_options(c, SSL_OP_CIPHER_SERVER_PREFERENCE);
	X509_STORE_add_cert(SSL_CTX_get_cert_store(c), authority.x);
	X509_STORE_add_cert(SSL_CTX_get_cert_store(c), other_authority.x);
	ck_assert_int_eq(
	    SSL_CTX_set1_client_sigalgs_list(c, TLS_CLIENT_SIGNATURES), 1);
	if (m->groups_ours != NULL)
		ck_assert_int_eq(
		    SSL_CTX_set1_groups_list(c, m->groups_ours), 1);
	return c;
}

static SSL_CTX *
client_context(const struct manner *m, const struct holder *h)
{
	SSL_CTX *c = SSL_CTX_new(TLS_client_method());
	int version = m->version == 0 ? TLS1_3_VERSION : m->version;

	ck_assert_ptr_nonnull(c);
	SSL_CTX_set_min_proto_version(c, version);
	SSL_CTX_set_max_proto_version(c, version);
	if (h != NULL) {
		SSL_CTX_use_certificate(c, h->x);
		ck_assert_int_eq(SSL_CTX_use_PrivateKey(c, h->key), 1);
	}
	if (m->groups_theirs != NULL)
		ck_assert_int_eq(
		    SSL_CTX_set1_groups_list(c, m->groups_theirs), 1);
	if (m->ciphers != NULL)
		ck_assert_int_eq(SSL_CTX_set_ciphersuites(c, m->ciphers), 1);
	if (m->signatures != NULL)
		ck_assert_int_eq(
		    SSL_CTX_set1_sigalgs_list(c, m->signatures), 1);
	return c;
}

/* Both sides in turn until they are done. */
static void
ends_meet(struct tls *ours, SSL *theirs)
{
	enum err e = ERR_INTERRUPTED;
	short events;
	int i, done = 0;

	for (i = 0; i < ROUNDS_MAX && (e != ERR_NONE || done != 1); i++) {
		done = SSL_do_handshake(theirs);
		if (e == ERR_INTERRUPTED)
			e = tls_handshake(ours, &events);
	}
	ck_assert_msg(e == ERR_NONE && done == 1, "%s", tls_failure(ours));
}

static void
parcel_put(struct told *t, uint32_t version, struct text messages)
{
	struct handshake head = {version, (uint32_t)messages.len};

	memcpy(t->parcel, &head, sizeof(head));
	memcpy(t->parcel + sizeof(head), messages.at, messages.len);
	t->len = sizeof(head) + messages.len;
}

static struct text
parcel_of(const struct told *t)
{
	return (struct text){(const char *)t->parcel, t->len};
}

static void
listener_name(struct errand *e, const char *address)
{
	snprintf(e->listener, sizeof(e->listener), "%s", address);
}

/* What the broker has signed is what the handshake has in it. */
static void
signature_put(struct told *t)
{
	struct transcript seen;
	const char *wrong = transcript_read(parcel_of(t), &seen);

	ck_assert_msg(wrong == NULL, "%s", wrong);
	t->errand = (struct errand){.kind = ERRAND_CERTIFICATE,
	    .signature_len = (uint32_t)seen.server_signature.len};
	memcpy(t->errand.signature, seen.server_signature.at,
	    seen.server_signature.len);
	listener_name(&t->errand, "127.0.0.1:6432");
}

/* Have a handshake; false: there is nothing to be told of it. */
static bool
handshake_tell(
    const struct manner *m, const struct holder *h, struct told *t)
{
	SSL_CTX *ours = server_context(m), *theirs = client_context(m, h);
	struct text messages;
	struct tls *end;
	uint32_t version;
	bool is_told;
	int fds[2];
	SSL *ssl = SSL_new(theirs);

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	ck_assert_int_eq(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
	end = tls_accept(ours, fds[0], TEXT(""));
	ck_assert(end != NULL && ssl != NULL);
	SSL_set_fd(ssl, fds[1]);
	SSL_set_connect_state(ssl);
	ends_meet(end, ssl);
	ck_assert_int_eq(tls_has_certificate(end), h != NULL);
	is_told = tls_handshake_messages(end, &version, &messages);
	if (is_told) {
		parcel_put(t, version, messages);
		signature_put(t);
	}
	SSL_free(ssl);
	tls_transport.close(end);
	SSL_CTX_free(ours);
	SSL_CTX_free(theirs);
	close(fds[0]);
	close(fds[1]);
	return is_told;
}

/* --- asking --------------------------------------------------------------- */

static struct outcome answer;

static enum outcome_result
check(const struct told *t)
{
	memset(&answer, 0, sizeof(answer));
	certificate_check(&t->errand, parcel_of(t), &answer);
	ck_assert_uint_eq(ERR_peek_error(), 0);
	return (enum outcome_result)answer.result;
}

#define ck_proved(t) \
	ck_assert_msg(check(t) == OUTCOME_YES, "%s", answer.reason)
#define ck_refused(t, why)                                       \
	ck_assert_msg(check(t) == OUTCOME_NO &&                  \
			  strstr(answer.reason, why) != NULL &&  \
			  answer.certificate.name_count == 0,    \
	    "%d %s", (int)answer.result, answer.reason)

static void
trust_write(const char *crl)
{
	char reason[TLS_REASON_MAX];

	listeners[0].tls.crl = crl;
	ck_assert_msg(
	    certificate_load(&settings, reason) == ERR_NONE, "%s", reason);
}

static void
server_make(const char *kind)
{
	static char path[256];

	holder_free(&server);
	server = certificate_issue(
	    &(struct order){.key = kind, .name = "server"}, &authority);
	snprintf(path, sizeof(path), "%s/server.crt", scratch_folder);
	certificate_write(path, server.x, NULL);
	listeners[0].tls.certificate = listeners[1].tls.certificate = path;
	trust_write(NULL);
}

#define CLIENT                                       \
	.name = "nightly", .constraints = "CA:FALSE", \
	.extended_usage = "clientAuth",               \
	.names = "URI:spiffe://shop.example/agent/nightly,DNS:Sync.example"

static void
setup(void)
{
	static char ca[2][256];

	scratch_make();
	authority = authority_make("authority");
	other_authority = authority_make("other authority");
	snprintf(ca[0], sizeof(ca[0]), "%s/ca.crt", scratch_folder);
	certificate_write(ca[0], authority.x, NULL);
	snprintf(ca[1], sizeof(ca[1]), "%s/other.crt", scratch_folder);
	certificate_write(ca[1], other_authority.x, NULL);
	listeners[0].address = "127.0.0.1:6432";
	listeners[0].tls.ca = ca[0];
	listeners[1].address = "unix:/two";
	listeners[1].tls.ca = ca[1];
	settings = (struct settings){
	    .listeners = listeners, .listener_count = 2};
	server_make("EC");
	client = certificate_issue(&(struct order){CLIENT}, &authority);
}

static void
teardown(void)
{
	certificate_unload();
	holder_free(&authority);
	holder_free(&other_authority);
	holder_free(&server);
	holder_free(&client);
	server = (struct holder){0};
	scratch_remove();
}

/* --- proved --------------------------------------------------------------- */

START_TEST(handshake_of_every_kind_proves_its_certificate)
{
	static const struct {
		const char *server, *client;
		struct manner manner;
	} table[] = {
	    {"EC", "EC", {0}},
	    {"EC", "P-384", {0}},
	    {"EC", "P-521", {0}},
	    {"EC", "RSA", {0}},
	    {"EC", "ED25519", {0}},
	    {"EC", "ED448", {0}},
	    {"RSA", "EC", {0}},
	    {"RSA", "RSA", {0}},
	    {"P-521", "EC", {0}},
	    {"EC", "EC", {.ciphers = "TLS_AES_128_GCM_SHA256"}},
	    {"EC", "EC", {.ciphers = "TLS_AES_256_GCM_SHA384"}},
	    {"EC", "EC", {.ciphers = "TLS_CHACHA20_POLY1305_SHA256"}},
	    {"EC", "EC", {.groups_theirs = "X25519:P-384",
			     .groups_ours = "P-384"}},
	    {"EC", "RSA", {.groups_theirs = "X25519:P-384",
			      .groups_ours = "P-384",
			      .ciphers = "TLS_AES_128_GCM_SHA256"}},
	    {"EC", "EC", {.version = TLS1_2_VERSION}},
	    {"EC", "P-384", {.version = TLS1_2_VERSION}},
	    {"EC", "RSA", {.version = TLS1_2_VERSION}},
	    {"EC", "ED25519", {.version = TLS1_2_VERSION}},
	    {"RSA", "EC", {.version = TLS1_2_VERSION}},
	    {"RSA", "RSA", {.version = TLS1_2_VERSION}},
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct holder h = certificate_issue(
		    &(struct order){CLIENT, .key = table[i].client},
		    &authority);

		server_make(table[i].server);
		ck_assert(handshake_tell(&table[i].manner, &h, &told));
		ck_assert_msg(check(&told) == OUTCOME_YES, "%zu: %s", i,
		    answer.reason);
		holder_free(&h);
	}
}
END_TEST

START_TEST(what_a_certificate_proves_is_told)
{
	const struct certificate_facts *f = &answer.certificate;
	static const char names[] = "cn:nightly\0"
				    "uri:spiffe://shop.example/agent/nightly\0"
				    "dns:sync.example";

	ck_assert(handshake_tell(&(struct manner){0}, &client, &told));
	ck_proved(&told);
	ck_assert_uint_eq(f->name_count, 3);
	ck_assert_uint_eq(f->names_len, sizeof(names));
	ck_assert_mem_eq(f->names, names, sizeof(names));
	ck_assert_str_eq(f->subject, "CN=nightly");
	ck_assert_uint_eq(strlen(f->sha256), 64);
	ck_assert_uint_gt(strlen(f->serial), 0);
	ck_assert_int_gt(f->not_after, time(NULL) + 3500);
	ck_assert_int_lt(f->not_after, time(NULL) + 3700);
}
END_TEST

START_TEST(client_without_a_certificate_has_nothing_to_tell)
{
	ck_assert(!handshake_tell(&(struct manner){0}, NULL, &told));
	ck_assert(!handshake_tell(
	    &(struct manner){.version = TLS1_2_VERSION}, NULL, &told));
}
END_TEST

START_TEST(issuer_that_ends_first_is_the_end)
{
	struct holder middle = certificate_issue(
	    &(struct order){.name = "middle",
		.constraints = "critical,CA:TRUE", .to_s = 600},
	    &authority);
	struct holder h =
	    certificate_issue(&(struct order){CLIENT}, &middle);

	/* trusted directly here: what clients show of it is the same to us */
	certificate_write(listeners[0].tls.ca, authority.x, middle.x);
	trust_write(NULL);
	X509_free(other_authority.x);
	X509_up_ref(middle.x);
	other_authority.x = middle.x;
	ck_assert(handshake_tell(&(struct manner){0}, &h, &told));
	ck_proved(&told);
	ck_assert_int_le(answer.certificate.not_after, time(NULL) + 600);
	holder_free(&middle);
	holder_free(&h);
}
END_TEST

/* --- not proved ----------------------------------------------------------- */

static const struct manner manners[] = {
    {0},
    {.groups_theirs = "X25519:P-384", .groups_ours = "P-384"},
    {.version = TLS1_2_VERSION},
};

START_TEST(handshake_with_any_byte_changed_proves_nothing)
{
	size_t i;

	ck_assert(handshake_tell(&manners[_i], &client, &told));
	ck_proved(&told);
	for (i = 0; i < told.len; i++) {
		told.parcel[i] ^= (uint8_t)(1 << (i % 8));
		ck_refused(&told, "");
		told.parcel[i] ^= (uint8_t)(1 << (i % 8));
	}
	ck_proved(&told);
}
END_TEST

static void
length_set(struct told *t, size_t len)
{
	struct handshake head;

	memcpy(&head, t->parcel, sizeof(head));
	head.len = (uint32_t)(len - sizeof(head));
	memcpy(t->parcel, &head, sizeof(head));
	t->len = len;
}

START_TEST(handshake_cut_anywhere_proves_nothing)
{
	size_t len;

	ck_assert(handshake_tell(&manners[_i], &client, &told));
	for (len = told.len; len-- > 0;) {
		told.len = len;
		ck_refused(&told, "no handshake");
		if (len < sizeof(struct handshake))
			continue;
		length_set(&told, len);
		ck_refused(&told, "not a handshake");
	}
}
END_TEST

START_TEST(handshake_that_goes_on_proves_nothing)
{
	static const struct text more[] = {
	    {"\0", 1},
	    {"\x14\0\0\0", 4},		 /* Finished */
	    {"\x0f\0\0\x04\x04\x03\0\0", 8}, /* another CertificateVerify */
	    {"\x0b\0\0\x04\0\0\0\0", 8},
	};
	size_t i, len;

	ck_assert(handshake_tell(&manners[_i], &client, &told));
	len = told.len;
	for (i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
		memcpy(told.parcel + len, more[i].at, more[i].len);
		length_set(&told, len + more[i].len);
		ck_refused(&told, "not a handshake");
	}
	length_set(&told, len);
	ck_proved(&told);
}
END_TEST

START_TEST(signature_that_is_not_this_channels_proves_nothing)
{
	static struct told earlier;
	struct errand now;

	ck_assert(handshake_tell(&manners[_i], &client, &earlier));
	ck_assert(handshake_tell(&manners[_i], &client, &told));
	now = told.errand;
	told.errand = earlier.errand;
	ck_refused(&told, "not the one that was signed here");
	told.errand = now;
	earlier.errand = now;
	ck_refused(&earlier, "not the one that was signed here");
	told.errand.signature_len = 0;
	ck_refused(&told, "not the one that was signed here");
	told.errand.signature_len = now.signature_len - 1;
	ck_refused(&told, "not the one that was signed here");
	told.errand.signature_len = sizeof(now.signature) + 1;
	ck_refused(&told, "not the one that was signed here");
	told.errand = now;
	ck_proved(&told);
}
END_TEST

START_TEST(certificate_is_good_at_its_listener_only)
{
	ck_assert(handshake_tell(&(struct manner){0}, &client, &told));
	listener_name(&told.errand, "unix:/two"); /* has other CAs */
	ck_refused(&told, "issuer certificate");
	listener_name(&told.errand, "127.0.0.1:64320"); /* there is none */
	ck_refused(&told, "takes no certificates");
	listener_name(&told.errand, "");
	ck_refused(&told, "takes no certificates");
	listener_name(&told.errand, "127.0.0.1:6432");
	ck_proved(&told);
	certificate_unload();
	ck_refused(&told, "takes no certificates");
}
END_TEST

START_TEST(listener_is_known_by_its_address_wherever_it_is_in_the_settings)
{
	const struct listener first = listeners[0];
	char reason[TLS_REASON_MAX] = "";

	ck_assert(handshake_tell(&(struct manner){0}, &client, &told));
	listeners[0] = listeners[1];
	listeners[1] = first;
	ck_assert_int_eq(certificate_load(&settings, reason), ERR_NONE);
	ck_proved(&told);
	listeners[1].address = "127.0.0.1:6433"; /* it is there no more */
	ck_assert_int_eq(certificate_load(&settings, reason), ERR_NONE);
	ck_refused(&told, "takes no certificates");
	listeners[1] = listeners[0];
	listeners[0] = first;
}
END_TEST

START_TEST(another_servers_handshake_proves_nothing)
{
	struct holder ours = server;

	server = certificate_issue(
	    &(struct order){.name = "server"}, &authority);
	ck_assert(handshake_tell(&manners[_i], &client, &told));
	ck_refused(&told, "another server's certificate");
	holder_free(&server);
	server = ours;
}
END_TEST

START_TEST(server_signature_that_can_come_again_proves_nothing)
{
	server_make("RSA");
	ck_assert(handshake_tell(
	    &(struct manner){.version = TLS1_2_VERSION,
		.signatures = "rsa_pkcs1_sha256:ecdsa_secp256r1_sha256"},
	    &client, &told));
	ck_refused(&told, "could be from another connection");
}
END_TEST

/* Somebody with a whole handshake puts another certificate in and signs. */
static void
forge(const struct told *from, const struct holder *shown,
    EVP_PKEY *signs, struct told *out)
{
	uint8_t room[TRANSCRIPT_CONTENT_MAX], signature[600];
	struct buffer b = {0};
	struct transcript t;
	struct text content, before;
	unsigned char *der = NULL;
	size_t len = sizeof(signature), head;
	uint32_t size = (uint32_t)i2d_X509(shown->x, &der);
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	EVP_PKEY_CTX *options;

	ck_assert_ptr_null(transcript_read(parcel_of(from), &t));
	ck_assert_uint_eq(t.version, HANDSHAKE_TLS_1_3);
	ck_assert_uint_eq(t.count, 1);
	/* up to the client's Certificate: type and length, a context, a list,
	 * a certificate, its extensions */
	head = 4 + 1 + 3 + 3 + t.certificates[0].len + 2;
	buffer_put(&b, t.before.at, t.before.len - head);
	buffer_put_u32(&b, 11u << 24 | (size + 9));
	buffer_put_u32(&b, size + 5);
	buffer_put_u8(&b, (uint8_t)(size >> 16));
	buffer_put_u16(&b, (uint16_t)size);
	buffer_put(&b, der, size);
	buffer_put_u16(&b, 0);
	before = (struct text){(const char *)b.bytes, b.len};
	t.before = before;
	t.first_hello.at = (const char *)b.bytes;
	ck_assert(transcript_content(&t, room, &content));
	ck_assert_int_eq(
	    EVP_DigestSignInit(c, &options, EVP_sha256(), NULL, signs), 1);
	if (EVP_PKEY_is_a(signs, "RSA"))
		EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING);
	ck_assert_int_eq(EVP_DigestSign(c, signature, &len,
			     (const unsigned char *)content.at, content.len),
	    1);
	buffer_put_u32(&b, 15u << 24 | (uint32_t)(len + 4));
	buffer_put_u16(&b, EVP_PKEY_is_a(signs, "RSA") ? 0x0804 : 0x0403);
	buffer_put_u16(&b, (uint16_t)len);
	buffer_put(&b, signature, len);
	ck_assert(!b.failed);
	out->errand = from->errand;
	parcel_put(out, HANDSHAKE_TLS_1_3,
	    (struct text){(const char *)b.bytes, b.len});
	buffer_free(&b);
	OPENSSL_free(der);
	EVP_MD_CTX_free(c);
}

START_TEST(anothers_certificate_with_ones_own_key_proves_nothing)
{
	static struct told forged;
	struct holder mallory = certificate_issue(
	    &(struct order){.name = "mallory"}, &authority);

	ck_assert(handshake_tell(&manners[_i], &mallory, &told));
	forge(&told, &mallory, mallory.key, &forged);
	ck_proved(&forged); /* the forgery is well made */
	ck_assert_str_eq(answer.certificate.names, "cn:mallory");
	forge(&told, &client, client.key, &forged);
	ck_proved(&forged); /* whose key it is may say so */
	forge(&told, &client, mallory.key, &forged);
	ck_refused(&forged, "signature is wrong");
	holder_free(&mallory);
}
END_TEST

/* --- which certificates --------------------------------------------------- */

static const struct {
	struct order order;
	const char *why; /* NULL: proves */
} orders[] = {
    {{CLIENT}, NULL},
    {{.name = "plain"}, NULL},
    {{.name = "x", .usage = "digitalSignature"}, NULL},
    {{.name = "x", .extended_usage = "clientAuth,serverAuth"}, NULL},
    {{.name = "x", .extended_usage = "serverAuth"}, "purpose"},
    {{.name = "x", .extended_usage = "emailProtection"}, "purpose"},
    {{.name = "x", .usage = "keyEncipherment"}, "not for signatures"},
    {{.name = "x", .usage = "keyAgreement"}, "not for signatures"},
    {{.name = "x", .usage = "digitalSignature,cRLSign"}, "a CA's"},
    {{.name = "x", .constraints = "CA:TRUE"}, "a CA's"},
    {{.name = "x", .from_s = -7200, .to_s = -10}, "expired"},
    {{.name = "x", .from_s = 600}, "not yet valid"},
    {{.name = "x", .digest = "SHA1"}, "too weak"},
    {{.key = "short", .name = "x"}, "too short"},
    {{.key = "P-224", .name = "x"}, "another curve"},
    {{.key = "ED25519", .name = "x"}, "not of its key's kind"},
    {{.name = NULL}, "no name"},
    {{.name = "x", .names = "DNS:a.example,DNS:A.example"}, "twice"},
};

START_TEST(certificate_must_be_a_clients_in_force_now)
{
	struct holder h;
	static struct told forged;

	ck_assert(handshake_tell(&(struct manner){0}, &client, &told));
	h = certificate_issue(&orders[_i].order, &authority);
	forge(&told, &h,
	    EVP_PKEY_is_a(h.key, "ED25519") ? client.key : h.key, &forged);
	if (orders[_i].why == NULL)
		ck_proved(&forged);
	else
		ck_refused(&forged, orders[_i].why);
	holder_free(&h);
}
END_TEST

START_TEST(certificate_must_be_of_the_listeners_authority)
{
	static struct told forged;
	struct holder itself =
	    certificate_issue(&(struct order){CLIENT}, NULL);
	struct holder others =
	    certificate_issue(&(struct order){CLIENT}, &other_authority);
	struct holder namesake = authority_make("authority");
	struct holder of_namesake =
	    certificate_issue(&(struct order){CLIENT}, &namesake);
	struct holder of_client = certificate_issue(
	    &(struct order){.name = "by nightly"}, &client);

	ck_assert(handshake_tell(&(struct manner){0}, &client, &told));
	forge(&told, &itself, itself.key, &forged);
	ck_refused(&forged, "self");
	forge(&told, &others, others.key, &forged);
	ck_refused(&forged, "issuer certificate");
	forge(&told, &of_namesake, of_namesake.key, &forged);
	ck_refused(&forged, "signature failure");
	forge(&told, &of_client, of_client.key, &forged);
	ck_refused(&forged, "issuer certificate");
	holder_free(&itself);
	holder_free(&others);
	holder_free(&namesake);
	holder_free(&of_namesake);
	holder_free(&of_client);
}
END_TEST

/* --- revocation ----------------------------------------------------------- */

START_TEST(revoked_certificate_proves_nothing)
{
	const char *path = scratch_path("revoked.crl");

	ck_assert(handshake_tell(&(struct manner){0}, &client, &told));
	crl_write(path, "w", &authority, NULL, -60, 600);
	trust_write(path);
	ck_proved(&told);
	crl_write(path, "w", &authority, client.x, -60, 600);
	trust_write(path);
	ck_refused(&told, "revoked");
	crl_write(path, "w", &authority, server.x, -60, 600);
	trust_write(path);
	ck_proved(&told);
	crl_write(path, "w", &other_authority, NULL, -60, 600);
	crl_write(path, "a", &authority, client.x, -60, 600);
	trust_write(path); /* the second of two counts as well */
	ck_refused(&told, "revoked");
}
END_TEST

START_TEST(crl_that_is_not_in_force_proves_nobody)
{
	const char *path = scratch_path("old.crl");

	ck_assert(handshake_tell(&(struct manner){0}, &client, &told));
	crl_write(path, "w", &authority, NULL, -600, -60);
	trust_write(path);
	ck_refused(&told, "CRL has expired");
	crl_write(path, "w", &authority, NULL, 600, 6000);
	trust_write(path);
	ck_refused(&told, "CRL is not yet valid");
	crl_write(path, "w", &other_authority, NULL, -60, 600);
	trust_write(path); /* none of its issuer */
	ck_refused(&told, "unable to get certificate CRL");
}
END_TEST

START_TEST(crl_of_another_with_the_issuers_name_does_not_count)
{
	const char *path = scratch_path("namesake.crl");
	struct holder namesake = authority_make("authority");

	ck_assert(handshake_tell(&(struct manner){0}, &client, &told));
	crl_write(path, "w", &namesake, NULL, -60, 600);
	trust_write(path);
	ck_refused(&told, "CRL signature failure");
	holder_free(&namesake);
}
END_TEST

START_TEST(files_that_do_not_serve_are_told_and_prove_nobody)
{
	char reason[TLS_REASON_MAX] = "";
	const char *ca = listeners[0].tls.ca;

	ck_assert(handshake_tell(&(struct manner){0}, &client, &told));
	listeners[0].tls.crl = scratch_write("empty.crl", "nothing\n");
	ck_assert_int_ne(certificate_load(&settings, reason), ERR_NONE);
	ck_assert_msg(strstr(reason, "empty.crl: no CRL") != NULL, "%s", reason);
	ck_refused(&told, "takes no certificates");
	listener_name(&told.errand, "unix:/two"); /* is as it was */
	ck_refused(&told, "issuer certificate");
	listeners[0].tls.crl = "/none";
	ck_assert_int_ne(certificate_load(&settings, reason), ERR_NONE);
	listeners[0].tls.crl = ca; /* a certificate is no CRL */
	ck_assert_int_ne(certificate_load(&settings, reason), ERR_NONE);
	listeners[0].tls.crl = NULL;
	listeners[0].tls.ca = "/none";
	ck_assert_int_ne(certificate_load(&settings, reason), ERR_NONE);
	listeners[0].tls.ca = ca;
	listeners[0].tls.certificate = "/none";
	ck_assert_int_ne(certificate_load(&settings, reason), ERR_NONE);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("certificate");
	TCase *c = tcase_create("certificate");
	const int all = sizeof(manners) / sizeof(manners[0]);

	tcase_set_timeout(c, 60);
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, handshake_of_every_kind_proves_its_certificate);
	tcase_add_test(c, what_a_certificate_proves_is_told);
	tcase_add_test(c, client_without_a_certificate_has_nothing_to_tell);
	tcase_add_test(c, issuer_that_ends_first_is_the_end);
	tcase_add_loop_test(
	    c, handshake_with_any_byte_changed_proves_nothing, 0, all);
	tcase_add_loop_test(c, handshake_cut_anywhere_proves_nothing, 0, all);
	tcase_add_loop_test(c, handshake_that_goes_on_proves_nothing, 0, all);
	tcase_add_loop_test(
	    c, signature_that_is_not_this_channels_proves_nothing, 0, all);
	tcase_add_test(c, certificate_is_good_at_its_listener_only);
	tcase_add_test(
	    c, listener_is_known_by_its_address_wherever_it_is_in_the_settings);
	tcase_add_loop_test(c, another_servers_handshake_proves_nothing, 0, all);
	tcase_add_test(c, server_signature_that_can_come_again_proves_nothing);
	tcase_add_loop_test(
	    c, anothers_certificate_with_ones_own_key_proves_nothing, 0, 2);
	tcase_add_loop_test(c, certificate_must_be_a_clients_in_force_now, 0,
	    sizeof(orders) / sizeof(orders[0]));
	tcase_add_test(c, certificate_must_be_of_the_listeners_authority);
	tcase_add_test(c, revoked_certificate_proves_nothing);
	tcase_add_test(c, crl_that_is_not_in_force_proves_nobody);
	tcase_add_test(c, crl_of_another_with_the_issuers_name_does_not_count);
	tcase_add_test(c, files_that_do_not_serve_are_told_and_prove_nobody);
	suite_add_tcase(s, c);
	return suite_run(s);
}
