/* links: worker/relay.c common/wire.c */
#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/suite.h"
#include "worker/relay.h"

enum { LOT = 8 * 1024 * 1024 };

/* A relay between two socket pairs; the test plays both far ends. The drain
 * passes everything on to the client, as a protocol would. */
static struct relay r;
static int client, server;
static size_t drained, most_out;

static enum err
pass_on(void *context)
{
	struct text have = peer_pending(&r.upstream);

	(void)context;
	buffer_put_text(&r.client.out, have);
	if (r.client.out.len > most_out)
		most_out = r.client.out.len;
	drained += have.len;
	peer_consume(&r.upstream, have.len);
	return ERR_NONE;
}

static void
pair(int *near_out, int *far_out)
{
	int fds[2];

	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	fcntl(fds[1], F_SETFL, O_NONBLOCK);
	*near_out = fds[0];
	*far_out = fds[1];
}

static int life_end;

static void
setup(void)
{
	int fd, life[2];

	r = (struct relay){.drain = pass_on};
	sigemptyset(&r.waiting);
	pair(&fd, &client);
	peer_init(&r.client, fd, LOT);
	pair(&fd, &server);
	peer_init(&r.upstream, fd, LOT);
	ck_assert_int_eq(pipe(life), 0);
	r.life = life[0];
	life_end = life[1];
	drained = most_out = 0;
}

static void
teardown(void)
{
	peer_close(&r.client);
	peer_close(&r.upstream);
	close(client);
	close(server);
	close(r.life);
	close(life_end);
}

/* One turn that does not wait for long. */
static enum err
turn(bool wants_client)
{
	r.deadline = relay_now() + 20;
	return relay_turn(&r, wants_client);
}

static ssize_t
put(int fd, size_t n)
{
	static char bytes[RELAY_CHUNK];
	size_t most = n < sizeof(bytes) ? n : sizeof(bytes);

	memset(bytes, 'x', most);
	return send(fd, bytes, most, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static ssize_t
take(int fd, size_t n)
{
	static char bytes[RELAY_CHUNK];

	return recv(
	    fd, bytes, n < sizeof(bytes) ? n : sizeof(bytes), MSG_DONTWAIT);
}

/* --- neither side stops the other ----------------------------------------- */

START_TEST(reply_is_read_while_a_request_waits_to_be_sent)
{
	enum err e = ERR_NONE;

	/* a request larger than the socket takes; the server does not read it
	 * before its own reply was taken */
	while (r.upstream.out.len < LOT)
		buffer_put(&r.upstream.out, "request!", 8);
	while (e == ERR_NONE && drained < RELAY_CHUNK) {
		put(server, 4096);
		e = turn(false);
		take(client, RELAY_CHUNK);
	}
	ck_assert_int_eq(e, ERR_NONE);
	ck_assert_uint_ge(drained, RELAY_CHUNK);
	ck_assert(peer_is_full(&r.upstream));
}
END_TEST

START_TEST(client_is_not_read_while_the_upstream_is_full)
{
	while (r.upstream.out.len < LOT)
		buffer_put(&r.upstream.out, "request!", 8);
	put(client, 100);
	ck_assert_int_eq(turn(true), ERR_DEADLINE);
	ck_assert_uint_eq(peer_pending(&r.client).len, 0);
}
END_TEST

START_TEST(upstream_is_not_read_while_the_client_is_full)
{
	size_t i, before;

	for (i = 0; i < 200; i++) {
		put(server, RELAY_CHUNK);
		if (turn(true) == ERR_DEADLINE)
			break;
	}
	ck_assert(peer_is_full(&r.client));
	before = drained;
	put(server, 100);
	ck_assert_int_eq(turn(true), ERR_DEADLINE);
	ck_assert_uint_eq(drained, before);
}
END_TEST

START_TEST(turn_that_empties_a_full_peer_does_not_wait)
{
	int64_t began;
	size_t i;

	for (i = 0; i < RELAY_BOUND; i++)
		buffer_put_u8(&r.upstream.out, 'x');
	ck_assert(peer_is_full(&r.upstream));
	/* room enough in the socket for some of it */
	began = relay_now();
	r.deadline = began + 2000;
	ck_assert_int_eq(relay_turn(&r, false), ERR_NONE);
	ck_assert_int_lt(relay_now() - began, 1000);
	ck_assert(!peer_is_full(&r.upstream));
}
END_TEST

/* --- bounds --------------------------------------------------------------- */

START_TEST(lagging_client_does_not_make_the_buffer_grow)
{
	size_t passed = 0;
	ssize_t n;

	/* it always leaves something unsent */
	while (passed < LOT) {
		while (put(server, RELAY_CHUNK) > 0)
			;
		if (turn(true) == ERR_NONE)
			continue;
		ck_assert(peer_is_full(&r.client));
		n = take(client, RELAY_CHUNK);
		ck_assert_int_gt(n, 0);
		passed += (size_t)n;
	}
	ck_assert_uint_le(most_out, 3 * RELAY_BOUND);
	ck_assert_uint_le(r.client.out.size, 4 * RELAY_BOUND);
}
END_TEST

START_TEST(message_over_the_ceiling_has_no_room)
{
	struct peer p;

	peer_init(&p, -1, 1000);
	ck_assert(peer_expect(&p, 1000));
	ck_assert(!peer_expect(&p, 1001));
	buffer_free(&p.in);
}
END_TEST

START_TEST(expected_message_keeps_what_has_come_of_it)
{
	struct peer p;

	peer_init(&p, -1, LOT);
	buffer_put(&p.in, "consumedleft", 12);
	peer_consume(&p, 8);
	ck_assert(peer_expect(&p, 100000));
	ck_assert_uint_eq(peer_pending(&p).len, 4);
	ck_assert_mem_eq(peer_pending(&p).at, "left", 4);
	ck_assert_uint_ge(p.in.size, 100000);
	buffer_free(&p.in);
}
END_TEST

START_TEST(memory_of_a_large_message_is_given_back)
{
	struct peer p;

	peer_init(&p, -1, LOT);
	ck_assert(peer_expect(&p, LOT));
	p.in.len = LOT;
	peer_consume(&p, LOT);
	ck_assert_uint_eq(p.in.size, 0);
	ck_assert_uint_eq(peer_pending(&p).len, 0);
}
END_TEST

START_TEST(buffer_that_lost_bytes_is_never_sent)
{
	r.client.out.ceiling = 10;
	buffer_put(&r.client.out, "lost", 4);
	buffer_put(&r.client.out, "0123456789", 10);
	ck_assert(r.client.out.failed);
	ck_assert_int_eq(turn(true), ERR_CLOSED);
	ck_assert_int_lt(take(client, 100), 0);
}
END_TEST

/* --- ends ----------------------------------------------------------------- */

START_TEST(bytes_before_the_clients_end_are_taken_in_first)
{
	put(client, 100);
	shutdown(client, SHUT_WR);
	ck_assert_int_eq(turn(true), ERR_NONE);
	ck_assert_uint_eq(peer_pending(&r.client).len, 100);
	ck_assert_int_eq(turn(true), ERR_NONE);
	ck_assert_int_eq(turn(true), ERR_CLOSED);
	ck_assert_uint_eq(peer_pending(&r.client).len, 100);
}
END_TEST

START_TEST(bytes_before_the_upstreams_end_are_passed_on_first)
{
	put(server, 100);
	shutdown(server, SHUT_WR);
	ck_assert_int_eq(turn(true), ERR_NONE);
	ck_assert_uint_eq(drained, 100);
	ck_assert_int_eq(turn(true), ERR_NONE);
	ck_assert_int_eq(turn(true), ERR_CLOSED);
	ck_assert_int_eq(take(client, 200), 100);
}
END_TEST

START_TEST(client_that_leaves_while_nobody_reads_it_is_noticed)
{
	put(client, 10);
	close(client);
	client = open("/dev/null", O_RDONLY);
	ck_assert_int_eq(turn(false), ERR_NONE);
	ck_assert_int_eq(turn(false), ERR_CLOSED);
	ck_assert(r.client.is_closed);
}
END_TEST

START_TEST(upstream_that_hangs_up_unread_is_no_busy_loop)
{
	size_t i;

	for (i = 0; i < 200; i++) {
		put(server, RELAY_CHUNK);
		if (turn(true) == ERR_DEADLINE)
			break;
	}
	ck_assert(peer_is_full(&r.client));
	close(server);
	server = open("/dev/null", O_RDONLY);
	ck_assert_int_eq(turn(true), ERR_DEADLINE);
	while (take(client, RELAY_CHUNK) > 0) /* and it is found out later */
		ck_assert_int_ne(turn(true), ERR_DEADLINE);
	ck_assert_int_eq(turn(true), ERR_CLOSED);
}
END_TEST

START_TEST(deadline_passes_also_while_bytes_flow)
{
	r.deadline = relay_now() - 1;
	put(client, 10);
	ck_assert_int_eq(relay_turn(&r, true), ERR_DEADLINE);
}
END_TEST

START_TEST(death_of_the_master_ends_the_wait)
{
	close(life_end);
	life_end = open("/dev/null", O_RDONLY);
	r.deadline = relay_now() + 5000;
	ck_assert_int_eq(relay_turn(&r, true), ERR_CLOSED);
	ck_assert(!r.client.is_closed && !r.upstream.is_closed);
}
END_TEST

static enum err
complain(void *context)
{
	(void)context;
	return ERR_MALFORMED;
}

START_TEST(drains_error_is_the_turns)
{
	r.drain = complain;
	ck_assert_int_eq(turn(true), ERR_DEADLINE); /* not called for nothing */
	put(server, 10);
	ck_assert_int_eq(turn(true), ERR_MALFORMED);
}
END_TEST

START_TEST(last_words_to_a_deaf_client_end_at_their_deadline)
{
	int64_t began = relay_now();

	while (r.client.out.len < LOT)
		buffer_put(&r.client.out, "goodbye!", 8);
	relay_flush_client(&r, 60);
	ck_assert_int_ge(relay_now() - began, 50);
	ck_assert_int_lt(relay_now() - began, 2000);
}
END_TEST

/* --- transports ------------------------------------------------------------ */

/* One that turns bytes round, takes and gives at most 100 at a time, and has
 * taken some in that nobody asked for yet. */
static struct {
	char held[1000];
	size_t held_len;
	bool wants_write, is_closed;
} odd;

static ssize_t
odd_receive(void *state, void *bytes, size_t size)
{
	size_t n = odd.held_len < 100 ? odd.held_len : 100;
	ssize_t got;

	(void)state;
	if (odd.held_len == 0) {
		got = recv(r.client.fd, odd.held, sizeof(odd.held),
		    MSG_DONTWAIT);
		if (got <= 0)
			return got;
		odd.held_len = (size_t)got;
		n = odd.held_len < 100 ? odd.held_len : 100;
	}
	ck_assert_uint_ge(size, n);
	memset(bytes, 'o', n);
	odd.held_len -= n;
	return (ssize_t)n;
}

static ssize_t
odd_send(void *state, const void *bytes, size_t len)
{
	(void)state;
	return send(r.client.fd, bytes, len < 100 ? len : 100,
	    MSG_NOSIGNAL | MSG_DONTWAIT);
}

static short
odd_interest(void *state, short events)
{
	(void)state;
	return odd.wants_write ? (short)(events | POLLOUT) : events;
}

static bool
odd_has_pending(void *state)
{
	(void)state;
	return odd.held_len > 0;
}

static void
odd_close(void *state)
{
	(void)state;
	odd.is_closed = true;
}

static const struct transport odd_transport = {
    .receive = odd_receive,
    .send = odd_send,
    .interest = odd_interest,
    .has_pending = odd_has_pending,
    .close = odd_close,
};

START_TEST(bytes_inside_a_transport_are_not_waited_for)
{
	memset(&odd, 0, sizeof(odd));
	peer_set_transport(&r.client, &odd_transport, NULL);
	put(client, 450);
	while (peer_pending(&r.client).len < 450) {
		r.deadline = relay_now() + 5000;
		ck_assert_int_eq(relay_turn(&r, true), ERR_NONE);
	}
	/* and when it is empty, there is waiting again */
	ck_assert_int_eq(turn(true), ERR_DEADLINE);
}
END_TEST

START_TEST(bytes_inside_a_transport_of_a_client_not_wanted_do_not_spin)
{
	memset(&odd, 0, sizeof(odd));
	peer_set_transport(&r.client, &odd_transport, NULL);
	odd.held_len = 300;
	ck_assert_int_eq(turn(false), ERR_DEADLINE);
	ck_assert_uint_eq(peer_pending(&r.client).len, 0);
}
END_TEST

START_TEST(transport_that_must_send_to_receive_is_given_room)
{
	memset(&odd, 0, sizeof(odd));
	odd.wants_write = true;
	peer_set_transport(&r.client, &odd_transport, NULL);
	/* writable at once: looks, finds nothing, goes on */
	ck_assert_int_eq(turn(true), ERR_NONE);
	ck_assert_uint_eq(peer_pending(&r.client).len, 0);
}
END_TEST

START_TEST(transport_gets_what_is_sent_and_is_closed_with_its_peer)
{
	char bytes[2000];
	ssize_t n, got = 0;

	memset(&odd, 0, sizeof(odd));
	peer_set_transport(&r.client, &odd_transport, NULL);
	buffer_put(&r.client.out, "0123456789", 10);
	relay_flush_client(&r, 1000);
	while ((n = recv(client, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		got += n;
	ck_assert_int_eq(got, 10);
	peer_close(&r.client);
	ck_assert(odd.is_closed);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    reply_is_read_while_a_request_waits_to_be_sent,
	    client_is_not_read_while_the_upstream_is_full,
	    upstream_is_not_read_while_the_client_is_full,
	    turn_that_empties_a_full_peer_does_not_wait,
	    lagging_client_does_not_make_the_buffer_grow,
	    message_over_the_ceiling_has_no_room,
	    expected_message_keeps_what_has_come_of_it,
	    memory_of_a_large_message_is_given_back,
	    buffer_that_lost_bytes_is_never_sent,
	    bytes_before_the_clients_end_are_taken_in_first,
	    bytes_before_the_upstreams_end_are_passed_on_first,
	    client_that_leaves_while_nobody_reads_it_is_noticed,
	    upstream_that_hangs_up_unread_is_no_busy_loop,
	    deadline_passes_also_while_bytes_flow,
	    death_of_the_master_ends_the_wait,
	    drains_error_is_the_turns,
	    last_words_to_a_deaf_client_end_at_their_deadline,
	    bytes_inside_a_transport_are_not_waited_for,
	    bytes_inside_a_transport_of_a_client_not_wanted_do_not_spin,
	    transport_that_must_send_to_receive_is_given_room,
	    transport_gets_what_is_sent_and_is_closed_with_its_peer,
	};
	Suite *suite = suite_create("relay");
	TCase *c = tcase_create("relay");
	size_t i;

	tcase_add_checked_fixture(c, setup, teardown);
	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(c, tests[i]);
	suite_add_tcase(suite, c);
	return suite_run(suite);
}
