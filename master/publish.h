/*
 * publish.h - from YAML to the policy in force, through the publisher: a
 * short-lived unprivileged child that alone parses configuration of a running
 * daemon and writes the policy store.
 */
#ifndef SALLYPORT_PUBLISH_H
#define SALLYPORT_PUBLISH_H

#include "master/master.h"

/* Start the publisher; its complaints arrive on publication.pipe. */
enum err publish_start(struct master *m) MUST_CHECK;

/* The pipe can be read. */
void publish_read(struct master *m);

/* The child has exited. */
void publish_exited(struct master *m, int status);

/* Both have happened: publish_finish() may be called. */
bool publish_is_over(const struct master *m);

/* Take the outcome. ERR_NONE: the new policy is read, checked and is
 * m->policy, the board shows its generation. Otherwise the old policy
 * stays, m->publication.text says why, a line for each error. */
enum err publish_finish(struct master *m) MUST_CHECK;

/* Can settings `now` replace `old` in a running daemon? Adds a diagnostic
 * for each one that needs a restart. */
void publish_compare(const struct settings *old, const struct settings *now,
    struct diagnostics *d);

#endif
