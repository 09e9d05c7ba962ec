/* links: common/audit.c common/audit_chain.c common/hmac.c common/json.c common/text.c common/err.c common/log.c */
#include <check.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>

#include "common/audit.h"
#include "tests/unit/scratch.h"
#include "tests/unit/suite.h"

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

/* --- sealed records ------------------------------------------------------- */

static const uint8_t first_key[AUDIT_KEY_LEN] = "a key of thirty-two bytes, just";

/* The JSON of the next record, without its mac, which must be right. */
static const char *
sealed_receive(int fd, struct audit_chain *check, uint64_t number)
{
	static char bytes[AUDIT_RECORD_MAX];
	char mac[AUDIT_MAC_SIZE], *object, *end;
	ssize_t len = recv(fd, bytes, sizeof(bytes) - 1, MSG_DONTWAIT);

	ck_assert_int_gt(len, 0);
	bytes[len] = '\0';
	object = strstr(bytes, "@cee: ");
	ck_assert_ptr_nonnull(object);
	object += strlen("@cee: ");
	end = strstr(object, ",\"mac\":\"");
	ck_assert_ptr_nonnull(end);
	ck_assert_uint_eq(
	    strlen(end), strlen(",\"mac\":\"\"}") + AUDIT_MAC_SIZE - 1);
	*end = '}';
	ck_assert_int_eq(
	    audit_chain_seal(check, number,
		(struct text){object, (size_t)(end - object) + 1}, mac),
	    ERR_NONE);
	ck_assert_int_eq(memcmp(end + strlen(",\"mac\":\""), mac,
			     AUDIT_MAC_SIZE - 1), 0);
	end[1] = '\0';
	return object;
}

static enum err
chain_open(void *context, struct audit_chain *c)
{
	enum err *e = context;

	if (*e == ERR_NONE)
		audit_chain_begin(c, "7.1", first_key);
	return *e;
}

START_TEST(records_are_sealed_in_their_order_those_kept_back_too)
{
	struct audit_chain chain = {0}, check = {0};
	struct sockaddr_un address;
	enum err opening = ERR_NONE;
	struct audit *a;
	const char *got;
	int fd;

	scratch_make();
	fd = stuck_sink(&address);
	a = audit_new(address.sun_path, LOG_LOCAL4);
	audit_set_chain(a, &chain, chain_open, &opening);
	audit_chain_begin(&check, "7.1", first_key);
	ck_assert_int_eq(record_send(a), ERR_NONE);
	audit_begin(a, "result");
	ck_assert_int_eq(audit_defer(a), ERR_NONE);
	ck_assert_int_eq(record_send(a), ERR_NONE);
	got = sealed_receive(fd, &check, 1);
	ck_assert_ptr_nonnull(strstr(got, "\"chain\":\"7.1\",\"seq\":1,"));
	got = sealed_receive(fd, &check, 2);
	ck_assert_ptr_nonnull(strstr(got, "\"event\":\"result\""));
	got = sealed_receive(fd, &check, 3);
	ck_assert_ptr_nonnull(strstr(got, "\"seq\":3,"));
	ck_assert_ptr_null(strstr(got, "lost"));
	audit_free(a);
	close(fd);
	scratch_remove();
}
END_TEST

START_TEST(next_record_tells_how_many_were_lost)
{
	struct audit_chain chain = {0}, check = {0};
	struct sockaddr_un address;
	enum err opening = ERR_NONE;
	struct audit *a;
	const char *got;
	int fd;

	scratch_make();
	fd = stuck_sink(&address);
	a = audit_new(address.sun_path, LOG_LOCAL4);
	audit_set_chain(a, &chain, chain_open, &opening);
	audit_chain_begin(&check, "7.1", first_key);
	ck_assert_int_eq(record_send(a), ERR_NONE);
	sealed_receive(fd, &check, 1);
	close(fd);
	unlink(address.sun_path);
	ck_assert_int_eq(record_send(a), ERR_SYSTEM);
	ck_assert_int_eq(record_send(a), ERR_SYSTEM);
	fd = stuck_sink(&address);
	ck_assert_int_eq(record_send(a), ERR_NONE);
	got = sealed_receive(fd, &check, 4);
	ck_assert_ptr_nonnull(strstr(got, "\"seq\":4,\"lost\":2,"));
	ck_assert_int_eq(record_send(a), ERR_NONE);
	ck_assert_ptr_null(strstr(sealed_receive(fd, &check, 5), "lost"));
	audit_free(a);
	close(fd);
	scratch_remove();
}
END_TEST

START_TEST(nothing_is_sent_without_a_key)
{
	enum err opening = ERR_CLOSED;
	struct audit_chain chain = {0}, check = {0};
	struct sockaddr_un address;
	struct audit *a;
	char byte;
	int fd;

	scratch_make();
	fd = stuck_sink(&address);
	a = audit_new(address.sun_path, LOG_LOCAL4);
	audit_set_chain(a, &chain, chain_open, &opening);
	ck_assert_int_eq(record_send(a), ERR_CLOSED);
	audit_begin(a, "result");
	ck_assert_int_eq(audit_defer(a), ERR_CLOSED);
	ck_assert(!audit_has_deferred(a));
	ck_assert_int_lt(recv(fd, &byte, 1, MSG_DONTWAIT), 0);
	/* asked for again each time */
	opening = ERR_NONE;
	ck_assert_int_eq(record_send(a), ERR_NONE);
	audit_chain_begin(&check, "7.1", first_key);
	ck_assert_ptr_nonnull(
	    strstr(sealed_receive(fd, &check, 3), "\"lost\":2,"));
	audit_free(a);
	close(fd);
	scratch_remove();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("audit");
	TCase *c = tcase_create("all");

	tcase_set_timeout(c, 30);
	tcase_add_test(c, stuck_sink_is_waited_for_as_long_as_was_asked);
	tcase_add_test(
	    c, sink_that_is_not_there_loses_the_record_and_says_so);
	tcase_add_test(
	    c, records_are_sealed_in_their_order_those_kept_back_too);
	tcase_add_test(c, next_record_tells_how_many_were_lost);
	tcase_add_test(c, nothing_is_sent_without_a_key);
	suite_add_tcase(suite, c);
	return suite_run(suite);
}
