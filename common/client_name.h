/*
 * client_name.h - what a client's address is called in records and policies.
 */
#ifndef SALLYPORT_CLIENT_NAME_H
#define SALLYPORT_CLIENT_NAME_H

#include <stddef.h>
#include <sys/socket.h>

/* "127.0.0.1:40112", "[::1]:40112" or "unix". */
void client_name(const struct sockaddr_storage *at, char *out, size_t size);

#endif
