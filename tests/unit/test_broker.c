/* links: common/arena.c common/audit.c common/audit_chain.c common/audit_key.c common/board.c common/certificate_name.c common/client_name.c common/diagnostics.c common/err.c common/file_trust.c common/hmac.c common/identities.c common/identity.c common/identity_groups.c common/identity_certificates.c common/json.c common/log.c common/parcel.c common/saslprep.c common/schema.c common/schema_scalar.c common/scram.c common/settings.c common/settings_address.c common/settings_files.c common/settings_login.c common/slot.c common/text.c common/token_read.c common/who.c common/who_read.c common/wire.c common/yaml.c master/admission.c master/admission_tell.c master/broker.c master/broker_chain.c master/broker_client.c master/broker_phase.c master/broker_record.c master/broker_socket.c master/broker_upstream.c master/chain.c master/errand.c master/penalty.c common/siphash.c master/trouble.c master/secrets.c */
/*
 * What may be asked of the broker when, how often, and what becomes of who
 * asks for anything else; errands that come back, late, twice or never.
 */
#include "tests/unit/broker_rig.h"
#include "tests/unit/raw_message.h"
#include "tests/unit/suite.h"

#define COUNT(table) ((int)(sizeof(table) / sizeof(*(table))))
#define KIND(kind) (1U << (kind))

/* --- phases --------------------------------------------------------------- */

static int
new_worker(void)
{
	return rig_grant_worker();
}

static int
worker_with_a_name(void)
{
	int channel = rig_grant_worker();

	ck_assert_uint_eq(ask_as(channel, "alice").reply.method, METHOD_SCRAM);
	return channel;
}

static int
worker_with_a_secret_to_come(void)
{
	int channel = rig_grant_worker();

	ck_assert_uint_eq(
	    ask(channel, BROKER_LISTENER_SIGN).reply.granted, 1);
	ck_assert_uint_eq(
	    ask_as(channel, "carol").reply.method, METHOD_SECRET);
	return channel;
}

static int
worker_of_alice(void)
{
	return worker_of("alice");
}

static int
connected(int channel)
{
	ck_assert_uint_eq(
	    ask(channel, BROKER_UPSTREAM_CONNECT).reply.granted, 1);
	return channel;
}

static int
worker_in_session(void)
{
	int channel = connected(worker_of("alice"));

	say_kind(channel, BROKER_SESSION);
	return channel;
}

static int
worker_with_a_wrong_proof(void)
{
	int channel = rig_grant_worker();

	rig.stranger++; /* too many from one would not be looked at */
	ck_assert_str_eq(
	    ask_with_proof(channel, "alice", "wrong").reply.reason,
	    "wrong password");
	return channel;
}

static int
catalogue(void)
{
	return rig_grant((struct broker_grant){.kind = CHANNEL_CATALOG});
}

static int
refuser(void)
{
	return rig_grant((struct broker_grant){
	    .kind = CHANNEL_REFUSER, .slot = WORKERS_SLOT});
}

static int
command(void)
{
	return rig_grant((struct broker_grant){.kind = CHANNEL_COMMAND});
}

/* Its errand is out, and nothing comes of it before it is told. */
static int
waiting_worker(void)
{
	int channel = rig_grant_worker();

	say_kind(channel, BROKER_SINK);
	errand_take(rig.porter);
	return channel;
}

#define ALWAYS (KIND(BROKER_SINK) | KIND(BROKER_LOG))
#define UPSTREAM                                                              \
	(KIND(BROKER_UPSTREAM_CONNECT) | KIND(BROKER_UPSTREAM_SCRAM) |        \
	    KIND(BROKER_UPSTREAM_MD5) | KIND(BROKER_UPSTREAM_SIGN) |          \
	    KIND(BROKER_UPSTREAM_RESULT))

static const struct {
	int (*enter)(void);
	uint32_t permitted; /* KIND(…) of each */
	enum phase phase;
	enum broker_kind sample; /* of what is permitted */
	const char *of, *session, *login;
} phases[] = {
    {new_worker,
	ALWAYS | KIND(BROKER_CHAIN) | KIND(BROKER_LISTENER_SIGN) |
	    KIND(BROKER_CLIENT_CERTIFICATE) | KIND(BROKER_CLIENT_PROCESS) |
	    KIND(BROKER_CLIENT_START),
	PHASE_NEW, BROKER_CLIENT_START, "worker", "0123456789abcdef", ""},
    {worker_with_a_name,
	ALWAYS | KIND(BROKER_CHAIN) | KIND(BROKER_CLIENT_PROOF), PHASE_SCRAM,
	BROKER_CLIENT_PROOF, "worker", "0123456789abcdef", "alice"},
    {worker_with_a_secret_to_come,
	ALWAYS | KIND(BROKER_CHAIN) | KIND(BROKER_CLIENT_SECRET),
	PHASE_SECRET, BROKER_CLIENT_SECRET, "worker", "0123456789abcdef",
	"carol"},
    {worker_of_alice,
	ALWAYS | KIND(BROKER_CHAIN) | UPSTREAM | KIND(BROKER_SESSION),
	PHASE_PROVED, BROKER_UPSTREAM_CONNECT, "worker", "0123456789abcdef",
	"alice"},
    {worker_in_session,
	ALWAYS | KIND(BROKER_CHAIN) | KIND(BROKER_UPSTREAM_CONNECT),
	PHASE_SESSION, BROKER_UPSTREAM_CONNECT, "worker", "0123456789abcdef",
	"alice"},
    {worker_with_a_wrong_proof, ALWAYS | KIND(BROKER_CHAIN), PHASE_OVER,
	BROKER_CLIENT_START, "worker", "0123456789abcdef", "alice"},
    {catalogue, ALWAYS | UPSTREAM, PHASE_CATALOG, BROKER_CLIENT_START,
	"catalog", "", ""},
    {refuser, ALWAYS | KIND(BROKER_LISTENER_SIGN), PHASE_REFUSER,
	BROKER_CLIENT_START, "refuser", "0123456789abcdef", ""},
    {command, KIND(BROKER_CHAIN), PHASE_COMMAND, BROKER_CHAIN, "command", "",
	""},
    {waiting_worker, 0, PHASE_WAITING, BROKER_CLIENT_START, "worker",
	"0123456789abcdef", ""},
};

/* Kinds that there are, and some that there are not. */
static const uint32_t kinds[] = {0, BROKER_CLIENT_START, BROKER_CLIENT_PROOF,
    BROKER_CLIENT_SECRET, BROKER_CLIENT_CERTIFICATE, BROKER_CLIENT_PROCESS,
    BROKER_UPSTREAM_CONNECT, BROKER_UPSTREAM_SCRAM, BROKER_UPSTREAM_MD5,
    BROKER_LISTENER_SIGN, BROKER_UPSTREAM_SIGN, BROKER_SESSION, BROKER_SINK,
    BROKER_LOG, BROKER_CHAIN, BROKER_UPSTREAM_RESULT, BROKER_KINDS, BROKER_KINDS + 1, 1000,
    UINT32_MAX};

static bool
record_has(const char *record, const char *name, const char *value)
{
	char member[256];

	snprintf(member, sizeof(member), "\"%s\":%s,", name, value);
	return strstr(record, member) != NULL;
}

static bool
record_has_number(const char *record, const char *name, uint32_t value)
{
	char digits[16];

	snprintf(digits, sizeof(digits), "%u", value);
	return record_has(record, name, digits);
}

static bool
record_has_text(const char *record, const char *name, const char *value)
{
	char quoted[128];

	snprintf(quoted, sizeof(quoted), "\"%s\"", value);
	return record_has(record, name, quoted);
}

static void
assert_recorded(int row, uint32_t kind)
{
	char record[RECORD_MAX];

	ck_assert_msg(record_take(record), "phase %d, kind %u: no record",
	    (int)phases[row].phase, kind);
	ck_assert_msg(record_has_text(record, "event", "request-refused") &&
		record_has_number(record, "kind", kind) &&
		record_has_number(
		    record, "phase", (uint32_t)phases[row].phase) &&
		record_has_text(record, "of", phases[row].of) &&
		record_has_text(record, "session", phases[row].session) &&
		record_has_text(record, "login", phases[row].login) &&
		record_has_number(record, "pid", 4711) ==
		    (phases[row].session[0] != '\0') &&
		strstr(record, "\"mac\":\"") != NULL,
	    "kind %u: %s", kind, record);
}

/* Refused once, recorded, and over; refused twice, recorded, and gone. */
static void
assert_refused(int row, int channel, uint32_t kind)
{
	char record[RECORD_MAX];
	struct told t = ask(channel, kind);

	assert_nothing_but_no(&t, NOT_PERMITTED);
	assert_recorded(row, kind);
	t = ask(channel, BROKER_CLIENT_SECRET);
	ck_assert_msg(t.is_closed, "phase %d, kind %u: it goes on",
	    (int)phases[row].phase, kind);
	ck_assert_msg(record_take(record) &&
		record_has_text(record, "event", "request-refused") &&
		record_has_number(record, "kind", BROKER_CLIENT_SECRET),
	    "phase %d, kind %u: %s", (int)phases[row].phase, kind, record);
	ck_assert(!record_take(record));
}

static void
assert_permitted(int row, int channel, uint32_t kind)
{
	char record[RECORD_MAX];
	struct told t;

	if (kind == BROKER_SESSION ||
	    kind == BROKER_UPSTREAM_RESULT) { /* it is not answered */
		say_kind(channel, kind);
		t = ask(channel, BROKER_LOG);
		ck_assert_uint_eq(t.reply.granted, 1);
	} else {
		t = ask(channel, kind);
	}
	ck_assert_msg(
	    !t.is_closed && strcmp(t.reply.reason, NOT_PERMITTED) != 0,
	    "phase %d, kind %u is not permitted", (int)phases[row].phase,
	    kind);
	ck_assert_msg(!record_take(record), "%s", record);
}

START_TEST(request_is_answered_or_refused_as_its_phase_says)
{
	int i;

	for (i = 0; i < COUNT(kinds); i++) {
		int channel = phases[_i].enter();

		if (kinds[i] < BROKER_KINDS &&
		    (phases[_i].permitted & KIND(kinds[i])) != 0)
			assert_permitted(_i, channel, kinds[i]);
		else
			assert_refused(_i, channel, kinds[i]);
		close(channel);
	}
}
END_TEST

START_TEST(who_was_refused_gets_what_was_permitted_no_more)
{
	int channel = phases[_i].enter();
	const struct told t = ask(channel, 0);

	assert_nothing_but_no(&t, NOT_PERMITTED);
	if (phases[_i].phase == PHASE_COMMAND)
		/* and it does not become a session's */
		ck_assert_ptr_nonnull(strchr(
		    ask(channel, BROKER_CHAIN).reply.first, 'c'));
	else
		/* its session is recorded to the end, whatever it did */
		ck_assert_uint_eq(ask(channel, BROKER_SINK).reply.granted, 1);
	ck_assert(ask(channel, phases[_i].sample).is_closed);
	close(channel);
}
END_TEST

START_TEST(request_longer_than_its_room_is_refused)
{
	static const struct {
		uint32_t salt_len, auth_len;
	} lengths[] = {{BROKER_SALT_MAX + 1, 0}, {UINT32_MAX, 0},
	    {0, BROKER_AUTH_MESSAGE_MAX + 1}, {0, UINT32_MAX}};
	int channel = connected(worker_of("alice"));
	struct broker_request q = request_of(BROKER_UPSTREAM_SCRAM);
	struct told t;

	q.salt_len = lengths[_i].salt_len;
	q.auth_len = lengths[_i].auth_len;
	say(channel, &q, NULL, 0, -1);
	t = hear(channel);
	assert_nothing_but_no(&t, NOT_PERMITTED);
	close(channel);
}
END_TEST

static int
connected_worker(void)
{
	return connected(worker_of("alice"));
}

/* --- how logins upstream went --------------------------------------------- */

enum { OF_ALICE = 0, DEFAULT_LOGIN = 2 }; /* the rig's logins */

static void
tell_result(int channel, const char *words, uint32_t attempt)
{
	struct broker_request q = request_of(BROKER_UPSTREAM_RESULT);

	q.attempt = attempt;
	q.place = 1; /* which nobody believes */
	q.auth_len = (uint32_t)strlen(words);
	memcpy(q.auth, words, q.auth_len);
	say(channel, &q, NULL, 0, -1);
	ck_assert_uint_eq(ask(channel, BROKER_LOG).reply.granted, 1);
}

static struct tiding
master_is_told(void)
{
	struct tiding n;

	rig_wait(rig.control);
	ck_assert_int_eq(tiding_take(rig.control, &n), TIDING_ONE);
	return n;
}

static bool
master_is_told_nothing(void)
{
	struct tiding n;

	barrier();
	return tiding_take(rig.control, &n) == TIDING_NONE;
}

START_TEST(failure_of_a_login_is_told_with_what_the_broker_knows)
{
	int channel = connected_worker();
	struct tiding n;

	tell_result(channel, "the server is out of order", 1);
	n = master_is_told();
	ck_assert_str_eq(n.words, "the server is out of order");
	ck_assert_uint_eq(n.upstream, 0);
	ck_assert_uint_eq(n.login, OF_ALICE);
	ck_assert_uint_eq(n.is_unconnected, 0);
	close(channel);
	tell_result(rig.catalogue, "nobody is there", 0);
	n = master_is_told();
	ck_assert_str_eq(n.words, "nobody is there");
	ck_assert_uint_eq(n.login, DEFAULT_LOGIN);
	ck_assert_uint_eq(n.is_unconnected, 1);
}
END_TEST

START_TEST(words_of_a_failure_are_cut_and_end)
{
	char words[BROKER_AUTH_MESSAGE_MAX + 1];
	int channel = connected_worker();
	struct tiding n;

	memset(words, 'x', sizeof(words) - 1);
	words[sizeof(words) - 1] = '\0';
	tell_result(channel, words, 1);
	n = master_is_told();
	ck_assert_uint_eq(strnlen(n.words, sizeof(n.words)),
	    sizeof(n.words) - 1);
	close(channel);
}
END_TEST

START_TEST(worker_without_a_login_has_none_that_failed)
{
	int channel = worker_of("alice");

	tell_result(channel, "all is lost", 0);
	ck_assert(master_is_told_nothing());
	close(channel);
}
END_TEST

START_TEST(session_is_told_when_its_login_had_failed_and_not_again)
{
	int channel = connected_worker(), other;
	struct tiding n;

	tell_result(channel, "wrong password", 1);
	n = master_is_told();
	close(channel);
	channel = worker_in_session();
	n = master_is_told();
	ck_assert_uint_eq(n.is_success, 1);
	ck_assert_uint_eq(n.login, OF_ALICE);
	other = worker_in_session();
	ck_assert(master_is_told_nothing());
	close(channel);
	close(other);
}
END_TEST

START_TEST(worker_says_that_it_succeeded_with_a_session_only)
{
	int channel = connected_worker(), other = connected_worker();

	tell_result(channel, "wrong password", 1);
	ck_assert_str_eq(master_is_told().words, "wrong password");
	tell_result(other, "", 1);
	ck_assert(master_is_told_nothing());
	close(channel);
	close(other);
}
END_TEST

/* Words are cut where a character ends; of these nothing is left. */
START_TEST(failure_without_words_is_no_success)
{
	int channel = connected_worker();
	char odd[300] = "";
	struct tiding n;

	memset(odd, 0x80, sizeof(odd) - 1);
	tell_result(channel, odd, 1);
	n = master_is_told();
	ck_assert_uint_eq(n.is_success, 0);
	ck_assert_str_eq(n.words, "");
	close(channel);
}
END_TEST

START_TEST(catalogue_that_succeeds_ends_what_was_no_logins_fault)
{
	int channel = connected_worker(), other = connected_worker();

	tell_result(channel, "wrong password", 1);
	ck_assert_str_eq(master_is_told().words, "wrong password");
	tell_result(rig.catalogue, "", 1);
	ck_assert(master_is_told_nothing());
	tell_result(other, "nobody is there", 0);
	ck_assert_str_eq(master_is_told().words, "nobody is there");
	tell_result(rig.catalogue, "", 1);
	ck_assert_uint_eq(master_is_told().is_success, 1);
	close(channel);
	close(other);
}
END_TEST

/* --- what master makes of it ---------------------------------------------- */

START_TEST(trouble_is_of_one_login_until_that_succeeds)
{
	struct troubles *t = rig.master.troubles;
	struct tiding n = {.login = OF_ALICE, .words = "wrong password"};

	tiding_note(t, &n, 1000);
	ck_assert_int_eq(trouble_of(t, 0, OF_ALICE)->at, 1000);
	ck_assert_str_eq(trouble_of(t, 0, OF_ALICE)->words, "wrong password");
	ck_assert_int_eq(trouble_of(t, 0, DEFAULT_LOGIN)->at, 0);
	ck_assert_int_eq(trouble_of(t, 1, 0)->at, 0);
	n.is_success = 1;
	n.login = DEFAULT_LOGIN;
	ck_assert(!tiding_is_news(t, &n));
	tiding_note(t, &n, 2000);
	ck_assert_int_eq(trouble_of(t, 0, OF_ALICE)->at, 1000);
	n.login = OF_ALICE;
	ck_assert(tiding_is_news(t, &n));
	tiding_note(t, &n, 3000);
	ck_assert_int_eq(trouble_of(t, 0, OF_ALICE)->at, 0);
}
END_TEST

START_TEST(trouble_without_a_connection_ends_with_any_login_there)
{
	struct troubles *t = rig.master.troubles;
	struct tiding n = {.login = OF_ALICE,
	    .is_unconnected = 1,
	    .words = "nobody is there"};

	tiding_note(t, &n, 1000);
	n = (struct tiding){.is_success = 1, .upstream = 1};
	tiding_note(t, &n, 2000); /* elsewhere */
	ck_assert_int_eq(trouble_of(t, 0, OF_ALICE)->at, 1000);
	n = (struct tiding){.is_success = 1, .login = DEFAULT_LOGIN};
	tiding_note(t, &n, 3000);
	ck_assert_int_eq(trouble_of(t, 0, OF_ALICE)->at, 0);
}
END_TEST

START_TEST(tiding_of_no_login_or_of_another_size_is_left_out)
{
	static const struct {
		uint32_t upstream, login;
	} wrong[] = {{3, 0}, {UINT32_MAX, 0}, {0, 3}, {1, UINT32_MAX}};
	struct tiding n, got;
	int ends[2], i;

	for (i = 0; i < COUNT(wrong); i++) {
		n = (struct tiding){.upstream = wrong[i].upstream,
		    .login = wrong[i].login,
		    .words = "!"};
		ck_assert(!tiding_is_news(rig.master.troubles, &n));
		tiding_note(rig.master.troubles, &n, 1000);
	}
	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	ck_assert_int_eq(tiding_take(ends[0], &got), TIDING_NONE);
	ck_assert(send(ends[1], &n, sizeof(n) - 1, 0) > 0);
	ck_assert_int_eq(tiding_take(ends[0], &got), TIDING_ODD);
	memset(n.words, 'x', sizeof(n.words));
	ck_assert(tiding_send(ends[1], &n));
	ck_assert_int_eq(tiding_take(ends[0], &got), TIDING_ONE);
	ck_assert_uint_eq(strlen(got.words), sizeof(got.words) - 1);
	close(ends[1]);
	ck_assert_int_eq(tiding_take(ends[0], &got), TIDING_END);
	close(ends[0]);
}
END_TEST

/* --- how often ------------------------------------------------------------ */

static const struct {
	int (*enter)(void);
	enum broker_kind kind;
	int most;
} bounds[] = {
    {new_worker, BROKER_LISTENER_SIGN, 1},
    {new_worker, BROKER_CLIENT_CERTIFICATE, 1},
    {new_worker, BROKER_CLIENT_PROCESS, 1},
    {new_worker, BROKER_CHAIN, 1},
    {new_worker, BROKER_SINK, 1000},
    {new_worker, BROKER_LOG, 1000},
    {worker_with_a_name, BROKER_CHAIN, 1},
    {connected_worker, BROKER_UPSTREAM_CONNECT, 15},
    {connected_worker, BROKER_UPSTREAM_SCRAM, 2},
    {connected_worker, BROKER_UPSTREAM_MD5, 2},
    {connected_worker, BROKER_UPSTREAM_SIGN, 2},
    {worker_in_session, BROKER_UPSTREAM_CONNECT, 9999},
    {worker_with_a_wrong_proof, BROKER_CHAIN, 1},
    {worker_with_a_wrong_proof, BROKER_SINK, 1000},
    {command, BROKER_CHAIN, 1},
};

START_TEST(request_is_answered_so_often_and_no_more)
{
	int channel = bounds[_i].enter(), i;
	char record[RECORD_MAX];
	struct told t;

	for (i = 0; i < bounds[_i].most; i++) {
		t = ask(channel, bounds[_i].kind);
		ck_assert_msg(strcmp(t.reply.reason, NOT_PERMITTED) != 0,
		    "row %d: %d times only", _i, i);
	}
	t = ask(channel, bounds[_i].kind);
	assert_nothing_but_no(&t, NOT_PERMITTED);
	ck_assert(record_take(record));
	close(channel);
}
END_TEST

START_TEST(one_chain_is_all_there_is_whatever_the_phase)
{
	int channel = rig_grant_worker();

	ck_assert_uint_eq(ask(channel, BROKER_CHAIN).reply.granted, 1);
	ck_assert_uint_eq(
	    ask_with_proof(channel, "alice", PASSWORD).reply.granted, 1);
	ck_assert_str_eq(
	    ask(channel, BROKER_CHAIN).reply.reason, NOT_PERMITTED);
	close(channel);
}
END_TEST

START_TEST(catalogue_and_refuser_may_ask_without_end)
{
	static const struct {
		int (*enter)(void);
		enum broker_kind kind;
	} endless[] = {{catalogue, BROKER_UPSTREAM_CONNECT},
	    {catalogue, BROKER_UPSTREAM_SCRAM},
	    {catalogue, BROKER_UPSTREAM_SIGN}, {catalogue, BROKER_SINK},
	    {refuser, BROKER_LISTENER_SIGN}, {refuser, BROKER_SINK}};
	int channel = endless[_i].enter(), i;

	for (i = 0; i < 1100; i++)
		ck_assert_uint_eq(
		    ask(channel, endless[_i].kind).reply.granted, 1);
	close(channel);
}
END_TEST

/* --- chains --------------------------------------------------------------- */

START_TEST(chain_is_of_whom_it_is_given_to)
{
	int worker = rig_grant_worker(), other = rig_grant_worker();
	int operators = command();
	struct told first = ask(worker, BROKER_CHAIN);
	struct told second = ask(other, BROKER_CHAIN);
	struct told third = ask(operators, BROKER_CHAIN);

	ck_assert_str_ne(first.reply.first, second.reply.first);
	ck_assert_mem_ne(
	    first.reply.proof, second.reply.proof, BROKER_KEY_LEN);
	ck_assert_ptr_null(strpbrk(first.reply.first, "bc"));
	ck_assert_ptr_nonnull(strchr(third.reply.first, 'c'));
	close(worker);
	close(other);
	close(operators);
}
END_TEST

START_TEST(chain_for_what_is_no_session_is_not_given)
{
	struct broker_request q = request_of(BROKER_CHAIN);
	int channel = rig_grant_worker();
	struct told t;

	memset(q.name, 'a', sizeof(q.name));
	say(channel, &q, NULL, 0, -1);
	t = hear(channel);
	assert_nothing_but_no(&t, "no session's id");
	close(channel);
}
END_TEST

/* --- errands -------------------------------------------------------------- */

START_TEST(outcome_for_who_was_refused_meanwhile_is_not_delivered)
{
	int channel = waiting_worker();
	struct outcome o = outcome_good();

	ck_assert_str_eq(
	    ask(channel, BROKER_CLIENT_START).reply.reason, NOT_PERMITTED);
	outcome_bring(rig.porter, &o);
	ck_assert(!has_word(channel));
	close(channel);
}
END_TEST

START_TEST(outcome_for_who_has_gone_is_dropped)
{
	int channel, before;
	struct outcome o;

	barrier();
	before = descriptor_count();
	channel = waiting_worker();
	o = outcome_good();
	close(channel);
	ck_assert(descriptors_are(before));
	outcome_bring(rig.porter, &o);
	ck_assert(descriptors_are(before));
	channel = rig_grant_worker();
	ck_assert_uint_eq(ask(channel, BROKER_SINK).reply.granted, 1);
	close(channel);
}
END_TEST

/* Who gave up waiting asks again: it must know what it is told. */
START_TEST(answer_says_to_which_question_it_is)
{
	static const struct {
		enum broker_kind kind;
		uint32_t granted;
	} asked[] = {{BROKER_CHAIN, 1}, {BROKER_SINK, 1},
	    {BROKER_UPSTREAM_MD5, 0}};
	int channel = rig_grant_worker(), i;
	struct broker_request q;
	struct told t;

	for (i = 0; i < COUNT(asked); i++) {
		q = request_of(asked[i].kind);
		q.serial = 1000 + (uint64_t)i;
		say(channel, &q, NULL, 0, -1);
		t = hear(channel);
		ck_assert_uint_eq(t.reply.granted, asked[i].granted);
		ck_assert_uint_eq(t.reply.serial, q.serial);
	}
	close(channel);
}
END_TEST

/* Its first question is not answered any more, whatever comes of it. */
START_TEST(who_asks_while_it_waits_is_answered_that_alone)
{
	struct broker_request q = request_of(BROKER_SINK);
	int channel = rig_grant_worker();
	struct outcome o;
	struct told t;

	q.serial = 5;
	say(channel, &q, NULL, 0, -1);
	errand_take(rig.porter);
	o = outcome_good();
	q.serial = 6;
	say(channel, &q, NULL, 0, -1);
	t = hear(channel);
	ck_assert_uint_eq(t.reply.granted, 0);
	ck_assert_uint_eq(t.reply.serial, 6);
	outcome_bring(rig.porter, &o);
	ck_assert(!has_word(channel));
	close(channel);
}
END_TEST

START_TEST(outcome_comes_once)
{
	int channel = waiting_worker(), other = waiting_worker();
	struct outcome o = outcome_good();

	outcome_bring(rig.porter, &o);
	outcome_bring(rig.porter, &o);
	ck_assert_uint_eq(hear(other).reply.granted, 1);
	ck_assert(!has_word(channel));
	ck_assert(!has_word(other));
	close(channel);
	close(other);
}
END_TEST

START_TEST(outcome_nobody_waits_for_changes_nothing)
{
	int channel = waiting_worker();
	struct outcome o = outcome_good(), other = o;

	other.serial = 0;
	outcome_bring(rig.porter, &other);
	other.serial = UINT64_MAX;
	outcome_bring(rig.porter, &other);
	ck_assert(!has_word(channel));
	outcome_bring(rig.porter, &o);
	ck_assert_uint_eq(hear(channel).reply.granted, 1);
	close(channel);
}
END_TEST

START_TEST(outcomes_in_another_order_find_who_waits)
{
	int channel = waiting_worker();
	struct outcome first = outcome_good(), second;
	int other = waiting_worker();

	second = outcome_good();
	second.result = OUTCOME_FAILED;
	strcpy(second.reason, "the sink is not there");
	outcome_bring(rig.porter, &second);
	ck_assert_str_eq(hear(other).reply.reason, "the sink is not there");
	ck_assert(!has_word(channel));
	outcome_bring(rig.porter, &first);
	ck_assert_uint_eq(hear(channel).reply.granted, 1);
	close(channel);
	close(other);
}
END_TEST

static void
of_another_kind(struct outcome *o)
{
	o->kind = ERRAND_LOG;
}

static void
of_the_verifiers(struct outcome *o)
{
	o->kind = ERRAND_TOKEN;
	strcpy(o->token.user, "alice");
}

static void
of_a_process(struct outcome *o)
{
	o->kind = ERRAND_PROCESS;
}

static void
without_a_result(struct outcome *o)
{
	o->result = 0;
}

static void
without_an_end(struct outcome *o)
{
	o->result = OUTCOME_NO;
	memset(o->reason, 'x', sizeof(o->reason));
}

static void (*const spoils[])(struct outcome *o) = {of_another_kind,
    of_the_verifiers, of_a_process, without_a_result, without_an_end};

START_TEST(porter_that_brings_nonsense_is_heard_no_more)
{
	int channel = waiting_worker();
	struct outcome o = outcome_good();
	struct pollfd p = {.fd = rig.porter, .events = POLLIN};
	struct told t;

	spoils[_i](&o);
	outcome_bring(rig.porter, &o);
	t = hear(channel);
	assert_nothing_but_no(&t, "not available");
	ck_assert_int_eq(poll(&p, 1, PATIENCE_MS), 1);
	ck_assert((p.revents & POLLHUP) != 0);
	close(channel);
}
END_TEST

/* A secret given to PAM, which is the porter's. */
static int
worker_that_waits_for_pam(void)
{
	const struct broker_request q = request_of(BROKER_CLIENT_SECRET);
	int channel = rig_grant_worker();

	ck_assert_uint_eq(
	    ask(channel, BROKER_LISTENER_SIGN).reply.granted, 1);
	ck_assert_uint_eq(
	    ask_as(channel, "dora").reply.method, METHOD_SECRET);
	say(channel, &q, "secret", 6, -1);
	errand_take(rig.porter);
	ck_assert_int_eq((int)rig.errand.kind, ERRAND_PAM);
	return channel;
}

/* A token, which is the verifier's. */
static int
worker_that_waits_for_a_token(void)
{
	int channel = worker_with_a_secret_to_come();

	say_kind(channel, BROKER_CLIENT_SECRET);
	errand_take(rig.verifier);
	ck_assert_int_eq((int)rig.errand.kind, ERRAND_TOKEN);
	return channel;
}

START_TEST(porter_does_not_answer_for_the_verifier)
{
	int channel = worker_that_waits_for_a_token();
	struct outcome o = outcome_good();

	outcome_bring(rig.porter, &o);
	ck_assert(!has_word(channel));
	outcome_bring(rig.verifier, &o);
	ck_assert_str_eq(hear(channel).who.user, "carol");
	close(channel);
}
END_TEST

START_TEST(verifier_does_not_answer_for_the_porter)
{
	int channel = worker_that_waits_for_pam();
	struct outcome o = outcome_good();

	outcome_bring(rig.verifier, &o);
	ck_assert(!has_word(channel));
	outcome_bring(rig.porter, &o);
	ck_assert_str_eq(hear(channel).who.user, "dora");
	close(channel);
}
END_TEST

START_TEST(token_in_the_place_of_a_password_lets_nobody_in)
{
	int channel = worker_that_waits_for_pam();
	struct outcome o = outcome_good();
	struct told t;

	o.kind = ERRAND_TOKEN;
	strcpy(o.token.user, "dora");
	strcpy(o.token.groups[0], "dba");
	o.token.group_count = 1;
	outcome_bring(_i == 0 ? rig.porter : rig.verifier, &o);
	if (_i == 1) { /* whose it was not: it is told by him */
		ck_assert(!has_word(channel));
		descriptor_close(&rig.porter);
	}
	t = hear(channel);
	assert_nothing_but_no(&t, "not available");
	close(channel);
}
END_TEST

START_TEST(password_in_the_place_of_a_token_lets_nobody_in)
{
	int channel = worker_that_waits_for_a_token();
	struct outcome o = outcome_good();
	struct told t;

	o.kind = ERRAND_PAM;
	outcome_bring(rig.porter, &o);
	ck_assert(!has_word(channel));
	o.kind = ERRAND_CERTIFICATE;
	memset(&o.certificate, 0, sizeof(o.certificate));
	outcome_bring(rig.verifier, &o);
	t = hear(channel);
	assert_nothing_but_no(&t, "not available");
	close(channel);
}
END_TEST

/* --- helpers that go ------------------------------------------------------ */

START_TEST(who_waits_for_a_helper_that_goes_is_told_no)
{
	int of_porter = waiting_worker();
	int of_verifier = worker_that_waits_for_a_token();
	int *helper = _i == 0 ? &rig.porter : &rig.verifier;
	int told = _i == 0 ? of_porter : of_verifier;
	struct told t;

	descriptor_close(helper);
	t = hear(told);
	assert_nothing_but_no(&t, "not available");
	ck_assert(!has_word(_i == 0 ? of_verifier : of_porter));
	close(of_porter);
	close(of_verifier);
}
END_TEST

START_TEST(who_waits_for_a_helper_that_is_replaced_is_told_no)
{
	static const uint32_t replaced[] = {CHANNEL_PORTER, CHANNEL_VERIFIER};
	int of_porter = waiting_worker();
	int of_verifier = worker_that_waits_for_a_token();
	int fd = rig_grant((struct broker_grant){.kind = replaced[_i]});
	struct told t = hear(_i == 0 ? of_porter : of_verifier);

	assert_nothing_but_no(&t, "not available");
	ck_assert(!has_word(_i == 0 ? of_verifier : of_porter));
	close(_i == 0 ? rig.porter : rig.verifier);
	*(_i == 0 ? &rig.porter : &rig.verifier) = fd;
	close(of_porter);
	close(of_verifier);
	of_porter = rig_grant_worker();
	ck_assert_uint_eq(ask(of_porter, BROKER_SINK).reply.granted, 1);
	close(of_porter);
}
END_TEST

START_TEST(without_a_helper_the_answer_is_no)
{
	int channel = rig_grant_worker(), other = worker_with_a_secret_to_come();
	struct told t;

	descriptor_close(&rig.porter);
	descriptor_close(&rig.verifier);
	t = ask(channel, BROKER_SINK);
	ck_assert_uint_eq(t.reply.granted, 0);
	t = ask(channel, BROKER_LOG);
	assert_nothing_but_no(&t, "the porter is not available");
	t = ask(other, BROKER_CLIENT_SECRET);
	ck_assert_uint_eq(t.reply.granted, 0);
	/* and the phases are what they were */
	ck_assert_uint_eq(ask(channel, BROKER_CHAIN).reply.granted, 1);
	close(channel);
	close(other);
}
END_TEST

START_TEST(helper_that_takes_nothing_keeps_nobody_waiting)
{
	bool is_full = false;
	struct told t;
	int channel, i;

	/* who asks goes at once, the errand stays in the porter's channel */
	for (i = 0; i < 10000 && !is_full; i++) {
		channel = rig_grant_worker();
		say_kind(channel, BROKER_SINK);
		is_full = has_word(channel);
		if (!is_full)
			close(channel);
	}
	ck_assert(is_full);
	t = hear_only(channel);
	assert_nothing_but_no(&t, "the porter is not available");
	close(channel);
}
END_TEST

/* --- the sink ------------------------------------------------------------- */

/* As a sink does that was restarted: what was there is gone. */
static void
sink_restart(void)
{
	close(rig.sink);
	ck_assert_int_eq(unlink(scratch_path("sink")), 0);
	rig.sink = rig_open_sink();
}

static int
sink_connect(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", scratch_path("sink"));
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

START_TEST(refusal_is_recorded_though_the_sink_was_restarted)
{
	int channel = rig_grant_worker(), fd;
	struct outcome o;
	char record[RECORD_MAX];

	barrier(); /* it has found the first one */
	sink_restart();
	say_kind(channel, BROKER_UPSTREAM_MD5);
	ck_assert_str_eq(hear_only(channel).reply.reason, NOT_PERMITTED);
	ck_assert(!record_take(record));
	errand_take(rig.porter);
	ck_assert_int_eq((int)rig.errand.kind, ERRAND_SINK);
	if (_i == 1) { /* the next porter is asked again */
		close(rig.porter);
		rig.porter =
		    rig_grant((struct broker_grant){.kind = CHANNEL_PORTER});
		errand_take(rig.porter);
		ck_assert_int_eq((int)rig.errand.kind, ERRAND_SINK);
	}
	o = outcome_good();
	fd = sink_connect();
	ck_assert_int_eq(outcome_send(rig.porter, &o, fd), ERR_NONE);
	close(fd);
	barrier();
	ck_assert(record_take(record));
	ck_assert(record_has_number(record, "kind", BROKER_UPSTREAM_MD5));
	close(channel);
}
END_TEST

/* --- what does not leak --------------------------------------------------- */

static const struct {
	size_t len, descriptors;
} nonsense[] = {
    {0, 0},
    {0, 1},
    {0, 2},
    {0, 8},
    {1, 0},
    {sizeof(struct broker_request) - 1, 0},
    {sizeof(struct broker_request) - 1, 1},
    {sizeof(struct broker_request) + BROKER_PARCEL_MAX + 1, 0},
    {sizeof(struct broker_request) + BROKER_PARCEL_MAX + 1, 1},
    {sizeof(struct broker_request), 2},
    {sizeof(struct broker_request), 8},
};

START_TEST(message_that_is_no_request_ends_its_channel_alone)
{
	static const int zeros[RAW_DESCRIPTORS_MAX];
	static char bytes[sizeof(struct broker_request) + BROKER_PARCEL_MAX + 1];
	int channel, other = rig_grant_worker(), before;

	barrier();
	before = descriptor_count();
	channel = rig_grant_worker();
	bytes[0] = BROKER_CLIENT_PROCESS;
	raw_send(channel, bytes, nonsense[_i].len, zeros,
	    nonsense[_i].descriptors);
	ck_assert(hear(channel).is_closed);
	ck_assert(descriptors_are(before));
	ck_assert_uint_eq(ask(other, BROKER_SINK).reply.granted, 1);
	close(channel);
	close(other);
}
END_TEST

START_TEST(descriptor_nobody_asked_for_is_closed)
{
	char record[RECORD_MAX];
	int channel, before, i;
	struct broker_request q;

	barrier();
	before = descriptor_count();
	for (i = 0; i < COUNT(kinds); i++) {
		channel = rig_grant_worker();
		q = request_of(kinds[i]);
		say(channel, &q, "secret", 6, rig.sink);
		hear(channel);
		record_take(record);
		ck_assert_msg(
		    descriptors_are(before + 1), "kind %u", kinds[i]);
		close(channel);
		ck_assert(descriptors_are(before));
	}
}
END_TEST

START_TEST(channel_leaves_nothing_behind)
{
	int before, channel, i;

	barrier();
	before = descriptor_count();
	for (i = 0; i < 3; i++) {
		channel = phases[_i].enter();
		say_kind(channel, phases[_i].sample);
		close(channel);
	}
	ck_assert(descriptors_are(before));
}
END_TEST

/* --- the end -------------------------------------------------------------- */

START_TEST(superseded_broker_serves_who_is_in_and_admits_nobody)
{
	int proved = connected(worker_of("alice")), fresh = rig_grant_worker();
	int session = worker_in_session();
	int named = rig_grant_worker(), late = worker_of("alice");
	int with_token = worker_that_waits_for_a_token();
	struct outcome o = outcome_good();
	struct told started = ask_as(named, "bob"), t;
	struct broker_request q = proof_of(&started, PASSWORD);

	descriptor_close(&rig.control);
	t = ask_as(fresh, "alice");
	assert_nothing_but_no(&t, BROKER_SUPERSEDED);
	say(named, &q, NULL, 0, -1);
	t = hear(named);
	assert_nothing_but_no(&t, BROKER_SUPERSEDED);
	/* proved before, and not connected yet */
	t = ask(late, BROKER_UPSTREAM_CONNECT);
	assert_nothing_but_no(&t, BROKER_SUPERSEDED);
	ck_assert_uint_eq(ask(session, BROKER_UPSTREAM_CONNECT).reply.granted,
	    1); /* to cancel */
	outcome_bring(rig.verifier, &o);
	t = hear(with_token);
	assert_nothing_but_no(&t, BROKER_SUPERSEDED);
	ck_assert_uint_eq(
	    ask(proved, BROKER_UPSTREAM_SCRAM).reply.granted, 1);
	ck_assert_uint_eq(ask(fresh, BROKER_SINK).reply.granted, 1);
	close(proved);
	close(fresh);
	close(named);
	close(late);
	close(session);
	close(with_token);
}
END_TEST

int
main(void)
{
	const int phase_count = COUNT(phases);
	Suite *s = suite_create("broker");
	TCase *t = tcase_create("broker");

	tcase_add_checked_fixture(t, rig_start, rig_stop);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t,
	    request_is_answered_or_refused_as_its_phase_says, 0, phase_count);
	tcase_add_loop_test(t,
	    who_was_refused_gets_what_was_permitted_no_more, 0, phase_count);
	tcase_add_loop_test(t, request_longer_than_its_room_is_refused, 0, 4);
	tcase_add_test(
	    t, failure_of_a_login_is_told_with_what_the_broker_knows);
	tcase_add_test(t, words_of_a_failure_are_cut_and_end);
	tcase_add_test(t, worker_without_a_login_has_none_that_failed);
	tcase_add_test(
	    t, session_is_told_when_its_login_had_failed_and_not_again);
	tcase_add_test(t, worker_says_that_it_succeeded_with_a_session_only);
	tcase_add_test(
	    t, failure_without_words_is_no_success);
	tcase_add_test(
	    t, catalogue_that_succeeds_ends_what_was_no_logins_fault);
	tcase_add_test(t, trouble_is_of_one_login_until_that_succeeds);
	tcase_add_test(
	    t, trouble_without_a_connection_ends_with_any_login_there);
	tcase_add_test(t, tiding_of_no_login_or_of_another_size_is_left_out);
	tcase_add_loop_test(
	    t, request_is_answered_so_often_and_no_more, 0, COUNT(bounds));
	tcase_add_test(t, one_chain_is_all_there_is_whatever_the_phase);
	tcase_add_loop_test(
	    t, catalogue_and_refuser_may_ask_without_end, 0, 6);
	tcase_add_test(t, chain_is_of_whom_it_is_given_to);
	tcase_add_test(t, chain_for_what_is_no_session_is_not_given);
	tcase_add_test(
	    t, outcome_for_who_was_refused_meanwhile_is_not_delivered);
	tcase_add_test(t, outcome_for_who_has_gone_is_dropped);
	tcase_add_test(t, answer_says_to_which_question_it_is);
	tcase_add_test(t, who_asks_while_it_waits_is_answered_that_alone);
	tcase_add_test(t, outcome_comes_once);
	tcase_add_test(t, outcome_nobody_waits_for_changes_nothing);
	tcase_add_test(t, outcomes_in_another_order_find_who_waits);
	tcase_add_loop_test(t, porter_that_brings_nonsense_is_heard_no_more,
	    0, COUNT(spoils));
	tcase_add_test(t, porter_does_not_answer_for_the_verifier);
	tcase_add_test(t, verifier_does_not_answer_for_the_porter);
	tcase_add_loop_test(
	    t, token_in_the_place_of_a_password_lets_nobody_in, 0, 2);
	tcase_add_test(t, password_in_the_place_of_a_token_lets_nobody_in);
	tcase_add_loop_test(
	    t, who_waits_for_a_helper_that_goes_is_told_no, 0, 2);
	tcase_add_loop_test(
	    t, who_waits_for_a_helper_that_is_replaced_is_told_no, 0, 2);
	tcase_add_test(t, without_a_helper_the_answer_is_no);
	tcase_add_test(t, helper_that_takes_nothing_keeps_nobody_waiting);
	tcase_add_loop_test(
	    t, refusal_is_recorded_though_the_sink_was_restarted, 0, 2);
	tcase_add_loop_test(t,
	    message_that_is_no_request_ends_its_channel_alone, 0,
	    COUNT(nonsense));
	tcase_add_test(t, descriptor_nobody_asked_for_is_closed);
	tcase_add_loop_test(
	    t, channel_leaves_nothing_behind, 0, phase_count);
	tcase_add_test(
	    t, superseded_broker_serves_who_is_in_and_admits_nobody);
	suite_add_tcase(s, t);
	return suite_run(s);
}
