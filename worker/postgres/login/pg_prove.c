/*
 * pg_prove.c - proving who a client is: SCRAM-SHA-256 and -PLUS, a token or
 * password, or what the connection has shown.
 *
 * All is decided by the broker: what is to be proved, whether it was, and who
 * it is then.  The rule: a name that does not exist takes the same way, the
 * same time and the same words as one that does.  Over TLS a proof may be
 * bound to the connection (-PLUS): then nobody between can pass it on.
 * Source: RFC 5802, 5929, 7677.
 */
#include <openssl/crypto.h>
#include <stdio.h>
#include <unistd.h>

#include "common/broker_channel.h"
#include "common/handshake.h"
#include "common/identity_groups.h"
#include "common/log.h"
#include "common/scram.h"
#include "worker/postgres/login/pg_login.h"
#include "worker/snapshot.h"

enum {
	PASSWORD_MESSAGE_MAX = BROKER_SECRET_MAX + 16
};

struct scram {			/* the conversation with the client, RFC 5802 */
	char client_first[512]; /* bare */
	char server_first[512];
	char nonce[256]; /* the client's and ours */
	size_t client_nonce; /* bytes of it that are the client's */
	bool offers_binding;
	struct scram_binding binding; /* as offered; header: as chosen */
	const char *wrong; /* ERR_REFUSED here: why */
};

static const char stripped[] =
    "channel binding was stripped: somebody may be in between";
static const char misfit[] =
    "channel binding does not fit: somebody may be in between";

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
 * between has taken the offer away (ERR_REFUSED). */
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
	} else if (text_starts(message, TEXT("y,,"))) {
		c->wrong = c->offers_binding ? stripped : NULL;
	} else if (!text_starts(message, TEXT("n,,"))) {
		return ERR_UNSUPPORTED;
	}
	if (c->wrong != NULL)
		return ERR_REFUSED;
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

/* "r=<client's nonce><ours>,s=…,i=…"; all but the client's nonce is the
 * broker's, and is kept there. */
static enum err
put_server_first(
    struct session *s, struct scram *c, struct text nonce, const char *rest)
{
	size_t ours = strcspn(rest, ",");
	int len;

	snprintf(c->nonce, sizeof(c->nonce), "%.*s%.*s", (int)nonce.len,
	    nonce.at, (int)ours, rest);
	c->client_nonce = nonce.len;
	len = snprintf(c->server_first, sizeof(c->server_first), "r=%.*s%s",
	    (int)nonce.len, nonce.at, rest);
	if (len < 0 || (size_t)len >= sizeof(c->server_first))
		return ERR_TOO_LONG;
	login_put_authentication(
	    pg_out(s), 11, (struct text){c->server_first, (size_t)len});
	return ERR_NONE;
}

/* "c=<binding>,r=<nonce>" as it must be. Another binding to the right nonce
 * is of another connection: ERR_REFUSED. */
static enum err
check_bound(const char *have, struct scram *c)
{
	char binding[SCRAM_BINDING_TEXT_MAX];
	const char *rest = strchr(have, ',');

	if (strncmp(have, "c=", 2) != 0 || rest == NULL ||
	    strncmp(rest, ",r=", 3) != 0 || strcmp(rest + 3, c->nonce) != 0)
		return ERR_MALFORMED;
	scram_binding_encode(&c->binding, binding);
	if (strlen(binding) == (size_t)(rest - have) - 2 &&
	    strncmp(have + 2, binding, strlen(binding)) == 0)
		return ERR_NONE;
	c->wrong = misfit;
	return ERR_REFUSED;
}

/* "c=biws,r=<nonce>,p=<proof>" taken apart and checked against `c`. */
static enum err
read_client_final(
    struct text message, struct scram *c, struct broker_request *r)
{
	char copy[1024], *proof;
	size_t len;
	enum err e;
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
	e = check_bound(copy, c);
	if (e != ERR_NONE)
		return e;
	if (base64_decode(text_of(proof), r->proof, sizeof(r->proof), &len) !=
		ERR_NONE ||
	    len != sizeof(r->proof))
		return ERR_MALFORMED;
	/* three texts, zeros between: see CLIENT_PROOF */
	n = snprintf(r->auth, sizeof(r->auth), "%s%c%.*s%c%s", c->client_first,
	    0, (int)c->client_nonce, c->nonce, 0, copy);
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

/* What was found wrong here, as if the broker had said it. */
static enum err
say_wrong(const struct scram *c, enum err e, struct broker_reply *reply)
{
	if (e == ERR_REFUSED)
		snprintf(reply->reason, sizeof(reply->reason), "%s", c->wrong);
	return e;
}

/* The whole exchange. ERR_REFUSED: the proof was wrong. */
static enum err
prove_scram(
    struct session *s, struct broker_reply *reply, struct parcel *take)
{
	struct broker_request r = {.kind = BROKER_CLIENT_PROOF};
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
		e = put_server_first(s, &c, nonce, reply->first);
	if (e != ERR_NONE)
		return say_wrong(&c, e, reply);
	peer_consume(&s->relay.client, total);
	e = read_password(s, &body, &total);
	if (e == ERR_NONE)
		e = read_client_final(wire_rest(&body), &c, &r);
	if (e != ERR_NONE)
		return say_wrong(&c, e, reply);
	peer_consume(&s->relay.client, total);
	pg_of(s)->is_bound = c.binding.data_len > 0;
	e = broker_exchange(s->birth->broker, &r, NULL, reply, take);
	return e == ERR_NONE ? put_server_final(s, reply) : e;
}

/* AuthenticationCleartextPassword, and what comes is a token or password: the
 * broker has seen to it that it does not cross in clear. */
static enum err
prove_secret(
    struct session *s, struct broker_reply *reply, struct parcel *take)
{
	const struct broker_request r = {.kind = BROKER_CLIENT_SECRET};
	struct parcel secret = {.fd = -1};
	struct text text;
	struct wire body;
	size_t total;
	enum err e;

	login_put_authentication(pg_out(s), 3, TEXT(""));
	e = read_password(s, &body, &total);
	if (e != ERR_NONE)
		return e;
	text = wire_cstring(&body);
	if (wire_end(&body) != ERR_NONE)
		return ERR_MALFORMED;
	secret.bytes = (void *)(uintptr_t)text.at;
	secret.len = text.len;
	e = text.len == 0 ? ERR_REFUSED
			  : broker_exchange(s->birth->broker, &r, &secret,
				reply, take);
	OPENSSL_cleanse((void *)(uintptr_t)text.at, text.len);
	peer_consume(&s->relay.client, total);
	return e;
}

/* Nothing more to prove: the identity has come already. */
static enum err
prove_nothing(
    struct session *s, struct broker_reply *reply, struct parcel *take)
{
	(void)s, (void)reply, (void)take;
	return ERR_NONE;
}

/* --- who -------------------------------------------------------------- */

/* What a client is told that is not let in; `reply`: what the broker said. */
static enum err
fail_refused(struct session *s, const struct broker_reply *reply)
{
	char text[BROKER_NAME_MAX + 64];

	/* the rest, of who it would have been, is for the record */
	if (strncmp(reply->reason, BROKER_IN_CLEAR, strlen(BROKER_IN_CLEAR)) ==
	    0)
		return login_fail(s, "28000", reply->reason,
		    "this login needs TLS or a Unix socket; connect with "
		    "sslmode=require or stronger");
	if (strcmp(reply->reason, stripped) == 0 ||
	    strcmp(reply->reason, misfit) == 0)
		return login_fail(s, "28000", reply->reason, reply->reason);
	if (strcmp(reply->reason, BROKER_SUPERSEDED) == 0)
		return login_fail(s, "57P03", reply->reason, LOGIN_RELOADED);
	snprintf(text, sizeof(text),
	    "password authentication failed for user \"%s\"", s->login);
	return login_fail(s, "28P01",
	    reply->reason[0] != '\0' ? reply->reason : "refused", text);
}

enum err
login_fail_proof(struct session *s, enum err e)
{
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
	return login_fail(s, "58000", err_text(e),
	    "authentication is not available at the moment");
}

/* A certificate is proved by the handshake itself: the broker takes nobody's
 * word for it. */
static void
show_certificate(struct session *s)
{
	struct broker_request r = {.kind = BROKER_CLIENT_CERTIFICATE,
	    .place = (uint32_t)(s->listener - s->birth->settings->listeners)};
	struct buffer b = {0};
	struct handshake head;
	struct text messages;
	struct broker_reply reply = {.reason = "its handshake is too long"};
	struct parcel none = {.fd = -1};
	enum err e = ERR_TOO_LONG;

	if (tls_handshake_messages(s->tls, &head.version, &messages)) {
		head.len = (uint32_t)messages.len;
		buffer_put(&b, &head, sizeof(head));
		buffer_put_text(&b, messages);
		e = b.failed ? ERR_MEMORY
			     : broker_exchange(s->birth->broker, &r,
				   &(struct parcel){.bytes = b.bytes,
				       .len = b.len,
				       .fd = -1},
				   &reply, &none);
	}
	if (e != ERR_NONE)
		log_info("session %s: its certificate proves nothing: %s",
		    s->id, reply.reason[0] != '\0' ? reply.reason
						   : err_text(e));
	buffer_free(&b);
}

/* The connection itself may show who is there. What cannot be found out shows
 * nothing, and is missed where it is needed. */
static void
show_connection(struct session *s)
{
	struct broker_request r = {.kind = BROKER_CLIENT_PROCESS};
	struct parcel socket = {.fd = s->relay.client.fd}, none = {.fd = -1};
	struct broker_reply reply;

	if (s->tls != NULL && tls_has_certificate(s->tls))
		show_certificate(s);
	if (!session_is_local(s))
		return;
	if (broker_exchange(s->birth->broker, &r, &socket, &reply, &none) !=
	    ERR_NONE)
		log_info("session %s: its process: %s", s->id, reply.reason);
	if (none.fd >= 0)
		close(none.fd);
}

/* Is every text of it terminated, every count within bounds? */
static bool
is_sound(const struct broker_identity *who, size_t len)
{
	uint32_t i;
	bool is_fine = len > offsetof(struct broker_identity, via) &&
	    who->group_count <= IDENTITY_GROUPS_MAX;

#define ENDS(field) (memchr(field, 0, sizeof(field)) != NULL)
	is_fine = is_fine && ENDS(who->user) && ENDS(who->agent) &&
	    ENDS(who->user_via) && ENDS(who->agent_via) && ENDS(who->via) &&
	    ENDS(who->issuer) && ENDS(who->token) && ENDS(who->chain) &&
	    ENDS(who->subject) && ENDS(who->fingerprint) &&
	    ENDS(who->executable) && ENDS(who->sha256) && ENDS(who->cgroup);
	for (i = 0; is_fine && i < who->group_count; i++)
		is_fine = ENDS(who->groups[i]);
#undef ENDS
	return is_fine;
}

/* The session is whose the broker says it is. */
static enum err
be_identified(struct session *s, struct broker_identity *who)
{
	struct text *groups =
	    arena_array(s->arena, who->group_count + 1, sizeof(*groups));
	struct text client = s->identity.client;

	if (groups == NULL)
		return ERR_MEMORY;
	s->identity = identity_of_proof(who, groups);
	s->identity.client = client;
	s->who = who;
	session_expire(s, who->expires_at);
	return ERR_NONE;
}

enum err
login_identify(struct session *s)
{
	static enum err (*const methods[])(struct session *s,
	    struct broker_reply *reply, struct parcel *take) = {
	    [METHOD_SCRAM] = prove_scram,
	    [METHOD_SECRET] = prove_secret,
	    [METHOD_PROVED] = prove_nothing};
	struct broker_request r = {.kind = BROKER_CLIENT_START};
	struct broker_identity *who = arena_alloc(s->arena, sizeof(*who));
	const struct parcel socket = {.fd = s->relay.client.fd};
	struct parcel take = {.bytes = who, .size = sizeof(*who), .fd = -1};
	struct broker_reply reply = {0};
	enum err e;

	if (!snapshot_is_current(s->gate))
		return login_fail(
		    s, "57P03", s->gate->reason, "no policy is in force");
	if (who == NULL)
		return ERR_MEMORY;
	show_connection(s);
	field_set(r.name, sizeof(r.name), text_of(s->login));
	e = broker_exchange(s->birth->broker, &r, &socket, &reply, &take);
	if (e == ERR_NONE &&
	    (reply.method < METHOD_SCRAM || reply.method > METHOD_PROVED))
		e = ERR_MALFORMED;
	if (e == ERR_NONE)
		e = methods[reply.method](s, &reply, &take);
	if (take.fd >= 0)
		close(take.fd);
	if (e == ERR_NONE && !is_sound(who, take.len))
		e = ERR_SYSTEM;
	if (e == ERR_REFUSED)
		return fail_refused(s, &reply);
	return e == ERR_NONE ? be_identified(s, who) : login_fail_proof(s, e);
}
