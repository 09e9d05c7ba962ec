/*
 * client_name.c - what a client's address is called.
 */
#include "common/client_name.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

void
client_name(const struct sockaddr_storage *at, char *out, size_t size)
{
	char host[INET6_ADDRSTRLEN] = "";

	snprintf(out, size, "unix");
	if (at->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)at;

		inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
		snprintf(out, size, "%s:%u", host, ntohs(in->sin_port));
	} else if (at->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in = (const void *)at;

		inet_ntop(AF_INET6, &in->sin6_addr, host, sizeof(host));
		snprintf(out, size, "[%s]:%u", host, ntohs(in->sin6_port));
	}
}
