/*
 * start.h - everything master opens before the first child exists.
 */
#ifndef SALLYPORT_START_H
#define SALLYPORT_START_H

#include "master/master.h"

/* Find the account, map the scoreboard, open sockets and pipes. What cannot
 * be had is logged, and nothing was forked then. */
enum err start_open(struct master *m) MUST_CHECK;

/* Remove what other processes would find: the sockets' paths. */
void start_undo(struct master *m);

#endif
