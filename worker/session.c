/*
 * session.c - one connection, on one screen: see session_run().
 *
 * It knows no protocol and no policy; it owns the order of things, and that
 * every session that began is recorded to its end.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/client_name.h"
#include "common/log.h"
#include "common/regex.h"
#include "common/sandbox.h"
#include "worker/postgres/pg.h"
#include "worker/session.h"

enum {
	LAST_WORDS_MS = 2000,
	EXPIRY_NOTICE_MS = 60000, /* so long before it the client is warned */
};

volatile sig_atomic_t session_drain_asked;

static const struct protocol *const protocols[] = {
    &pg_protocol,
};

static const char *const endings[ENDING_MAX] = {
    [ENDING_CLIENT] = "client",
    [ENDING_UPSTREAM] = "upstream closed the connection",
    [ENDING_PROTOCOL] = "protocol violation",
    [ENDING_LOGIN] = "login failed",
    [ENDING_DRAIN] = "shutdown",
    [ENDING_KILLED] = "killed by an operator",
    [ENDING_EXPIRED] = "its proof of identity expired",
    [ENDING_POLICY] = "the policy changed",
    [ENDING_RIGHTS] = "its rights were taken away",
    [ENDING_AUDIT] = "audit sink failed",
    [ENDING_ERROR] = "internal error",
};

static int64_t
wall_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

const struct protocol *
protocol_for(enum engine engine)
{
	size_t i;

	for (i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		if (protocols[i]->engine == engine)
			return protocols[i];
	}
	return NULL;
}

static void
describe_client(int fd, char *out, size_t size)
{
	struct sockaddr_storage sa = {0};
	socklen_t len = sizeof(sa);
	int one = 1;

	if (getpeername(fd, (struct sockaddr *)&sa, &len) != 0)
		sa.ss_family = AF_UNSPEC;
	client_name(&sa, out, size);
	if (sa.ss_family != AF_INET && sa.ss_family != AF_INET6)
		return;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
}

bool
session_is_local(const struct session *s)
{
	return strncmp(s->listener->address, "unix:", 5) == 0;
}

static bool
make_id(char id[SESSION_ID_LEN + 1])
{
	static const char hex[] = "0123456789abcdef";
	uint8_t bytes[SESSION_ID_LEN / 2];
	size_t i;

	if (getentropy(bytes, sizeof(bytes)) != 0)
		return false;
	for (i = 0; i < sizeof(bytes); i++) {
		id[i * 2] = hex[bytes[i] >> 4];
		id[i * 2 + 1] = hex[bytes[i] & 15];
	}
	id[SESSION_ID_LEN] = '\0';
	return true;
}

/* From here on it hears a client: what it may need is open, and it can do no
 * more than speak, remember and compute. Others' clients are not for it. */
static bool
close_the_door(const struct birth *b)
{
	const char *failed = NULL;
	size_t i;

	for (i = 0; i < b->listener_count; i++)
		close(b->listeners[i]);
	pattern_interpret();
	if (sandbox_enter(b->sandbox, &failed) == ERR_NONE)
		return true;
	log_error("cannot be confined: %s: %m", failed);
	return false;
}

/* Before the first record and not earlier: chains are counted, and one of
 * which there is no record would be missed. */
static enum err
chain_open(void *context, struct audit_chain *c)
{
	const struct session *s = context;
	enum err e = audit_chain_ask(s->birth->broker, s->id, c);

	if (e != ERR_NONE)
		log_error("session %s: no key for its audit records: %s",
		    s->id, err_text(e));
	return e;
}

static void
audit_prepare(struct session *s)
{
	audit_set_session(s->audit, &s->record);
	audit_watch(s->audit, &s->birth->board->audit_failing_since);
	if (s->settings->audit_key_file != NULL)
		audit_set_chain(s->audit, &s->chain, chain_open, s);
}

static bool
session_init(struct session *s, struct birth *b, struct provisions *p, int fd,
    size_t listener)
{
	const struct settings *settings = b->settings;

	*s = (struct session){.birth = b,
	    .settings = settings,
	    .slot = b->slot,
	    .arena = arena_new(SESSION_ARENA_MAX),
	    .gate = calloc(1, sizeof(*s->gate)),
	    .provisions = p,
	    .audit = p->audit};
	s->listener = &settings->listeners[listener];
	s->tls_context = tls_listener_context(b->tls, listener);
	s->upstream = &settings->upstreams[s->listener->upstream_index];
	s->protocol = protocol_for(s->upstream->engine);
	describe_client(fd, s->client, sizeof(s->client));
	s->identity.client = text_of(s->client);
	s->record = (struct audit_session){.session = s->id,
	    .identity = &s->identity,
	    .upstream = text_of(s->upstream->name)};
	s->relay.context = s;
	s->relay.life = b->life;
	sigprocmask(SIG_BLOCK, NULL, &s->relay.waiting);
	sigdelset(&s->relay.waiting, SIGTERM);
	sigdelset(&s->relay.waiting, SIGUSR1);
	peer_init(&s->relay.upstream, -1, 0);
	peer_init(
	    &s->relay.client, fd, settings->statement_limit + 2 * RELAY_CHUNK);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	if (s->arena == NULL || s->gate == NULL || s->protocol == NULL ||
	    !make_id(s->id))
		return false;
	s->number = session_number(s->id);
	s->cancels = atomic_load(&b->board->notices[b->place].cancels);
	audit_prepare(s);
	gate_init(s->gate, b, p);
	return close_the_door(b);
}

static void
session_free(struct session *s)
{
	if (s->gate != NULL)
		gate_leave(s->gate);
	free(s->gate);
	audit_chain_wipe(&s->chain);
	peer_close(&s->relay.client);
	peer_close(&s->relay.upstream);
	arena_free(s->arena);
}

static void
show_client(struct session *s)
{
	struct slot *slot = s->slot;

	slot_write_begin(slot);
	field_set(slot->session, sizeof(slot->session), text_of(s->id));
	field_set(slot->client, sizeof(slot->client), text_of(s->client));
	field_set(slot->user, sizeof(slot->user), s->identity.user);
	field_set(slot->agent, sizeof(slot->agent), s->identity.agent);
	field_set(
	    slot->upstream, sizeof(slot->upstream), text_of(s->upstream->name));
	field_set(slot->database, sizeof(slot->database), text_of(s->database));
	if (slot->connected_at == 0)
		slot->connected_at = wall_ms();
	slot_write_end(slot);
}

void
session_show_state(struct session *s, enum slot_state state)
{
	enum slot_state was = (enum slot_state)atomic_load_explicit(
	    &s->slot->state, memory_order_relaxed);

	atomic_store_explicit(
	    &s->slot->state, (int)state, memory_order_release);
	/* master plans its pool by who is free; the rest is only shown */
	if (was <= SLOT_IDLE)
		wake_master(s->birth->wake);
}

void
session_show_statement(struct session *s, struct text canonical)
{
	struct slot *slot = s->slot;

	slot_write_begin(slot);
	field_set(slot->statement, sizeof(slot->statement), canonical);
	slot->statement_at = wall_ms();
	slot->audit_seq = s->record.seq;
	slot_write_end(slot);
	session_show_state(s, SLOT_RUNNING);
}

enum err
session_end(struct session *s, enum ending why)
{
	if (!s->has_ending)
		s->ending = why;
	s->has_ending = true;
	return ERR_CLOSED;
}

enum err
session_lost(struct session *s)
{
	if (s->relay.client.is_closed)
		return session_end(s, ENDING_CLIENT);
	if (s->relay.upstream.is_closed)
		return session_end(s, ENDING_UPSTREAM);
	return session_end(s, ENDING_DRAIN); /* master has died */
}

/* Is it time for what the alarm is set for? */
static bool
is_due(const struct session *s)
{
	return s->relay.alarm != 0 && relay_now() >= s->relay.alarm;
}

static bool
is_killed(const struct session *s)
{
	const struct birth *b = s->birth;

	return atomic_load(&b->board->decisions[b->place].killed) == s->number;
}

static unsigned
cancels_now(const struct session *s)
{
	const struct birth *b = s->birth;

	return atomic_load(&b->board->notices[b->place].cancels);
}

/* What signals would tell, were they let through. */
static bool
is_called(const struct session *s)
{
	return cancels_now(s) != s->cancels || is_killed(s) || is_due(s) ||
	       (!s->is_draining && atomic_load(&s->birth->board->draining));
}

void
session_expire(struct session *s, int64_t at)
{
	if (at == 0)
		return;
	s->expires = relay_now() + at * 1000 - wall_ms();
	s->relay.alarm = s->expires - EXPIRY_NOTICE_MS;
}

/* The alarm: first for the warning, then for the end. */
static enum err
on_alarm(struct session *s)
{
	if (relay_now() >= s->expires)
		return session_end(s, ENDING_EXPIRED);
	s->relay.alarm = s->expires;
	return ERR_NONE;
}

/* The client is warned where its protocol has room for it: when nothing
 * runs. */
static void
warn_of_expiry(struct session *s)
{
	char text[96];
	int64_t left = s->expires - relay_now();

	if (s->expires == 0 || s->is_warned || left > EXPIRY_NOTICE_MS ||
	    !s->protocol->is_quiet(s))
		return;
	s->is_warned = true;
	snprintf(text, sizeof(text),
	    "this session ends in %lld s: its proof of identity expires",
	    (long long)(left > 0 ? left / 1000 : 0));
	s->protocol->notice(s, text);
}

enum err
session_turn(struct session *s, bool wants_client)
{
	enum err e = relay_turn(&s->relay, wants_client);

	return e == ERR_NONE && is_called(s) ? ERR_INTERRUPTED : e;
}

enum err
session_attend(struct session *s)
{
	unsigned cancels = cancels_now(s), before = s->cancels;

	s->cancels = cancels;
	/* a spare that is retired in the moment in which it took a client
	 * serves it; only when all of Sallyport stops does the session end */
	if (atomic_load(&s->birth->board->draining))
		s->is_draining = true;
	if (is_killed(s))
		return session_end(s, ENDING_KILLED);
	if (is_due(s) && on_alarm(s) != ERR_NONE)
		return ERR_CLOSED;
	return cancels != before ? ERR_INTERRUPTED : ERR_NONE;
}

/* From greeting to recorded connection. */
static enum err
session_begin(struct session *s)
{
	enum err e;

	session_show_state(s, SLOT_LOGIN);
	s->relay.deadline =
	    relay_now() + (int64_t)s->settings->login_deadline_s * 1000;
	show_client(s);
	e = s->protocol->greet(s);
	if (e != ERR_NONE)
		return e;
	s->relay.deadline = 0;
	s->has_begun = true;
	show_client(s);
	session_show_state(s, SLOT_WAITING);
	return ERR_NONE;
}

static void
record_disconnect(struct session *s)
{
	struct json *j = audit_begin(s->audit, "disconnect");

	json_cstring(j, "reason", endings[s->ending]);
	json_number(j, "statements", (int64_t)s->slot->statements);
	json_number(j, "rows", (int64_t)s->slot->rows);
	json_number(j, "bytes", (int64_t)s->relay.client.bytes_out);
	json_number(j, "masked", (int64_t)s->slot->masked);
	json_number(j, "ms", wall_ms() - s->slot->connected_at);
	if (audit_send(s->audit) != ERR_NONE)
		log_error(
		    "session %s: its disconnect could not be recorded", s->id);
}

/* accept → greet → { judge and forward a message } → goodbye */
void
session_run(struct birth *b, struct provisions *p, int fd, size_t listener)
{
	struct session s;
	enum err e;

	if (!session_init(&s, b, p, fd, listener)) {
		log_error("a session could not begin");
		session_free(&s);
		return;
	}
	e = session_begin(&s);
	if (e == ERR_NONE) {
		while (e == ERR_NONE) {
			warn_of_expiry(&s);
			e = s.is_draining && s.protocol->is_quiet(&s)
				? session_end(&s, ENDING_DRAIN)
				: s.protocol->serve(&s);
		}
		if (e != ERR_CLOSED)
			session_end(&s, ENDING_ERROR);
		session_show_state(&s, SLOT_ENDING);
	}
	if (s.state != NULL)
		s.protocol->farewell(&s);
	if (s.has_begun)
		record_disconnect(&s);
	relay_flush_client(&s.relay, LAST_WORDS_MS);
	peer_close(&s.relay.client);
	if (s.state != NULL)
		s.protocol->leave(&s);
	session_free(&s);
}
