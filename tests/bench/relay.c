/*
 * relay - the floor of Sallyport's process model: a bare pre-forked relay
 * that examines nothing.  One process a connection; poll, read, write.
 *
 * usage: relay PORT UPSTREAM-PORT PROCESSES
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	BUFFER = 64 * 1024
};

static struct sockaddr_in
loopback(const char *port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void
no_delay(int fd)
{
	int on = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/* Move what is there from one to the other; 0 at the end. */
static int
move(int from, int to, char *buffer)
{
	ssize_t size = read(from, buffer, BUFFER), written = 0;

	if (size <= 0)
		return 0;
	while (written < size) {
		ssize_t n =
		    write(to, buffer + written, (size_t)(size - written));

		if (n <= 0)
			return 0;
		written += n;
	}
	return 1;
}

static void
relay(int client, int upstream)
{
	static char buffer[BUFFER];
	struct pollfd both[2] = {{client, POLLIN, 0}, {upstream, POLLIN, 0}};

	for (;;) {
		if (poll(both, 2, -1) <= 0)
			return;
		if (both[0].revents && !move(client, upstream, buffer))
			return;
		if (both[1].revents && !move(upstream, client, buffer))
			return;
	}
}

static void
serve(int listener, const struct sockaddr_in *there)
{
	for (;;) {
		int client = accept(listener, NULL, NULL);
		int upstream = socket(AF_INET, SOCK_STREAM, 0);

		if (client < 0 || upstream < 0)
			exit(1);
		no_delay(client);
		no_delay(upstream);
		if (connect(upstream, (const struct sockaddr *)there,
			sizeof(*there)) == 0)
			relay(client, upstream);
		close(client);
		close(upstream);
	}
}

int
main(int argc, char **argv)
{
	int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
	struct sockaddr_in here, there;

	if (argc != 4 || listener < 0)
		return 2;
	here = loopback(argv[1]);
	there = loopback(argv[2]);
	(void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&here, sizeof(here)) != 0 ||
	    listen(listener, 128) != 0)
		return 1;
	for (unsigned long left = strtoul(argv[3], NULL, 10); left > 0; left--)
		if (fork() == 0) {
			(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
			serve(listener, &there);
		}
	pause();
	return 0;
}
