/*
 * pg_prove.c - SCRAM-SHA-256 and -PLUS with the client, and who it is then.
 *
 * The verifiers are the broker's: the salt comes from there and the proof
 * goes there.  The rule: a name that does not exist takes the same way, the
 * same time and the same words as one that does.  Over TLS a proof may be
 * bound to the connection (-PLUS): then nobody between can pass it on.
 * Source: RFC 5802, 5929, 7677.
 */
#include <openssl/rand.h>
#include <stdio.h>

#include "common/scram.h"
#include "worker/postgres/login/pg_login.h"
#include "worker/snapshot.h"

enum {
	PASSWORD_MESSAGE_MAX = 2048,
	NONCE_LEN = 18,
};

struct scram {			/* the conversation with the client, RFC 5802 */
	char client_first[512]; /* bare */
	char server_first[512];
	char nonce[256]; /* the client's and ours */
	bool offers_binding;
	struct scram_binding binding; /* as offered; header: as chosen */
};

static const char plain[] = "SCRAM-SHA-256", plus[] = "SCRAM-SHA-256-PLUS";

/* A 'p' message's body; consume *total_out bytes when done with it. */
static enum err
read_password(struct session *s, struct wire *body, size_t *total_out)
{
	struct text have;
	struct wire w;
	uint32_t len;
	uint8_t type;
	enum err e = login_need(s, PG_HEADER);

	if (e != ERR_NONE)
		return e;
	have = peer_pending(&s->relay.client);
	w = wire_of(have.at, have.len);
	type = wire_u8(&w);
	len = wire_u32(&w);
	if (type != 'p' || len < 4 || len > PASSWORD_MESSAGE_MAX)
		return ERR_MALFORMED;
	*total_out = (size_t)len + 1;
	e = login_need(s, *total_out);
	have = peer_pending(&s->relay.client);
	*body = wire_of(have.at + PG_HEADER, len - 4);
	return e;
}

/* The GS2 header, which must fit the mechanism. "y" means that the client
 * could bind and believes that we could not: when we offered it, somebody
 * between has taken the offer away. */
static enum err
read_header(struct text message, struct text mechanism, struct scram *c)
{
	struct text bound = TEXT(SCRAM_GS2_BOUND), header = {message.at, 3};

	if (text_is(mechanism, text_of(plus))) {
		if (!c->offers_binding || !text_starts(message, bound))
			return ERR_UNSUPPORTED;
		header.len = bound.len;
	} else if (!text_is(mechanism, text_of(plain))) {
		return ERR_UNSUPPORTED;
	} else if (!text_starts(message, TEXT("n,,")) &&
		   (c->offers_binding || !text_starts(message, TEXT("y,,")))) {
		return ERR_UNSUPPORTED;
	}
	field_set(c->binding.header, sizeof(c->binding.header), header);
	if (header.len != bound.len)
		c->binding.data_len = 0;
	return ERR_NONE;
}

/* "n,,n=,r=<nonce>": the header, and the bare rest. */
static enum err
read_client_first(
    const struct pg_sasl_initial *initial, struct scram *c, struct text *nonce)
{
	struct text message = initial->response;
	size_t len;
	char *r;
	enum err e;

	if (message.len < 3 || message.len >= sizeof(c->client_first) ||
	    memchr(message.at, 0, message.len) != NULL)
		return ERR_MALFORMED;
	e = read_header(message, initial->mechanism, c);
	if (e != ERR_NONE)
		return e;
	len = strlen(c->binding.header);
	memcpy(c->client_first, message.at + len, message.len - len);
	r = strstr(c->client_first, ",r=");
	if (r == NULL || strchr(r + 3, ',') != NULL || strlen(r + 3) < 8 ||
	    strlen(r + 3) > 128)
		return ERR_MALFORMED;
	*nonce = text_of(r + 3);
	return ERR_NONE;
}

static enum err
put_server_first(
    struct session *s, struct scram *c, struct text nonce, struct text prover)
{
	struct broker_request r = {.kind = BROKER_CLIENT_START};
	struct broker_reply reply;
	uint8_t random[NONCE_LEN];
	char ours[NONCE_LEN * 2], salt[BROKER_SALT_MAX * 2];
	int len;
	enum err e;

	field_set(r.name, sizeof(r.name), prover);
	e = broker_ask(s->birth->broker, &r, &reply);
	if (e != ERR_NONE || reply.salt_len > BROKER_SALT_MAX)
		return e == ERR_NONE ? ERR_MALFORMED : e;
	if (RAND_bytes(random, sizeof(random)) != 1)
		return ERR_SYSTEM;
	ours[base64_encode(random, sizeof(random), ours)] = '\0';
	salt[base64_encode(reply.salt, reply.salt_len, salt)] = '\0';
	snprintf(c->nonce, sizeof(c->nonce), "%.*s%s", (int)nonce.len, nonce.at,
	    ours);
	len = snprintf(c->server_first, sizeof(c->server_first),
	    "r=%s,s=%s,i=%u", c->nonce, salt, reply.iterations);
	if (len < 0 || (size_t)len >= sizeof(c->server_first))
		return ERR_TOO_LONG;
	login_put_authentication(
	    pg_out(s), 11, (struct text){c->server_first, (size_t)len});
	return ERR_NONE;
}

/* "c=biws,r=<nonce>,p=<proof>" taken apart and checked against `c`. */
static enum err
read_client_final(
    struct text message, const struct scram *c, struct broker_request *r)
{
	char copy[1024], binding[SCRAM_BINDING_TEXT_MAX], expected[512];
	char *proof;
	size_t len;
	int n;

	if (message.len >= sizeof(copy))
		return ERR_MALFORMED;
	memcpy(copy, message.at, message.len);
	copy[message.len] = '\0';
	proof = strstr(copy, ",p=");
	if (proof == NULL || strlen(copy) != message.len)
		return ERR_MALFORMED;
	*proof = '\0';
	proof += 3;
	scram_binding_encode(&c->binding, binding);
	n = snprintf(
	    expected, sizeof(expected), "c=%s,r=%s", binding, c->nonce);
	if (n < 0 || strcmp(copy, expected) != 0)
		return ERR_MALFORMED;
	if (base64_decode(text_of(proof), r->proof, sizeof(r->proof), &len) !=
		ERR_NONE ||
	    len != sizeof(r->proof))
		return ERR_MALFORMED;
	n = snprintf(r->auth, sizeof(r->auth), "%s,%s,%s", c->client_first,
	    c->server_first, copy);
	if (n < 0 || (size_t)n >= sizeof(r->auth))
		return ERR_TOO_LONG;
	r->auth_len = (uint32_t)n;
	return ERR_NONE;
}

static enum err
put_server_final(struct session *s, const struct broker_reply *reply)
{
	char final[64];
	size_t len;

	memcpy(final, "v=", 2);
	len = 2 + base64_encode(reply->signature, SCRAM_KEY_LEN, final + 2);
	login_put_authentication(pg_out(s), 12, (struct text){final, len});
	return ERR_NONE;
}

/* The list of mechanisms ends with an empty name. */
static void
put_offer(struct session *s, struct scram *c)
{
	struct scram_binding *b = &c->binding;

	c->offers_binding = s->tls != NULL &&
			    tls_binding(s->tls, b->data, &b->data_len) ==
				ERR_NONE;
	login_put_authentication(pg_out(s), 10,
	    c->offers_binding ? TEXT("SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0")
			      : TEXT("SCRAM-SHA-256\0\0"));
}

/* The whole exchange. ERR_REFUSED: the proof was wrong. */
static enum err
prove_client(struct session *s, struct text prover)
{
	struct broker_request r = {.kind = BROKER_CLIENT_PROOF};
	struct broker_reply reply;
	struct pg_sasl_initial initial;
	struct scram c = {.offers_binding = false};
	struct text nonce;
	struct wire body;
	size_t total;
	enum err e;

	put_offer(s, &c);
	e = read_password(s, &body, &total);
	if (e == ERR_NONE)
		e = pg_parse_sasl_initial(body, &initial);
	if (e == ERR_NONE)
		e = read_client_first(&initial, &c, &nonce);
	if (e == ERR_NONE)
		e = put_server_first(s, &c, nonce, prover);
	if (e != ERR_NONE)
		return e;
	peer_consume(&s->relay.client, total);
	e = read_password(s, &body, &total);
	if (e == ERR_NONE)
		e = read_client_final(wire_rest(&body), &c, &r);
	if (e != ERR_NONE)
		return e;
	peer_consume(&s->relay.client, total);
	pg_of(s)->is_bound = c.binding.data_len > 0;
	e = broker_ask(s->birth->broker, &r, &reply);
	return e == ERR_NONE ? put_server_final(s, &reply) : e;
}

/* --- who -------------------------------------------------------------- */

enum err
login_fail_proof(struct session *s, enum err e)
{
	char text[BROKER_NAME_MAX + 64];

	if (e == ERR_CLOSED && s->has_ending && s->ending != ENDING_CLIENT)
		return e;
	if (e == ERR_DEADLINE)
		return login_fail(s, "57014", "login deadline passed",
		    "canceling authentication due to timeout");
	if (e == ERR_CLOSED) {
		/* what a client does that asks its user for a password */
		return login_fail(s, "08P01", "client left during login",
		    "connection closed");
	}
	if (e == ERR_MALFORMED || e == ERR_UNSUPPORTED || e == ERR_TOO_LONG)
		return login_fail_malformed(s);
	if (e != ERR_REFUSED)
		return login_fail(s, "58000", err_text(e),
		    "authentication is not available at the moment");
	snprintf(text, sizeof(text),
	    "password authentication failed for user \"%s\"", s->login);
	return login_fail(s, "28P01", "wrong password or unknown user", text);
}

enum err
login_identify(struct session *s)
{
	struct identity *id = &s->identity;
	struct text login = text_of(s->login), prover = login;
	struct text client = id->client;
	enum err known, e;

	if (!snapshot_is_current(s->gate))
		return login_fail(
		    s, "57P03", s->gate->reason, "no policy is in force");
	known =
	    identity_resolve(&s->gate->policy->identities, login, id, &prover);
	if (known != ERR_NONE)
		prover = login; /* nobody's name: the broker makes up a salt */
	id->client = client;
	e = prove_client(s, prover);
	if (e == ERR_NONE && known != ERR_NONE)
		e = ERR_REFUSED; /* proved, but may not act for that person */
	if (e != ERR_NONE)
		return login_fail_proof(s, e);
	id->via = TEXT("scram-sha-256");
	return ERR_NONE;
}
