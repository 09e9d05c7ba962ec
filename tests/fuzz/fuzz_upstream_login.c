/* links: worker/postgres/upstream/upstream.c worker/postgres/upstream/upstream_login.c worker/postgres/wire/pg_wire.c worker/postgres/wire/pg_put.c worker/postgres/wire/pg_check.c common/scram.c common/hmac.c common/saslprep.c common/wire.c common/text.c common/arena.c common/err.c */
/*
 * Whatever a server says while Sallyport logs in, and then as the answer to a
 * question of its own.  A server that let it begin SCRAM gets no further
 * without the one right signature.
 */
#include <stdlib.h>

#include "common/broker_channel.h"
#include "common/log.h"
#include "common/tls_key.h"
#include "worker/postgres/upstream/upstream_io.h"
#include "worker/postgres/wire/pg_wire.h"
#include "worker/tls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SIGNATURE "v=eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHg=" /* x 32 */

static struct wire told; /* what the server still has to say */
static bool has_begun_scram;

const struct transport tls_transport;

int64_t
upstream_now(void)
{
	return 0;
}

enum err
upstream_connect(const struct upstream_access *access, int64_t deadline,
    struct pg_upstream *u, uint32_t *login_out)
{
	(void)access;
	(void)deadline;
	u->fd = -1;
	*login_out = 0;
	return ERR_NONE;
}

enum err
upstream_secure(struct pg_upstream *u, const struct upstream *to,
    SSL_CTX *context, bool is_anonymous, int64_t deadline)
{
	(void)u;
	(void)to;
	(void)context;
	(void)is_anonymous;
	(void)deadline;
	return ERR_NONE;
}

enum err
upstream_send(struct pg_upstream *u, const struct buffer *b, int64_t deadline)
{
	static const char mechanism[] = "SCRAM-SHA-256";

	(void)u;
	(void)deadline;
	if (b->len > PG_HEADER + sizeof(mechanism) && b->bytes[0] == 'p' &&
	    memcmp(b->bytes + PG_HEADER, mechanism, sizeof(mechanism)) == 0)
		has_begun_scram = true;
	return ERR_NONE;
}

enum err
upstream_receive(struct pg_upstream *u, size_t most, int64_t deadline,
    struct upstream_message *out)
{
	struct wire w = told;
	size_t len;

	(void)deadline;
	buffer_clear(&u->in, 0);
	out->type = (char)wire_u8(&w);
	len = wire_u16(&w); /* short, so that messages are found */
	if (len + 4 > most)
		return ERR_MALFORMED;
	buffer_put_u8(&u->in, (uint8_t)out->type);
	buffer_put_u32(&u->in, (uint32_t)len + 4);
	buffer_put_text(&u->in, wire_bytes(&w, len));
	if (w.bad)
		return ERR_CLOSED;
	told = w;
	out->total = u->in.len;
	out->body = wire_of(u->in.bytes + PG_HEADER, len);
	return ERR_NONE;
}

enum err
tls_binding(const struct tls *t, uint8_t *out, size_t *len_out)
{
	(void)t;
	(void)out;
	*len_out = 0;
	return ERR_UNSUPPORTED;
}

void
tls_key_ask(int broker_channel)
{
	(void)broker_channel;
}

void
field_set(char *field, size_t size, struct text value)
{
	size_t len = value.len < size ? value.len : size - 1;

	memcpy(field, value.at, len);
	field[len] = '\0';
}

enum err
broker_ask(int channel, const struct broker_request *request,
    struct broker_reply *reply)
{
	(void)channel;
	if (request->auth_len > BROKER_AUTH_MESSAGE_MAX ||
	    request->salt_len > BROKER_SALT_MAX)
		abort();
	memset(reply, 'x', sizeof(*reply));
	return ERR_NONE;
}

enum err
broker_tell(int channel, const struct broker_request *request)
{
	(void)channel;
	if (request->auth_len > BROKER_AUTH_MESSAGE_MAX)
		abort();
	return ERR_NONE;
}

void
log_warning(const char *format, ...)
{
	(void)format;
}

static enum err
on_row(void *context, const struct text *fields, size_t count)
{
	size_t *total = context, i;

	for (i = 0; i < count; i++)
		*total += fields[i].len;
	return ERR_NONE;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char name[] = "shop", user[] = "sallyport";
	struct upstream_login login = {.user = user};
	const struct upstream upstream = {
	    .name = name, .logins = &login, .login_count = 1};
	const struct upstream_access access = {.upstream = &upstream};
	struct pg_upstream link;
	size_t total = 0;
	enum err e;

	told = wire_of(data, size);
	has_begun_scram = false;
	e = pg_upstream_open(&access, TEXT("shop"), NULL, 0, &link);
	if (e != ERR_NONE)
		return 0;
	if (has_begun_scram &&
	    memmem(data, size, SIGNATURE, sizeof(SIGNATURE) - 1) == NULL)
		abort();
	e = pg_upstream_query(&link, "SELECT 1", on_row, &total, 1000);
	if (e == ERR_NONE && total > size)
		abort();
	pg_upstream_close(&link);
	return 0;
}
