/*
 * broker_client.c - finding out who a client is.
 *
 * The rule: a name nobody has takes the same way as a wrong password, in as
 * many steps.  Trusts what the porter and the verifier have seen, and no
 * worker.
 */
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/hole.h"
#include "common/wire.h"
#include "master/broker_inner.h"

enum { NONCE_LEN = 18 }; /* random bytes; 24 characters */

static const char superseded[] = BROKER_SUPERSEDED;
static const char throttled[] = "throttled: too many wrong proofs";

static struct connection_facts
facts_of(const struct channel *c)
{
	return (struct connection_facts){
	    .process = c->process,
	    .certificate = c->certificate,
	    .certificate_wrong =
		c->certificate_wrong[0] != '\0' ? c->certificate_wrong : NULL,
	    .process_wrong =
		c->process_wrong[0] != '\0' ? c->process_wrong : NULL};
}

/* --- what the connection shows -------------------------------------------- */

ANSWER(client_certificate)
{
	struct errand e = {.kind = ERRAND_CERTIFICATE,
	    .signature_len = c->signature_len};
	const uint32_t place = q->request->place;
	struct text listener;

	if (c->signature_len == 0 || place != c->signature_place ||
	    place >= b->settings->listener_count)
		return broker_no(r, "no TLS on this connection");
	listener = text_of(b->settings->listeners[place].address);
	if (listener.len >= sizeof(e.listener))
		return broker_no(r, "the listener's address is too long");
	field_set(e.listener, sizeof(e.listener), listener);
	memcpy(e.signature, c->signature, c->signature_len);
	return broker_send_errand(b, c, &e, q->parcel, -1, r);
}

OUTCOME(certificate_came)
{
	(void)b;
	if (o->result != OUTCOME_YES) {
		field_set(c->certificate_wrong, sizeof(c->certificate_wrong),
		    text_of(o->reason));
		return broker_no(r, o->reason);
	}
	c->certificate = malloc(sizeof(*c->certificate));
	if (c->certificate == NULL)
		return broker_no(r, "out of memory");
	*c->certificate = o->certificate;
	return ANSWER_YES;
}

ANSWER(client_process)
{
	struct errand e = {.kind = ERRAND_PROCESS};

	if (q->fd < 0)
		return broker_no(r, "no descriptor");
	return broker_send_errand(b, c, &e, TEXT(""), q->fd, r);
}

OUTCOME(process_came)
{
	(void)b;
	if (o->result != OUTCOME_YES)
		return broker_no(r, o->reason);
	c->process = malloc(sizeof(*c->process));
	if (c->process == NULL)
		return broker_no(r, "out of memory");
	*c->process = o->process;
	field_set(c->process_wrong, sizeof(c->process_wrong),
	    text_of(o->reason));
	return ANSWER_YES;
}

/* --- guesses -------------------------------------------------------------- */

/* Who guesses: on this machine, the account. */
static struct text
source_of(const struct channel *c, char *out, size_t size)
{
	if (c->process == NULL)
		return text_of(c->source);
	snprintf(out, size, "unix:%u", c->process->uid);
	return text_of(out);
}

/* May a proof be looked at? */
static bool
guess_permitted(const struct broker *b, const struct channel *c)
{
	char room[SLOT_NAME_MAX];
	int64_t wait;

	return penalty_permits(b->penalties,
	    source_of(c, room, sizeof(room)), c->plan.subject,
	    monotonic_ms(), &wait);
}

/* It counts as wrong until it is known to be right: many at a time are no way
 * around. */
static void
guess_count(struct broker *b, struct channel *c)
{
	char room[SLOT_NAME_MAX];

	penalty_failed(b->penalties, source_of(c, room, sizeof(room)),
	    c->plan.subject, monotonic_ms());
	c->is_charged = true;
}

/* Nobody has looked at it. */
static void
guess_forget(struct broker *b, struct channel *c)
{
	char room[SLOT_NAME_MAX];

	if (c->is_charged)
		penalty_forgive(b->penalties,
		    source_of(c, room, sizeof(room)), c->plan.subject);
	c->is_charged = false;
}

static void
guess_was_right(struct broker *b, struct channel *c)
{
	char room[SLOT_NAME_MAX];
	struct text source = source_of(c, room, sizeof(room));

	if (!c->is_charged)
		return;
	penalty_forgive(b->penalties, source, c->plan.subject);
	penalty_succeeded(
	    b->penalties, source, c->plan.subject, monotonic_ms());
}

/* --- in and out ----------------------------------------------------------- */

static enum answer
client_refuse(struct broker *b, struct channel *c, struct response *r,
    const char *reason)
{
	c->phase = PHASE_OVER;
	secrets_count_failure(b->secrets);
	return broker_no(r, reason);
}

/* All proofs are there: who is it? */
static enum answer
client_admit(struct broker *b, struct channel *c,
    const struct token_facts *token, struct response *r)
{
	const struct connection_facts facts = facts_of(c);
	const char *wrong;

	c->who = malloc(sizeof(*c->who));
	if (c->who == NULL)
		return client_refuse(b, c, r, "out of memory");
	wrong = admission_finish(&c->plan, &facts, token, c->who);
	if (wrong != NULL)
		return client_refuse(b, c, r, wrong);
	guess_was_right(b, c);
	c->phase = PHASE_PROVED;
	r->who = c->who;
	return ANSWER_YES;
}

/* --- the login ------------------------------------------------------------ */

/* What follows the client's nonce in "r=…,s=…,i=…" (RFC 5802, 5.1). The nonce
 * is ours, so that no exchange of before can be had again. */
static bool
put_server_first(struct broker *b, struct channel *c)
{
	struct scram_exchange *s = &c->scram;
	uint8_t random[NONCE_LEN];
	char ours[NONCE_LEN * 2], salt[SCRAM_SALT_MAX * 2];
	int len;

	s->is_mock = c->plan.verifier.len == 0 ||
	    scram_verifier_parse(c->plan.verifier, &s->verifier) != ERR_NONE;
	if (s->is_mock)
		secrets_mock(b->secrets, c->plan.subject, &s->verifier);
	if (getentropy(random, sizeof(random)) != 0)
		return false;
	ours[base64_encode(random, sizeof(random), ours)] = '\0';
	salt[base64_encode(s->verifier.salt, s->verifier.salt_len, salt)] =
	    '\0';
	len = snprintf(s->server_first, sizeof(s->server_first),
	    "%s,s=%s,i=%u", ours, salt, s->verifier.iterations);
	return len > 0 && (size_t)len < sizeof(s->server_first);
}

static enum answer
start_scram(struct broker *b, struct channel *c, struct response *r)
{
	if (!put_server_first(b, c))
		return client_refuse(b, c, r, "no random numbers");
	memcpy(r->reply.first, c->scram.server_first, sizeof(r->reply.first));
	r->reply.method = METHOD_SCRAM;
	c->phase = PHASE_SCRAM;
	return ANSWER_YES;
}

static enum answer
start_secret(struct broker *b, struct channel *c, struct response *r)
{
	char whole[ADMISSION_REASON_MAX];

	/* a Unix socket or TLS, as far as this channel has shown */
	if (c->process == NULL && c->signature_len == 0) {
		snprintf(whole, sizeof(whole), "%s%s%s", BROKER_IN_CLEAR,
		    c->plan.refusal == NULL ? "" : "; ",
		    c->plan.refusal == NULL ? "" : c->plan.refusal);
		return client_refuse(b, c, r, whole);
	}
	r->reply.method = METHOD_SECRET;
	c->phase = PHASE_SECRET;
	return ANSWER_YES;
}

static uint64_t
mimic_number(const void *secrets, struct text name)
{
	return secrets_mimic(secrets, name);
}

/* Where the client came from and to. Clients leave; a worker that shows
 * something else, or has had another listener's handshake signed, is not ours
 * any more. */
static bool
socket_take(
    struct broker *b, struct channel *c, int fd, const char **wrong_out)
{
	struct client_socket socket;
	enum socket_is is = client_socket_look(b->master, fd, &socket);

	if (is == SOCKET_CLIENTS && c->signature_len > 0 &&
	    c->signature_place != socket.listener) {
		broker_record_refusal(b, c, BROKER_CLIENT_START);
		*wrong_out = "another listener's handshake was signed";
		return false;
	}
	if (is == SOCKET_CLIENTS) {
		c->listener = socket.listener;
		field_set(
		    c->source, sizeof(c->source), text_of(socket.source));
		return true;
	}
	if (is == SOCKET_NOT_CLIENTS)
		broker_record_refusal(b, c, BROKER_CLIENT_START);
	*wrong_out = is == SOCKET_GONE ? "the client has gone"
				       : "no socket of a client of ours";
	return false;
}

ANSWER(client_start)
{
	const struct broker_request *s = q->request;
	const struct connection_facts facts = facts_of(c);
	const struct mimic mimic = {mimic_number, b->secrets};
	struct text login = {s->name, strnlen(s->name, sizeof(s->name))};
	const char *wrong;

	hole_look(login);
	if (b->control < 0)
		return client_refuse(b, c, r, superseded);
	if (!socket_take(b, c, q->fd, &wrong))
		return client_refuse(b, c, r, wrong);
	if (login.len == 0 || login.len == sizeof(s->name))
		return client_refuse(b, c, r, "no login name");
	field_set(c->login, sizeof(c->login), login);
	login = text_of(c->login); /* which the plan borrows from */
	admission_plan(secrets_identities(b->secrets), login, &facts, &mimic,
	    &c->plan);
	if (c->plan.proof == PROOF_SCRAM)
		return start_scram(b, c, r);
	if (c->plan.proof != PROOF_NONE)
		return start_secret(b, c, r);
	r->reply.method = METHOD_PROVED;
	return client_admit(b, c, NULL, r);
}

/* AuthMessage: the client's first message (bare), ours, the client's last
 * without the proof, commas between. The client's are not looked into. */
static bool
auth_message(const struct channel *c, const struct broker_request *s,
    char *out, size_t size, struct text *message_out)
{
	struct wire w = wire_of(s->auth, s->auth_len);
	struct text first = wire_cstring(&w), nonce = wire_cstring(&w);
	struct text last = wire_rest(&w);
	int len;

	if (w.bad)
		return false;
	len = snprintf(out, size, "%.*s,r=%.*s%s,%.*s", (int)first.len,
	    first.at, (int)nonce.len, nonce.at, c->scram.server_first,
	    (int)last.len, last.at);
	*message_out = (struct text){out, (size_t)(len > 0 ? len : 0)};
	return len > 0 && (size_t)len < size;
}

ANSWER(client_proof)
{
	char whole[BROKER_AUTH_MESSAGE_MAX + BROKER_FIRST_MAX];
	struct scram_exchange *s = &c->scram;
	struct text message;
	bool is_mock = s->is_mock, is_right = false;
	bool is_permitted = guess_permitted(b, c);

	if (is_permitted && b->control >= 0)
		guess_count(b, c);
	if (!is_permitted ||
	    !auth_message(c, q->request, whole, sizeof(whole), &message) ||
	    scram_check(&s->verifier, message, q->request->proof, &is_right,
		r->reply.signature) != ERR_NONE)
		is_right = false;
	OPENSSL_cleanse(s, sizeof(*s));
	if (b->control < 0)
		return client_refuse(b, c, r, superseded);
	if (!is_permitted)
		return client_refuse(b, c, r, throttled);
	if (c->plan.refusal != NULL)
		return client_refuse(b, c, r, c->plan.refusal);
	if (!is_right || is_mock)
		return client_refuse(b, c, r, "wrong password");
	return client_admit(b, c, NULL, r);
}

/* Who PAM is asked about. A name that is nobody's here may be somebody's there,
 * and must not be locked by guesses: it is asked about one that is not. */
static struct text
pam_name(const struct broker *b, const struct channel *c, char *out,
    size_t size)
{
	if (!c->plan.is_nobodys)
		return c->plan.subject;
	snprintf(out, size, "nobody-%016llx",
	    (unsigned long long)secrets_mimic(b->secrets, c->plan.subject));
	return text_of(out);
}

/* The user, a zero, the password. */
static enum answer
ask_pam(struct broker *b, struct channel *c, struct text secret,
    struct response *r)
{
	struct errand e = {.kind = ERRAND_PAM};
	char whole[ERRAND_NAME_MAX + BROKER_SECRET_MAX], room[32];
	struct text name = pam_name(b, c, room, sizeof(room));
	enum answer a;

	guess_count(b, c);
	if (name.len >= ERRAND_NAME_MAX ||
	    memchr(secret.at, 0, secret.len) != NULL)
		return client_refuse(b, c, r, "wrong password");
	field_set(e.service, sizeof(e.service), c->plan.service);
	memcpy(whole, name.at, name.len);
	whole[name.len] = '\0';
	memcpy(whole + name.len + 1, secret.at, secret.len);
	a = broker_send_errand(b, c, &e,
	    (struct text){whole, name.len + 1 + secret.len}, -1, r);
	OPENSSL_cleanse(whole, sizeof(whole));
	if (a == ANSWER_NO)
		guess_forget(b, c);
	return a;
}

ANSWER(client_secret)
{
	struct errand e = {.kind = ERRAND_TOKEN};
	struct text secret = q->parcel;

	if (secret.len == 0 || secret.len > BROKER_SECRET_MAX)
		return client_refuse(b, c, r, "a secret of the wrong length");
	if (!guess_permitted(b, c))
		return client_refuse(b, c, r, throttled);
	if (c->plan.proof == PROOF_PAM)
		return ask_pam(b, c, secret, r);
	return broker_send_errand(b, c, &e, secret, -1, r);
}

OUTCOME(secret_came)
{
	bool is_token = o->kind == ERRAND_TOKEN;

	/* Not before: nobody guesses a signature, and a pool that opens many
	 * connections at a time must not be in its own way. Who shows a token
	 * again guesses nothing. */
	if (is_token && o->result != OUTCOME_FAILED &&
	    o->result != OUTCOME_SPENT)
		guess_count(b, c);
	if (!is_token && (o->result == OUTCOME_FAILED || b->control < 0))
		guess_forget(b, c);
	if (b->control < 0)
		return client_refuse(b, c, r, superseded);
	if (c->plan.refusal != NULL)
		return client_refuse(b, c, r, c->plan.refusal);
	if (o->result != OUTCOME_YES)
		return client_refuse(b, c, r, o->reason);
	return client_admit(b, c, is_token ? &o->token : NULL, r);
}
