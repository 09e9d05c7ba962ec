/*
 * pg_greet.c - the first bytes of a client: TLS, cancel requests, startup.
 *
 * The rule: what was said in clear is over before TLS begins.  A byte that
 * came behind a request for TLS is refused, never kept: somebody on the way
 * could have put it there, to be taken for the client's own later.
 * Source: PostgreSQL documentation, chapter 55.2, "Message Flow".
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

#include "common/tls_key.h"
#include "worker/postgres/login/pg_login.h"

enum {
	GREETINGS_MAX = 3,  /* GSSENCRequest, SSLRequest, then the startup */
	GREETING_MIN = 8,   /* length and code */
	TLS_HANDSHAKE = 22, /* the first byte of a TLS client */
	ANSWER_FLUSH_MS = 1000, /* one byte to a client that just spoke */
	IGNORED_MAX = 8,	/* times PG_STARTUP_MAX bytes of a guest */
};

/* --- cancel requests ------------------------------------------------------ */

/* Have master tell the worker that serves this session, which alone has the
 * server's key. */
static void
carry_cancel(const struct birth *b, int32_t pid, struct text key)
{
	seat_post_cancel(&b->board->seats[b->place], b->wake, pid, key);
}

/* --- what was wrong ------------------------------------------------------- */

static enum err
fail_greeting(struct session *s, enum err e)
{
	/* a probe that came and went, as load balancers do */
	if (e == ERR_CLOSED && s->relay.client.bytes_in == 0 && s->tls == NULL)
		return ERR_NOT_FOUND;
	if (e == ERR_UNSUPPORTED)
		return login_fail(s, "0A000", "unsupported protocol version",
		    "unsupported frontend protocol: Sallyport speaks 3.0 to "
		    "3.2");
	if (e == ERR_DEADLINE || e == ERR_CLOSED)
		return login_fail_proof(s, e);
	return login_fail_malformed(s);
}

/* There is no channel on which the client could be told. */
static enum err
fail_handshake(struct session *s, enum err e)
{
	char reason[160];
	const char *why = tls_failure(s->tls);

	if (s->has_ending && s->ending != ENDING_CLIENT)
		return ERR_CLOSED;
	if (e == ERR_DEADLINE)
		why = "login deadline passed";
	else if (why[0] == '\0')
		why = err_text(e);
	snprintf(reason, sizeof(reason), "TLS handshake failed: %s", why);
	s->relay.client.is_closed = true;
	return login_fail(s, "08P01", reason, reason);
}

/* --- TLS ------------------------------------------------------------------ */

/* `head`: what has come of the client's handshake already. */
static enum err
begin_tls(struct session *s, struct text head)
{
	struct peer *client = &s->relay.client;
	enum err e = ERR_NONE;

	s->tls = tls_accept(s->tls_context, client->fd, head);
	if (s->tls == NULL)
		return ERR_MEMORY;
	peer_consume(client, peer_pending(client).len);
	peer_set_transport(client, &tls_transport, s->tls);
	tls_key_ask(s->birth->broker);
	while (e == ERR_NONE && !tls_is_established(s->tls))
		e = login_wait(s);
	tls_key_ask(-1);
	return e == ERR_NONE ? ERR_NONE : fail_handshake(s, e);
}

/* TLS from the first byte: then ALPN is what says that both mean this
 * protocol, and a client of another one has not been talked into it. */
static enum err
greet_direct(struct session *s)
{
	enum err e = begin_tls(s, peer_pending(&s->relay.client));

	if (e != ERR_NONE || tls_has_alpn(s->tls))
		return e;
	return login_fail(s, "08P01", "direct TLS without ALPN",
	    "received direct TLS connection request without ALPN protocol "
	    "negotiation extension");
}

static enum err
answer(struct session *s, char what)
{
	buffer_put_u8(pg_out(s), (uint8_t)what);
	relay_flush_client(&s->relay, ANSWER_FLUSH_MS);
	return s->relay.client.is_closed ? session_lost(s) : ERR_NONE;
}

static enum err
greet_ssl_request(struct session *s)
{
	enum err e;

	if (s->tls_context == NULL)
		return answer(s, 'N');
	if (peer_pending(&s->relay.client).len > 0)
		return login_fail(s, "08P01",
		    "bytes in clear behind a request for TLS",
		    "received unencrypted data after SSL request");
	e = answer(s, 'S');
	return e == ERR_NONE ? begin_tls(s, TEXT("")) : e;
}

/* --- the greeting --------------------------------------------------------- */

/* A startup packet; its texts borrow from the client's `in`. */
static enum err
read_startup(struct session *s, struct pg_startup *out, size_t *total_out)
{
	struct text have;
	struct wire w;
	uint32_t len;
	enum err e = login_need(s, 4);

	if (e != ERR_NONE)
		return e;
	have = peer_pending(&s->relay.client);
	w = wire_of(have.at, have.len);
	len = wire_u32(&w);
	if (len < PG_STARTUP_MIN || len > PG_STARTUP_MAX)
		return ERR_MALFORMED;
	e = login_need(s, len);
	if (e != ERR_NONE)
		return e;
	have = peer_pending(&s->relay.client);
	*total_out = len;
	return pg_parse_startup(wire_of(have.at + 4, len - 4), out);
}

/* Requests for encryption are answered; inside TLS there are none. */
static enum err
greet_request(struct session *s, const struct pg_startup *request)
{
	if (s->tls != NULL)
		return fail_greeting(s, ERR_UNSUPPORTED);
	return request->code == PG_CODE_SSL ? greet_ssl_request(s)
					    : answer(s, 'N');
}

static bool
is_direct_tls(struct session *s)
{
	struct text have = peer_pending(&s->relay.client);

	return s->tls_context != NULL && have.len > 0 &&
	       have.at[0] == TLS_HANDSHAKE;
}

enum err
login_greet(struct session *s, struct pg_startup *out)
{
	size_t total, i;
	enum err e = login_need(s, 1);

	if (e != ERR_NONE)
		return fail_greeting(s, e);
	if (is_direct_tls(s))
		e = greet_direct(s);
	for (i = 0; e == ERR_NONE && i < GREETINGS_MAX; i++) {
		e = read_startup(s, out, &total);
		if (e != ERR_NONE)
			return fail_greeting(s, e);
		if (out->code == PG_CODE_CANCEL) {
			carry_cancel(
			    s->birth, out->cancel_pid, out->cancel_key);
			return ERR_NOT_FOUND;
		}
		if (out->code != PG_CODE_SSL && out->code != PG_CODE_GSSENC) {
			/* its texts are used until login is over */
			s->greeting = total;
			return ERR_NONE;
		}
		peer_consume(&s->relay.client, total);
		e = greet_request(s, out);
	}
	return e == ERR_NONE ? login_fail_malformed(s) : e;
}

void
login_negotiate(struct session *s, struct pg_startup *startup)
{
	struct buffer *b = pg_out(s);
	bool is_newer = startup->code > PG_PROTOCOL_3_2;
	size_t at, i;

	if (is_newer)
		startup->code = PG_PROTOCOL_3_2;
	if (!is_newer && startup->unknown_option_count == 0)
		return;
	at = pg_message_begin(b, 'v'); /* NegotiateProtocolVersion */
	buffer_put_u32(b, startup->code);
	buffer_put_u32(b, (uint32_t)startup->unknown_option_count);
	for (i = 0; i < startup->unknown_option_count; i++)
		buffer_put_cstring(b, startup->unknown_options[i]);
	pg_message_end(b, at);
}

/* --- when all workers are busy -------------------------------------------- */

static ssize_t
guest_send(struct guest *g, const void *bytes, size_t len)
{
	return g->tls != NULL
		   ? tls_transport.send(g->tls, bytes, len)
		   : send(g->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static ssize_t
guest_receive(struct guest *g, void *out, size_t size)
{
	return g->tls != NULL ? tls_transport.receive(g->tls, out, size)
			      : recv(g->fd, out, size, MSG_DONTWAIT);
}

/* Say it, and let the client read it before the socket is gone. */
static void
say_too_many(struct guest *g)
{
	const struct pg_complaint c = {.severity = "FATAL",
	    .sqlstate = "53300",
	    .message = TEXT("sorry, too many clients already")};
	struct buffer b = {.ceiling = 1024};
	char ignored[PG_STARTUP_MAX];
	int i;

	pg_put_complaint(&b, 'E', &c);
	if (!b.failed && guest_send(g, b.bytes, b.len) >= 0 && g->tls == NULL)
		shutdown(g->fd, SHUT_WR);
	buffer_free(&b);
	/* unread bytes would make close() a reset; who goes on sending gets
	 * one, and does not keep us from the others */
	for (i = 0; i < IGNORED_MAX; i++) {
		if (recv(g->fd, ignored, sizeof(ignored), MSG_DONTWAIT) <= 0)
			break;
	}
}

/* Have `n` bytes of its greeting. ERR_INTERRUPTED: they have not come yet. */
static enum err
guest_need(struct guest *g, size_t n)
{
	ssize_t got;

	while (g->len < n) {
		got = guest_receive(g, g->head + g->len, n - g->len);
		if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
			g->events = g->tls == NULL ? POLLIN
						   : tls_transport.interest(
							 g->tls, POLLIN);
			return ERR_INTERRUPTED;
		}
		if (got <= 0)
			return ERR_CLOSED;
		g->len += (size_t)got;
	}
	return ERR_NONE;
}

/* Begin TLS with a guest, as with a client. ERR_CLOSED: no more of it. */
static enum err
guest_begin_tls(struct birth *b, struct guest *g, struct text head)
{
	SSL_CTX *context = tls_listener_context(b->tls, g->listener);
	char more;

	g->is_greeted = true;
	if (head.len == 0) {
		if (context == NULL)
			return send(g->fd, "N", 1, MSG_NOSIGNAL) == 1
				   ? ERR_NONE
				   : ERR_CLOSED;
		if (recv(g->fd, &more, 1, MSG_PEEK | MSG_DONTWAIT) > 0 ||
		    send(g->fd, "S", 1, MSG_NOSIGNAL) != 1)
			return ERR_CLOSED;
	}
	g->tls = tls_accept(context, g->fd, head);
	return g->tls == NULL ? ERR_MEMORY : ERR_NONE;
}

/* The code of its startup packet, of which all that is needed is then there;
 * ERR_INTERRUPTED: it is still to come. */
static enum err
guest_greet(struct birth *b, struct guest *g, struct pg_startup *out)
{
	struct wire w;
	uint32_t len;
	enum err e = guest_need(g, GREETING_MIN);

	if (e != ERR_NONE)
		return e;
	if (g->head[0] == TLS_HANDSHAKE && !g->is_greeted &&
	    tls_listener_context(b->tls, g->listener) != NULL) {
		e = guest_begin_tls(
		    b, g, (struct text){(const char *)g->head, g->len});
		g->len = 0;
		return e == ERR_NONE ? guest_greet(b, g, out) : e;
	}
	w = wire_of(g->head, g->len);
	len = wire_u32(&w);
	out->code = wire_u32(&w);
	if (out->code == PG_CODE_CANCEL && len <= sizeof(g->head) &&
	    len >= PG_STARTUP_MIN) {
		e = guest_need(g, len);
		return e == ERR_NONE ? pg_parse_startup(
					   wire_of(g->head + 4, len - 4), out)
				     : e;
	}
	if (out->code != PG_CODE_SSL && out->code != PG_CODE_GSSENC)
		return ERR_NONE;
	if (g->tls != NULL || len != GREETING_MIN)
		return ERR_CLOSED;
	g->len = 0;
	if (out->code == PG_CODE_SSL)
		e = guest_begin_tls(b, g, TEXT(""));
	else
		e = send(g->fd, "N", 1, MSG_NOSIGNAL) == 1 ? ERR_NONE
							   : ERR_CLOSED;
	return e == ERR_NONE ? ERR_INTERRUPTED : e;
}

bool
pg_refuse(struct birth *b, struct guest *g, bool is_late)
{
	struct pg_startup startup;
	enum err e = guest_greet(b, g, &startup);

	if (e == ERR_INTERRUPTED && !is_late)
		return false;
	if (e == ERR_NONE && startup.code == PG_CODE_CANCEL)
		carry_cancel(b, startup.cancel_pid, startup.cancel_key);
	else if (e == ERR_NONE || e == ERR_INTERRUPTED)
		say_too_many(g);
	return true; /* or it has left, or made no sense */
}
