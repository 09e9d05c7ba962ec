/*
 * settings_login.h - as whom sessions log in to an upstream, out of YAML.
 */
#ifndef SALLYPORT_SETTINGS_LOGIN_H
#define SALLYPORT_SETTINGS_LOGIN_H

#include "common/config.h"
#include "common/schema.h"

/* Where a key's value stands. */
struct setting_at settings_place_of(const struct node *map, const char *key);

/* `login`: fills the same struct upstream, at no offset. */
extern const struct schema settings_login_schema;

/* `logins`: the list before the default; `upstream` is a struct upstream. */
void settings_read_logins(
    struct reading *r, const struct node *list, void *upstream);

/* After both: where they stand, and the default behind the others. */
void settings_finish_logins(
    struct reading *r, const struct node *map, struct upstream *u);

/* Complain about users, agents and groups of any upstream's logins that
 * nobody is or has. */
void settings_check_logins(struct reading *r, const struct settings *s,
    const struct identities *ids);

#endif
