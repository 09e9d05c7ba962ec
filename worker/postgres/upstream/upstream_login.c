/*
 * upstream_login.c - logging in to a PostgreSQL server.
 *
 * The rule: this process never holds the password; what the server asks for
 * comes from the broker, and the server must prove itself too.
 */
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/broker_channel.h"
#include "common/scram.h"
#include "common/tls_key.h"
#include "worker/postgres/upstream/upstream_io.h"
#include "worker/postgres/upstream/upstream_login.h"
#include "worker/postgres/wire/pg_wire.h"

enum {
	NONCE_LEN = 18, /* random bytes; 24 characters */
	SCRAM_TEXT_MAX = 512,
};

static const char plus[] = "SCRAM-SHA-256-PLUS", plain[] = "SCRAM-SHA-256";

/* How far authentication is: each request has its one moment. */
enum step {
	STEP_START,    /* nothing asked for yet */
	STEP_ASKED,    /* our first SCRAM message is out */
	STEP_ANSWERED, /* and our proof: the server's own is due */
	STEP_PROVED,   /* it came and is right; or MD5, which has none */
	STEP_LET_IN,   /* AuthenticationOk */
};

struct login { /* one login, from startup to ReadyForQuery */
	struct pg_upstream *link;
	const struct upstream *upstream;
	const char *user; /* as whom */
	bool has_password;
	int broker;
	int64_t deadline;		       /* CLOCK_MONOTONIC, ms */
	struct scram_binding binding;
	char client_first[64 + NONCE_LEN * 2]; /* bare */
	uint8_t server_signature[SCRAM_KEY_LEN];
	enum step step;
	bool is_ready;
};

static enum err
fail(struct pg_upstream *u, enum err e, const char *why)
{
	if (u->reason[0] == '\0')
		snprintf(u->reason, sizeof(u->reason), "%s", why);
	return e;
}

/* Why the broker does not answer a challenge. */
static enum err
fail_refused(
    struct pg_upstream *u, enum err e, const struct broker_reply *reply)
{
	char why[sizeof(reply->reason) + 32];

	if (e != ERR_REFUSED)
		return fail(u, e, "the broker did not answer");
	snprintf(why, sizeof(why), "the broker refused the login: %.*s",
	    (int)sizeof(reply->reason) - 1, reply->reason);
	return fail(u, e, why);
}

/* Of two the server believes the last: no setting may be one of the words
 * that say who logs in to what. */
static bool
says_who(struct text name)
{
	static const struct text words[] = {
	    {"user", 4}, {"database", 8}, {"options", 7}};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (text_is_folded(name, words[i]))
			return true;
	}
	return text_starts(name, TEXT("_pq_."));
}

static enum err
send_startup(struct login *l, struct text database,
    const struct setting_pair *settings, size_t count)
{
	struct buffer b = {.ceiling = PG_STARTUP_MAX};
	size_t i;
	enum err e;

	buffer_put_u32(&b, 0);
	buffer_put_u32(&b, PG_PROTOCOL_3_0);
	buffer_put_cstring(&b, TEXT("user"));
	buffer_put_cstring(&b, text_of(l->user));
	buffer_put_cstring(&b, TEXT("database"));
	buffer_put_cstring(&b, database);
	for (i = 0; i < count; i++) {
		if (says_who(settings[i].name)) {
			buffer_free(&b);
			return ERR_REFUSED;
		}
		buffer_put_cstring(&b, settings[i].name);
		buffer_put_cstring(&b, settings[i].value);
	}
	buffer_put_u8(&b, 0);
	buffer_set_u32(&b, 0, (uint32_t)b.len);
	e = b.failed ? ERR_TOO_LONG : upstream_send(l->link, &b, l->deadline);
	buffer_free(&b);
	return e;
}

static enum err
send_message(struct login *l, char type, const char *head, struct text body)
{
	struct buffer b = {.ceiling = UPSTREAM_LOGIN_MESSAGE_MAX};
	size_t at = pg_message_begin(&b, type);
	enum err e;

	if (head != NULL) { /* SASLInitialResponse */
		buffer_put_cstring(&b, text_of(head));
		buffer_put_u32(&b, (uint32_t)body.len);
	}
	buffer_put_text(&b, body);
	pg_message_end(&b, at);
	e = upstream_send(l->link, &b, l->deadline);
	buffer_free(&b);
	return e;
}

/* Is SCRAM among the offered, and is it with channel binding? */
static enum err
choose_mechanism(struct wire body, bool *has_plus_out)
{
	struct text mechanism;
	bool has_plain = false;

	*has_plus_out = false;
	for (mechanism = wire_cstring(&body); mechanism.len > 0;
	     mechanism = wire_cstring(&body)) {
		has_plain |= text_is(mechanism, text_of(plain));
		*has_plus_out |= text_is(mechanism, text_of(plus));
	}
	return has_plain || *has_plus_out ? ERR_NONE : ERR_UNSUPPORTED;
}

/* Bind to the TLS connection where both can. "y" tells a server that seems
 * not to that we could: had somebody taken its offer away, it would notice. */
static enum err
choose_binding(struct login *l, bool has_plus)
{
	struct scram_binding *b = &l->binding;
	const struct tls *t = l->link->tls;

	*b = (struct scram_binding){.header = "n,,"};
	if (t == NULL || tls_binding(t, b->data, &b->data_len) != ERR_NONE)
		return ERR_NONE;
	memcpy(b->header, has_plus ? SCRAM_GS2_BOUND : "y,,",
	    has_plus ? sizeof(SCRAM_GS2_BOUND) : sizeof("y,,"));
	if (!has_plus)
		b->data_len = 0;
	return ERR_NONE;
}

static enum err
start_scram(struct login *l, struct wire body)
{
	uint8_t nonce[NONCE_LEN];
	char text[NONCE_LEN * 2 + 1];
	char first[sizeof(l->client_first) + SCRAM_GS2_MAX];
	bool has_plus;
	int len;
	enum err e = choose_mechanism(body, &has_plus);

	if (e == ERR_NONE)
		e = choose_binding(l, has_plus);
	if (e != ERR_NONE)
		return e;
	if (getentropy(nonce, sizeof(nonce)) != 0)
		return ERR_SYSTEM;
	text[base64_encode(nonce, sizeof(nonce), text)] = '\0';
	snprintf(l->client_first, sizeof(l->client_first), "n=,r=%s", text);
	len = snprintf(first, sizeof(first), "%s%s", l->binding.header,
	    l->client_first);
	return send_message(l, 'p', l->binding.data_len > 0 ? plus : plain,
	    (struct text){first, (size_t)len});
}

/* "r=…,s=…,i=…" taken apart; the nonce must continue ours. */
static enum err
read_server_first(const struct login *l, struct text first,
    struct broker_request *r, struct text *nonce_out)
{
	const char *ours = l->client_first + strlen("n=,r=");
	char copy[SCRAM_TEXT_MAX], *salt, *count, *end;
	size_t len;

	if (first.len >= sizeof(copy) || !text_starts(first, TEXT("r=")))
		return ERR_MALFORMED;
	memcpy(copy, first.at, first.len);
	copy[first.len] = '\0';
	salt = strstr(copy, ",s=");
	count = salt == NULL ? NULL : strstr(salt, ",i=");
	if (count == NULL)
		return ERR_MALFORMED;
	*nonce_out = (struct text){first.at + 2, (size_t)(salt - copy) - 2};
	if (!text_starts(*nonce_out, text_of(ours)) ||
	    nonce_out->len == strlen(ours))
		return ERR_MALFORMED;
	r->iterations = (uint32_t)strtoul(count + 3, &end, 10);
	if (*end != '\0' || r->iterations == 0)
		return ERR_MALFORMED;
	salt += 3;
	if (base64_decode((struct text){salt, (size_t)(count - salt)}, r->salt,
		sizeof(r->salt), &len) != ERR_NONE)
		return ERR_MALFORMED;
	r->salt_len = (uint32_t)len;
	return ERR_NONE;
}

static enum err
continue_scram(struct login *l, struct wire body)
{
	struct broker_request r = {.kind = BROKER_UPSTREAM_SCRAM};
	struct broker_reply reply;
	struct text first = wire_rest(&body), nonce;
	char final[SCRAM_TEXT_MAX + SCRAM_BINDING_TEXT_MAX + 128], proof[64];
	char binding[SCRAM_BINDING_TEXT_MAX];
	int bare, auth;
	enum err e = read_server_first(l, first, &r, &nonce);

	if (e != ERR_NONE)
		return e;
	scram_binding_encode(&l->binding, binding);
	bare = snprintf(final, sizeof(final), "c=%s,r=%.*s", binding,
	    (int)nonce.len, nonce.at);
	auth = snprintf(r.auth, sizeof(r.auth), "%s,%.*s,%s", l->client_first,
	    (int)first.len, first.at, final);
	if (auth < 0 || (size_t)auth >= sizeof(r.auth))
		return ERR_TOO_LONG;
	r.auth_len = (uint32_t)auth;
	e = broker_ask(l->broker, &r, &reply);
	if (e != ERR_NONE)
		return fail_refused(l->link, e, &reply);
	memcpy(l->server_signature, reply.signature, SCRAM_KEY_LEN);
	proof[base64_encode(reply.proof, SCRAM_KEY_LEN, proof)] = '\0';
	bare += snprintf(
	    final + bare, sizeof(final) - (size_t)bare, ",p=%s", proof);
	return send_message(l, 'p', NULL, (struct text){final, (size_t)bare});
}

static enum err
finish_scram(struct login *l, struct wire body)
{
	struct text last = wire_rest(&body);
	uint8_t signature[SCRAM_KEY_LEN];
	size_t len = 0;

	if (!text_starts(last, TEXT("v=")))
		return ERR_MALFORMED;
	last.at += 2, last.len -= 2;
	if (base64_decode(last, signature, sizeof(signature), &len) !=
		ERR_NONE ||
	    len != SCRAM_KEY_LEN ||
	    CRYPTO_memcmp(signature, l->server_signature, len) != 0)
		return fail(l->link, ERR_REFUSED,
		    "the server did not prove that it knows the password");
	return ERR_NONE;
}

static enum err
answer_md5(struct login *l, struct wire body)
{
	struct broker_request r = {.kind = BROKER_UPSTREAM_MD5, .salt_len = 4};
	struct broker_reply reply;
	struct text salt = wire_bytes(&body, 4);
	enum err e = wire_end(&body);

	if (e != ERR_NONE)
		return e;
	memcpy(r.salt, salt.at, 4);
	e = broker_ask(l->broker, &r, &reply);
	if (e != ERR_NONE)
		return fail_refused(l->link, e, &reply);
	reply.md5[sizeof(reply.md5) - 1] = '\0';
	return send_message(
	    l, 'p', NULL, (struct text){reply.md5, strlen(reply.md5) + 1});
}

/* AuthenticationOk. A server that does not ask for the password that we have
 * may be anybody, unless its certificate was verified. */
static enum err
finish(struct login *l, struct wire body)
{
	if (l->step == STEP_START && l->has_password &&
	    l->upstream->tls_mode != TLS_VERIFY_FULL)
		return fail(l->link, ERR_REFUSED,
		    "the server did not ask for the password, so it proved "
		    "nothing: take `password_file` away, or verify its "
		    "certificate");
	return wire_end(&body);
}

static const struct {
	uint32_t code;
	enum err (*answer)(struct login *l, struct wire body);
	unsigned allowed; /* a bit for each step in which it may come */
	enum step next;
} requests[] = {
    {0, finish, 1u << STEP_START | 1u << STEP_PROVED, STEP_LET_IN},
    {5, answer_md5, 1u << STEP_START, STEP_PROVED},
    {10, start_scram, 1u << STEP_START, STEP_ASKED},
    {11, continue_scram, 1u << STEP_ASKED, STEP_ANSWERED},
    {12, finish_scram, 1u << STEP_ANSWERED, STEP_PROVED},
};

static enum err
on_authentication(struct login *l, struct wire body)
{
	uint32_t code = wire_u32(&body);
	size_t i, count = sizeof(requests) / sizeof(requests[0]);
	enum err e;

	for (i = 0; i < count && requests[i].code != code; i++)
		continue;
	if (body.bad)
		return ERR_MALFORMED;
	if (code == 3)
		return fail(l->link, ERR_UNSUPPORTED,
		    "the server asks for the password in clear text, which "
		    "Sallyport does not send");
	if (i == count)
		return fail(l->link, ERR_UNSUPPORTED,
		    "the server asks for an authentication method that "
		    "Sallyport does not have");
	if ((requests[i].allowed >> l->step & 1) == 0)
		return ERR_MALFORMED;
	e = requests[i].answer(l, body);
	if (e == ERR_NONE)
		l->step = requests[i].next;
	return e;
}

enum err
upstream_refused(struct pg_upstream *u, struct wire body)
{
	struct pg_error error;

	if (pg_parse_error(body, &error) != ERR_NONE)
		return ERR_MALFORMED;
	snprintf(u->reason, sizeof(u->reason), "%.*s", (int)error.message.len,
	    error.message.at);
	snprintf(u->sqlstate, sizeof(u->sqlstate), "%.*s",
	    (int)error.sqlstate.len, error.sqlstate.at);
	return ERR_REFUSED;
}

static enum err
on_key_data(struct login *l, struct wire body)
{
	l->link->backend_pid = wire_i32(&body);
	l->link->cancel_key = wire_u32(&body);
	return wire_end(&body);
}

/* Is it one that comes only when authentication is over? */
static bool
is_early(const struct login *l, char type)
{
	return l->step != STEP_LET_IN && type != 'R' && type != 'E' &&
	       type != 'N';
}

static enum err
on_login_message(struct login *l, const struct upstream_message *m)
{
	if (is_early(l, m->type) ||
	    pg_check_answer(m->type, m->body) != ERR_NONE)
		return ERR_MALFORMED;
	switch (m->type) {
	case 'R':
		return on_authentication(l, m->body);
	case 'E':
		return upstream_refused(l->link, m->body);
	case 'K':
		return on_key_data(l, m->body);
	case 'S':
		buffer_put(&l->link->parameters, l->link->in.bytes, m->total);
		return l->link->parameters.failed ? ERR_TOO_LONG : ERR_NONE;
	case 'N':
		return ERR_NONE;
	case 'Z':
		l->is_ready = true;
		return ERR_NONE;
	default:
		return ERR_MALFORMED;
	}
}

static enum err
run_login(struct login *l)
{
	struct upstream_message m;
	enum err e;

	while (!l->is_ready) {
		e = upstream_receive(
		    l->link, UPSTREAM_LOGIN_MESSAGE_MAX, l->deadline, &m);
		if (e == ERR_NONE)
			e = on_login_message(l, &m);
		if (e != ERR_NONE)
			return e;
		buffer_drop(&l->link->in, m.total);
	}
	return ERR_NONE;
}

enum err
upstream_log_in(const struct upstream_access *access, size_t login,
    struct text database, const struct setting_pair *settings,
    size_t setting_count, int64_t deadline, struct pg_upstream *link)
{
	const struct upstream *u = access->upstream;
	struct login l = {.link = link,
	    .upstream = u,
	    .user = u->logins[login].user,
	    .has_password = u->logins[login].password_file != NULL,
	    .broker = access->broker,
	    .deadline = deadline};
	enum err e = send_startup(&l, database, settings, setting_count);

	if (e == ERR_NONE)
		e = run_login(&l);
	OPENSSL_cleanse(&l, sizeof(l));
	return e;
}
