/*
 * settings_address.h - hooks of schema.h for addresses; only for settings.c.
 */
#ifndef SALLYPORT_SETTINGS_ADDRESS_H
#define SALLYPORT_SETTINGS_ADDRESS_H

#include "common/schema.h"

/* "host:port" ([::1]:5432 for IPv6), or "unix:path", the path made absolute;
 * into a const char *. */
void settings_read_address(
    struct reading *r, const struct node *n, void *field);

/* A path, made absolute, that fits a socket's address. */
void settings_read_socket_path(
    struct reading *r, const struct node *n, void *field);

#endif
