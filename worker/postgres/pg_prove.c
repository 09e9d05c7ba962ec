/*
 * pg_prove.c - SCRAM-SHA-256 with the client, and who it is then.
 *
 * The verifiers are the broker's: the salt comes from there and the proof
 * goes there.  The rule: a name that does not exist takes the same way, the
 * same time and the same words as one that does.  Source: RFC 5802, 7677.
 */
#include <openssl/rand.h>
#include <stdio.h>

#include "common/scram.h"
#include "worker/postgres/pg_login.h"
#include "worker/snapshot.h"

enum {
	PASSWORD_MESSAGE_MAX = 2048,
	NONCE_LEN = 18,
};

struct scram {			/* the conversation with the client, RFC 5802 */
	char client_first[512]; /* bare */
	char server_first[512];
	char nonce[256]; /* the client's and ours */
	char header[8];	 /* GS2 header: "n,," or "y,," */
};

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

/* "n,,n=,r=<nonce>": the header, and the bare rest. */
static enum err
read_client_first(struct text message, struct scram *c, struct text *nonce)
{
	char *r;

	if (message.len < 3 || message.len >= sizeof(c->client_first) ||
	    memchr(message.at, 0, message.len) != NULL)
		return ERR_MALFORMED;
	/* no channel binding without TLS: "p=" is not for us */
	if (!text_starts(message, TEXT("n,,")) &&
	    !text_starts(message, TEXT("y,,")))
		return ERR_UNSUPPORTED;
	memcpy(c->header, message.at, 3);
	memcpy(c->client_first, message.at + 3, message.len - 3);
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
	char copy[1024], binding[16], expected[512], *proof;
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
	binding[base64_encode((const uint8_t *)c->header, 3, binding)] = '\0';
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

/* The whole exchange. ERR_REFUSED: the proof was wrong. */
static enum err
prove_client(struct session *s, struct text prover)
{
	struct broker_request r = {.kind = BROKER_CLIENT_PROOF};
	struct broker_reply reply;
	struct pg_sasl_initial initial;
	struct scram c = {.header = ""};
	struct text nonce;
	struct wire body;
	size_t total;
	enum err e;

	/* the list of mechanisms ends with an empty name */
	login_put_authentication(pg_out(s), 10, TEXT("SCRAM-SHA-256\0\0"));
	e = read_password(s, &body, &total);
	if (e == ERR_NONE)
		e = pg_parse_sasl_initial(body, &initial);
	if (e == ERR_NONE && !text_is(initial.mechanism, TEXT("SCRAM-SHA-256")))
		e = ERR_UNSUPPORTED;
	if (e == ERR_NONE)
		e = read_client_first(initial.response, &c, &nonce);
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
