/*
 * upstream.c - a connection to a PostgreSQL server, and questions of our own.
 *
 * Straight-line blocking code under one deadline (SO_RCVTIMEO keeps each wait
 * short).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/broker_channel.h"
#include "common/log.h"
#include "common/tls_key.h"
#include "worker/postgres/upstream/upstream_io.h"
#include "worker/postgres/upstream/upstream_login.h"
#include "worker/postgres/wire/pg_wire.h"

/* --- how it went ---------------------------------------------------------- */

/* The broker passes it on. That it does not take it is no reason to fail. */
static void
result_tell(const struct upstream_access *access, bool is_connected,
    const char *words)
{
	struct broker_request q = {.kind = BROKER_UPSTREAM_RESULT,
	    .attempt = is_connected ? 1 : 0};

	q.auth_len = (uint32_t)strnlen(words, sizeof(q.auth));
	memcpy(q.auth, words, q.auth_len);
	if (broker_tell(access->broker, &q) != ERR_NONE)
		log_warning("the broker cannot be told of upstream %s: %m",
		    access->upstream->name);
}

void
pg_upstream_succeeded(const struct upstream_access *access)
{
	result_tell(access, true, "");
}

/* Is it the server, or our login there, that is at fault, and not what a
 * client asks for (a database that there is not, or that is not for our login:
 * 28000; settings longer than a startup message)? By the beginning of the
 * SQLSTATE (PostgreSQL documentation, appendix A); without one it was no
 * answer of a server. */
static bool
is_upstreams_fault(const struct pg_upstream *u, enum err e)
{
	static const char *const classes[] = {
	    "08", "28P", "53", "57", "58", "F0", "XX"};
	size_t i;

	if (e == ERR_TOO_LONG || strcmp(u->reason, BROKER_SUPERSEDED) == 0)
		return false;
	for (i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		if (strncmp(u->sqlstate, classes[i], strlen(classes[i])) == 0)
			return true;
	}
	return u->sqlstate[0] == '\0';
}

static void
failure_tell(const struct upstream_access *access, bool is_connected,
    const struct pg_upstream *u, enum err e)
{
	if (is_upstreams_fault(u, e))
		result_tell(access, is_connected, u->reason);
}

enum err
pg_upstream_open(const struct upstream_access *access, struct text database,
    const struct setting_pair *settings, size_t setting_count,
    struct pg_upstream *out)
{
	const struct upstream *u = access->upstream;
	const int64_t deadline = upstream_now() + UPSTREAM_DEADLINE_MS;
	uint32_t login = 0;
	enum err e;

	*out = (struct pg_upstream){.fd = -1,
	    .in.ceiling = UPSTREAM_ROW_MAX,
	    .parameters.ceiling = UPSTREAM_LOGIN_MESSAGE_MAX};
	e = upstream_connect(access, deadline, out, &login);
	if (e == ERR_NONE && login >= u->login_count)
		e = ERR_MALFORMED;
	if (e != ERR_NONE) {
		if (out->reason[0] == '\0')
			snprintf(out->reason, sizeof(out->reason),
			    "cannot connect to upstream %s at %s: %s", u->name,
			    u->address,
			    e == ERR_SYSTEM ? strerror(errno) : err_text(e));
		failure_tell(access, false, out, e);
		pg_upstream_close(out);
		return e;
	}
	tls_key_ask(access->broker);
	e = upstream_secure(out, u, access->tls, false, deadline);
	tls_key_ask(-1);
	if (e == ERR_NONE)
		e = upstream_log_in(access, login, database, settings,
		    setting_count, deadline, out);
	if (e != ERR_NONE) {
		if (out->reason[0] == '\0')
			snprintf(out->reason, sizeof(out->reason), "%s",
			    err_text(e));
		failure_tell(access, true, out, e);
		pg_upstream_close(out);
	}
	return e;
}

void
pg_upstream_close(struct pg_upstream *u)
{
	if (u->tls != NULL)
		tls_transport.close(u->tls);
	u->tls = NULL;
	if (u->fd >= 0)
		close(u->fd);
	u->fd = -1;
	buffer_free(&u->in);
	buffer_free(&u->parameters);
}

/* --- queries of our own --------------------------------------------------- */

enum {
	FIELDS_MAX = 64
};

static enum err
on_row(struct wire body, pg_row row, void *context)
{
	struct text fields[FIELDS_MAX];
	uint16_t count = wire_u16(&body), i;
	int32_t len;

	if (count > FIELDS_MAX)
		return ERR_TOO_LONG;
	for (i = 0; i < count; i++) {
		len = wire_i32(&body);
		fields[i] = len < 0 ? (struct text){NULL, 0}
				    : wire_bytes(&body, (size_t)len);
	}
	if (wire_end(&body) != ERR_NONE)
		return ERR_MALFORMED;
	return row(context, fields, count);
}

enum err
pg_upstream_query(struct pg_upstream *u, const char *sql, pg_row row,
    void *context, int timeout_ms)
{
	struct buffer b = {0};
	struct upstream_message m;
	enum err e, refused = ERR_NONE;

	u->reason[0] = '\0';
	pg_put_query(&b, text_of(sql));
	e = upstream_send(u, &b, upstream_now() + timeout_ms);
	buffer_free(&b);
	for (m.type = 0; e == ERR_NONE && m.type != 'Z';) {
		e = upstream_receive(
		    u, UPSTREAM_ROW_MAX, upstream_now() + timeout_ms, &m);
		if (e != ERR_NONE)
			break;
		if (m.type == 'E')
			refused = upstream_refused(u, m.body);
		else if (m.type == 'D' && refused == ERR_NONE)
			e = on_row(m.body, row, context);
		buffer_drop(&u->in, m.total);
	}
	return e != ERR_NONE ? e : refused;
}

enum err
pg_upstream_cancel(const struct upstream_access *access, int32_t backend_pid,
    uint32_t cancel_key)
{
	struct pg_upstream link = {.fd = -1};
	struct upstream_message none;
	struct buffer b = {0};
	int64_t deadline = upstream_now() + UPSTREAM_DEADLINE_MS;
	uint32_t login;
	enum err e = upstream_connect(access, deadline, &link, &login);

	if (e != ERR_NONE)
		return e;
	e = upstream_secure(
	    &link, access->upstream, access->tls, true, deadline);
	if (e != ERR_NONE) {
		pg_upstream_close(&link);
		return e;
	}
	buffer_put_u32(&b, 16);
	buffer_put_u32(&b, PG_CODE_CANCEL);
	buffer_put_u32(&b, (uint32_t)backend_pid);
	buffer_put_u32(&b, cancel_key);
	e = upstream_send(&link, &b, deadline);
	buffer_free(&b);
	/* the server hangs up when it has passed the request on; without
	 * waiting for that, it could hit the statement after this one */
	if (e == ERR_NONE)
		e = upstream_receive(&link, 0, deadline, &none);
	pg_upstream_close(&link);
	return e == ERR_CLOSED ? ERR_NONE : e;
}
