/*
 * listen.h - the sockets that clients and operators connect to.
 */
#ifndef SALLYPORT_LISTEN_H
#define SALLYPORT_LISTEN_H

#include <stddef.h>

#include "common/config.h"
#include "common/err.h"

/* A listening socket, non-blocking and close-on-exec, for "host:port",
 * "[v6]:port" or "unix:/path". A Unix socket is open to everybody (mode
 * 0666): who may do what is decided after accept(). A path that a living
 * process listens on is an error, a stale one is replaced. `reason_out` is a
 * static phrase on failure; errno tells more. */
enum err listen_open(
    const char *address, int *fd_out, const char **reason_out) MUST_CHECK;

/* Remove the path of a Unix socket that listen_open() made. */
void listen_unlink(const char *address);

#endif
