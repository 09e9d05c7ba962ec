/*
 * pg_login.c - from the first byte to a proved identity and a ready upstream.
 *
 * Straight-line code under the login deadline.  The rule: nothing is opened
 * upstream before the client has proved who it is.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "worker/postgres/login/pg_login.h"

/* --- saying no ------------------------------------------------------------ */

enum err
login_fail(struct session *s, const char *sqlstate, const char *reason,
    const char *message)
{
	struct json *j = audit_begin(s->audit, "login-failed");

	json_cstring(j, "reason", reason);
	json_cstring(j, "sqlstate", sqlstate);
	if (s->tls != NULL && tls_is_established(s->tls)) {
		json_open(j, "tls", '{');
		tls_describe(s->tls, j);
		json_close(j, '}');
	}
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

enum err
login_wait(struct session *s)
{
	enum err e = session_turn(s, true);

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
		e = login_wait(s);
	return e;
}

/* --- upstream ------------------------------------------------------------- */

struct upstream_access
pg_upstream_access(const struct session *s)
{
	size_t i = s->listener->upstream_index;

	return (struct upstream_access){.upstream = s->upstream,
	    .place = (uint32_t)i,
	    .tls = tls_upstream_context(s->birth->tls, i),
	    .broker = s->birth->broker};
}

static enum err
open_upstream(struct session *s, const struct login_settings *w)
{
	struct pg *pg = pg_of(s);
	struct text database = text_of(s->database);
	const struct upstream_access access = pg_upstream_access(s);
	char reason[UPSTREAM_REASON_MAX];
	enum err e;

	/* the server looks after us as we look after the client: when this
	 * process dies, its statement ends too. Servers before PostgreSQL 14
	 * do not know the setting, which comes last in the list. */
	e = pg_upstream_open(&access, database, w->list, w->count, &pg->link);
	if (e == ERR_REFUSED && strcmp(pg->link.sqlstate, "42704") == 0)
		e = pg_upstream_open(
		    &access, database, w->list, w->count - 1, &pg->link);

	if (e == ERR_NONE) {
		peer_init(&s->relay.upstream, pg->link.fd,
		    PG_MASKED_ROW_MAX + 2 * RELAY_CHUNK);
		if (pg->link.tls != NULL)
			peer_set_transport(&s->relay.upstream, &tls_transport,
			    pg->link.tls);
		pg->link_tls = pg->link.tls;
		pg->link.fd = -1; /* the relay's now, as is its TLS */
		pg->link.tls = NULL;
		/* of a replication connection in no database there is none */
		if (pg->replication != REPLICATION_PHYSICAL)
			gate_want_catalog(s->gate);
		return ERR_NONE;
	}
	memcpy(reason, pg->link.reason, sizeof(reason));
	if (e == ERR_REFUSED && strcmp(reason, BROKER_SUPERSEDED) == 0)
		return login_fail(s, "57P03", reason, LOGIN_RELOADED);
	/* class 28: our own login is wrong, which is no business of clients */
	if (e == ERR_REFUSED && pg->link.sqlstate[0] != '\0' &&
	    strncmp(pg->link.sqlstate, "28", 2) != 0)
		return login_fail(s, pg->link.sqlstate, reason, reason);
	log_error(
	    "session %s: upstream %s: %s", s->id, s->upstream->name, reason);
	return login_fail(
	    s, "08006", reason, "the database cannot be reached at the moment");
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

/* The server's own pid, which tools rely on, with a key of ours: 4 bytes, as
 * long as there were no others, or what protocol 3.2 has room for. */
static enum err
put_key_data(struct session *s, const struct pg_startup *startup)
{
	struct pg *pg = pg_of(s);
	char bytes[CANCEL_KEY_MAX];
	struct text key = {bytes,
	    startup->code >= PG_PROTOCOL_3_2 ? sizeof(bytes)
					     : PG_CANCEL_KEY_MIN};
	size_t at;

	if (getentropy(bytes, sizeof(bytes)) != 0)
		return ERR_SYSTEM;
	slot_set_cancel_key(s->slot, pg->link.backend_pid, key);
	at = pg_message_begin(pg_out(s), 'K');
	buffer_put_u32(pg_out(s), (uint32_t)pg->link.backend_pid);
	buffer_put_text(pg_out(s), key);
	pg_message_end(pg_out(s), at);
	return ERR_NONE;
}

/* How the bytes crossed on each side. */
static void
put_transports(struct session *s, struct json *j)
{
	const struct tls *upstream = pg_of(s)->link_tls;

	if (s->tls != NULL) {
		json_open(j, "tls", '{');
		tls_describe(s->tls, j);
		json_bool(j, "channel_binding", pg_of(s)->is_bound);
		json_close(j, '}');
	}
	if (upstream != NULL) {
		json_open(j, "upstream_tls", '{');
		tls_describe(upstream, j);
		json_close(j, '}');
	}
}

/* How each part of the identity was proved. */
static void
put_proofs(const struct broker_identity *who, struct json *j)
{
	json_open(j, "proved", '{');
	if (who->user[0] != '\0')
		json_cstring(j, "user", who->user_via);
	if (who->agent[0] != '\0')
		json_cstring(j, "agent", who->agent_via);
	json_close(j, '}');
	if (who->subject[0] != '\0') {
		json_open(j, "certificate", '{');
		json_cstring(j, "subject", who->subject);
		json_cstring(j, "sha256", who->fingerprint);
		json_close(j, '}');
	}
	if (who->issuer[0] != '\0') {
		json_open(j, "token", '{');
		json_cstring(j, "issuer", who->issuer);
		if (who->token[0] != '\0')
			json_cstring(j, "id", who->token);
		if (who->chain[0] != '\0')
			json_cstring(j, "act", who->chain);
		json_close(j, '}');
	}
	if (who->expires_at != 0)
		json_number(j, "expires", who->expires_at);
}

static void
put_peer(const struct broker_identity *who, struct json *j)
{
	if (!who->has_process)
		return;
	json_open(j, "peer", '{');
	json_number(j, "pid", who->pid);
	json_number(j, "uid", who->uid);
	if (who->executable[0] != '\0')
		json_cstring(j, "executable", who->executable);
	if (who->executable[0] != '\0')
		json_bool(j, "genuine", who->is_genuine != 0);
	if (who->sha256[0] != '\0')
		json_cstring(j, "sha256", who->sha256);
	if (who->cgroup[0] != '\0')
		json_cstring(j, "cgroup", who->cgroup);
	json_close(j, '}');
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
	put_proofs(s->who, j);
	put_peer(s->who, j);
	put_transports(s, j);
	if (s->gate->claims.len > 0) {
		json_open(j, "claims", '{');
		json_text(j, "application_name", s->gate->claims);
		json_close(j, '}');
	}
	return audit_send(s->audit);
}

/* From here on the broker makes no proofs for this process any more. */
static enum err
tell_broker(struct session *s)
{
	const struct broker_request q = {.kind = BROKER_SESSION};

	return broker_tell(s->birth->broker, &q);
}

static enum err
welcome(struct session *s, const struct login_settings *w,
    const struct pg_startup *startup)
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
	e = put_key_data(s, startup);
	if (e != ERR_NONE)
		return e;
	pg->status = 'I';
	pg_put_ready(pg_out(s), pg->status);
	/* what came after the login is the session's, half a message too */
	buffer_put(&s->relay.upstream.in, pg->link.in.bytes, pg->link.in.len);
	buffer_free(&pg->link.parameters);
	buffer_free(&pg->link.in);
	return tell_broker(s);
}

/* --- the whole login ------------------------------------------------------ */

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
	/* of a name that is too long its beginning is on record */
	field_set(s->login, sizeof(s->login), startup->user);
	s->record.login = text_of(s->login);
	if (startup->user.len == 0)
		return ERR_MALFORMED;
	if (startup->user.len >= sizeof(s->login) ||
	    startup->database.len >= sizeof(s->database))
		return ERR_TOO_LONG;
	field_set(s->database, sizeof(s->database),
	    startup->database.len > 0 ? startup->database : startup->user);
	s->record.database = text_of(s->database);
	return ERR_NONE;
}

static const char too_long[] = "the name of the user or database is too long";

enum err
pg_greet(struct session *s)
{
	struct pg_startup *startup = arena_alloc(s->arena, sizeof(*startup));
	struct login_settings *w = arena_alloc(s->arena, sizeof(*w));
	enum err e = make_state(s);

	if (e != ERR_NONE || startup == NULL || w == NULL)
		return ERR_MEMORY;
	e = login_greet(s, startup);
	if (e != ERR_NONE)
		return e;
	e = keep_startup(s, startup);
	if (e == ERR_TOO_LONG)
		return login_fail(s, "08P01", too_long, too_long);
	if (e != ERR_NONE)
		return login_fail_malformed(s);
	if (s->listener->requires_tls && s->tls == NULL)
		return login_fail(s, "28000", "TLS is required",
		    "this address of Sallyport takes TLS connections only; "
		    "connect with sslmode=require or stronger");
	login_negotiate(s, startup);
	e = login_identify(s);
	if (e != ERR_NONE)
		return e;
	s->gate->who = s->who;
	e = gate_enter(
	    s->gate, s->upstream, text_of(s->database), &s->identity);
	if (e != ERR_NONE)
		return login_fail(s, "57P03", s->gate->reason,
		    s->gate->is_barred ? LOGIN_RELOADED
				       : "no policy is in force");
	if (!s->provisions->has_mask_key)
		return login_fail(s, "57P03", "no key for masks",
		    "the key for masks cannot be read");
	memcpy(pg_of(s)->mask_key, s->provisions->mask_key,
	    sizeof(pg_of(s)->mask_key));
	e = login_settings(s, startup, w);
	if (e == ERR_NONE)
		e = open_upstream(s, w);
	return e == ERR_NONE ? welcome(s, w, startup) : e;
}
