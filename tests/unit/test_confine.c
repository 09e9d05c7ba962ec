/* links: master/confine.c master/confine_roles.c master/capability.c common/sandbox.c */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "master/confine_roles.h"
#include "tests/unit/suite.h"

enum { DONE = 7, REFUSED = 8, NOT_ENTERED = 9 };

/* How a process of that role ends after one system call. */
static int
end_of(enum confinement role, long number, long a, long b, long c)
{
	const char *failed;
	struct sandbox sandbox;
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		if (sandbox_quieten() != ERR_NONE ||
		    confine_alone(role, &sandbox) != ERR_NONE ||
		    sandbox_enter(&sandbox, &failed) != ERR_NONE)
			_exit(NOT_ENTERED);
		_exit(syscall(number, a, b, c, 0, 0, 0) >= 0 ? DONE
							      : REFUSED);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static bool
has_walls(void)
{
	const struct account self = {0};
	const struct confine_means m = confine_means_find(&self);

	return m.has_seccomp && !m.is_open;
}

/* What nobody does who has a list. */
static const struct {
	long number, a, b, c;
} others[] = {
    {SYS_socket, AF_INET, SOCK_RAW, 255},
    {SYS_execve, 0, 0, 0},
    {SYS_clone, SIGCHLD, 0, 0},
    {SYS_ptrace, 0, 0, 0},
    {SYS_process_vm_readv, 1, 0, 0},
    {SYS_kill, 0, 0, 0},
    {SYS_setuid, 0, 0, 0},
    {SYS_unshare, 0, 0, 0},
    {SYS_io_uring_setup, 1, 0, 0},
};

START_TEST(a_role_with_a_list_dies_of_everything_else)
{
	enum confinement role = (enum confinement)_i;
	size_t i;
	int status;

	if (!has_walls() || confine_roles[role].is_refusal)
		return;
	status = end_of(role, SYS_gettid, 0, 0, 0);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == DONE,
	    "%s: %x", confine_roles[role].name, status);
	for (i = 0; i < sizeof(others) / sizeof(*others); i++) {
		/* libraries that know accounts open sockets */
		if (role == CONFINE_PUBLISHER &&
		    others[i].number == SYS_socket)
			continue;
		status = end_of(role, others[i].number, others[i].a,
		    others[i].b, others[i].c);
		ck_assert_msg(
		    WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS,
		    "%s: call %ld: %x", confine_roles[role].name,
		    others[i].number, status);
	}
}
END_TEST

START_TEST(a_role_without_a_list_is_refused_what_nobody_does)
{
	enum confinement role = (enum confinement)_i;
	int status;

	if (!has_walls() || !confine_roles[role].is_refusal)
		return;
	status = end_of(role, SYS_socket, AF_UNIX, SOCK_STREAM, 0);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == DONE);
	status = end_of(role, SYS_unshare, 0, 0, 0);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == REFUSED);
}
END_TEST

static const struct {
	long number, a, b, c;
	bool is_permitted;
} arguments[] = {
    {SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE, true},
    {SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC, false},
    {SYS_futex, 0, 1 /* wake */, 1, true},
    {SYS_futex, 0, 6 /* lock with priorities */, 0, false},
    {SYS_fcntl, 0, 3 /* F_GETFL */, 0, true},
    {SYS_fcntl, 0, 4 /* F_SETFL */, O_NONBLOCK, true},
    {SYS_fcntl, 0, 4 /* F_SETFL */, O_RDWR | O_NONBLOCK, true},
    {SYS_fcntl, 0, 4 /* F_SETFL */, 0, false},
    {SYS_fcntl, 0, 4 /* F_SETFL */, O_NONBLOCK | O_ASYNC, false},
    {SYS_fcntl, 0, 4 /* F_SETFL */, O_NONBLOCK | O_DIRECT, false},
    {SYS_fcntl, 0, 8 /* F_SETOWN */, 0, false},
    {SYS_setsockopt, 0, SOL_SOCKET, SO_KEEPALIVE, true},
    {SYS_setsockopt, 0, SOL_SOCKET, 26 /* SO_ATTACH_FILTER */, false},
};

START_TEST(a_workers_calls_are_known_by_their_arguments)
{
	int status;

	if (!has_walls())
		return;
	status = end_of(CONFINE_WORKER, arguments[_i].number,
	    arguments[_i].a, arguments[_i].b, arguments[_i].c);
	if (arguments[_i].is_permitted) /* whatever came of it */
		ck_assert_msg(WIFEXITED(status) &&
			WEXITSTATUS(status) != NOT_ENTERED,
		    "%d: %x", _i, status);
	else
		ck_assert_msg(
		    WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS,
		    "%d: %x", _i, status);
}
END_TEST

/* It may open what is there, and make nothing beside its stores. */
static int
as_publisher(const struct sandbox *sandbox)
{
	const char *failed;
	int fd = open("/tmp", O_TMPFILE | O_WRONLY, 0600);

	if (fd < 0 || sandbox_quieten() != ERR_NONE ||
	    sandbox_enter(sandbox, &failed) != ERR_NONE)
		return NOT_ENTERED;
	if (open("/etc/passwd", O_RDONLY) < 0)
		return NOT_ENTERED;
	fd = open("/tmp", O_TMPFILE | O_WRONLY, 0600);
	return fd < 0 && errno == EACCES ? REFUSED : DONE;
}

START_TEST(a_publisher_reads_files_and_changes_none)
{
	struct sandbox sandbox;
	int status = 0;
	pid_t pid;

	ck_assert_int_eq(
	    confine_alone(CONFINE_PUBLISHER, &sandbox), ERR_NONE);
	if (sandbox.ruleset < 0)
		return;
	sandbox.filter = NULL; /* Landlock alone */
	pid = fork();
	if (pid == 0)
		_exit(as_publisher(&sandbox));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), REFUSED);
}
END_TEST

START_TEST(a_worker_sees_no_file)
{
	struct sandbox sandbox;
	const char *failed;
	int status = 0;
	pid_t pid;

	ck_assert_int_eq(confine_alone(CONFINE_WORKER, &sandbox), ERR_NONE);
	if (sandbox.ruleset < 0)
		return;
	sandbox.filter = NULL; /* Landlock alone */
	pid = fork();
	if (pid == 0) {
		if (access("/etc/passwd", R_OK) != 0 ||
		    sandbox_quieten() != ERR_NONE ||
		    sandbox_enter(&sandbox, &failed) != ERR_NONE)
			_exit(NOT_ENTERED);
		_exit(syscall(SYS_openat, -100, "/etc/passwd", 0) < 0 &&
			    errno == EACCES
			? REFUSED
			: DONE);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(WEXITSTATUS(status), REFUSED);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("confine");
	TCase *c = tcase_create("roles");

	tcase_add_loop_test(c, a_role_with_a_list_dies_of_everything_else, 0,
	    CONFINEMENTS);
	tcase_add_loop_test(c,
	    a_role_without_a_list_is_refused_what_nobody_does, 0,
	    CONFINEMENTS);
	tcase_add_loop_test(c, a_workers_calls_are_known_by_their_arguments,
	    0, (int)(sizeof(arguments) / sizeof(*arguments)));
	tcase_add_test(c, a_publisher_reads_files_and_changes_none);
	tcase_add_test(c, a_worker_sees_no_file);
	suite_add_tcase(s, c);
	return suite_run(s);
}
