/*
 * transcript.c - RFC 8446, 4 and RFC 5246, 7.4, as far as is needed.
 *
 * The rule: a message that is not the one that comes next ends it.  Trusts
 * nothing: the messages come from a worker.
 */
#include "master/verifier/transcript.h"

#include <openssl/evp.h>

#include "common/wire.h"

enum {
	EXTENSION_VERSIONS = 43, /* supported_versions */
	NAMED_CURVE = 3,	 /* ECCurveType */
	SPACES = 64,
};

/* Where the reading is. */
struct reading_on {
	struct wire left, begin; /* the messages, and all of them */
	struct transcript *out;
	bool is_retry; /* the last ServerHello asked for another ClientHello */
};

static uint32_t
wire_u24(struct wire *w)
{
	uint32_t high = wire_u8(w);

	return high << 16 | wire_u16(w);
}

/* The next message's body; bad, when it is of another type. */
static struct wire
message_take(struct wire *w, enum handshake_type type)
{
	struct wire body = {NULL, 0, true};
	struct text bytes;

	if (wire_u8(w) != type)
		w->bad = true;
	bytes = wire_bytes(w, wire_u24(w));
	if (!w->bad)
		body = wire_of(bytes.at, bytes.len);
	return body;
}

/* --- the messages that are looked into ------------------------------------ */

/* Is TLS 1.3 what the ServerHello's extensions choose? Without any it is not.
 */
static bool
extensions_choose_1_3(struct wire *body)
{
	struct text all, one;
	struct wire w, value;
	bool is_1_3 = false;

	if (body->left == 0)
		return false;
	all = wire_bytes(body, wire_u16(body));
	w = wire_of(all.at, all.len);
	while (w.left > 0) {
		uint16_t type = wire_u16(&w);

		one = wire_bytes(&w, wire_u16(&w));
		if (type != EXTENSION_VERSIONS)
			continue;
		value = wire_of(one.at, one.len);
		if (is_1_3 || wire_u16(&value) != HANDSHAKE_TLS_1_3 ||
		    wire_end(&value) != ERR_NONE)
			w.bad = true;
		is_1_3 = true;
	}
	body->bad |= w.bad;
	return is_1_3;
}

static bool
server_hello_read(struct reading_on *r, struct wire *body)
{
	/* SHA-256 of "HelloRetryRequest" (RFC 8446, 4.1.3) */
	static const uint8_t retry[] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a,
	    0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2,
	    0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2,
	    0xc8, 0xa8, 0x33, 0x9c};
	struct text random;
	bool is_1_3;

	if (wire_u16(body) != HANDSHAKE_TLS_1_2)
		return false;
	random = wire_bytes(body, sizeof(retry));
	wire_bytes(body, wire_u8(body)); /* session id */
	r->out->cipher = wire_u16(body);
	if (wire_u8(body) != 0) /* compression */
		return false;
	is_1_3 = extensions_choose_1_3(body);
	r->is_retry = text_is(
	    random, (struct text){(const char *)retry, sizeof(retry)});
	return wire_end(body) == ERR_NONE &&
	    is_1_3 == (r->out->version == HANDSHAKE_TLS_1_3) &&
	    (is_1_3 || !r->is_retry);
}

/* Certificates of a Certificate message, at most `max`. */
static bool
certificates_read(uint32_t version, struct wire *body, struct text *out,
    size_t max, size_t *count_out)
{
	bool is_1_3 = version == HANDSHAKE_TLS_1_3;
	struct text list;
	struct wire w;

	if (is_1_3 && wire_u8(body) != 0) /* certificate_request_context */
		return false;
	list = wire_bytes(body, wire_u24(body));
	w = wire_of(list.at, list.len);
	for (*count_out = 0; w.left > 0 && *count_out < max; ++*count_out) {
		out[*count_out] = wire_bytes(&w, wire_u24(&w));
		if (is_1_3)
			wire_bytes(&w, wire_u16(&w)); /* extensions */
	}
	return wire_end(&w) == ERR_NONE && wire_end(body) == ERR_NONE &&
	    *count_out > 0;
}

static bool
server_certificate_read(struct reading_on *r, struct wire *body)
{
	struct text chain[TLS_CHAIN_MAX];
	size_t count;

	if (!certificates_read(
		r->out->version, body, chain, TLS_CHAIN_MAX, &count))
		return false;
	r->out->server_certificate = chain[0];
	return true;
}

static bool
client_certificates_read(struct reading_on *r, struct wire *body)
{
	return certificates_read(r->out->version, body, r->out->certificates,
	    TLS_CHAIN_MAX, &r->out->count);
}

static bool
signature_read(struct wire *body, uint16_t *scheme, struct text *signature)
{
	*scheme = wire_u16(body);
	*signature = wire_bytes(body, wire_u16(body));
	return wire_end(body) == ERR_NONE;
}

static bool
server_verify_read(struct reading_on *r, struct wire *body)
{
	return signature_read(
	    body, &r->out->server_scheme, &r->out->server_signature);
}

/* RFC 8422, 5.4: the ephemeral key, and the signature over it. */
static bool
server_key_read(struct reading_on *r, struct wire *body)
{
	if (wire_u8(body) != NAMED_CURVE)
		return false;
	wire_u16(body);
	wire_bytes(body, wire_u8(body));
	return server_verify_read(r, body);
}

static bool
client_verify_read(struct reading_on *r, struct wire *body)
{
	return signature_read(
	    body, &r->out->client_scheme, &r->out->client_signature);
}

/* --- their order ---------------------------------------------------------- */

struct step {
	enum handshake_type type;
	/* NULL: only that it is there */
	bool (*read)(struct reading_on *r, struct wire *body);
};

static const struct step hello[] = {
    {HANDSHAKE_CLIENT_HELLO, NULL},
    {HANDSHAKE_SERVER_HELLO, server_hello_read},
    {0, NULL},
};

static const struct step tls_1_2[] = {
    {HANDSHAKE_CERTIFICATE, server_certificate_read},
    {HANDSHAKE_SERVER_KEY_EXCHANGE, server_key_read},
    {HANDSHAKE_CERTIFICATE_REQUEST, NULL},
    {HANDSHAKE_SERVER_HELLO_DONE, NULL},
    {HANDSHAKE_CERTIFICATE, client_certificates_read},
    {HANDSHAKE_CLIENT_KEY_EXCHANGE, NULL},
    {0, NULL},
};

static const struct step tls_1_3[] = {
    {HANDSHAKE_ENCRYPTED_EXTENSIONS, NULL},
    {HANDSHAKE_CERTIFICATE_REQUEST, NULL},
    {HANDSHAKE_CERTIFICATE, server_certificate_read},
    {HANDSHAKE_CERTIFICATE_VERIFY, server_verify_read},
    {HANDSHAKE_FINISHED, NULL},
    {HANDSHAKE_CERTIFICATE, client_certificates_read},
    {0, NULL},
};

static const struct step last[] = {
    {HANDSHAKE_CERTIFICATE_VERIFY, client_verify_read},
    {0, NULL},
};

static bool
steps_take(struct reading_on *r, const struct step *steps)
{
	size_t i;

	for (i = 0; steps[i].type != 0; i++) {
		struct wire body = message_take(&r->left, steps[i].type);

		if (body.bad ||
		    (steps[i].read != NULL && !steps[i].read(r, &body)))
			return false;
	}
	return true;
}

/* Both hellos, and both once more if the server has asked for that. */
static bool
hellos_take(struct reading_on *r)
{
	struct wire at = r->left;
	uint16_t cipher;

	message_take(&at, HANDSHAKE_CLIENT_HELLO);
	if (!steps_take(r, hello))
		return false;
	if (!r->is_retry)
		return true;
	r->out->first_hello = wire_since(&at, &r->begin);
	cipher = r->out->cipher;
	return steps_take(r, hello) && !r->is_retry &&
	    r->out->cipher == cipher;
}

static bool
messages_take(struct reading_on *r)
{
	if (!hellos_take(r) ||
	    !steps_take(r,
		r->out->version == HANDSHAKE_TLS_1_3 ? tls_1_3 : tls_1_2))
		return false;
	r->out->before = wire_since(&r->left, &r->begin);
	return steps_take(r, last) && wire_end(&r->left) == ERR_NONE;
}

const char *
transcript_read(struct text parcel, struct transcript *out)
{
	struct reading_on r = {.left = wire_of(parcel.at, parcel.len)};
	struct handshake head;
	const uint8_t *bytes = wire_take(&r.left, sizeof(head));

	*out = (struct transcript){0};
	if (bytes == NULL || parcel.len > HANDSHAKE_MAX)
		return "no handshake";
	memcpy(&head, bytes, sizeof(head));
	if (head.len != r.left.left ||
	    (head.version != HANDSHAKE_TLS_1_2 &&
		head.version != HANDSHAKE_TLS_1_3))
		return "no handshake of TLS 1.2 or 1.3";
	out->version = head.version;
	r.begin = r.left;
	r.out = out;
	return messages_take(&r)
	    ? NULL
	    : "not a handshake in which the client shows a certificate";
}

/* --- what was signed ------------------------------------------------------ */

static const EVP_MD *
digest_of(uint16_t cipher)
{
	return cipher == 0x1302				? EVP_sha384()
	       : cipher == 0x1301 || cipher == 0x1303 ? EVP_sha256()
							: NULL;
}

/* RFC 8446, 4.4.1: a ClientHello that was said again counts as its hash. */
static bool
first_hello_hash(const struct transcript *t, const EVP_MD *digest,
    EVP_MD_CTX *c)
{
	uint8_t hash[4 + EVP_MAX_MD_SIZE] = {HANDSHAKE_MESSAGE_HASH, 0, 0,
	    (uint8_t)EVP_MD_get_size(digest)};

	return EVP_Digest(t->first_hello.at, t->first_hello.len, hash + 4,
		   NULL, digest, NULL) == 1 &&
	    EVP_DigestUpdate(c, hash, 4 + (size_t)hash[3]) == 1;
}

static bool
transcript_hash(
    const struct transcript *t, uint8_t out[EVP_MAX_MD_SIZE], unsigned *len)
{
	const EVP_MD *digest = digest_of(t->cipher);
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	struct wire w = wire_of(t->before.at, t->before.len);
	struct text rest;
	bool is_done;

	wire_bytes(&w, t->first_hello.len);
	rest = wire_rest(&w);
	is_done = c != NULL && digest != NULL &&
	    EVP_DigestInit_ex(c, digest, NULL) == 1 &&
	    (t->first_hello.len == 0 || first_hello_hash(t, digest, c)) &&
	    EVP_DigestUpdate(c, rest.at, rest.len) == 1 &&
	    EVP_DigestFinal_ex(c, out, len) == 1;
	EVP_MD_CTX_free(c);
	return is_done;
}

bool
transcript_content(const struct transcript *t,
    uint8_t room[TRANSCRIPT_CONTENT_MAX], struct text *out)
{
	static const char who[34] = "TLS 1.3, client CertificateVerify";
	uint8_t hash[EVP_MAX_MD_SIZE];
	unsigned len;

	if (t->version == HANDSHAKE_TLS_1_2) {
		*out = t->before;
		return true;
	}
	if (!transcript_hash(t, hash, &len))
		return false;
	memset(room, ' ', SPACES);
	memcpy(room + SPACES, who, sizeof(who));
	memcpy(room + SPACES + sizeof(who), hash, len);
	*out = (struct text){
	    (const char *)room, SPACES + sizeof(who) + len};
	return true;
}
