/*
 * pull - a client that reads one result as fast as it comes and keeps
 * nothing of it: libpq logs in, the rest is bare messages.
 *
 * usage: pull CONNINFO SQL      prints: bytes seconds rows
 *
 * A DataRow or CopyData counts as a row.  The answer must end in
 * ReadyForQuery without an ErrorResponse.
 */
#include <arpa/inet.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	BUFFER = 256 * 1024,
	HEADER = 5
};

static _Noreturn void
die(const char *why)
{
	fprintf(stderr, "pull: %s\n", why);
	exit(1);
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
put_query(int fd, const char *sql)
{
	uint32_t len = htonl((uint32_t)strlen(sql) + 5);

	if (write(fd, "Q", 1) != 1 || write(fd, &len, 4) != 4 ||
	    write(fd, sql, strlen(sql) + 1) != (ssize_t)strlen(sql) + 1)
		die("cannot send the query");
}

static ssize_t
receive(int fd, uint8_t *buffer)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	ssize_t n;

	if (poll(&p, 1, -1) < 0)
		die("poll");
	n = read(fd, buffer, BUFFER);
	if (n <= 0)
		die("the connection ended");
	return n;
}

struct walk { /* through the messages, whatever the reads' boundaries */
	uint8_t header[HEADER];
	size_t have; /* bytes of a header */
	size_t left; /* of a body, to be skipped */
	uint64_t rows;
	bool is_over; /* ReadyForQuery came */
};

static void
on_header(struct walk *w)
{
	const uint8_t *h = w->header;

	w->have = 0;
	w->left = ((size_t)h[1] << 24 | (size_t)h[2] << 16 | (size_t)h[3] << 8 |
		      h[4]) -
		  4;
	if (h[0] == 'E')
		die("the server reported an error");
	w->rows += h[0] == 'D' || h[0] == 'd';
	w->is_over = h[0] == 'Z';
}

static void
walk(struct walk *w, const uint8_t *at, size_t n)
{
	size_t take;

	for (; n > 0; at += take, n -= take) {
		if (w->left > 0) {
			take = n < w->left ? n : w->left;
			w->left -= take;
			continue;
		}
		take = n < HEADER - w->have ? n : HEADER - w->have;
		memcpy(w->header + w->have, at, take);
		w->have += take;
		if (w->have == HEADER)
			on_header(w);
	}
}

int
main(int argc, char **argv)
{
	static uint8_t buffer[BUFFER];
	struct walk w = {.have = 0};
	uint64_t bytes = 0;
	double start;
	PGconn *c;
	ssize_t n;

	if (argc != 3)
		die("usage: pull CONNINFO SQL");
	c = PQconnectdb(argv[1]);
	if (PQstatus(c) != CONNECTION_OK)
		die(PQerrorMessage(c));
	start = now();
	put_query(PQsocket(c), argv[2]);
	while (!w.is_over) {
		n = receive(PQsocket(c), buffer);
		bytes += (uint64_t)n;
		walk(&w, buffer, (size_t)n);
	}
	printf("%llu %.6f %llu\n", (unsigned long long)bytes, now() - start,
	    (unsigned long long)w.rows);
	PQfinish(c);
	return 0;
}
