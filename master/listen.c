/*
 * listen.c - opening listening sockets.
 *
 * One rule: all of them are open before the first client can be accepted,
 * and one that cannot be opened stops the start.  Trusts the settings.
 */
#include "master/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 4096 }; /* the kernel cuts it to net.core.somaxconn */

static const char unix_prefix[] = "unix:";
static const int socket_flags = SOCK_CLOEXEC | SOCK_NONBLOCK;

static const char *
unix_path(const char *address)
{
	size_t len = sizeof(unix_prefix) - 1;

	return strncmp(address, unix_prefix, len) == 0 ? address + len : NULL;
}

/* Somebody listens there: connecting works, or would once it is less busy. */
static bool
is_alive(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | socket_flags, 0);
	bool is_there;

	if (fd < 0)
		return false;
	is_there = connect(fd, (const struct sockaddr *)address,
		       sizeof(*address)) == 0 ||
	    errno == EAGAIN || errno == EINPROGRESS;
	close(fd);
	return is_there;
}

/* Only a socket is ever removed: a path in the settings may be a slip. */
static void
stale_remove(const char *path)
{
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		unlink(path);
}

static enum err
listen_unix(const char *path, int fd, const char **reason_out)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(address.sun_path)) {
		*reason_out = "the path is too long for a socket";
		return ERR_TOO_LONG;
	}
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (is_alive(&address)) {
		errno = EADDRINUSE;
		*reason_out = "a running process listens there";
		return ERR_REFUSED;
	}
	stale_remove(path);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    chmod(path, 0666) != 0) {
		*reason_out = "cannot bind";
		return ERR_SYSTEM;
	}
	return ERR_NONE;
}

/* "host:port" or "[host]:port" in two pieces; `host` has `size` bytes. */
static bool
host_and_port(const char *address, char *host, size_t size, const char **port)
{
	const char *colon = strrchr(address, ':');
	size_t len;

	if (colon == NULL || colon == address)
		return false;
	len = (size_t)(colon - address);
	if (address[0] == '[' && len > 2 && colon[-1] == ']') {
		address++;
		len -= 2;
	}
	if (len >= size)
		return false;
	memcpy(host, address, len);
	host[len] = '\0';
	*port = colon + 1;
	return true;
}

static enum err
address_resolve(const char *address, struct addrinfo **out,
    const char **reason_out)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	char host[256];
	const char *port;
	int result;

	if (!host_and_port(address, host, sizeof(host), &port)) {
		*reason_out = "not host:port";
		return ERR_INVALID;
	}
	result = getaddrinfo(
	    strcmp(host, "*") == 0 ? NULL : host, port, &hints, out);
	if (result != 0) {
		*reason_out = gai_strerror(result);
		return ERR_NOT_FOUND;
	}
	return ERR_NONE;
}

static enum err
listen_tcp(const struct addrinfo *info, int fd, const char **reason_out)
{
	const int on = 1, off = 0;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    (info->ai_family == AF_INET6 &&
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off,
		    sizeof(off)) != 0) ||
	    bind(fd, info->ai_addr, info->ai_addrlen) != 0) {
		*reason_out = "cannot bind";
		return ERR_SYSTEM;
	}
	return ERR_NONE;
}

static enum err
socket_open(int family, int *fd_out, const char **reason_out)
{
	*fd_out = socket(family, SOCK_STREAM | socket_flags, 0);
	if (*fd_out >= 0)
		return ERR_NONE;
	*reason_out = "cannot make a socket";
	return ERR_SYSTEM;
}

enum err
listen_open(const char *address, int *fd_out, const char **reason_out)
{
	const char *path = unix_path(address);
	struct addrinfo *info = NULL;
	int fd = -1, kept;
	enum err e = ERR_NONE;

	if (path == NULL)
		e = address_resolve(address, &info, reason_out);
	if (e == ERR_NONE)
		e = socket_open(path != NULL ? AF_UNIX : info->ai_family, &fd,
		    reason_out);
	if (e == ERR_NONE)
		e = path != NULL ? listen_unix(path, fd, reason_out)
				 : listen_tcp(info, fd, reason_out);
	if (e == ERR_NONE && listen(fd, BACKLOG) != 0) {
		*reason_out = "cannot listen";
		e = ERR_SYSTEM;
	}
	kept = errno;
	if (info != NULL)
		freeaddrinfo(info);
	if (e != ERR_NONE && fd >= 0)
		close(fd);
	errno = kept;
	*fd_out = e == ERR_NONE ? fd : -1;
	return e;
}

void
listen_unlink(const char *address)
{
	const char *path = unix_path(address);

	if (path != NULL)
		stale_remove(path);
}
