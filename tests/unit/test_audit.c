/* links: common/audit.c common/json.c common/text.c common/err.c common/log.c */
#include <check.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>

#include "common/audit.h"
#include "tests/unit/scratch.h"

/* A sink nobody reads from: the kernel takes about ten records for it. */
static int
stuck_sink(struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(address->sun_path, sizeof(address->sun_path), "%s",
	    scratch_path("log"));
	ck_assert_int_eq(bind(fd, (struct sockaddr *)address,
			     sizeof(*address)), 0);
	return fd;
}

static enum err
record_send(struct audit *a)
{
	json_cstring(audit_begin(a, "start"), "reason", "a test");
	return audit_send(a);
}

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* How long the record takes that the sink does not. */
static int64_t
time_of_failure(struct audit *a)
{
	enum err e = ERR_NONE;
	int64_t began = 0;
	int i;

	for (i = 0; i < 10000 && e == ERR_NONE; i++) {
		began = now_ms();
		e = record_send(a);
	}
	ck_assert_int_eq(e, ERR_DEADLINE);
	return now_ms() - began;
}

START_TEST(stuck_sink_is_waited_for_as_long_as_was_asked)
{
	struct sockaddr_un address;
	struct audit *a;
	int64_t took;
	int fd;

	scratch_make();
	fd = stuck_sink(&address);
	a = audit_new(address.sun_path, LOG_LOCAL4);
	ck_assert_ptr_nonnull(a);
	audit_set_deadline(a, 50);
	took = time_of_failure(a);
	ck_assert_int_ge(took, 40);
	ck_assert_int_lt(took, AUDIT_DEADLINE_MS / 2);
	/* of a connected socket, too */
	audit_set_deadline(a, AUDIT_DEADLINE_MS);
	took = time_of_failure(a);
	ck_assert_int_ge(took, AUDIT_DEADLINE_MS - 100);
	audit_free(a);
	close(fd);
	scratch_remove();
}
END_TEST

START_TEST(sink_that_is_not_there_loses_the_record_and_says_so)
{
	struct audit *a = audit_new("/nonexistent/log", LOG_LOCAL4);

	ck_assert_int_eq(record_send(a), ERR_SYSTEM);
	audit_free(a);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("audit");
	TCase *c = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(c, 30);
	tcase_add_test(c, stuck_sink_is_waited_for_as_long_as_was_asked);
	tcase_add_test(
	    c, sink_that_is_not_there_loses_the_record_and_says_so);
	suite_add_tcase(suite, c);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
