/*
 * secrets.h - the broker's secrets: verifiers, upstream passwords, and what
 * is derived from them.  Only the broker's process ever calls this.
 */
#ifndef SALLYPORT_SECRETS_H
#define SALLYPORT_SECRETS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/config.h"
#include "common/scram.h"
#include "common/text.h"

enum { UPSTREAM_PASSWORD_MAX = 1024 };

struct secrets;

/* Read identities.yaml and the password files, and the secret of mock salts
 * (made in `state` when there is none, so that it outlives the process). A
 * password file that cannot be read is logged and leaves that upstream
 * without one. NULL, logged: identities.yaml cannot be read, or memory. */
struct secrets *secrets_load(const struct settings *settings);

/* Read identities.yaml again, as it now is; upstream passwords stay. What
 * cannot be read, logged, leaves it as it was. */
void secrets_renew(struct secrets *s, const struct settings *settings);

/* Overwrite everything. */
void secrets_wipe(struct secrets *s);

/* The verifier of whoever must prove this login. False: nobody has that name
 * or may not use it; the verifier is then made up, always the same one for
 * the same name, and no proof is right for it. */
bool secrets_verifier(const struct secrets *s, struct text login,
    struct scram_verifier *out);

/* The upstream's SaltedPassword for this salt, remembered between calls. It
 * lives until the next call. False: no password, or nonsense. */
bool secrets_salted(struct secrets *s, size_t upstream, const uint8_t *salt,
    size_t salt_len, uint32_t iterations, const uint8_t **salted_out);

/* The upstream's password. False: it has none. */
bool secrets_password(
    const struct secrets *s, size_t upstream, struct text *password_out);

/* A proof was wrong: counted, and logged at 10, 100, 1000 … */
void secrets_count_failure(struct secrets *s);

#endif
