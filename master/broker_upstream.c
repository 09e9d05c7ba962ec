/*
 * broker_upstream.c - logging in to upstreams for those who are proved.
 *
 * The rule: whose login it is was decided by who the client is, and at which
 * upstream by the listener it came through; a worker chooses neither.
 */
#include <string.h>

#include "common/identity_groups.h"
#include "master/broker_inner.h"

/* The login of this channel at that upstream. */
static bool
login_choose(struct broker *b, struct channel *c, uint32_t place)
{
	struct text groups[IDENTITY_GROUPS_MAX];
	const struct upstream *u;
	struct identity who;

	if (c->has_upstream)
		return place == c->index.upstream;
	/* that of the listener its client came through, and no other */
	if (place >= b->settings->upstream_count ||
	    place != b->settings->listeners[c->listener].upstream_index)
		return false;
	u = &b->settings->upstreams[place];
	who = identity_of_proof(c->who, groups);
	who.client = text_of(c->source);
	c->index = (struct login_index){place, upstream_login_of(u, &who)};
	c->has_upstream = true;
	return true;
}

ANSWER(broker_connect)
{
	struct errand e = {.kind = ERRAND_CONNECT,
	    .place = q->request->place,
	    .attempt = q->request->attempt};

	/* what was proved, and whose login that is, may not hold any more */
	if (c->phase == PHASE_PROVED && b->control < 0)
		return broker_no(r, BROKER_SUPERSEDED);
	if (!login_choose(b, c, q->request->place))
		return broker_no(r, "another upstream");
	return broker_send_errand(b, c, &e, TEXT(""), -1, r);
}

ANSWER(broker_socket)
{
	struct errand e = {.kind = q->request->kind == BROKER_SINK
				       ? ERRAND_SINK
				       : ERRAND_LOG};

	return broker_send_errand(b, c, &e, TEXT(""), -1, r);
}

/* The descriptor is already in `r`. */
OUTCOME(broker_socket_came)
{
	(void)b;
	if (o->result != OUTCOME_YES || r->fd < 0) {
		r->reply.has_more = o->has_more != 0;
		return broker_no(r, o->reason);
	}
	r->reply.has_more = o->has_more != 0;
	r->reply.login = (uint32_t)c->index.login;
	return ANSWER_YES;
}

/* A database's own, so that whoever takes its place, or a worker, gets no
 * proof that is cheap to guess the password from; nor keeps us computing. */
enum { ITERATIONS_LEAST = 4096, ITERATIONS_MOST = 100000 };

ANSWER(broker_scram)
{
	const struct broker_request *s = q->request;
	const uint8_t *salted;

	if (!c->has_upstream)
		return broker_no(r, "there is no connection to log in on");
	if (s->iterations < ITERATIONS_LEAST)
		return broker_no(r, "fewer than 4096 SCRAM iterations");
	if (s->iterations > ITERATIONS_MOST)
		return broker_no(r, "more than 100000 SCRAM iterations");
	if (!secrets_salted(b->secrets, c->index, s->salt, s->salt_len,
		s->iterations, &salted))
		return broker_no(r, "there is no password for this login");
	if (c->of == CHANNEL_CATALOG)
		b->has_scram[c->index.upstream] = true;
	return scram_prove(salted, (struct text){s->auth, s->auth_len},
		   r->reply.proof, r->reply.signature) == ERR_NONE
		   ? ANSWER_YES
		   : broker_no(r, "the proof could not be made");
}

ANSWER(broker_md5)
{
	const struct broker_request *s = q->request;
	const struct upstream *u;
	struct text password;

	if (!c->has_upstream)
		return broker_no(r, "there is no connection to log in on");
	u = &b->settings->upstreams[c->index.upstream];
	if (c->of == CHANNEL_CATALOG)
		b->has_scram[c->index.upstream] = false;
	else if (b->has_scram[c->index.upstream])
		return broker_no(r, "MD5 where Sallyport's own login has SCRAM");
	if (s->salt_len != 4 ||
	    !secrets_password(b->secrets, c->index, &password))
		return broker_no(r, "there is no password for this login");
	return scram_md5(text_of(u->logins[c->index.login].user), password,
		   s->salt, r->reply.md5) == ERR_NONE
		   ? ANSWER_YES
		   : broker_no(r, "the response could not be made");
}

ANSWER(broker_sign_upstream)
{
	if (!c->has_upstream || q->request->place != c->index.upstream)
		return broker_no(r, "another upstream");
	return signer_sign(b->signer, q->request, &r->reply)
		   ? ANSWER_YES
		   : broker_no(r, "no TLS handshake, or no key for it");
}

ANSWER(broker_sign_listener)
{
	if (!signer_sign(b->signer, q->request, &r->reply))
		return broker_no(r, "no TLS handshake, or no key for it");
	/* a client's own signature covers this one */
	c->signature_place = q->request->place;
	c->signature_len = r->reply.signed_len;
	memcpy(c->signature, r->reply.signed_by_key, c->signature_len);
	return ANSWER_YES;
}

/* --- how it went ---------------------------------------------------------- */

/* Of the login that this channel was given, and no other. `words`: "", it has
 * succeeded. */
static void
result_tell(struct broker *b, const struct channel *c, struct text words,
    bool is_unconnected)
{
	struct tiding n = {.upstream = (uint32_t)c->index.upstream,
	    .login = (uint32_t)c->index.login,
	    .is_success = words.len == 0,
	    .is_unconnected = is_unconnected};

	field_set(n.words, sizeof(n.words), words);
	/* what master was not told is still news the next time */
	if (c->has_upstream && b->control >= 0 &&
	    tiding_is_news(b->master->troubles, &n) &&
	    tiding_send(b->control, &n))
		tiding_note(b->master->troubles, &n, unix_ms());
}

ANSWER(broker_result)
{
	const struct broker_request *s = q->request;
	const struct text words = {s->auth, strnlen(s->auth, s->auth_len)};

	(void)r;
	/* that a worker has succeeded, it says with SESSION */
	if (words.len > 0 || c->of == CHANNEL_CATALOG)
		result_tell(b, c, words, s->attempt == 0);
	return ANSWER_NONE;
}

ANSWER(broker_session)
{
	(void)q, (void)r;
	result_tell(b, c, TEXT(""), false);
	c->phase = PHASE_SESSION;
	return ANSWER_NONE;
}
