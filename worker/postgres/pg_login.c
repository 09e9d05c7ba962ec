/*
 * pg_login.c - from the first byte to a proved identity and a ready upstream.
 *
 * Straight-line code under the login deadline.  The rule: nothing is opened
 * upstream before the client has proved who it is.
 */
#include <errno.h>
#include <openssl/rand.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "worker/mask_key.h"
#include "worker/postgres/pg_login.h"

enum {
	GREETINGS_MAX = 3, /* GSSENCRequest, SSLRequest, then the startup */
	GREETING_MIN = 8,  /* length and code */
};

/* --- saying no ------------------------------------------------------------ */

enum err
login_fail(struct session *s, const char *sqlstate, const char *reason,
    const char *message)
{
	struct json *j = audit_begin(s->audit, "login-failed");

	json_cstring(j, "reason", reason);
	json_cstring(j, "sqlstate", sqlstate);
	if (audit_send(s->audit) != ERR_NONE)
		log_error(
		    "a failed login of \"%s\" could not be recorded", s->login);
	return pg_fatal(s, ENDING_LOGIN, sqlstate, message);
}

enum err
login_fail_malformed(struct session *s)
{
	return login_fail(s, "08P01", "malformed message before login",
	    "malformed message before login");
}

void
login_put_authentication(struct buffer *b, uint32_t kind, struct text data)
{
	size_t at = pg_message_begin(b, 'R');

	buffer_put_u32(b, kind);
	buffer_put_text(b, data);
	pg_message_end(b, at);
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

enum err
login_need(struct session *s, size_t n)
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

/* --- cancel requests ------------------------------------------------------ */

/* Tell the worker that serves this session; it alone has the server's key. */
static void
carry_cancel(struct scoreboard *b, int32_t pid, uint32_t key)
{
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

/* --- upstream ------------------------------------------------------------- */

static enum err
open_upstream(struct session *s, const struct login_settings *w)
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
	/* class 28: our own login is wrong, which is no business of clients */
	if (e == ERR_REFUSED && pg->link.sqlstate[0] != '\0' &&
	    strncmp(pg->link.sqlstate, "28", 2) != 0)
		return login_fail(s, pg->link.sqlstate, reason, reason);
	log_error(
	    "session %s: upstream %s: %s", s->id, s->upstream->name, reason);
	return login_fail(
	    s, "08006", reason, "the database cannot be reached at the moment");
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
record_connect(struct session *s, const struct login_settings *w)
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
welcome(struct session *s, const struct login_settings *w)
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
	login_put_authentication(pg_out(s), 0, TEXT(""));
	buffer_put(
	    pg_out(s), pg->link.parameters.bytes, pg->link.parameters.len);
	put_key_data(s);
	pg->status = 'I';
	pg_put_ready(pg_out(s), pg->status);
	/* what came after the login is the session's, half a message too */
	buffer_put(&s->relay.upstream.in, pg->link.in.bytes, pg->link.in.len);
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
	pg->link.fd = -1;
	pg->statements = names_new(prepared_drop);
	pg->portals = names_new(portal_drop);
	pg->row = arena_new(2 * (size_t)PG_MASKED_ROW_MAX);
	s->state = pg;
	s->relay.drain = pg_drain;
	return pg->statements == NULL || pg->portals == NULL || pg->row == NULL
		   ? ERR_MEMORY
		   : ERR_NONE;
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
		return login_fail(s, "0A000", "unsupported protocol version",
		    "unsupported frontend protocol: Sallyport speaks 3.0");
	if (e == ERR_DEADLINE || e == ERR_CLOSED)
		return login_fail_proof(s, e);
	return login_fail_malformed(s);
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
	if (startup->user.len == 0 || startup->user.len >= sizeof(s->login) ||
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
	struct login_settings *w = arena_alloc(s->arena, sizeof(*w));
	enum err e = make_state(s);

	if (e != ERR_NONE || startup == NULL || w == NULL)
		return ERR_MEMORY;
	e = read_greeting(s, startup);
	if (e != ERR_NONE)
		return fail_greeting(s, e);
	if (startup->code == PG_CODE_CANCEL) {
		carry_cancel(
		    s->birth->board, startup->cancel_pid, startup->cancel_key);
		return ERR_NOT_FOUND;
	}
	if (keep_startup(s, startup) != ERR_NONE)
		return login_fail_malformed(s);
	if (startup->replication.len > 0 &&
	    !text_is(startup->replication, TEXT("false")))
		return login_fail(s, "0A000", "replication connection",
		    "replication connections are not supported");
	put_negotiation(s, startup);
	e = login_identify(s);
	if (e != ERR_NONE)
		return e;
	if (gate_enter(s->gate, s->upstream, text_of(s->database),
		&s->identity) != ERR_NONE)
		return login_fail(
		    s, "57P03", s->gate->reason, "no policy is in force");
	if (mask_key_load(s->settings->state, pg_of(s)->mask_key) != ERR_NONE)
		return login_fail(s, "57P03", "no key for masks",
		    "the key for masks cannot be read");
	e = login_settings(s, startup, w);
	if (e == ERR_NONE)
		e = open_upstream(s, w);
	return e == ERR_NONE ? welcome(s, w) : e;
}

/* Say it, and let the client read it before the socket is gone. */
static void
say_too_many(int fd)
{
	const struct pg_complaint c = {.severity = "FATAL",
	    .sqlstate = "53300",
	    .message = TEXT("sorry, too many clients already")};
	struct buffer b = {.ceiling = 1024};
	char ignored[PG_STARTUP_MAX];

	pg_put_complaint(&b, 'E', &c);
	if (!b.failed && send(fd, b.bytes, b.len, MSG_NOSIGNAL) >= 0)
		shutdown(fd, SHUT_WR);
	buffer_free(&b);
	/* unread bytes would make close() a reset */
	while (recv(fd, ignored, sizeof(ignored), MSG_DONTWAIT) > 0)
		continue;
}

bool
pg_refuse(struct birth *b, int fd, bool is_late)
{
	uint8_t head[GREETING_MIN * 2];
	ssize_t n = recv(fd, head, sizeof(head), MSG_PEEK | MSG_DONTWAIT);
	struct wire w = wire_of(head, n > 0 ? (size_t)n : 0);
	uint32_t code;
	int32_t pid;

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		return true; /* it has left */
	if (n < GREETING_MIN && !is_late)
		return false;
	wire_u32(&w);
	code = wire_u32(&w);
	if ((code == PG_CODE_SSL || code == PG_CODE_GSSENC) && !is_late)
		return recv(fd, head, GREETING_MIN, MSG_DONTWAIT) < 0 ||
		       send(fd, "N", 1, MSG_NOSIGNAL) < 0;
	pid = wire_i32(&w);
	if (code == PG_CODE_CANCEL)
		carry_cancel(b->board, pid, wire_u32(&w));
	else
		say_too_many(fd);
	return true;
}
