/*
 * secrets.h - the broker's secrets: verifiers, upstream passwords, and what
 * is derived from them.  Only the broker's process ever calls this.
 */
#ifndef SALLYPORT_SECRETS_H
#define SALLYPORT_SECRETS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/audit_chain.h"
#include "common/config.h"
#include "common/scram.h"
#include "common/text.h"

enum { UPSTREAM_PASSWORD_MAX = 1024 };

struct secrets;

/* Read identities.yaml and the password files, and the secret of mock salts
 * (made in `state` when there is none, so that it outlives the process). A
 * password file that cannot be read is logged and leaves that upstream
 * without one. NULL, logged: identities.yaml or the audit key, if there is to
 * be one, cannot be read, or memory. */
struct secrets *secrets_load(const struct settings *settings);

/* Overwrite everything. */
void secrets_wipe(struct secrets *s);

/* Who may log in; lives as long as the secrets. */
const struct identities *secrets_identities(const struct secrets *s);

/* A made-up verifier, always the same one for the same name: no proof is
 * right for it. */
void secrets_mock(const struct secrets *s, struct text login,
    struct scram_verifier *out);

/* A number for a name, always the same one, that nobody can foretell. */
uint64_t secrets_mimic(const struct secrets *s, struct text login);

/* One of the logins of an upstream, both as in the settings. */
struct login_index {
	size_t upstream, login;
};

/* That login's SaltedPassword for this salt, remembered between calls, so
 * that it costs no key stretching. It lives until the next call. False: no
 * password, or nonsense. */
bool secrets_salted(struct secrets *s, struct login_index of,
    const uint8_t *salt, size_t salt_len, uint32_t iterations,
    const uint8_t **salted_out);

/* That login's password. False: it has none. */
bool secrets_password(const struct secrets *s, struct login_index of,
    struct text *password_out);

/* The audit key; its length is 0 when there is none. */
const struct audit_key *secrets_audit_key(const struct secrets *s);

/* A proof was wrong: counted, and logged at 10, 100, 1000 … */
void secrets_count_failure(struct secrets *s);

#endif
