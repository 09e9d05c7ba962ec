/* links: master/porter.c master/porter_task.c master/porter_connect.c master/porter_name.c master/porter_process.c master/porter_file.c master/porter_digest.c master/porter_pam.c master/errand.c master/capability.c master/program.c common/file_trust.c common/diagnostics.c common/arena.c common/sandbox.c common/log.c common/err.c common/text.c common/parcel.c */
/* The porter at work: what it opens, and what it tells of processes. */
#include "master/porter.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "master/errand.h"
#include "master/spawn.h"
#include "tests/unit/suite.h"

enum { PATIENCE_MS = 20000 };

static char folder[64];
static int channel;
static pid_t porter;
static struct upstream upstreams[3];
static struct listener listeners[2] = {{.address = "127.0.0.1:1"}};
static struct settings settings = {.upstreams = upstreams,
    .upstream_count = 3,
    .listeners = listeners,
    .listener_count = 2};
static struct policy policy;
static struct agent agents[1];

/* Of master: tests have no account to become. */
void
spawn_drop(const struct master *m)
{
	(void)m;
}

void
spawn_confine(const struct master *m, enum confinement role)
{
	(void)m;
	(void)role;
}

void
descriptor_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static const char *
path_of(const char *name)
{
	static char path[100];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void
porter_start(void)
{
	static struct master m;
	int ends[2];

	m.settings = &settings;
	m.policy = &policy;
	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	porter = fork();
	if (porter == 0) {
		close(ends[0]);
		_exit(porter_main(&m, ends[1]));
	}
	close(ends[1]);
	channel = ends[0];
}

static void
setup(void)
{
	static char address[110];

	strcpy(folder, "/tmp/sallyport-porter-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(address, sizeof(address), "unix:%s", path_of("socket"));
	listeners[1].address = address;
	settings.audit_socket = "/nowhere/log";
	policy.identities.agents = agents;
	policy.identities.agent_count = 1;
	agents[0].sha256 = (struct text){0};
	upstreams[0].address = "127.0.0.1:1";
	upstreams[1].address = "localhost:1";
	upstreams[2].address = "unix:/nowhere/.s.PGSQL.5432";
}

static void
teardown(void)
{
	static const char *const names[] = {"socket", "log", "copy"};
	size_t i;
	int status;

	close(channel);
	ck_assert_int_eq(waitpid(porter, &status, 0), porter);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0,
	    "the porter ended with %d", status);
	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		unlink(path_of(names[i]));
	ck_assert_int_eq(rmdir(folder), 0);
}

/* --- asking --------------------------------------------------------------- */

static void
ask(const struct errand *e, struct text parcel, int fd)
{
	ck_assert_int_eq(errand_send(channel, e, parcel, fd), ERR_NONE);
}

static struct outcome
answer(int *fd_out)
{
	struct pollfd p = {.fd = channel, .events = POLLIN};
	struct outcome o;
	int fd;

	ck_assert_msg(poll(&p, 1, PATIENCE_MS) == 1, "no outcome");
	ck_assert_int_eq(outcome_receive(channel, &o, &fd), ERR_NONE);
	if (fd_out != NULL)
		*fd_out = fd;
	else if (fd >= 0)
		close(fd);
	return o;
}

static int
listen_tcp(int family, char *address, size_t size)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(v4);
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&v4, len), 0);
	ck_assert_int_eq(listen(fd, 5), 0);
	getsockname(fd, (struct sockaddr *)&v4, &len);
	snprintf(address, size, "%s:%u",
	    strncmp(address, "localhost", 9) == 0 ? "localhost" : "127.0.0.1",
	    ntohs(v4.sin_port));
	return fd;
}

static struct sockaddr_un
local_address(const char *name)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};

	snprintf(to.sun_path, sizeof(to.sun_path), "%s", path_of(name));
	return to;
}

static int
listen_local(const char *name, int type, int backlog)
{
	struct sockaddr_un to = local_address(name);
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	if (type == SOCK_STREAM)
		ck_assert_int_eq(listen(fd, backlog), 0);
	return fd;
}

static bool
is_connected(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	socklen_t len = sizeof(int);
	int error = -1;

	return poll(&p, 1, PATIENCE_MS) == 1 &&
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 &&
	    error == 0;
}

/* --- connections ---------------------------------------------------------- */

START_TEST(upstream_by_address_is_connected_to)
{
	char address[64] = "";
	int listener = listen_tcp(AF_INET, address, sizeof(address)), fd;
	struct outcome o;

	upstreams[0].address = address;
	porter_start();
	ask(&(struct errand){.kind = ERRAND_CONNECT, .serial = 5}, TEXT(""),
	    -1);
	o = answer(&fd);
	ck_assert_int_eq(o.result, OUTCOME_YES);
	ck_assert_int_eq((int)o.serial, 5);
	ck_assert_int_eq(o.has_more, 0);
	ck_assert(is_connected(fd));
	close(fd);
	close(listener);
}
END_TEST

START_TEST(upstream_by_name_is_looked_up_and_connected_to)
{
	char address[64] = "localhost";
	int listener = listen_tcp(AF_INET, address, sizeof(address)), fd;
	bool is_there = false;
	struct outcome o = {.has_more = 1};
	uint32_t attempt;

	upstreams[1].address = address;
	porter_start();
	for (attempt = 0; o.has_more && !is_there; attempt++) {
		ask(&(struct errand){.kind = ERRAND_CONNECT, .place = 1,
			.attempt = attempt},
		    TEXT(""), -1);
		o = answer(&fd);
		is_there = o.result == OUTCOME_YES && is_connected(fd);
		descriptor_close(&fd);
	}
	ck_assert_msg(is_there, "%s", o.reason);
	close(listener);
}
END_TEST

START_TEST(name_that_nobody_has_is_said_to_be_so)
{
	struct outcome o;

	upstreams[1].address = "no-such-host.invalid:5432";
	porter_start();
	ask(&(struct errand){.kind = ERRAND_CONNECT, .place = 1}, TEXT(""),
	    -1);
	/* others are not held up meanwhile */
	ask(&(struct errand){.kind = ERRAND_CONNECT, .place = 2}, TEXT(""),
	    -1);
	o = answer(NULL);
	if (o.kind == ERRAND_CONNECT && strstr(o.reason, "/nowhere") != NULL)
		o = answer(NULL);
	ck_assert_int_eq(o.result, OUTCOME_FAILED);
	ck_assert_ptr_nonnull(strstr(o.reason, "cannot be resolved"));
}
END_TEST

START_TEST(upstream_that_is_not_there_fails_with_a_reason)
{
	struct outcome o;

	porter_start();
	ask(&(struct errand){.kind = ERRAND_CONNECT, .place = 2}, TEXT(""),
	    -1);
	o = answer(NULL);
	ck_assert_int_eq(o.result, OUTCOME_FAILED);
	ck_assert_str_eq(o.reason,
	    "unix:/nowhere/.s.PGSQL.5432: No such file or directory");
}
END_TEST

START_TEST(attempt_past_the_last_address_fails)
{
	struct outcome o;

	porter_start();
	ask(&(struct errand){.kind = ERRAND_CONNECT, .attempt = 1}, TEXT(""),
	    -1);
	o = answer(NULL);
	ck_assert_int_eq(o.result, OUTCOME_FAILED);
	ck_assert_int_eq(o.has_more, 0);
}
END_TEST

START_TEST(upstream_that_is_not_in_the_settings_is_refused)
{
	static const uint32_t places[] = {3, UPSTREAMS_MAX, UINT32_MAX};

	porter_start();
	ask(&(struct errand){.kind = ERRAND_CONNECT, .place = places[_i]},
	    TEXT(""), -1);
	ck_assert_int_eq(answer(NULL).result, OUTCOME_NO);
}
END_TEST

/* A Unix socket with a queue of one, which is taken. */
START_TEST(full_queue_is_waited_for)
{
	struct sockaddr_un to;
	char address[128];
	int listener, first, fd;
	struct pollfd p;

	listener = listen_local("socket", SOCK_STREAM, 0);
	to = local_address("socket");
	first = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(
	    connect(first, (struct sockaddr *)&to, sizeof(to)), 0);
	snprintf(address, sizeof(address), "unix:%s", path_of("socket"));
	upstreams[2].address = address;
	porter_start();
	ask(&(struct errand){.kind = ERRAND_CONNECT, .place = 2}, TEXT(""),
	    -1);
	p = (struct pollfd){.fd = channel, .events = POLLIN};
	ck_assert_int_eq(poll(&p, 1, 50), 0);
	close(accept(listener, NULL, NULL));
	ck_assert_int_eq(answer(&fd).result, OUTCOME_YES);
	close(fd);
	close(first);
	close(listener);
}
END_TEST

START_TEST(sink_is_connected_to)
{
	char path[128], got[16];
	int listener = listen_local("log", SOCK_DGRAM, 0), fd;

	snprintf(path, sizeof(path), "%s", path_of("log"));
	settings.audit_socket = path;
	porter_start();
	ask(&(struct errand){.kind = ERRAND_SINK}, TEXT(""), -1);
	ck_assert_int_eq(answer(&fd).result, OUTCOME_YES);
	ck_assert_int_eq((int)send(fd, "record", 6, 0), 6);
	ck_assert_int_eq((int)recv(listener, got, sizeof(got), 0), 6);
	close(fd);
	close(listener);
}
END_TEST

START_TEST(sink_that_is_not_there_fails)
{
	porter_start();
	ask(&(struct errand){.kind = ERRAND_SINK}, TEXT(""), -1);
	ck_assert_int_eq(answer(NULL).result, OUTCOME_FAILED);
}
END_TEST

START_TEST(verifiers_errands_are_not_the_porters)
{
	porter_start();
	ask(&(struct errand){.kind = ERRAND_TOKEN}, TEXT("x"), -1);
	ck_assert_int_eq(answer(NULL).result, OUTCOME_FAILED);
}
END_TEST

/* --- processes ------------------------------------------------------------ */

/* A child that connects and becomes `path`; our end of the connection. */
static int
connect_from(const char *path, pid_t *pid_out)
{
	int listener = listen_local("socket", SOCK_STREAM, 5), fd;
	struct sockaddr_un to = local_address("socket");

	*pid_out = fork();
	if (*pid_out == 0) {
		/* not close-on-exec: it goes along */
		fd = socket(AF_UNIX, SOCK_STREAM, 0);
		if (connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
			_exit(1);
		execl(path, path, "1000", (char *)NULL);
		_exit(1);
	}
	fd = accept(listener, NULL, NULL);
	close(listener);
	return fd;
}

/* exec takes its time after connect(). */
static struct outcome
process_asked(int fd, const char *until)
{
	struct outcome o;
	int i;

	for (i = 0; i < 500; i++) {
		ask(&(struct errand){.kind = ERRAND_PROCESS}, TEXT(""), fd);
		o = answer(NULL);
		if (o.result != OUTCOME_YES ||
		    strcmp(o.process.executable, until) == 0)
			return o;
		poll(NULL, 0, 10);
	}
	ck_abort_msg("it runs %s", o.process.executable);
}

static void
process_end(pid_t pid, int fd)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(fd);
}

static void
copy_file(const char *from, const char *to)
{
	char bytes[65536];
	int in = open(from, O_RDONLY), out;
	ssize_t n;

	unlink(to);
	out = open(to, O_WRONLY | O_CREAT | O_EXCL, 0755);
	ck_assert_int_ge(out, 0);
	while ((n = read(in, bytes, sizeof(bytes))) > 0)
		ck_assert_int_eq((int)write(out, bytes, (size_t)n), (int)n);
	close(in);
	close(out);
}

/* Where links lead: /bin/sleep may be /usr/bin/coreutils. */
static const char *
sleeper(void)
{
	static char path[4096];

	ck_assert_ptr_nonnull(realpath("/usr/bin/sleep", path));
	return path;
}

START_TEST(process_is_told_with_its_executable)
{
	pid_t pid;
	int fd = connect_from("/usr/bin/sleep", &pid);
	struct outcome o;

	porter_start();
	o = process_asked(fd, sleeper());
	ck_assert_msg(o.result == OUTCOME_YES, "%s", o.reason);
	ck_assert_int_eq(o.process.pid, pid);
	ck_assert_int_eq((int)o.process.uid, (int)getuid());
	ck_assert_str_eq(o.process.executable, sleeper());
	ck_assert_msg(o.process.is_genuine == 1, "%s", o.reason);
	ck_assert_str_eq(o.process.sha256, "");
	process_end(pid, fd);
}
END_TEST

START_TEST(digest_is_that_of_the_file)
{
	char command[4200], want[65] = "";
	pid_t pid;
	int fd = connect_from("/usr/bin/sleep", &pid), round;
	struct outcome o;
	FILE *tool;

	snprintf(command, sizeof(command), "sha256sum < %s", sleeper());
	tool = popen(command, "r");
	ck_assert_int_eq((int)fread(want, 1, 64, tool), 64);
	pclose(tool);
	agents[0].sha256 = TEXT("wanted");
	porter_start();
	o = process_asked(fd, sleeper());
	for (round = 0; round < 2; round++) {
		/* made, and then remembered */
		ck_assert_msg(o.result == OUTCOME_YES, "%s", o.reason);
		ck_assert_str_eq(o.process.sha256, want);
		ck_assert_int_eq(o.process.is_genuine, 1);
		o = process_asked(fd, sleeper());
	}
	process_end(pid, fd);
}
END_TEST

/* /tmp can be written to by everybody. */
START_TEST(executable_below_a_folder_for_everybody_is_not_genuine)
{
	char path[128];
	pid_t pid;
	struct outcome o;
	int fd;

	snprintf(path, sizeof(path), "%s", path_of("copy"));
	copy_file("/usr/bin/sleep", path);
	fd = connect_from(path, &pid);
	porter_start();
	o = process_asked(fd, path);
	ck_assert_int_eq(o.result, OUTCOME_YES);
	ck_assert_int_eq(o.process.is_genuine, 0);
	ck_assert_ptr_nonnull(strstr(o.reason, "folder"));
	process_end(pid, fd);
}
END_TEST

START_TEST(deleted_executable_is_not_the_one_that_was)
{
	char path[128], gone[160];
	pid_t pid;
	struct outcome o;
	int fd;

	snprintf(path, sizeof(path), "%s", path_of("copy"));
	copy_file("/usr/bin/sleep", path);
	fd = connect_from(path, &pid);
	porter_start();
	process_asked(fd, path);
	unlink(path);
	snprintf(gone, sizeof(gone), "%s (deleted)", path);
	o = process_asked(fd, gone);
	ck_assert_int_eq(o.process.is_genuine, 0);
	process_end(pid, fd);
}
END_TEST

/* Of the process at the other end the user is told, and nothing else. */
static void
assert_user_alone(int fd, uid_t uid)
{
	struct outcome o;

	ask(&(struct errand){.kind = ERRAND_PROCESS}, TEXT(""), fd);
	o = answer(NULL);
	ck_assert_msg(o.result == OUTCOME_YES, "%s", o.reason);
	ck_assert_uint_eq(o.process.uid, uid);
	ck_assert_int_eq(o.process.pid, 0);
	ck_assert_str_eq(o.process.executable, "");
	ck_assert_uint_eq(o.process.is_genuine, 0);
	ck_assert_str_eq(o.process.sha256, "");
	ck_assert_str_eq(o.process.cgroup, "");
	ck_assert_str_ne(o.reason, "");
}

/* With a digest remembered, too. */
START_TEST(process_that_has_ended_is_told_by_its_user_alone)
{
	pid_t pid;
	int fd = connect_from("/usr/bin/sleep", &pid);

	agents[0].sha256 = _i == 0 ? (struct text){0} : TEXT("wanted");
	porter_start();
	process_asked(fd, sleeper());
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_user_alone(fd, getuid());
	close(fd);
}
END_TEST

/* As one outside of a container is to those in it: it has no number there. */
START_TEST(process_of_another_pid_namespace_is_told_by_its_user_alone)
{
	int listener = listen_local("socket", SOCK_STREAM, 5), client, fd;
	struct sockaddr_un to = local_address("socket");
	int ours = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	bool is_apart = unshare(CLONE_NEWPID) == 0;

	ck_assert_msg(is_apart || errno == EPERM, "%s", strerror(errno));
	client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(
	    connect(client, (struct sockaddr *)&to, sizeof(to)), 0);
	fd = accept(listener, NULL, NULL);
	porter_start();
	if (is_apart)
		assert_user_alone(fd, getuid());
	/* what a sanitizer starts at the end is not to be apart */
	if (is_apart)
		ck_assert_int_eq(setns(ours, CLONE_NEWPID), 0);
	close(ours);
	close(fd);
	close(client);
	close(listener);
}
END_TEST

START_TEST(process_that_is_a_zombie_is_told_by_its_user_alone)
{
	pid_t pid;
	int fd = connect_from("/usr/bin/sleep", &pid);
	siginfo_t info;

	porter_start();
	process_asked(fd, sleeper());
	kill(pid, SIGKILL);
	waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
	assert_user_alone(fd, getuid());
	process_end(pid, fd);
}
END_TEST

START_TEST(connection_over_tcp_has_no_process)
{
	char address[64] = "";
	int listener = listen_tcp(AF_INET, address, sizeof(address)), fd;

	upstreams[0].address = address;
	porter_start();
	ask(&(struct errand){.kind = ERRAND_CONNECT}, TEXT(""), -1);
	answer(&fd);
	ck_assert(is_connected(fd));
	ask(&(struct errand){.kind = ERRAND_PROCESS}, TEXT(""), fd);
	ck_assert_int_eq(answer(NULL).result, OUTCOME_FAILED);
	close(fd);
	close(listener);
}
END_TEST

/* Of these the kernel would name a process of ours, or whoever listens. */
START_TEST(socket_that_is_no_clients_has_no_process)
{
	int listener = listen_local("socket", SOCK_STREAM, 5), pair[2];
	int other = listen_local("log", SOCK_STREAM, 5), client, fd;
	struct sockaddr_un to = local_address(_i == 4 ? "log" : "socket");
	int types[] = {SOCK_SEQPACKET, SOCK_STREAM};
	struct outcome o;

	client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(
	    connect(client, (struct sockaddr *)&to, sizeof(to)), 0);
	fd = accept(_i == 4 ? other : listener, NULL, NULL);
	ck_assert_int_eq(
	    socketpair(AF_UNIX, types[_i % 2] | SOCK_CLOEXEC, 0, pair), 0);
	porter_start();
	ask(&(struct errand){.kind = ERRAND_PROCESS}, TEXT(""),
	    _i < 2 ? pair[0] : (const int[]){listener, client, fd, fd}[_i - 2]);
	o = answer(NULL);
	ck_assert_int_eq(
	    (int)o.result, (int)(_i == 5 ? OUTCOME_YES : OUTCOME_FAILED));
	close(pair[0]);
	close(pair[1]);
	close(fd);
	close(client);
	close(other);
	close(listener);
}
END_TEST

/* --- PAM ------------------------------------------------------------------ */

static const struct {
	const char *service;
	struct text parcel;
	enum outcome_result want;
} questions[] = {
    {"", {"alice\0secret", 12}, OUTCOME_FAILED},
    {"../shadow", {"alice\0secret", 12}, OUTCOME_FAILED},
    {"a.b", {"alice\0secret", 12}, OUTCOME_FAILED},
    {"sallyport", {"", 0}, OUTCOME_NO},
    {"sallyport", {"alice", 5}, OUTCOME_NO},
    {"sallyport", {"\0secret", 7}, OUTCOME_NO},
    {"sallyport", {"alice\0", 6}, OUTCOME_NO},
    {"sallyport", {"alice\0sec\0ret", 13}, OUTCOME_NO},
};

START_TEST(question_to_pam_that_is_none_is_not_asked)
{
	struct errand e = {.kind = ERRAND_PAM};

	strcpy(e.service, questions[_i].service);
	porter_start();
	ask(&e, questions[_i].parcel, -1);
	ck_assert_int_eq(answer(NULL).result, questions[_i].want);
}
END_TEST

START_TEST(password_that_is_too_long_is_not_asked)
{
	static char parcel[600] = "alice";

	memset(parcel + 6, 'x', sizeof(parcel) - 6);
	porter_start();
	ask(&(struct errand){.kind = ERRAND_PAM, .service = "sallyport"},
	    (struct text){parcel, 6 + 512}, -1);
	ck_assert_int_eq(answer(NULL).result, OUTCOME_NO);
}
END_TEST

/* Beside this test's program there is no sallyport-pam. */
START_TEST(pam_that_does_not_answer_is_a_failure)
{
	porter_start();
	ask(&(struct errand){.kind = ERRAND_PAM, .service = "sallyport"},
	    (struct text){"alice\0secret", 12}, -1);
	ck_assert_int_eq(answer(NULL).result, OUTCOME_FAILED);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("porter");
	TCase *t = tcase_create("porter");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, upstream_by_address_is_connected_to);
	tcase_add_test(t, upstream_by_name_is_looked_up_and_connected_to);
	tcase_add_test(t, name_that_nobody_has_is_said_to_be_so);
	tcase_add_test(t, upstream_that_is_not_there_fails_with_a_reason);
	tcase_add_test(t, attempt_past_the_last_address_fails);
	tcase_add_loop_test(
	    t, upstream_that_is_not_in_the_settings_is_refused, 0, 3);
	tcase_add_test(t, full_queue_is_waited_for);
	tcase_add_test(t, sink_is_connected_to);
	tcase_add_test(t, sink_that_is_not_there_fails);
	tcase_add_test(t, verifiers_errands_are_not_the_porters);
	tcase_add_test(t, process_is_told_with_its_executable);
	tcase_add_test(t, digest_is_that_of_the_file);
	tcase_add_test(
	    t, executable_below_a_folder_for_everybody_is_not_genuine);
	tcase_add_test(t, deleted_executable_is_not_the_one_that_was);
	tcase_add_loop_test(
	    t, process_that_has_ended_is_told_by_its_user_alone, 0, 2);
	tcase_add_test(
	    t, process_of_another_pid_namespace_is_told_by_its_user_alone);
	tcase_add_test(t, process_that_is_a_zombie_is_told_by_its_user_alone);
	tcase_add_test(t, connection_over_tcp_has_no_process);
	tcase_add_loop_test(
	    t, socket_that_is_no_clients_has_no_process, 0, 6);
	tcase_add_loop_test(t, question_to_pam_that_is_none_is_not_asked, 0,
	    (int)(sizeof(questions) / sizeof(*questions)));
	tcase_add_test(t, password_that_is_too_long_is_not_asked);
	tcase_add_test(t, pam_that_does_not_answer_is_a_failure);
	suite_add_tcase(s, t);
	return suite_run(s);
}
