/* links: worker/postgres/login/pg_prove.c worker/postgres/wire/pg_wire.c common/scram.c common/wire.c common/text.c common/arena.c common/err.c */
/*
 * Whatever a client says when it is asked for its password: it is let in only
 * when the broker, asked about the nonce that was given out, has said so.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/scram.h"
#include "worker/postgres/login/pg_login.h"
#include "worker/snapshot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct policy policy;
static char nonce[256]; /* as the client was told it; "": not yet */
static bool was_granted;

int RAND_bytes(unsigned char *bytes, int count);

/* Ours before OpenSSL's: a nonce that the seeds know. */
int
RAND_bytes(unsigned char *bytes, int count)
{
	memset(bytes, 0, (size_t)count);
	return 1;
}

bool
snapshot_is_current(struct gate *g)
{
	(void)g;
	return true;
}

enum err
identity_resolve(const struct identities *ids, struct text login,
    struct identity *out, struct text *prover_out)
{
	(void)ids;
	out->user = *prover_out = login;
	return ERR_NONE;
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

/* Half of all proofs are right: the bytes say which. */
enum err
broker_ask(int channel, const struct broker_request *q,
    struct broker_reply *reply)
{
	(void)channel;
	memset(reply, 0, sizeof(*reply));
	if (q->kind == BROKER_CLIENT_START) {
		reply->iterations = 4096;
		reply->salt_len = SCRAM_SALT_LEN;
		return ERR_NONE;
	}
	if (q->kind != BROKER_CLIENT_PROOF || nonce[0] == '\0' ||
	    q->auth_len > sizeof(q->auth) ||
	    memmem(q->auth, q->auth_len, nonce, strlen(nonce)) == NULL)
		abort();
	was_granted = q->proof[0] % 2 == 0;
	return was_granted ? ERR_NONE : ERR_REFUSED;
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

	if (size < 1)
		return 0;
	nonce[0] = '\0';
	was_granted = false;
	strcpy(s.login, "alice");
	s.tls = data[0] % 2 == 0 ? NULL : (struct tls *)&birth; /* never seen */
	s.relay.client.in.bytes = (uint8_t *)(uintptr_t)data + 1;
	s.relay.client.in.len = size - 1;
	if (login_identify(&s) == ERR_NONE && !was_granted)
		abort();
	return 0;
}
