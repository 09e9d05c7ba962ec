/*
 * broker_socket.c - through which listener a client came, and from where.
 *
 * The rule: a worker shows its client's socket, and the kernel tells the
 * rest.  Which upstream is its client's, and who is slowed down for its wrong
 * proofs, is no worker's word.
 */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/client_name.h"
#include "master/accepted.h"
#include "master/broker_inner.h"

enum match { MATCH_NONE, MATCH_ANY_ADDRESS, MATCH_EXACT };

static enum match
match_v4(const struct sockaddr_in *bound, const struct sockaddr_in *at)
{
	if (bound->sin_port != at->sin_port)
		return MATCH_NONE;
	if (bound->sin_addr.s_addr == at->sin_addr.s_addr)
		return MATCH_EXACT;
	return bound->sin_addr.s_addr == htonl(INADDR_ANY) ? MATCH_ANY_ADDRESS
							   : MATCH_NONE;
}

static enum match
match_v6(const struct sockaddr_in6 *bound, const struct sockaddr_in6 *at)
{
	if (bound->sin6_port != at->sin6_port)
		return MATCH_NONE;
	if (IN6_ARE_ADDR_EQUAL(&bound->sin6_addr, &at->sin6_addr) &&
	    bound->sin6_scope_id == at->sin6_scope_id)
		return MATCH_EXACT;
	return IN6_IS_ADDR_UNSPECIFIED(&bound->sin6_addr) ? MATCH_ANY_ADDRESS
							  : MATCH_NONE;
}

static enum match
match_path(const struct sockaddr_un *bound, const struct sockaddr_un *at)
{
	return at->sun_path[0] != '\0' &&
		    strncmp(bound->sun_path, at->sun_path,
			sizeof(at->sun_path)) == 0
		? MATCH_EXACT
		: MATCH_NONE;
}

static enum match
match_of(
    const struct sockaddr_storage *bound, const struct sockaddr_storage *at)
{
	const void *one = bound, *other = at;

	if (bound->ss_family != at->ss_family)
		return MATCH_NONE;
	switch (at->ss_family) {
	case AF_INET:
		return match_v4(one, other);
	case AF_INET6:
		return match_v6(one, other);
	case AF_UNIX:
		return match_path(one, other);
	default:
		return MATCH_NONE;
	}
}

/* As the kernel chooses among its listeners: its own address before any. */
static bool
listener_find(const struct master *m, const struct sockaddr_storage *at,
    uint32_t *listener_out)
{
	enum match best = MATCH_NONE;
	size_t i;

	for (i = 0; i < m->settings->listener_count; i++) {
		enum match match = match_of(&m->bound[i], at);

		if (match > best) {
			best = match;
			*listener_out = (uint32_t)i;
		}
	}
	return best != MATCH_NONE;
}

enum socket_is
client_socket_look(const struct master *m, int fd, struct client_socket *out)
{
	struct sockaddr_storage at, from = {.ss_family = AF_UNSPEC};
	socklen_t from_len = sizeof(from);

	if (fd < 0 || !socket_is_stream(fd, &at) ||
	    !listener_find(m, &at, &out->listener))
		return SOCKET_NOT_CLIENTS;
	if (getpeername(fd, (struct sockaddr *)&from, &from_len) != 0)
		return SOCKET_GONE;
	client_name(&from, out->source, sizeof(out->source));
	return SOCKET_CLIENTS;
}
