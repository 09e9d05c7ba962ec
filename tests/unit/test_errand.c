/* links: master/errand.c common/text.c common/parcel.c */
/* Errands and outcomes as messages: what is one, and what is dropped. */
#include "master/errand.h"
#include "tests/unit/channel.h"
#include "tests/unit/raw_message.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define COUNT(table) ((int)(sizeof(table) / sizeof(*(table))))

static uint8_t parcel[ERRAND_PARCEL_MAX];

/* The lowest descriptor that is free: one that leaked moves it up. */
static int
lowest_free(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

/* --- errands -------------------------------------------------------------- */

START_TEST(errand_comes_as_it_was_sent)
{
	const struct errand sent = {.serial = UINT64_C(1) << 40,
	    .kind = ERRAND_PAM,
	    .place = 3,
	    .attempt = 2,
	    .service = "sallyport",
	    .signature_len = 512,
	    .signature = {1, 2, 3}};
	struct errand got;
	size_t len;
	int fd;

	ck_assert_int_eq(
	    errand_send(ends[0], &sent, TEXT("alice\0secret"), -1), ERR_NONE);
	ck_assert_int_eq(
	    errand_receive(ends[1], &got, parcel, &len, &fd), ERR_NONE);
	ck_assert_mem_eq(&sent, &got, sizeof(got));
	ck_assert_int_eq((int)len, 12);
	ck_assert_mem_eq(parcel, "alice\0secret", 12);
	ck_assert_int_eq(fd, -1);
}
END_TEST

START_TEST(parcel_may_be_empty_or_as_large_as_it_gets)
{
	static const size_t lengths[] = {0, 1, ERRAND_PARCEL_MAX};
	const struct errand sent = {.kind = ERRAND_TOKEN};
	struct text bytes = {
	    calloc(1, ERRAND_PARCEL_MAX), lengths[_i]};
	struct errand got;
	size_t len;
	int fd;

	memset((void *)(uintptr_t)bytes.at, 'x', bytes.len);
	ck_assert_int_eq(errand_send(ends[0], &sent, bytes, -1), ERR_NONE);
	ck_assert_int_eq(
	    errand_receive(ends[1], &got, parcel, &len, &fd), ERR_NONE);
	ck_assert_int_eq((int)len, (int)bytes.len);
	ck_assert_mem_eq(parcel, bytes.at, bytes.len);
	free((void *)(uintptr_t)bytes.at);
}
END_TEST

START_TEST(parcel_that_is_too_large_is_not_sent)
{
	const struct errand sent = {.kind = ERRAND_TOKEN};
	struct text bytes = {calloc(1, ERRAND_PARCEL_MAX + 1),
	    ERRAND_PARCEL_MAX + 1};
	struct errand got;
	size_t len;
	int fd;

	ck_assert_int_eq(
	    errand_send(ends[0], &sent, bytes, -1), ERR_TOO_LONG);
	ck_assert_int_eq(errand_receive(ends[1], &got, parcel, &len, &fd),
	    ERR_INTERRUPTED);
	free((void *)(uintptr_t)bytes.at);
}
END_TEST

START_TEST(descriptor_arrives_closed_on_exec_and_stays_the_senders)
{
	const struct errand sent = {.kind = ERRAND_PROCESS};
	struct errand got;
	size_t len;
	int fd;

	ck_assert_int_eq(
	    errand_send(ends[0], &sent, TEXT(""), ends[0]), ERR_NONE);
	ck_assert_int_eq(
	    errand_receive(ends[1], &got, parcel, &len, &fd), ERR_NONE);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	ck_assert_int_ge(fcntl(ends[0], F_GETFD), 0);
	close(fd);
}
END_TEST

static const struct {
	const char *what;
	struct errand errand;
	size_t cut;   /* bytes that are missing */
	size_t more;  /* bytes too many */
	size_t fds;
} bad_errands[] = {
    {"a byte is missing", .errand = {.kind = ERRAND_CONNECT}, .cut = 1},
    {"one byte only", .errand = {.kind = ERRAND_CONNECT},
	.cut = sizeof(struct errand) - 1},
    {"a parcel over the ceiling", .errand = {.kind = ERRAND_TOKEN},
	.more = ERRAND_PARCEL_MAX + 1},
    {"kind 0", .errand = {.kind = 0}},
    {"a kind there is not", .errand = {.kind = ERRAND_KINDS}},
    {"a kind far off", .errand = {.kind = UINT32_MAX}},
    {"a signature over its room",
	.errand = {.kind = ERRAND_CERTIFICATE, .signature_len = 513}},
    {"a descriptor nobody asked for", .errand = {.kind = ERRAND_CONNECT}, .fds = 1},
    {"a token with a descriptor", .errand = {.kind = ERRAND_TOKEN}, .fds = 1},
    {"a process without one", .errand = {.kind = ERRAND_PROCESS}},
    {"a process with two", .errand = {.kind = ERRAND_PROCESS}, .fds = 2},
    {"a process with more than there is room for",
	.errand = {.kind = ERRAND_PROCESS}, .fds = 8},
    {"short and with a descriptor", .errand = {.kind = ERRAND_PROCESS}, .cut = 1,
	.fds = 1},
};

START_TEST(errand_that_is_none_is_dropped_and_its_descriptors_closed)
{
	static uint8_t bytes[sizeof(struct errand) + ERRAND_PARCEL_MAX + 1];
	const int fds[8] = {0, 0, 0, 0, 0, 0, 0, 0};
	size_t len = sizeof(struct errand) - bad_errands[_i].cut +
	    bad_errands[_i].more;
	int before = lowest_free(), fd;
	struct errand got;

	memcpy(bytes, &bad_errands[_i].errand, sizeof(struct errand));
	raw_send(ends[0], bytes, len, fds, bad_errands[_i].fds);
	ck_assert_msg(errand_receive(ends[1], &got, parcel, &len, &fd) ==
		ERR_MALFORMED,
	    "%s", bad_errands[_i].what);
	ck_assert_int_eq(fd, -1);
	ck_assert_msg(
	    lowest_free() == before, "%s: leaks", bad_errands[_i].what);
}
END_TEST

START_TEST(service_without_an_end_is_dropped)
{
	struct errand bad = {.kind = ERRAND_PAM};
	size_t len;
	int fd;

	memset(bad.service, 'x', sizeof(bad.service));
	ck_assert_int_eq(errand_send(ends[0], &bad, TEXT(""), -1), ERR_NONE);
	ck_assert_int_eq(
	    errand_receive(ends[1], &bad, parcel, &len, &fd), ERR_MALFORMED);
}
END_TEST

START_TEST(listener_without_an_end_is_dropped)
{
	struct errand bad = {.kind = ERRAND_CERTIFICATE};
	size_t len;
	int fd;

	memset(bad.listener, 'x', sizeof(bad.listener));
	ck_assert_int_eq(errand_send(ends[0], &bad, TEXT(""), -1), ERR_NONE);
	ck_assert_int_eq(
	    errand_receive(ends[1], &bad, parcel, &len, &fd), ERR_MALFORMED);
}
END_TEST

START_TEST(good_errand_after_a_bad_one_is_taken)
{
	const struct errand good = {.kind = ERRAND_LOG, .serial = 7};
	struct errand got;
	size_t len;
	int fd;

	raw_send(ends[0], "x", 1, NULL, 0);
	ck_assert_int_eq(errand_send(ends[0], &good, TEXT(""), -1), ERR_NONE);
	ck_assert_int_eq(
	    errand_receive(ends[1], &got, parcel, &len, &fd), ERR_MALFORMED);
	ck_assert_int_eq(
	    errand_receive(ends[1], &got, parcel, &len, &fd), ERR_NONE);
	ck_assert_int_eq((int)got.serial, 7);
}
END_TEST

START_TEST(nothing_there_is_told_from_nobody_there)
{
	const struct errand errand = {.kind = ERRAND_LOG};
	struct outcome o;
	struct errand got;
	size_t len;
	int fd;

	ck_assert_int_eq(errand_receive(ends[1], &got, parcel, &len, &fd),
	    ERR_INTERRUPTED);
	ck_assert_int_eq(
	    outcome_receive(ends[1], &o, &fd), ERR_INTERRUPTED);
	close(ends[0]);
	ck_assert_int_eq(
	    errand_receive(ends[1], &got, parcel, &len, &fd), ERR_CLOSED);
	ck_assert_int_eq(outcome_receive(ends[1], &o, &fd), ERR_CLOSED);
	ck_assert_int_eq(
	    errand_send(ends[1], &errand, TEXT(""), -1), ERR_CLOSED);
	ends[0] = dup(0);
}
END_TEST

START_TEST(full_channel_is_told_and_not_waited_for)
{
	const struct errand errand = {.kind = ERRAND_LOG};
	enum err e = ERR_NONE;
	int i;

	for (i = 0; i < 100000 && e == ERR_NONE; i++)
		e = errand_send(ends[0], &errand, TEXT(""), -1);
	ck_assert_int_eq(e, ERR_INTERRUPTED);
}
END_TEST

/* --- outcomes ------------------------------------------------------------- */

static struct outcome
outcome(enum errand_kind kind, enum outcome_result result)
{
	return (struct outcome){
	    .serial = 9, .kind = kind, .result = result};
}

START_TEST(outcome_comes_as_it_was_sent)
{
	struct outcome sent = outcome(ERRAND_TOKEN, OUTCOME_YES), got;
	int fd;

	strcpy(sent.token.issuer, "https://login.shop.example");
	strcpy(sent.token.user, "alice");
	strcpy(sent.token.groups[1], "dba");
	sent.token.group_count = 2;
	sent.token.expires_at = INT64_MAX;
	ck_assert_int_eq(outcome_send(ends[0], &sent, -1), ERR_NONE);
	ck_assert_int_eq(outcome_receive(ends[1], &got, &fd), ERR_NONE);
	ck_assert_int_eq(fd, -1);
	ck_assert_mem_eq(&sent.token, &got.token, sizeof(sent.token));
	ck_assert_int_eq((int)got.serial, 9);
}
END_TEST

START_TEST(outcome_without_facts_is_small)
{
	struct outcome sent = outcome(ERRAND_TOKEN, OUTCOME_NO), got;
	char bytes[sizeof(got)];
	ssize_t n;
	int fd;

	strcpy(sent.reason, "expired");
	ck_assert_int_eq(outcome_send(ends[0], &sent, -1), ERR_NONE);
	n = recv(ends[1], bytes, sizeof(bytes), MSG_PEEK);
	ck_assert_int_eq((int)n, (int)offsetof(struct outcome, process));
	ck_assert_int_eq(outcome_receive(ends[1], &got, &fd), ERR_NONE);
	ck_assert_str_eq(got.reason, "expired");
}
END_TEST

START_TEST(connection_comes_with_its_outcome)
{
	const struct outcome sent = outcome(ERRAND_CONNECT, OUTCOME_YES);
	struct outcome got;
	int fd;

	ck_assert_int_eq(outcome_send(ends[0], &sent, ends[0]), ERR_NONE);
	ck_assert_int_eq(outcome_receive(ends[1], &got, &fd), ERR_NONE);
	ck_assert_int_ge(fd, 0);
	close(fd);
}
END_TEST

static const struct {
	const char *what;
	enum errand_kind kind;
	enum outcome_result result;
	bool has_fd;
} bad_company[] = {
    {"a connection that is not there", ERRAND_CONNECT, OUTCOME_YES, false},
    {"a sink that is not there", ERRAND_SINK, OUTCOME_YES, false},
    {"a log that is not there", ERRAND_LOG, OUTCOME_YES, false},
    {"a refusal with a connection", ERRAND_CONNECT, OUTCOME_NO, true},
    {"a failure with a connection", ERRAND_CONNECT, OUTCOME_FAILED, true},
    {"a process with a descriptor", ERRAND_PROCESS, OUTCOME_YES, true},
    {"a password with a descriptor", ERRAND_PAM, OUTCOME_YES, true},
};

START_TEST(outcome_has_a_descriptor_exactly_when_it_brings_one)
{
	const struct outcome sent =
	    outcome(bad_company[_i].kind, bad_company[_i].result);
	int before = lowest_free(), fd;
	struct outcome got;

	ck_assert_int_eq(
	    outcome_send(ends[0], &sent, bad_company[_i].has_fd ? 0 : -1),
	    ERR_NONE);
	ck_assert_msg(
	    outcome_receive(ends[1], &got, &fd) == ERR_MALFORMED, "%s",
	    bad_company[_i].what);
	ck_assert_int_eq(fd, -1);
	ck_assert_int_eq(lowest_free(), before);
}
END_TEST

START_TEST(outcome_of_a_wrong_length_is_dropped)
{
	static const int offsets[] = {-1, 1, -8};
	struct outcome sent = outcome(ERRAND_PROCESS, OUTCOME_YES), got;
	size_t len = offsetof(struct outcome, process) +
	    sizeof(struct process_facts);
	int fd;

	raw_send(ends[0], &sent, (size_t)((int)len + offsets[_i]), NULL, 0);
	ck_assert_int_eq(
	    outcome_receive(ends[1], &got, &fd), ERR_MALFORMED);
}
END_TEST

START_TEST(refusal_with_facts_is_dropped)
{
	struct outcome sent = outcome(ERRAND_PROCESS, OUTCOME_NO), got;
	int fd;

	raw_send(ends[0], &sent,
	    offsetof(struct outcome, process) + sizeof(struct process_facts),
	    NULL, 0);
	ck_assert_int_eq(
	    outcome_receive(ends[1], &got, &fd), ERR_MALFORMED);
}
END_TEST

/* --- soundness ------------------------------------------------------------ */

static void
fill(char *field, size_t size)
{
	memset(field, 'x', size);
}

#define OVERFLOWS(name, field) \
	static void name(struct outcome *o) \
	{ \
		fill(o->field, sizeof(o->field)); \
	}

OVERFLOWS(long_reason, reason)
OVERFLOWS(long_executable, process.executable)
OVERFLOWS(long_process_digest, process.sha256)
OVERFLOWS(long_cgroup, process.cgroup)
OVERFLOWS(long_subject, certificate.subject)
OVERFLOWS(long_serial, certificate.serial)
OVERFLOWS(long_digest, certificate.sha256)
OVERFLOWS(long_issuer, token.issuer)
OVERFLOWS(long_user, token.user)
OVERFLOWS(long_agent, token.agent)
OVERFLOWS(long_id, token.id)
OVERFLOWS(long_chain, token.chain)

static void
long_group(struct outcome *o)
{
	o->token.group_count = 2;
	fill(o->token.groups[1], sizeof(o->token.groups[1]));
}

static void
many_groups(struct outcome *o)
{
	o->token.group_count = ERRAND_GROUPS_MAX + 1;
}

static void
odd_groups(struct outcome *o)
{
	o->token.has_groups = 2;
}

static void
no_user(struct outcome *o)
{
	o->token.user[0] = '\0';
}

static void
relative_executable(struct outcome *o)
{
	strcpy(o->process.executable, "report-job");
}

static void
genuine_nothing(struct outcome *o)
{
	o->process.executable[0] = '\0';
	o->process.is_genuine = 1;
}

static void
odd_genuine(struct outcome *o)
{
	o->process.is_genuine = 2;
}

static void
many_names(struct outcome *o)
{
	o->certificate.name_count = ERRAND_NAMES_MAX + 1;
	o->certificate.names_len = ERRAND_NAMES_MAX + 1;
}

static void
names_over_their_room(struct outcome *o)
{
	o->certificate.names_len = sizeof(o->certificate.names) + 1;
}

static void
fewer_names(struct outcome *o)
{
	o->certificate.name_count = 2;
}

static void
more_names(struct outcome *o)
{
	o->certificate.name_count = 0;
}

static void
name_without_an_end(struct outcome *o)
{
	o->certificate.names_len -= 1;
}

static void
bytes_behind_the_names(struct outcome *o)
{
	o->certificate.names[o->certificate.names_len++] = 'x';
}

static void
odd_more(struct outcome *o)
{
	o->has_more = 2;
}

static void
no_result(struct outcome *o)
{
	o->result = 0;
}

static void
odd_result(struct outcome *o)
{
	o->result = OUTCOME_SPENT + 1;
}

static void
no_kind(struct outcome *o)
{
	o->kind = 0;
}

static void
odd_kind(struct outcome *o)
{
	o->kind = ERRAND_KINDS;
}

static struct outcome
sound(enum errand_kind kind)
{
	struct outcome o = outcome(kind, OUTCOME_YES);

	if (kind == ERRAND_PROCESS) {
		strcpy(o.process.executable, "/usr/bin/report-job");
		o.process.is_genuine = 1;
	} else if (kind == ERRAND_CERTIFICATE) {
		memcpy(o.certificate.names, "cn:copilot", 11);
		o.certificate.name_count = 1;
		o.certificate.names_len = 11;
	} else if (kind == ERRAND_TOKEN) {
		strcpy(o.token.user, "alice");
	}
	return o;
}

START_TEST(sound_outcome_is_sound)
{
	struct outcome o = sound((enum errand_kind)(_i + 1));

	ck_assert(outcome_is_sound(&o));
}
END_TEST

START_TEST(unknown_executable_is_sound)
{
	struct outcome o = outcome(ERRAND_PROCESS, OUTCOME_YES);

	ck_assert(outcome_is_sound(&o));
}
END_TEST

static const struct {
	enum errand_kind kind;
	void (*spoil)(struct outcome *o);
} unsound[] = {
    {ERRAND_CONNECT, long_reason},
    {ERRAND_CONNECT, odd_more},
    {ERRAND_CONNECT, no_result},
    {ERRAND_CONNECT, odd_result},
    {ERRAND_CONNECT, no_kind},
    {ERRAND_CONNECT, odd_kind},
    {ERRAND_PROCESS, long_executable},
    {ERRAND_PROCESS, long_process_digest},
    {ERRAND_PROCESS, long_cgroup},
    {ERRAND_PROCESS, relative_executable},
    {ERRAND_PROCESS, genuine_nothing},
    {ERRAND_PROCESS, odd_genuine},
    {ERRAND_CERTIFICATE, long_subject},
    {ERRAND_CERTIFICATE, long_serial},
    {ERRAND_CERTIFICATE, long_digest},
    {ERRAND_CERTIFICATE, many_names},
    {ERRAND_CERTIFICATE, names_over_their_room},
    {ERRAND_CERTIFICATE, fewer_names},
    {ERRAND_CERTIFICATE, more_names},
    {ERRAND_CERTIFICATE, name_without_an_end},
    {ERRAND_CERTIFICATE, bytes_behind_the_names},
    {ERRAND_TOKEN, long_issuer},
    {ERRAND_TOKEN, long_user},
    {ERRAND_TOKEN, no_user},
    {ERRAND_TOKEN, long_agent},
    {ERRAND_TOKEN, long_id},
    {ERRAND_TOKEN, long_chain},
    {ERRAND_TOKEN, long_group},
    {ERRAND_TOKEN, many_groups},
    {ERRAND_TOKEN, odd_groups},
};

START_TEST(outcome_out_of_bounds_is_unsound)
{
	struct outcome o = sound(unsound[_i].kind);

	ck_assert(outcome_is_sound(&o));
	unsound[_i].spoil(&o);
	ck_assert_msg(!outcome_is_sound(&o), "row %d", _i);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("errand");
	TCase *t = tcase_create("errand");

	tcase_add_checked_fixture(t, channel_open, channel_close);
	tcase_add_test(t, errand_comes_as_it_was_sent);
	tcase_add_loop_test(
	    t, parcel_may_be_empty_or_as_large_as_it_gets, 0, 3);
	tcase_add_test(t, parcel_that_is_too_large_is_not_sent);
	tcase_add_test(
	    t, descriptor_arrives_closed_on_exec_and_stays_the_senders);
	tcase_add_loop_test(t,
	    errand_that_is_none_is_dropped_and_its_descriptors_closed, 0,
	    COUNT(bad_errands));
	tcase_add_test(t, service_without_an_end_is_dropped);
	tcase_add_test(t, listener_without_an_end_is_dropped);
	tcase_add_test(t, good_errand_after_a_bad_one_is_taken);
	tcase_add_test(t, nothing_there_is_told_from_nobody_there);
	tcase_add_test(t, full_channel_is_told_and_not_waited_for);
	tcase_add_test(t, outcome_comes_as_it_was_sent);
	tcase_add_test(t, outcome_without_facts_is_small);
	tcase_add_test(t, connection_comes_with_its_outcome);
	tcase_add_loop_test(t,
	    outcome_has_a_descriptor_exactly_when_it_brings_one, 0,
	    COUNT(bad_company));
	tcase_add_loop_test(t, outcome_of_a_wrong_length_is_dropped, 0, 3);
	tcase_add_test(t, refusal_with_facts_is_dropped);
	tcase_add_loop_test(t, sound_outcome_is_sound, 0, ERRAND_KINDS - 1);
	tcase_add_test(t, unknown_executable_is_sound);
	tcase_add_loop_test(
	    t, outcome_out_of_bounds_is_unsound, 0, COUNT(unsound));
	suite_add_tcase(s, t);
	return suite_run(s);
}
