/* links: master/broker_socket.c common/client_name.c */
/* What a client's socket tells the broker, whoever shows it. */
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "master/broker_inner.h"
#include "tests/unit/scratch.h"
#include "tests/unit/suite.h"

static struct settings settings;
static struct master master = {.settings = &settings};
static struct sockaddr_storage at; /* where somebody listens */
static socklen_t at_len;
static int listener, client, accepted;

static void
address_set(struct sockaddr_storage *out, const char *host, in_port_t port)
{
	struct sockaddr_in *v4 = (void *)out;
	struct sockaddr_in6 *v6 = (void *)out;

	memset(out, 0, sizeof(*out));
	if (strchr(host, ':') == NULL) {
		out->ss_family = AF_INET;
		v4->sin_port = port;
		ck_assert_int_eq(inet_pton(AF_INET, host, &v4->sin_addr), 1);
		return;
	}
	out->ss_family = AF_INET6;
	v6->sin6_port = port;
	ck_assert_int_eq(inet_pton(AF_INET6, host, &v6->sin6_addr), 1);
}

static void
path_set(struct sockaddr_storage *out, const char *name)
{
	struct sockaddr_un *un = (void *)out;

	memset(out, 0, sizeof(*out));
	out->ss_family = AF_UNIX;
	snprintf(un->sun_path, sizeof(un->sun_path), "%s/%s", scratch_folder,
	    name);
}

static void
join(const char *host)
{
	if (host == NULL)
		path_set(&at, "socket");
	else
		address_set(&at, host, 0);
	at_len = host == NULL ? sizeof(struct sockaddr_un) : sizeof(at);
	listener = socket(at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	client = socket(at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(
	    bind(listener, (struct sockaddr *)&at, at_len), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	at_len = sizeof(at);
	ck_assert_int_eq(
	    getsockname(listener, (struct sockaddr *)&at, &at_len), 0);
	ck_assert_int_eq(
	    connect(client, (struct sockaddr *)&at, at_len), 0);
	accepted = accept(listener, NULL, NULL);
	ck_assert_int_ge(accepted, 0);
}

static void
leave(void)
{
	close(accepted);
	close(client);
	close(listener);
}

/* NULL: a path. `shift`: of the port. The first of two is another's. */
static const struct {
	const char *host;
	struct {
		const char *host;
		int shift;
	} bound[2];
	int want; /* which; -1: none */
} places[] = {
    {"127.0.0.1", {{"127.0.0.2", 0}, {"127.0.0.1", 0}}, 1},
    {"127.0.0.1", {{"127.0.0.1", 1}, {"0.0.0.0", 0}}, 1},
    {"127.0.0.1", {{"0.0.0.0", 0}, {"127.0.0.1", 0}}, 1},
    {"127.0.0.1", {{"127.0.0.1", 0}, {"0.0.0.0", 0}}, 0},
    {"127.0.0.1", {{"127.0.0.1", 1}, {"0.0.0.0", 1}}, -1},
    {"127.0.0.1", {{"127.0.0.2", 0}, {"::", 0}}, -1},
    {"127.0.0.1", {{NULL, 0}, {"127.0.0.1", 0}}, 1},
    {"::1", {{"::2", 0}, {"::1", 0}}, 1},
    {"::1", {{"::", 0}, {"::1", 0}}, 1},
    {"::1", {{"::", 1}, {"::", 0}}, 1},
    {"::1", {{"::1", 1}, {"0.0.0.0", 0}}, -1},
    {"::ffff:127.0.0.1", {{"::1", 0}, {"::", 0}}, 1},
    {NULL, {{"127.0.0.1", 0}, {NULL, 0}}, 1},
    {NULL, {{NULL, 1}, {NULL, 0}}, 1},
    {NULL, {{NULL, 1}, {"::", 0}}, -1},
};

static void
bound_set(int row, int i)
{
	const char *host = places[row].bound[i].host;
	in_port_t port = ((struct sockaddr_in *)(void *)&at)->sin_port;
	int shift = places[row].bound[i].shift;

	if (host == NULL)
		path_set(&master.bound[i], shift == 0 ? "socket" : "other");
	else
		address_set(&master.bound[i], host,
		    htons((uint16_t)(ntohs(port) + shift)));
}

START_TEST(client_came_through_the_listener_its_socket_names)
{
	struct client_socket out = {.listener = 99};
	enum socket_is is;

	scratch_make();
	join(places[_i].host);
	settings.listener_count = 2;
	bound_set(_i, 0);
	bound_set(_i, 1);
	is = client_socket_look(&master, accepted, &out);
	if (places[_i].want < 0) {
		ck_assert_int_eq((int)is, SOCKET_NOT_CLIENTS);
	} else {
		ck_assert_int_eq((int)is, SOCKET_CLIENTS);
		ck_assert_int_eq((int)out.listener, places[_i].want);
	}
	/* the other end, and who listens, are no clients' */
	ck_assert_int_eq((int)client_socket_look(&master, client, &out),
	    SOCKET_NOT_CLIENTS);
	ck_assert_int_eq((int)client_socket_look(&master, listener, &out),
	    SOCKET_NOT_CLIENTS);
	leave();
	scratch_remove();
}
END_TEST

START_TEST(client_is_where_the_kernel_says)
{
	struct client_socket out = {.listener = 99};
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	char want[64];

	join("127.0.0.1");
	settings.listener_count = 1;
	master.bound[0] = at;
	ck_assert_int_eq(
	    getsockname(client, (struct sockaddr *)&from, &len), 0);
	snprintf(want, sizeof(want), "127.0.0.1:%u", ntohs(from.sin_port));
	ck_assert_int_eq((int)client_socket_look(&master, accepted, &out),
	    SOCKET_CLIENTS);
	ck_assert_str_eq(out.source, want);
	leave();
}
END_TEST

/* One that has reset its connection is no sign of a worker taken over. */
START_TEST(client_that_has_gone_is_told_from_none)
{
	const struct linger at_once = {.l_onoff = 1};
	struct client_socket out;

	join("127.0.0.1");
	settings.listener_count = 1;
	master.bound[0] = at;
	setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(client);
	ck_assert_int_eq((int)client_socket_look(&master, accepted, &out),
	    SOCKET_GONE);
	close(accepted);
	close(listener);
}
END_TEST

START_TEST(what_is_no_stream_socket_is_no_clients)
{
	struct client_socket out;
	int pair[2];

	settings.listener_count = 1;
	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	memset(&master.bound[0], 0, sizeof(master.bound[0]));
	master.bound[0].ss_family = AF_UNIX;
	ck_assert_int_eq((int)client_socket_look(&master, pair[0], &out),
	    SOCKET_NOT_CLIENTS);
	close(pair[0]);
	close(pair[1]);
	/* without a name, as the listener that is not there */
	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	ck_assert_int_eq((int)client_socket_look(&master, pair[0], &out),
	    SOCKET_NOT_CLIENTS);
	ck_assert_int_eq((int)client_socket_look(&master, -1, &out),
	    SOCKET_NOT_CLIENTS);
	close(pair[0]);
	close(pair[1]);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("broker socket");
	TCase *t = tcase_create("broker socket");

	tcase_add_loop_test(t,
	    client_came_through_the_listener_its_socket_names, 0,
	    (int)(sizeof(places) / sizeof(*places)));
	tcase_add_test(t, client_is_where_the_kernel_says);
	tcase_add_test(t, client_that_has_gone_is_told_from_none);
	tcase_add_test(t, what_is_no_stream_socket_is_no_clients);
	suite_add_tcase(s, t);
	return suite_run(s);
}
