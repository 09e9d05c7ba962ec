/*
 * pg_login.c - from the first byte to a proved identity and a ready upstream.
 *
 * Straight-line code under the login deadline.  The rule: nothing is opened
 * upstream before the client has proved who it is, and the client's proof is
 * checked by the broker, which alone has the verifiers.
 */
#include <ctype.h>
#include <openssl/rand.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/log.h"
#include "common/scram.h"
#include "worker/mask_key.h"
#include "worker/postgres/pg.h"
#include "worker/snapshot.h"

enum {
	PASSWORD_MESSAGE_MAX = 2048,
	GREETINGS_MAX = 3, /* GSSENCRequest, SSLRequest, then the startup */
	NONCE_LEN = 18,
	SETTINGS_MAX = PG_STARTUP_SETTINGS_MAX + 64,
};

struct scram { /* the conversation with the client, RFC 5802 */
	char client_first[512]; /* bare */
	char server_first[512];
	char nonce[256]; /* the client's and ours */
	char header[8];	 /* GS2 header: "n,," or "y,," */
};

/* --- saying no ------------------------------------------------------------ */

/* Record a failed login and say why; `message` is for the client. */
static enum err
fail_login(struct session *s, const char *sqlstate, const char *reason,
    const char *message)
{
	struct json *j = audit_begin(s->audit, "login-failed");

	json_cstring(j, "reason", reason);
	if (s->identity.user.len == 0 && s->identity.agent.len == 0)
		json_cstring(j, "client", s->client);
	json_cstring(j, "sqlstate", sqlstate);
	if (audit_send(s->audit) != ERR_NONE)
		log_error("a failed login of \"%s\" could not be recorded",
		    s->login);
	return pg_fatal(s, ENDING_LOGIN, sqlstate, message);
}

static enum err
fail_malformed(struct session *s)
{
	return fail_login(s, "08P01", "malformed message before login",
	    "malformed message before login");
}

/* --- reading -------------------------------------------------------------- */

static enum err
wait_login(struct session *s)
{
	enum err e = relay_turn(&s->relay, true);

	if (e == ERR_INTERRUPTED) {
		e = session_attend(s);
		if (e == ERR_NONE && s->is_draining)
			e = session_end(s, ENDING_DRAIN);
		if (e == ERR_INTERRUPTED)
			e = ERR_NONE;
	}
	if (e == ERR_CLOSED && !s->has_ending)
		return session_lost(s);
	return e;
}

/* At least `n` unread bytes of the client. */
static enum err
need(struct session *s, size_t n)
{
	enum err e = ERR_NONE;

	while (e == ERR_NONE && peer_pending(&s->relay.client).len < n)
		e = wait_login(s);
	return e;
}

/* A startup packet, into `body`; consumed when the next is read. */
static enum err
read_startup(struct session *s, struct pg_startup *out, size_t *total_out)
{
	struct text have;
	struct wire w;
	uint32_t len;
	enum err e = need(s, 4);

	if (e != ERR_NONE)
		return e;
	have = peer_pending(&s->relay.client);
	w = wire_of(have.at, have.len);
	len = wire_u32(&w);
	if (len < PG_STARTUP_MIN || len > PG_STARTUP_MAX)
		return ERR_MALFORMED;
	e = need(s, len);
	if (e != ERR_NONE)
		return e;
	have = peer_pending(&s->relay.client);
	*total_out = len;
	return pg_parse_startup(wire_of(have.at + 4, len - 4), out);
}

/* A 'p' message's body; consume *total_out bytes when done with it. */
static enum err
read_password(struct session *s, struct wire *body, size_t *total_out)
{
	struct text have;
	struct wire w;
	uint32_t len;
	uint8_t type;
	enum err e = need(s, PG_HEADER);

	if (e != ERR_NONE)
		return e;
	have = peer_pending(&s->relay.client);
	w = wire_of(have.at, have.len);
	type = wire_u8(&w);
	len = wire_u32(&w);
	if (type != 'p' || len < 4 || len > PASSWORD_MESSAGE_MAX)
		return ERR_MALFORMED;
	*total_out = (size_t)len + 1;
	e = need(s, *total_out);
	have = peer_pending(&s->relay.client);
	*body = wire_of(have.at + PG_HEADER, len - 4);
	return e;
}

/* --- cancel requests ------------------------------------------------------ */

/* Tell the worker that serves this session; it alone has the server's key. */
static void
carry_cancel(struct session *s, int32_t pid, uint32_t key)
{
	struct scoreboard *b = s->birth->board;
	uint32_t i;

	for (i = 0; i < b->slot_count && pid != 0 && key != 0; i++) {
		struct slot *slot = &b->slots[i];

		if (atomic_load(&slot->backend_pid) != pid ||
		    atomic_load(&slot->cancel_secret) != key)
			continue;
		atomic_fetch_or(&slot->orders, ORDER_CANCEL);
		if (atomic_load(&slot->pid) > 0)
			kill(atomic_load(&slot->pid), SIGUSR1);
	}
}

/* --- SCRAM with the client ------------------------------------------------ */

static void
put_authentication(struct buffer *b, uint32_t kind, struct text data)
{
	size_t at = pg_message_begin(b, 'R');

	buffer_put_u32(b, kind);
	buffer_put_text(b, data);
	pg_message_end(b, at);
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
put_server_first(struct session *s, struct scram *c, struct text nonce,
    struct text prover)
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
	snprintf(c->nonce, sizeof(c->nonce), "%.*s%s", (int)nonce.len,
	    nonce.at, ours);
	len = snprintf(c->server_first, sizeof(c->server_first),
	    "r=%s,s=%s,i=%u", c->nonce, salt, reply.iterations);
	if (len < 0 || (size_t)len >= sizeof(c->server_first))
		return ERR_TOO_LONG;
	put_authentication(
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
	put_authentication(pg_out(s), 12, (struct text){final, len});
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
	put_authentication(pg_out(s), 10, TEXT("SCRAM-SHA-256\0\0"));
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

static enum err
fail_proof(struct session *s, enum err e)
{
	char text[BROKER_NAME_MAX + 64];

	if (e == ERR_CLOSED && s->has_ending && s->ending != ENDING_CLIENT)
		return e;
	if (e == ERR_DEADLINE)
		return fail_login(s, "57014", "login deadline passed",
		    "canceling authentication due to timeout");
	if (e == ERR_CLOSED) {
		/* what a client does that asks its user for a password */
		return fail_login(s, "08P01", "client left during login",
		    "connection closed");
	}
	if (e == ERR_MALFORMED || e == ERR_UNSUPPORTED || e == ERR_TOO_LONG)
		return fail_malformed(s);
	if (e != ERR_REFUSED)
		return fail_login(s, "58000", err_text(e),
		    "authentication is not available at the moment");
	snprintf(text, sizeof(text),
	    "password authentication failed for user \"%s\"", s->login);
	return fail_login(s, "28P01", "wrong password or unknown user", text);
}

/* Who the login name says it is, proved. */
static enum err
identify(struct session *s)
{
	struct identity *id = &s->identity;
	struct text login = text_of(s->login), prover = login;
	struct text client = id->client;
	enum err known, e;

	if (!snapshot_is_current(s->gate))
		return fail_login(s, "57P03", s->gate->reason,
		    "no policy is in force");
	known = identity_resolve(
	    &s->gate->policy->identities, login, id, &prover);
	if (known != ERR_NONE)
		prover = login; /* nobody's name: the broker makes up a salt */
	id->client = client;
	e = prove_client(s, prover);
	if (e == ERR_NONE && known != ERR_NONE)
		e = ERR_REFUSED; /* proved, but may not act for that person */
	if (e != ERR_NONE)
		return fail_proof(s, e);
	id->via = TEXT("scram-sha-256");
	return ERR_NONE;
}

/* --- settings ------------------------------------------------------------- */

/* Settings that only change how values look or how long things may take:
 * free unless a rule denies them by name. */
static const struct text harmless[] = {
    {"datestyle", 9},
    {"timezone", 8},
    {"intervalstyle", 13},
    {"extra_float_digits", 18},
    {"client_encoding", 15},
    {"geqo", 4},
    {"statement_timeout", 17},
    {"lock_timeout", 12},
    {"idle_in_transaction_session_timeout", 35},
    {"client_min_messages", 19},
};

struct wanted { /* the startup settings to pass on */
	struct setting_pair list[SETTINGS_MAX];
	size_t count;
	bool has_encoding;
};

static bool
is_harmless(struct text name)
{
	size_t i;

	for (i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++) {
		if (text_is_folded(name, harmless[i]))
			return true;
	}
	return false;
}

static bool
is_setting_name(struct text name)
{
	size_t i;

	for (i = 0; i < name.len; i++) {
		if (!isalnum((unsigned char)name.at[i]) &&
		    name.at[i] != '_' && name.at[i] != '.')
			return false;
	}
	return name.len > 0 && !isdigit((unsigned char)name.at[0]);
}

/* The SET that a startup setting amounts to. */
static struct text
as_statement(struct session *s, struct text name, struct text value)
{
	size_t room = name.len + value.len * 2 + 32, i;
	char *text = arena_alloc(s->arena, room), *p;

	if (text == NULL)
		return (struct text){NULL, 0};
	p = text +
	    snprintf(text, room, "SET %.*s TO '", (int)name.len, name.at);
	for (i = 0; i < value.len; i++) {
		if (value.at[i] == '\'')
			*p++ = '\'';
		*p++ = value.at[i];
	}
	*p++ = '\'';
	return (struct text){text, (size_t)(p - text)};
}

static enum err
fail_setting(struct session *s, struct text name, struct text reason)
{
	char text[GATE_REASON_MAX + 128];

	snprintf(text, sizeof(text), "startup setting \"%.*s\" refused: %.*s",
	    (int)(name.len < 64 ? name.len : 64), name.at, (int)reason.len,
	    reason.at);
	return fail_login(s, "42501", text, text);
}

/* Judge one setting as the SET it amounts to, and keep it. */
static enum err
want_setting(
    struct session *s, struct wanted *w, struct text name, struct text value)
{
	struct ruling *j;
	enum err e = ERR_NONE;

	if (text_is_folded(name, TEXT("application_name"))) {
		s->gate->claims = value; /* a claim; the identity is shown */
		return ERR_NONE;
	}
	if (!is_setting_name(name))
		return fail_setting(s, TEXT("?"), TEXT("not a setting name"));
	if (w->count == SETTINGS_MAX)
		return fail_setting(s, name, TEXT("too many settings"));
	j = gate_judge(s->gate, as_statement(s, name, value));
	if (j == NULL)
		return ERR_MEMORY;
	if (j->verdict.decision != THEN_ALLOW &&
	    (!is_harmless(name) || j->verdict.rule != NULL ||
		j->is_forbidden))
		e = fail_setting(s, name, j->verdict.reason);
	ruling_drop(j);
	w->has_encoding |= text_is_folded(name, TEXT("client_encoding"));
	w->list[w->count++] = (struct setting_pair){name, value};
	return e;
}

static enum err
want_options(struct session *s, struct wanted *w, struct text options)
{
	struct pg_setting option;
	enum err e;

	for (;;) {
		e = pg_next_option(&options, s->arena, &option);
		if (e == ERR_NOT_FOUND)
			return ERR_NONE;
		if (e == ERR_UNSUPPORTED)
			return fail_setting(s, TEXT("options"),
			    TEXT("only -c name=value is supported"));
		if (e == ERR_NONE)
			e = want_setting(s, w, option.name, option.value);
		if (e != ERR_NONE)
			return e;
	}
}

static enum err
want_all(
    struct session *s, const struct pg_startup *startup, struct wanted *w)
{
	struct text login = text_of(s->login);
	size_t i;
	enum err e = want_options(s, w, startup->options);

	for (i = 0; i < startup->setting_count && e == ERR_NONE; i++)
		e = want_setting(s, w, startup->settings[i].name,
		    startup->settings[i].value);
	if (e != ERR_NONE)
		return e;
	if (w->count + 5 > SETTINGS_MAX)
		return fail_setting(
		    s, TEXT("options"), TEXT("too many settings"));
	if (!w->has_encoding)
		w->list[w->count++] = (struct setting_pair){
		    TEXT("client_encoding"), TEXT("UTF8")};
	w->list[w->count++] =
	    (struct setting_pair){TEXT("application_name"), login};
	w->list[w->count++] = (struct setting_pair){
	    TEXT("sallyport.user"), s->identity.user};
	w->list[w->count++] = (struct setting_pair){
	    TEXT("sallyport.agent"), s->identity.agent};
	w->list[w->count++] = (struct setting_pair){
	    TEXT("client_connection_check_interval"), TEXT("1s")};
	return ERR_NONE;
}

/* --- upstream ------------------------------------------------------------- */

static enum err
open_upstream(struct session *s, const struct wanted *w)
{
	struct pg *pg = pg_of(s);
	struct text database = text_of(s->database);
	char reason[UPSTREAM_REASON_MAX];
	enum err e;

	/* the server looks after us as we look after the client: when this
	 * process dies, its statement ends too. Servers before PostgreSQL 14
	 * do not know the setting, which comes last in the list. */
	e = pg_upstream_open(s->upstream, database, w->list, w->count,
	    s->birth->broker, &pg->link);
	if (e == ERR_REFUSED && strcmp(pg->link.sqlstate, "42704") == 0)
		e = pg_upstream_open(s->upstream, database, w->list,
		    w->count - 1, s->birth->broker, &pg->link);

	if (e == ERR_NONE) {
		peer_init(&s->relay.upstream, pg->link.fd,
		    PG_MASKED_ROW_MAX + 2 * RELAY_CHUNK);
		pg->link.fd = -1; /* the relay's now */
		gate_want_catalog(s->gate);
		return ERR_NONE;
	}
	memcpy(reason, pg->link.reason, sizeof(reason));
	if (e == ERR_REFUSED && pg->link.sqlstate[0] != '\0')
		return fail_login(s, pg->link.sqlstate, reason, reason);
	log_error("session %s: upstream %s: %s", s->id, s->upstream->name,
	    reason);
	return fail_login(s, "08006", reason,
	    "the database cannot be reached at the moment");
}

enum err
pg_note_parameter(struct session *s, const struct pg_parameter *p)
{
	if (text_is(p->name, TEXT("standard_conforming_strings")))
		s->gate->lex.standard_conforming_strings =
		    text_is(p->value, TEXT("on"));
	if (text_is(p->name, TEXT("client_encoding")) &&
	    !text_is(p->value, TEXT("UTF8")))
		return pg_fatal(s, ENDING_PROTOCOL, "0A000",
		    "client_encoding is no longer UTF8, which this version "
		    "cannot read");
	return ERR_NONE;
}

/* Everything the server said while logging in, read as later on. */
static enum err
note_parameters(struct session *s, const struct buffer *parameters)
{
	struct wire w = wire_of(parameters->bytes, parameters->len);
	struct pg_parameter p;
	struct text body;
	enum err e = ERR_NONE;

	while (w.left > 0 && !w.bad && e == ERR_NONE) {
		wire_u8(&w);
		body = wire_bytes(&w, wire_u32(&w) - 4);
		e = pg_parse_parameter(wire_of(body.at, body.len), &p);
		if (e == ERR_NONE)
			e = pg_note_parameter(s, &p);
	}
	return e;
}

/* The server's own pid, which tools rely on, with a secret of ours. */
static void
put_key_data(struct session *s)
{
	struct pg *pg = pg_of(s);
	uint32_t secret = 0;
	size_t at;

	if (RAND_bytes((uint8_t *)&secret, sizeof(secret)) == 1 &&
	    secret != 0) {
		atomic_store(&s->slot->cancel_secret, secret);
		atomic_store(&s->slot->backend_pid, pg->link.backend_pid);
	}
	at = pg_message_begin(pg_out(s), 'K');
	buffer_put_u32(pg_out(s), (uint32_t)pg->link.backend_pid);
	buffer_put_u32(pg_out(s), secret);
	pg_message_end(pg_out(s), at);
}

static enum err
record_connect(struct session *s, const struct wanted *w)
{
	struct json *j = audit_begin(s->audit, "connect");
	size_t i;

	json_number(j, "backend_pid", pg_of(s)->link.backend_pid);
	json_open(j, "settings", '[');
	for (i = 0; i < w->count; i++)
		json_element(j, w->list[i].name);
	json_close(j, ']');
	if (s->gate->claims.len > 0) {
		json_open(j, "claims", '{');
		json_text(j, "application_name", s->gate->claims);
		json_close(j, '}');
	}
	return audit_send(s->audit);
}

static enum err
welcome(struct session *s, const struct wanted *w)
{
	struct pg *pg = pg_of(s);
	enum err e = note_parameters(s, &pg->link.parameters);

	if (e != ERR_NONE)
		return e;
	if (record_connect(s, w) != ERR_NONE)
		return pg_fatal(s, ENDING_AUDIT, "58030",
		    "the audit trail takes no records; no session begins "
		    "until it does again");
	atomic_fetch_add(&s->birth->board->sessions_total, 1);
	put_authentication(pg_out(s), 0, TEXT(""));
	buffer_put(
	    pg_out(s), pg->link.parameters.bytes, pg->link.parameters.len);
	put_key_data(s);
	pg->status = 'I';
	pg_put_ready(pg_out(s), pg->status);
	buffer_free(&pg->link.parameters);
	buffer_free(&pg->link.in);
	close(s->birth->broker); /* never to be asked again */
	s->birth->broker = -1;
	return ERR_NONE;
}

/* --- the greeting --------------------------------------------------------- */

/* NegotiateProtocolVersion: 3.0 is the newest, and these are not known. */
static void
put_negotiation(struct session *s, const struct pg_startup *startup)
{
	struct buffer *b = pg_out(s);
	size_t at, i;

	if (startup->code == PG_PROTOCOL_3_0 &&
	    startup->unknown_option_count == 0)
		return;
	at = pg_message_begin(b, 'v');
	buffer_put_u32(b, PG_PROTOCOL_3_0);
	buffer_put_u32(b, (uint32_t)startup->unknown_option_count);
	for (i = 0; i < startup->unknown_option_count; i++)
		buffer_put_cstring(b, startup->unknown_options[i]);
	pg_message_end(b, at);
}

static enum err
make_state(struct session *s)
{
	struct pg *pg = arena_alloc(s->arena, sizeof(*pg));

	if (pg == NULL)
		return ERR_MEMORY;
	pg->session = s;
	pg->link.fd = -1;
	pg->statements = names_new(prepared_drop);
	pg->portals = names_new(portal_drop);
	pg->row = arena_new(2 * (size_t)PG_MASKED_ROW_MAX);
	s->state = pg;
	s->relay.drain = pg_drain;
	return pg->statements == NULL || pg->portals == NULL || pg->row == NULL
	    ? ERR_MEMORY : ERR_NONE;
}

/* Answer SSLRequest and GSSENCRequest until the startup comes. */
static enum err
read_greeting(struct session *s, struct pg_startup *out)
{
	size_t total, i;
	enum err e = ERR_MALFORMED;

	for (i = 0; i < GREETINGS_MAX; i++) {
		e = read_startup(s, out, &total);
		if (e != ERR_NONE)
			return e;
		if (out->code != PG_CODE_SSL && out->code != PG_CODE_GSSENC) {
			/* its texts are used until login is over */
			s->greeting = total;
			return ERR_NONE;
		}
		peer_consume(&s->relay.client, total);
		buffer_put_u8(pg_out(s), 'N');
	}
	return ERR_MALFORMED;
}

static enum err
fail_greeting(struct session *s, enum err e)
{
	/* a probe that came and went, as load balancers do */
	if (e == ERR_CLOSED && s->relay.client.bytes_in == 0)
		return ERR_NOT_FOUND;
	if (e == ERR_UNSUPPORTED)
		return fail_login(s, "0A000", "unsupported protocol version",
		    "unsupported frontend protocol: Sallyport speaks 3.0");
	if (e == ERR_DEADLINE || e == ERR_CLOSED)
		return fail_proof(s, e);
	return fail_malformed(s);
}

/* The texts of the startup packet, kept for as long as the session. */
static enum err
keep_startup(struct session *s, struct pg_startup *startup)
{
	struct text have = peer_pending(&s->relay.client);
	char *copy = arena_copy(s->arena, have.at, s->greeting);

	if (copy == NULL)
		return ERR_MEMORY;
	peer_consume(&s->relay.client, s->greeting);
	if (pg_parse_startup(wire_of(copy + 4, s->greeting - 4), startup) !=
	    ERR_NONE)
		return ERR_MALFORMED;
	if (startup->user.len == 0 ||
	    startup->user.len >= sizeof(s->login) ||
	    startup->database.len >= sizeof(s->database))
		return ERR_MALFORMED;
	field_set(s->login, sizeof(s->login), startup->user);
	s->record.login = text_of(s->login);
	field_set(s->database, sizeof(s->database),
	    startup->database.len > 0 ? startup->database : startup->user);
	s->record.database = text_of(s->database);
	return ERR_NONE;
}

enum err
pg_greet(struct session *s)
{
	struct pg_startup *startup = arena_alloc(s->arena, sizeof(*startup));
	struct wanted *w = arena_alloc(s->arena, sizeof(*w));
	enum err e = make_state(s);

	if (e != ERR_NONE || startup == NULL || w == NULL)
		return ERR_MEMORY;
	e = read_greeting(s, startup);
	if (e != ERR_NONE)
		return fail_greeting(s, e);
	if (startup->code == PG_CODE_CANCEL) {
		carry_cancel(s, startup->cancel_pid, startup->cancel_key);
		return ERR_NOT_FOUND;
	}
	if (keep_startup(s, startup) != ERR_NONE)
		return fail_malformed(s);
	if (startup->replication.len > 0 &&
	    !text_is(startup->replication, TEXT("false")))
		return fail_login(s, "0A000", "replication connection",
		    "replication connections are not supported");
	put_negotiation(s, startup);
	e = identify(s);
	if (e != ERR_NONE)
		return e;
	if (gate_enter(s->gate, s->upstream, text_of(s->database),
		&s->identity) != ERR_NONE)
		return fail_login(s, "57P03", s->gate->reason,
		    "no policy is in force");
	if (mask_key_load(s->settings->state, pg_of(s)->mask_key) != ERR_NONE)
		return fail_login(s, "57P03", "no key for masks",
		    "the key for masks cannot be read");
	e = want_all(s, startup, w);
	if (e == ERR_NONE)
		e = open_upstream(s, w);
	return e == ERR_NONE ? welcome(s, w) : e;
}

void
pg_refuse(struct session *s)
{
	struct pg_startup *startup = arena_alloc(s->arena, sizeof(*startup));

	if (make_state(s) != ERR_NONE || startup == NULL ||
	    read_greeting(s, startup) != ERR_NONE)
		return;
	if (startup->code == PG_CODE_CANCEL)
		carry_cancel(s, startup->cancel_pid, startup->cancel_key);
	else if (pg_fatal(s, ENDING_LOGIN, "53300",
		     "sorry, too many clients already") != ERR_CLOSED)
		return;
}
