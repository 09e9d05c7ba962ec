/*
 * settings_address.c - where to listen and where to connect.
 *
 * The rule: an address is checked whole; what is not one of the two forms is
 * neither.
 */
#include <arpa/inet.h>
#include <string.h>
#include <sys/un.h>

#include "common/settings_address.h"

enum { SOCKET_PATH_MAX = sizeof(((struct sockaddr_un *)0)->sun_path) - 1 };

#define UNIX_PREFIX "unix:"

static bool
is_socket_path(const char *path)
{
	return path != NULL && strlen(path) <= SOCKET_PATH_MAX;
}

/* "host:port": where the colon is, or NULL. [::1]:5432 for IPv6. */
static const char *
port_colon(const char *address)
{
	const char *colon = strrchr(address, ':');

	if (colon == NULL || colon == address)
		return NULL;
	if (address[0] == '[')
		return colon[-1] == ']' ? colon : NULL;
	return strchr(address, ':') == colon ? colon : NULL;
}

static bool
is_port(const char *digits)
{
	unsigned long port = 0;
	size_t i;

	for (i = 0; digits[i] >= '0' && digits[i] <= '9' && i < 6; i++)
		port = port * 10 + (unsigned long)(digits[i] - '0');
	return i > 0 && digits[i] == '\0' && port >= 1 && port <= 65535;
}

static bool
is_host(struct text host)
{
	char v6[INET6_ADDRSTRLEN + 1] = "";
	unsigned char bytes[16];
	size_t i;

	if (host.at[0] == '[') {
		if (host.len < 4 || host.len - 2 >= sizeof(v6))
			return false;
		memcpy(v6, host.at + 1, host.len - 2);
		return inet_pton(AF_INET6, v6, bytes) == 1;
	}
	for (i = 0; i < host.len; i++) {
		unsigned char c = (unsigned char)host.at[i];

		if (c <= ' ' || c >= 0x7f || strchr("/[]@%\"'\\", c) != NULL)
			return false;
	}
	return host.len > 0 && host.len <= 253;
}

static bool
is_host_and_port(const char *address)
{
	const char *colon = port_colon(address);

	return colon != NULL &&
	    is_host((struct text){address, (size_t)(colon - address)}) &&
	    is_port(colon + 1);
}

void
settings_read_address(
    struct reading *r, const struct node *n, void *field)
{
	struct text unix_prefix = TEXT(UNIX_PREFIX);
	const char *address = n->text.at, *path;
	struct text text;

	if (!reading_text(r, n, &text))
		return;
	if (text_starts(text, unix_prefix)) {
		path = reading_path(r, n->file, address + unix_prefix.len);
		if (!is_socket_path(path) || text.len == unix_prefix.len)
			reading_complain(r, n,
			    "expected unix: and a path of at most %d bytes",
			    (int)SOCKET_PATH_MAX);
		else
			address = arena_printf(
			    r->arena, UNIX_PREFIX "%s", path);
	} else if (!is_host_and_port(address)) {
		reading_complain(r, n,
		    "expected host:port or unix:/path, not `%.80s`", address);
	}
	if (address == NULL)
		r->err = ERR_MEMORY;
	*(const char **)field = address;
}

void
settings_read_socket_path(
    struct reading *r, const struct node *n, void *field)
{
	struct text text;

	if (!reading_text(r, n, &text))
		return;
	*(const char **)field = reading_path(r, n->file, text.at);
	if (!is_socket_path(*(const char **)field))
		reading_complain(r, n,
		    "a socket's path has at most %d bytes",
		    (int)SOCKET_PATH_MAX);
}
