/*
 * own_settings.h - settings that are Sallyport's, or that it must follow.
 */
#ifndef SALLYPORT_OWN_SETTINGS_H
#define SALLYPORT_OWN_SETTINGS_H

#include "worker/gate.h"

/* A call of set_config() is a SET too: note what it sets, for the policy. */
void own_settings_note(struct gate *g, struct statement *s,
    const struct touch *t, struct arena *a);

/* Is it nothing but a SET of application_name where the identity is shown?
 * Drivers send it unasked. Its value is recorded as a claim; what runs is in
 * the ruling. */
bool own_settings_is_claim(const struct gate *g, const struct statement *s);

/* Why what the statement sets may not be set, whatever the policy says;
 * len 0: nothing against it. */
struct text own_settings_refusal(
    struct gate *g, const struct statement *s, struct arena *a);

#endif
