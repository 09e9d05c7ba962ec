/*
 * entries.h - what the verifier knows of identities.yaml.
 */
#ifndef SALLYPORT_ENTRIES_H
#define SALLYPORT_ENTRIES_H

#include "common/arena.h"
#include "common/err.h"
#include "common/identity.h"

/* The issuers of identities.yaml, and no people or agents: the file has
 * password verifiers, so a child reads it and hands on what has none. Logs
 * what is wrong: ERR_INVALID. ERR_SYSTEM, ERR_MEMORY. */
enum err entries_read(
    const char *file, struct arena *a, struct identities *out) MUST_CHECK;

#endif
