/*
 * pg_login.h - what the files of the login share.
 *
 *   pg_greet.c     the greeting: who calls, what for; TLS
 *   pg_login.c     from there to the welcome; upstream
 *   pg_prove.c     SCRAM-SHA-256 with the client; the identity
 *   pg_settings.c  startup settings, judged as the SET they amount to
 */
#ifndef SALLYPORT_PG_LOGIN_H
#define SALLYPORT_PG_LOGIN_H

#include "worker/postgres/pg.h"

enum {
	LOGIN_SETTINGS_MAX = PG_STARTUP_SETTINGS_MAX + 64
};

struct login_settings { /* the startup settings to pass on */
	struct setting_pair list[LOGIN_SETTINGS_MAX];
	size_t count;
};

/* What a client is told that came while Sallyport was reloaded. */
#define LOGIN_RELOADED "Sallyport has just been reloaded: connect again"

/* Record a failed login and say why; `message` is for the client. */
enum err login_fail(struct session *s, const char *sqlstate, const char *reason,
    const char *message) MUST_CHECK;
enum err login_fail_malformed(struct session *s) MUST_CHECK;
/* As above, for an error while waiting for the client or its proof. */
enum err login_fail_proof(struct session *s, enum err e) MUST_CHECK;

/* Wait once, attending to signals. */
enum err login_wait(struct session *s) MUST_CHECK;
/* At least `n` unread bytes of the client. */
enum err login_need(struct session *s, size_t n) MUST_CHECK;

/* The greeting, up to the startup packet, which stays in the client's `in`;
 * s->greeting is its length. A cancel request is carried out: ERR_NOT_FOUND.
 * What was wrong has been told and recorded. */
enum err login_greet(
    struct session *s, struct pg_startup *out) MUST_CHECK;

/* Tell the client what we do not know of what it asks for, if anything; and
 * go on with what we do. */
void login_negotiate(struct session *s, struct pg_startup *startup);

void login_put_authentication(
    struct buffer *b, uint32_t kind, struct text data);

/* Prove who s->login is, and set s->identity. */
enum err login_identify(struct session *s) MUST_CHECK;

/* May this be a replication connection (pg_replicate.c)? Then ask the server
 * for one. */
enum err replication_want(struct session *s, struct text value,
    struct login_settings *w) MUST_CHECK;

/* Judge what the client's startup packet sets, and add what Sallyport sets. */
enum err login_settings(struct session *s, const struct pg_startup *startup,
    struct login_settings *w) MUST_CHECK;

#endif
