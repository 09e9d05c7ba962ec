/*
 * accepted.h - what is a descriptor that somebody handed over?
 */
#ifndef SALLYPORT_ACCEPTED_H
#define SALLYPORT_ACCEPTED_H

#include <stdbool.h>
#include <sys/socket.h>

static inline bool
socket_option_is(int fd, int option, int wanted)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, option, &value, &len) == 0 &&
	    value == wanted;
}

/* A stream socket that listens to nobody? Then its own address is in
 * `at_out`: of an accepted one, the listener's. */
static inline bool
socket_is_stream(int fd, struct sockaddr_storage *at_out)
{
	socklen_t len = sizeof(*at_out);

	*at_out = (struct sockaddr_storage){.ss_family = AF_UNSPEC};
	return socket_option_is(fd, SO_TYPE, SOCK_STREAM) &&
	    socket_option_is(fd, SO_ACCEPTCONN, 0) &&
	    getsockname(fd, (struct sockaddr *)at_out, &len) == 0;
}

#endif
