/* links: worker/postgres/login/pg_prove.c worker/postgres/wire/pg_wire.c common/identity_groups.c common/scram.c common/hmac.c common/saslprep.c common/wire.c common/text.c common/arena.c common/err.c */
/*
 * Whatever a client says when it is asked for its password: it is let in only
 * when the broker, asked about the nonce that was given out, has said so.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/log.h"
#include "common/scram.h"
#include "worker/postgres/login/pg_login.h"
#include "worker/snapshot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct policy policy;
static char nonce[256]; /* as the client was told it; "": not yet */
static bool was_granted;
static uint32_t method;

bool
snapshot_is_current(struct gate *g)
{
	(void)g;
	return true;
}

void
field_set(char *field, size_t size, struct text value)
{
	size_t len = value.len < size ? value.len : size - 1;

	memcpy(field, value.at, len);
	field[len] = '\0';
}

enum err
tls_binding(const struct tls *t, uint8_t *out, size_t *len_out)
{
	(void)t;
	memset(out, 'b', 32);
	*len_out = 32;
	return ERR_NONE;
}

bool
tls_has_certificate(const struct tls *t)
{
	(void)t;
	return false;
}

bool
tls_handshake_messages(
    const struct tls *t, uint32_t *version, struct text *messages)
{
	(void)t;
	(void)version;
	(void)messages;
	return false;
}

bool
session_is_local(const struct session *s)
{
	(void)s;
	return false;
}

void
session_expire(struct session *s, int64_t at)
{
	(void)s;
	(void)at;
}

void
log_info(const char *format, ...)
{
	(void)format;
}

/* Who it is, where the broker says so. */
static void
answer_identity(struct parcel *take)
{
	struct broker_identity who = {.user = "alice"};

	if (take->size < sizeof(who))
		abort();
	memcpy(take->bytes, &who, sizeof(who));
	take->len = sizeof(who);
	was_granted = true;
}

/* Half of all proofs are right: the bytes say which, and how it is to be
 * proved. */
enum err
broker_exchange(int channel, const struct broker_request *q,
    const struct parcel *give, struct broker_reply *reply, struct parcel *take)
{
	static const char rest[] = "bm9uY2VvZnNlcnZlcg==,s=c2FsdA==,i=4096";

	(void)channel;
	memset(reply, 0, sizeof(*reply));
	take->fd = -1;
	take->len = 0;
	if (q->kind == BROKER_CLIENT_START) {
		reply->method = method;
		memcpy(reply->first, rest, sizeof(rest));
		if (method == METHOD_PROVED)
			answer_identity(take);
		return ERR_NONE;
	}
	if (q->kind == BROKER_CLIENT_SECRET && method == METHOD_SECRET) {
		if (give->len == 0 || give->len > BROKER_SECRET_MAX + 16)
			abort();
		if (((const char *)give->bytes)[0] % 2 != 0)
			return ERR_REFUSED;
		answer_identity(take);
		return ERR_NONE;
	}
	if (q->kind != BROKER_CLIENT_PROOF || method != METHOD_SCRAM ||
	    nonce[0] == '\0' || q->auth_len > sizeof(q->auth) ||
	    memmem(q->auth, q->auth_len, nonce, strlen(nonce)) == NULL)
		abort();
	if (q->proof[0] % 2 != 0)
		return ERR_REFUSED;
	answer_identity(take);
	return ERR_NONE;
}

struct text
peer_pending(const struct peer *p)
{
	return (struct text){
	    (const char *)p->in.bytes + p->start, p->in.len - p->start};
}

void
peer_consume(struct peer *p, size_t n)
{
	if (n > p->in.len - p->start)
		abort();
	p->start += n;
}

struct buffer *
pg_out(struct session *s)
{
	return &s->relay.client.out;
}

enum err
login_need(struct session *s, size_t n)
{
	return peer_pending(&s->relay.client).len >= n ? ERR_NONE : ERR_CLOSED;
}

/* What the client is told. */
void
login_put_authentication(struct buffer *b, uint32_t kind, struct text data)
{
	(void)b;
	if (kind == 11)
		snprintf(nonce, sizeof(nonce), "%.*s",
		    (int)strcspn(data.at + 2, ","), data.at + 2);
}

enum err
login_fail(struct session *s, const char *sqlstate, const char *reason,
    const char *message)
{
	(void)s;
	(void)sqlstate;
	(void)reason;
	(void)message;
	return ERR_CLOSED;
}

enum err
login_fail_malformed(struct session *s)
{
	(void)s;
	return ERR_CLOSED;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct birth birth = {.broker = -1};
	struct gate gate = {.policy = &policy};
	struct pg pg = {.status = 'I'};
	struct session s = {.birth = &birth, .gate = &gate, .state = &pg};
	uint8_t *copy; /* secrets are wiped where they stand */

	if (size < 2)
		return 0;
	copy = malloc(size);
	s.arena = arena_new(0);
	if (copy == NULL || s.arena == NULL)
		abort();
	memcpy(copy, data, size);
	method = copy[1] % 5; /* two that there are not */
	nonce[0] = '\0';
	was_granted = false;
	strcpy(s.login, "alice");
	s.tls = data[0] % 2 == 0 ? NULL : (struct tls *)&birth; /* never seen */
	s.relay.client.in.bytes = copy + 2;
	s.relay.client.in.len = size - 2;
	if (login_identify(&s) == ERR_NONE && !was_granted)
		abort();
	arena_free(s.arena);
	free(copy);
	return 0;
}
