/*
 * who.h - reading and checking `who` maps; common/identity.h has the match.
 *
 * A who has user, agent, group, via, from and process, each a word or a list
 * of words with globs; `none` for user and agent means that there is none;
 * from is an IPv4 or IPv6 address or network (RFC 4632, RFC 4291) or `unix`.
 */
#ifndef SALLYPORT_WHO_H
#define SALLYPORT_WHO_H

#include "common/identity.h"
#include "common/schema.h"

/* Fills a struct who: all of it, or only what describes a person (user and
 * group), for acts_for and approve.by. */
extern const struct schema who_schema;
extern const struct schema who_person_schema;

/* Complain about users, agents and groups in the map that nobody is or has.
 * Globs are not asked for. Not a map: nothing (it was complained about). */
void who_check_names(struct reading *r, const struct node *map,
    const struct identities *ids);

/* As who_check_names() for a map or each map of a list. */
void who_check_list(struct reading *r, const struct node *list,
    const struct identities *ids);

/* Is it an address, a network or `unix`? */
bool who_is_from(struct text word);

/* Has it a `*` or a `?`? */
bool who_is_glob(struct text word);

#endif
