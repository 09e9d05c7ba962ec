/* links: common/arena.c common/audit.c common/audit_chain.c common/audit_key.c common/board.c common/certificate_name.c common/client_name.c common/diagnostics.c common/err.c common/file_trust.c common/hmac.c common/identities.c common/identity.c common/identity_groups.c common/identity_certificates.c common/json.c common/log.c common/parcel.c common/saslprep.c common/schema.c common/schema_scalar.c common/scram.c common/settings.c common/settings_address.c common/settings_files.c common/settings_login.c common/slot.c common/text.c common/token_read.c common/who.c common/who_read.c common/wire.c common/yaml.c master/admission.c master/admission_tell.c master/broker.c master/broker_chain.c master/broker_client.c master/broker_phase.c master/broker_record.c master/broker_socket.c master/broker_upstream.c master/chain.c master/errand.c master/penalty.c common/siphash.c master/trouble.c master/secrets.c */
/*
 * Who gets in by the broker, and as whom upstream then: proofs right, wrong,
 * used before, guessed, in clear, and of names that nobody has.
 */
#include "tests/unit/broker_rig.h"
#include "tests/unit/suite.h"

#define COUNT(table) ((int)(sizeof(table) / sizeof(*(table))))

/* A worker on whose connection there is TLS. */
static int
worker_with_tls(void)
{
	int channel = rig_grant_worker();

	ck_assert_uint_eq(
	    ask(channel, BROKER_LISTENER_SIGN).reply.granted, 1);
	return channel;
}

/* --- passwords ------------------------------------------------------------ */

static const struct {
	const char *login, *password;
	const char *wrong; /* NULL: it is right */
	const char *user, *agent, *via;
} proofs[] = {
    {"alice", PASSWORD, NULL, "alice", "", "scram-sha-256"},
    {"copilot", PASSWORD, NULL, "", "copilot", "scram-sha-256"},
    {"alice+copilot", PASSWORD, NULL, "alice", "copilot", "scram-sha-256"},
    {"alice", "wrong", "wrong password", NULL, NULL, NULL},
    {"alice+copilot", "wrong", "wrong password", NULL, NULL, NULL},
    {"bob+copilot", PASSWORD, "the agent may not act for this person", NULL,
	NULL, NULL},
    {"crawler", PASSWORD, "no client certificate", NULL, NULL, NULL},
    {"job", PASSWORD, "the process is unknown", NULL, NULL, NULL},
};

START_TEST(proof_that_is_right_lets_in_and_no_other)
{
	int channel = rig_grant_worker();
	struct told t =
	    ask_with_proof(channel, proofs[_i].login, proofs[_i].password);

	if (proofs[_i].wrong != NULL) {
		assert_nothing_but_no(&t, proofs[_i].wrong);
	} else {
		ck_assert(t.reply.granted == 1 && t.has_who);
		ck_assert_str_eq(t.who.user, proofs[_i].user);
		ck_assert_str_eq(t.who.agent, proofs[_i].agent);
		ck_assert_str_eq(t.who.via, proofs[_i].via);
	}
	ck_assert_int_eq(strcmp(ask(channel, BROKER_UPSTREAM_CONNECT)
				    .reply.reason,
			     NOT_PERMITTED) == 0,
	    proofs[_i].wrong != NULL);
	close(channel);
}
END_TEST

START_TEST(proof_of_before_is_none_now)
{
	int first = rig_grant_worker(), second = rig_grant_worker();
	struct told started = ask_as(first, "alice"), t;
	struct broker_request q = proof_of(&started, PASSWORD), again;

	say(first, &q, NULL, 0, -1);
	ck_assert_uint_eq(hear(first).reply.granted, 1);
	t = ask_as(second, "alice");
	ck_assert_str_ne(t.reply.first, started.reply.first);
	if (_i == 1) { /* or its words about the nonce that is now */
		again = proof_of(&t, "whatever");
		memcpy(again.proof, q.proof, sizeof(q.proof));
		q = again;
	}
	say(second, &q, NULL, 0, -1);
	t = hear(second);
	assert_nothing_but_no(&t, "wrong password");
	close(first);
	close(second);
}
END_TEST

START_TEST(proof_for_one_channel_is_none_in_another)
{
	int first = rig_grant_worker(), second = rig_grant_worker();
	struct told started = ask_as(first, "alice"), t;
	struct broker_request q = proof_of(&started, PASSWORD);

	t = ask_as(second, "alice");
	say(second, &q, NULL, 0, -1);
	t = hear(second);
	assert_nothing_but_no(&t, "wrong password");
	say(first, &q, NULL, 0, -1);
	ck_assert_uint_eq(hear(first).reply.granted, 1);
	close(first);
	close(second);
}
END_TEST

/* Without zeros between; without anything; with more than there is room for
 * once the broker's own words are in it. */
START_TEST(messages_that_are_none_prove_nothing)
{
	static const uint32_t lengths[] = {0, 1, BROKER_AUTH_MESSAGE_MAX};
	int channel = rig_grant_worker();
	struct told t = ask_as(channel, "alice");
	struct broker_request q = proof_of(&t, PASSWORD);

	memset(q.auth, 'x', sizeof(q.auth));
	q.auth_len = lengths[_i];
	say(channel, &q, NULL, 0, -1);
	t = hear(channel);
	assert_nothing_but_no(&t, "wrong password");
	close(channel);
}
END_TEST

START_TEST(login_without_a_name_or_an_end_is_refused)
{
	struct broker_request q = request_of(BROKER_CLIENT_START);
	int channel = rig_grant_worker();
	struct told t;

	memset(q.name, _i == 0 ? 0 : 'a', sizeof(q.name));
	say(channel, &q, NULL, 0, -1);
	t = hear(channel);
	assert_nothing_but_no(&t, "no login name");
	close(channel);
}
END_TEST

/* --- names that nobody has ------------------------------------------------ */

/* Salt and iterations: what follows the nonce. */
static const char *
behind_nonce(const struct told *t)
{
	const char *comma = strchr(t->reply.first, ',');

	ck_assert_ptr_nonnull(comma);
	return comma;
}

/* Everything but the nonce and the salt, of which there must be as much. */
static void
assert_looks_alike(const struct told *real, const struct told *made_up)
{
	ck_assert_uint_eq(
	    strlen(real->reply.first), strlen(made_up->reply.first));
	ck_assert_int_eq(behind_nonce(real) - real->reply.first,
	    behind_nonce(made_up) - made_up->reply.first);
	ck_assert_str_eq(strstr(behind_nonce(real), ",i="),
	    strstr(behind_nonce(made_up), ",i="));
}

START_TEST(unknown_name_is_asked_and_refused_as_a_known_one)
{
	int with_password = worker_with_tls(), channel, i;
	struct told real = ask_as(with_password, "alice"), t, again;
	bool has[METHOD_PROVED + 1] = {false};
	struct broker_request q;
	char name[32];

	for (i = 0; i < 40; i++) {
		rig.stranger++;
		snprintf(name, sizeof(name), "nobody%d", i);
		channel = worker_with_tls();
		t = ask_as(channel, name);
		ck_assert_uint_eq(t.reply.granted, 1);
		has[t.reply.method] = true;
		if (t.reply.method == METHOD_SCRAM) {
			assert_looks_alike(&real, &t);
			q = proof_of(&t, PASSWORD);
			say(channel, &q, NULL, 0, -1);
		} else {
			say_kind(channel, BROKER_CLIENT_SECRET);
		}
		again = hear(channel); /* helpers say yes to everything */
		assert_nothing_but_no(&again, "unknown user");
		close(channel);
	}
	/* as they are to those who are known */
	ck_assert(has[METHOD_SCRAM] && has[METHOD_SECRET]);
	ck_assert(!has[METHOD_PROVED]);
	close(with_password);
}
END_TEST

START_TEST(made_up_salt_is_the_same_each_time)
{
	static const char *const logins[] = {
	    "nobody", "nobody1", "nobody2", "nobody3", "nobody4", "nobody5"};
	int first, second, i, seen = 0;
	struct told t, again;

	for (i = 0; i < COUNT(logins); i++) {
		first = worker_with_tls();
		second = worker_with_tls();
		t = ask_as(first, logins[i]);
		again = ask_as(second, logins[i]);
		ck_assert_uint_eq(t.reply.method, again.reply.method);
		if (t.reply.method == METHOD_SCRAM) {
			seen++;
			ck_assert_str_eq(
			    behind_nonce(&t), behind_nonce(&again));
			ck_assert_str_ne(t.reply.first, again.reply.first);
		}
		close(first);
		close(second);
	}
	ck_assert_int_gt(seen, 0);
}
END_TEST

/* Where only agents have passwords, theirs are what others are like. */
static void
start_with_agents(void)
{
	rig.identities =
	    "agents:\n"
	    "  bot: {password: \"SCRAM-SHA-256$8192:"
	    "AAAAAAAAAAAAAAAAAAAAAA==$"
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:"
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"}\n";
	rig_start();
}

START_TEST(unknown_name_costs_as_many_iterations_as_agents_do)
{
	int first = rig_grant_worker(), second = rig_grant_worker();
	struct told real = ask_as(first, "bot"), t = ask_as(second, "nobody");

	ck_assert_ptr_nonnull(strstr(real.reply.first, ",i=8192"));
	assert_looks_alike(&real, &t);
	close(first);
	close(second);
}
END_TEST

/* --- guesses -------------------------------------------------------------- */

static void
guess_wrongly(int times)
{
	while (times-- > 0) {
		int channel = rig_grant_worker();

		ck_assert_str_eq(
		    ask_with_proof(channel, "alice", "wrong").reply.reason,
		    "wrong password");
		close(channel);
	}
}

START_TEST(too_many_guesses_are_not_looked_at)
{
	int channel = rig_grant_worker();
	struct told t;

	guess_wrongly(PENALTY_PAIR_FREE + 1);
	t = ask_with_proof(channel, "alice", PASSWORD);
	assert_nothing_but_no(&t, "throttled: too many wrong proofs");
	close(channel);
	channel = rig_grant_worker(); /* another name from there */
	ck_assert_uint_eq(
	    ask_with_proof(channel, "bob", PASSWORD).reply.granted, 1);
	close(channel);
	rig.stranger++;
	channel = rig_grant_worker(); /* that name from elsewhere */
	ck_assert_uint_eq(
	    ask_with_proof(channel, "alice", PASSWORD).reply.granted, 1);
	close(channel);
}
END_TEST

START_TEST(right_proof_takes_back_what_it_was_charged)
{
	int i;

	for (i = 0; i < 3 * PENALTY_PAIR_FREE; i++)
		close(worker_of("alice"));
}
END_TEST

/* A worker whose secret is looked at. */
static int
worker_with_a_secret(const char *login, struct told *told_out)
{
	const struct broker_request q = request_of(BROKER_CLIENT_SECRET);
	int helper = strcmp(login, "dora") == 0 ? rig.porter : rig.verifier;
	int channel = worker_with_tls();
	struct pollfd p[] = {{.fd = channel, .events = POLLIN},
	    {.fd = helper, .events = POLLIN}};

	ck_assert_uint_eq(ask_as(channel, login).reply.method, METHOD_SECRET);
	say(channel, &q, "secret", 6, -1);
	ck_assert_int_gt(poll(p, 2, PATIENCE_MS), 0);
	*told_out = (struct told){.fd = -1};
	if (p[0].revents != 0)
		*told_out = hear_only(channel);
	else
		errand_take(helper);
	return channel;
}

START_TEST(guesses_that_are_looked_at_together_count_all_the_same)
{
	int channels[PENALTY_PAIR_FREE + 2], i;
	struct told t;

	for (i = 0; i < COUNT(channels); i++)
		channels[i] = worker_with_a_secret("dora", &t);
	assert_nothing_but_no(&t, "throttled: too many wrong proofs");
	for (i = 0; i < COUNT(channels); i++)
		close(channels[i]);
}
END_TEST

START_TEST(tokens_that_are_looked_at_together_do_not_count)
{
	int channels[2 * PENALTY_PAIR_FREE], i;
	struct told t;

	for (i = 0; i < COUNT(channels); i++) {
		channels[i] = worker_with_a_secret("carol", &t);
		ck_assert_str_eq(t.reply.reason, "");
	}
	for (i = 0; i < COUNT(channels); i++)
		close(channels[i]);
}
END_TEST

START_TEST(wrong_tokens_count)
{
	struct outcome o;
	struct told t;
	int i, channel;

	for (i = 0; i <= PENALTY_PAIR_FREE; i++) {
		channel = worker_with_a_secret("carol", &t);
		o = outcome_good();
		o.result = OUTCOME_NO;
		strcpy(o.reason, "expired");
		outcome_bring(rig.verifier, &o);
		t = hear_only(channel);
		assert_nothing_but_no(&t, "expired");
		close(channel);
	}
	channel = worker_with_a_secret("carol", &t);
	assert_nothing_but_no(&t, "throttled: too many wrong proofs");
	close(channel);
}
END_TEST

/* --- secrets -------------------------------------------------------------- */

START_TEST(secret_in_clear_is_not_asked_for)
{
	int channel = rig_grant_worker();
	struct told t;

	if (_i == 1) { /* an attempt is nothing */
		const struct broker_request q =
		    request_of(BROKER_CLIENT_PROCESS);

		say(channel, &q, NULL, 0, -1);
		ck_assert_str_eq(hear(channel).reply.reason, "no descriptor");
	}
	t = ask_as(channel, "carol");
	assert_nothing_but_no(&t, BROKER_IN_CLEAR);
	ck_assert_str_eq(
	    ask(channel, BROKER_CLIENT_SECRET).reply.reason, NOT_PERMITTED);
	close(channel);
}
END_TEST

/* Some name that nobody has is like one whose proof would be a secret. */
START_TEST(record_tells_of_an_unknown_name_that_would_give_a_secret)
{
	bool has_come = false;
	int i;

	for (i = 0; i < 64 && !has_come; i++) {
		int channel = rig_grant_worker();
		char name[32];
		struct told t;

		snprintf(name, sizeof(name), "nobody%d", i);
		t = ask_as(channel, name);
		has_come = t.reply.method != METHOD_SCRAM;
		if (has_come)
			assert_nothing_but_no(
			    &t, BROKER_IN_CLEAR "; unknown user");
		close(channel);
	}
	ck_assert(has_come);
}
END_TEST

START_TEST(secret_on_this_machine_is_asked_for)
{
	int channel = rig_grant_worker();

	ck_assert_uint_eq(
	    ask(channel, BROKER_CLIENT_PROCESS).reply.granted, 1);
	ck_assert_uint_eq(
	    ask_as(channel, "carol").reply.method, METHOD_SECRET);
	close(channel);
}
END_TEST

START_TEST(secret_of_no_length_or_too_great_a_one_is_refused)
{
	static const char many[BROKER_SECRET_MAX + 1] = "x";
	static const size_t lengths[] = {0, sizeof(many)};
	int channel = worker_with_tls();
	struct told t = ask_as(channel, _i < 2 ? "carol" : "dora");

	t = ask_with_secret(channel, (struct text){many, lengths[_i % 2]});
	assert_nothing_but_no(&t, "a secret of the wrong length");
	close(channel);
}
END_TEST

START_TEST(password_with_a_zero_is_nobodys)
{
	int channel = worker_with_tls();
	struct told t = ask_as(channel, "dora");

	t = ask_with_secret(channel, TEXT("secret\0root"));
	assert_nothing_but_no(&t, "wrong password");
	close(channel);
}
END_TEST

START_TEST(password_is_asked_of_pam_about_that_person)
{
	int channel = worker_with_tls();
	struct told t = ask_as(channel, "dora");

	t = ask_with_secret(channel, TEXT("secret"));
	ck_assert_int_eq((int)rig.errand.kind, ERRAND_PAM);
	ck_assert_str_eq(rig.errand.service, "sallyport");
	ck_assert_uint_eq(rig.parcel_len, 11);
	ck_assert_mem_eq(rig.parcel, "dora\0secret", 11);
	ck_assert_str_eq(t.who.user, "dora");
	ck_assert_str_eq(t.who.via, "pam");
	close(channel);
}
END_TEST

static const struct {
	const char *login, *user, *agent;
	const char *wrong;
} tokens[] = {
    {"carol", "carol", "", NULL},
    {"carol", "alice", "", "the token is somebody else's"},
    {"carol", "carol", "copilot",
	"the token names an agent: the login must, too"},
};

START_TEST(token_lets_in_whom_it_names)
{
	struct told t;
	int channel = worker_with_a_secret("carol", &t);
	struct outcome o = outcome_good();

	ck_assert_uint_eq(rig.parcel_len, 6);
	ck_assert_mem_eq(rig.parcel, "secret", 6);
	strcpy(o.token.user, tokens[_i].user);
	strcpy(o.token.agent, tokens[_i].agent);
	o.token.expires_at = 4102444800;
	outcome_bring(rig.verifier, &o);
	t = hear_only(channel);
	if (tokens[_i].wrong != NULL) {
		assert_nothing_but_no(&t, tokens[_i].wrong);
	} else {
		ck_assert_str_eq(t.who.user, "carol");
		ck_assert_str_eq(t.who.via, "token");
		ck_assert(t.who.expires_at == 4102444800);
	}
	close(channel);
}
END_TEST

/* --- what the connection shows -------------------------------------------- */

START_TEST(certificate_is_looked_at_with_what_was_signed)
{
	int channel = rig_grant_worker();
	struct told t;

	ck_assert_uint_eq(
	    ask_at(channel, BROKER_LISTENER_SIGN, 1).reply.granted, 1);
	t = ask_at(channel, BROKER_CLIENT_CERTIFICATE, 1);
	ck_assert_uint_eq(t.reply.granted, 1);
	ck_assert_str_eq(rig.errand.listener, "127.0.0.1:6433");
	ck_assert_uint_eq(rig.errand.signature_len, 64);
	ck_assert_int_eq(rig.errand.signature[63], 2);
	rig.listener = 1;
	t = ask_as(channel, "crawler");
	ck_assert_uint_eq(t.reply.method, METHOD_PROVED);
	ck_assert_str_eq(t.who.agent, "crawler");
	ck_assert_str_eq(t.who.via, "certificate");
	close(channel);
}
END_TEST

START_TEST(certificate_of_another_listener_or_without_tls_is_none)
{
	int channel = _i == 0 ? worker_with_tls() : rig_grant_worker();
	struct told t = ask_at(channel, BROKER_CLIENT_CERTIFICATE, 1);

	assert_nothing_but_no(&t, "no TLS on this connection");
	ck_assert_uint_eq(
	    ask_as(channel, "crawler").reply.method, METHOD_SCRAM);
	close(channel);
}
END_TEST

START_TEST(certificate_that_is_wrong_is_told_at_the_end)
{
	int channel = worker_with_tls();
	struct outcome o;
	struct told t;

	say_kind(channel, BROKER_CLIENT_CERTIFICATE);
	errand_take(rig.verifier);
	o = outcome_good();
	o.result = OUTCOME_NO;
	strcpy(o.reason, "revoked");
	outcome_bring(rig.verifier, &o);
	t = hear_only(channel);
	assert_nothing_but_no(&t, "revoked");
	t = ask_with_proof(channel, "crawler", PASSWORD);
	assert_nothing_but_no(&t, "revoked");
	close(channel);
}
END_TEST

START_TEST(process_is_an_agent)
{
	int channel = rig_grant_worker();
	struct told t;

	ck_assert_uint_eq(
	    ask(channel, BROKER_CLIENT_PROCESS).reply.granted, 1);
	t = ask_as(channel, "job");
	ck_assert_uint_eq(t.reply.method, METHOD_PROVED);
	ck_assert_str_eq(t.who.agent, "job");
	ck_assert_uint_eq(t.who.uid, 4242);
	close(channel);
}
END_TEST

/* --- upstream ------------------------------------------------------------- */

static const struct {
	const char *login; /* NULL: the catalogue */
	uint32_t place, index;
	const char *user, *password;
} logins[] = {
    {"alice", 0, 0, "alices", PASSWORD_OF_ALICE},
    {"alice+copilot", 0, 1, "dbas", PASSWORD_OF_DBAS},
    {"bob", 0, 1, "dbas", PASSWORD_OF_DBAS},
    {"erin", 0, 2, "all", PASSWORD_OF_ALL},
    {"alice", 1, 0, "them", PASSWORD_ELSEWHERE},
    {NULL, 0, 2, "all", PASSWORD_OF_ALL},
    {NULL, 1, 0, "them", PASSWORD_ELSEWHERE},
};

static int
connected_as(int row)
{
	uint32_t place = logins[row].place;
	int channel = (rig.listener = place, logins[row].login != NULL)
	    ? worker_of(logins[row].login)
	    : rig_grant((struct broker_grant){
		  .kind = CHANNEL_CATALOG, .upstream = place});
	struct told t = ask_at(channel, BROKER_UPSTREAM_CONNECT, place);

	ck_assert(t.reply.granted == 1 && t.fd >= 0);
	ck_assert_uint_eq(t.reply.login, logins[row].index);
	ck_assert_uint_eq(rig.errand.place, place);
	return channel;
}

START_TEST(login_upstream_is_the_first_for_this_identity)
{
	int channel = connected_as(_i);
	uint8_t salted[SCRAM_KEY_LEN], proof[SCRAM_KEY_LEN];
	uint8_t signature[SCRAM_KEY_LEN];
	struct broker_request q = request_of(BROKER_UPSTREAM_SCRAM);
	char md5[36];
	struct told t;

	memcpy(q.salt, "salt of sixteen.", 16);
	say(channel, &q, NULL, 0, -1);
	t = hear(channel);
	ck_assert_int_eq(scram_salt(text_of(logins[_i].password), q.salt, 16,
			     q.iterations, salted),
	    ERR_NONE);
	ck_assert_int_eq(scram_prove(salted, TEXT("handshake"), proof,
			     signature),
	    ERR_NONE);
	ck_assert_mem_eq(t.reply.proof, proof, sizeof(proof));
	ck_assert_mem_eq(t.reply.signature, signature, sizeof(signature));
	t = ask(channel, BROKER_UPSTREAM_MD5);
	ck_assert_int_eq(scram_md5(text_of(logins[_i].user),
			     text_of(logins[_i].password),
			     (const uint8_t[4]){0}, md5),
	    ERR_NONE);
	ck_assert_str_eq(t.reply.md5, md5);
	close(channel);
}
END_TEST

START_TEST(other_upstream_than_the_first_is_none)
{
	static const uint32_t places[] = {1, 2, 3, UINT32_MAX};
	int channel = connected_as(_i % 2 == 0 ? 0 : 5), i;
	struct told t;

	for (i = 0; i < COUNT(places); i++) {
		t = ask_at(channel, BROKER_UPSTREAM_CONNECT, places[i]);
		assert_nothing_but_no(&t, "another upstream");
	}
	t = ask_at(channel, BROKER_UPSTREAM_SIGN, 1);
	assert_nothing_but_no(&t, "another upstream");
	ck_assert_uint_eq(
	    ask_at(channel, BROKER_UPSTREAM_SIGN, 0).reply.granted, 1);
	close(channel);
}
END_TEST

START_TEST(upstream_there_is_not_is_none)
{
	int channel = worker_of("alice");
	struct told t = ask_at(channel, BROKER_UPSTREAM_CONNECT, 3);

	assert_nothing_but_no(&t, "another upstream");
	/* and was not the first */
	t = ask_at(channel, BROKER_UPSTREAM_CONNECT, 0);
	ck_assert_uint_eq(t.reply.granted, 1);
	close(channel);
}
END_TEST

START_TEST(without_a_connection_nothing_is_proved_upstream)
{
	static const enum broker_kind upstream[] = {
	    BROKER_UPSTREAM_SCRAM, BROKER_UPSTREAM_MD5, BROKER_UPSTREAM_SIGN};
	int channel = worker_of("alice");
	struct told t = ask(channel, upstream[_i]);

	assert_nothing_but_no(&t,
	    upstream[_i] == BROKER_UPSTREAM_SIGN
		? "another upstream"
		: "there is no connection to log in on");
	close(channel);
}
END_TEST

START_TEST(login_without_a_password_proves_nothing)
{
	int channel = (rig.listener = 2, worker_of("alice"));
	struct told t = ask_at(channel, BROKER_UPSTREAM_CONNECT, 2);

	ck_assert_uint_eq(t.reply.granted, 1);
	t = ask(channel, BROKER_UPSTREAM_SCRAM);
	assert_nothing_but_no(&t, "there is no password for this login");
	t = ask(channel, BROKER_UPSTREAM_MD5);
	assert_nothing_but_no(&t, "there is no password for this login");
	close(channel);
}
END_TEST

#define TOO_FEW "fewer than 4096 SCRAM iterations"
#define TOO_MANY "more than 100000 SCRAM iterations"
#define NO_PASSWORD "there is no password for this login"

static const struct {
	enum broker_kind kind;
	uint32_t salt_len, iterations;
	const char *reason;
} challenges[] = {
    {BROKER_UPSTREAM_SCRAM, 0, 4096, NO_PASSWORD},
    {BROKER_UPSTREAM_SCRAM, 16, 0, TOO_FEW},
    {BROKER_UPSTREAM_SCRAM, 16, 1, TOO_FEW},
    {BROKER_UPSTREAM_SCRAM, 16, 4095, TOO_FEW},
    {BROKER_UPSTREAM_SCRAM, 16, 100001, TOO_MANY},
    {BROKER_UPSTREAM_SCRAM, 16, UINT32_MAX, TOO_MANY},
    {BROKER_UPSTREAM_MD5, 0, 0, NO_PASSWORD},
    {BROKER_UPSTREAM_MD5, 3, 0, NO_PASSWORD},
    {BROKER_UPSTREAM_MD5, 5, 0, NO_PASSWORD},
};

START_TEST(challenge_that_is_none_is_not_answered)
{
	struct broker_request q = request_of(challenges[_i].kind);
	int channel = connected_as(0);
	struct told t;

	q.salt_len = challenges[_i].salt_len;
	q.iterations = challenges[_i].iterations;
	say(channel, &q, NULL, 0, -1);
	t = hear(channel);
	assert_nothing_but_no(&t, challenges[_i].reason);
	close(channel);
}
END_TEST

START_TEST(as_many_iterations_as_there_may_be_are_answered)
{
	struct broker_request q = request_of(BROKER_UPSTREAM_SCRAM);
	int channel = connected_as(0);

	q.iterations = 100000;
	say(channel, &q, NULL, 0, -1);
	ck_assert_uint_eq(hear(channel).reply.granted, 1);
	close(channel);
}
END_TEST

/* The catalogue knows what its database wants; what a worker says may be
 * somebody else's wish. Of another database nothing is known by that. */
START_TEST(md5_where_the_catalogue_had_scram_is_not_answered)
{
	int worker = connected_as(0), other = connected_as(4);
	int catalogue = connected_as(5);
	struct told t;

	ck_assert_uint_eq(
	    ask(catalogue, BROKER_UPSTREAM_SCRAM).reply.granted, 1);
	t = ask(worker, BROKER_UPSTREAM_MD5);
	assert_nothing_but_no(&t, "MD5 where Sallyport's own login has SCRAM");
	ck_assert_uint_eq(ask(other, BROKER_UPSTREAM_MD5).reply.granted, 1);
	ck_assert_uint_eq(
	    ask(catalogue, BROKER_UPSTREAM_MD5).reply.granted, 1);
	ck_assert_uint_eq(ask(worker, BROKER_UPSTREAM_MD5).reply.granted, 1);
	close(worker);
	close(other);
	close(catalogue);
}
END_TEST

/* --- the client's socket --------------------------------------------------- */

/* What is no client's: a file; the channel itself; a listener; a pair's end;
 * a client's own end; what was connected elsewhere. */
static int
wrong_socket(int which, int channel)
{
	socklen_t len = sizeof(rig.master.bound[0]);
	int pair[2], elsewhere;

	if (which < 2)
		return which == 0 ? open("/dev/null", O_RDWR | O_CLOEXEC)
				  : dup(channel);
	if (which == 2)
		return dup(rig.listeners[0]);
	if (which == 3) {
		ck_assert_int_eq(
		    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair),
		    0);
		close(pair[1]);
		return pair[0];
	}
	elsewhere = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (which == 4) { /* the end that connects */
		ck_assert_int_eq(connect(elsewhere,
				     (struct sockaddr *)&rig.master.bound[0],
				     sizeof(struct sockaddr_in)),
		    0);
		return elsewhere;
	}
	ck_assert_int_eq(listen(elsewhere, 1), 0);
	ck_assert_int_eq(
	    getsockname(elsewhere, (struct sockaddr *)&rig.master.bound[0],
		&len),
	    0); /* here: the broker has its own */
	close(rig.listeners[0]);
	rig.listeners[0] = elsewhere;
	return rig_client();
}

START_TEST(login_without_its_clients_socket_is_refused_and_recorded)
{
	int channel = rig_grant_worker();
	int fd = wrong_socket(_i, channel);
	struct broker_request q = request_of(BROKER_CLIENT_START);
	char record[RECORD_MAX];
	struct told t;

	say(channel, &q, NULL, 0, fd);
	close(fd);
	t = hear(channel);
	assert_nothing_but_no(&t, "no socket of a client of ours");
	ck_assert(record_take(record));
	ck_assert_ptr_nonnull(strstr(record, "\"kind\":1,"));
	t = ask(channel, BROKER_CLIENT_START);
	assert_nothing_but_no(&t, NOT_PERMITTED);
	close(channel);
}
END_TEST

/* With it, clients of that listener could be deceived. */
START_TEST(login_after_another_listeners_handshake_is_refused_and_recorded)
{
	int channel = rig_grant_worker(), i;
	char record[RECORD_MAX];
	struct told t;

	for (i = 0; i < 2; i++) { /* its own first: that is as it should be */
		channel = i == 0 ? channel : rig_grant_worker();
		rig.listener = 1;
		ck_assert_uint_eq(
		    ask_at(channel, BROKER_LISTENER_SIGN, i == 0 ? 1 : 0)
			.reply.granted,
		    1);
		t = ask_as(channel, "alice");
		ck_assert_uint_eq(t.reply.granted, i == 0);
		ck_assert_int_eq(record_take(record), i == 1);
		if (i == 0)
			close(channel);
	}
	assert_nothing_but_no(&t, "another listener's handshake was signed");
	ck_assert_ptr_nonnull(strstr(record, "\"request-refused\""));
	ck_assert_ptr_nonnull(strstr(record, "\"kind\":1,"));
	t = ask_with_secret(channel, TEXT("secret"));
	assert_nothing_but_no(&t, NOT_PERMITTED);
	close(channel);
}
END_TEST

START_TEST(upstream_is_that_of_the_clients_listener_and_no_other)
{
	uint32_t place;
	struct told t;
	int channel;

	rig.listener = (uint32_t)_i;
	channel = worker_of("alice");
	for (place = 0; place < 3; place++) {
		t = ask_at(channel, BROKER_UPSTREAM_CONNECT, place);
		if (place == (uint32_t)_i)
			ck_assert_uint_eq(t.reply.granted, 1);
		else
			assert_nothing_but_no(&t, "another upstream");
	}
	close(channel);
}
END_TEST

START_TEST(address_that_fails_tells_whether_there_are_more)
{
	int channel = worker_of("alice");
	struct broker_request q = request_of(BROKER_UPSTREAM_CONNECT);
	struct outcome o;
	struct told t;

	q.attempt = 3;
	say(channel, &q, NULL, 0, -1);
	errand_take(rig.porter);
	ck_assert_uint_eq(rig.errand.attempt, 3);
	o = outcome_good();
	o.result = OUTCOME_NO;
	o.has_more = 1;
	outcome_bring(rig.porter, &o);
	t = hear_only(channel);
	ck_assert(t.reply.granted == 0 && t.reply.has_more == 1 && t.fd < 0);
	close(channel);
}
END_TEST

static void
add_passwords(TCase *t)
{
	tcase_add_loop_test(t, proof_that_is_right_lets_in_and_no_other, 0,
	    COUNT(proofs));
	tcase_add_loop_test(t, proof_of_before_is_none_now, 0, 2);
	tcase_add_test(t, proof_for_one_channel_is_none_in_another);
	tcase_add_loop_test(t, messages_that_are_none_prove_nothing, 0, 3);
	tcase_add_loop_test(
	    t, login_without_a_name_or_an_end_is_refused, 0, 2);
	tcase_add_test(t, unknown_name_is_asked_and_refused_as_a_known_one);
	tcase_add_test(t, made_up_salt_is_the_same_each_time);
	tcase_add_test(t, too_many_guesses_are_not_looked_at);
	tcase_add_test(t, right_proof_takes_back_what_it_was_charged);
	tcase_add_test(
	    t, guesses_that_are_looked_at_together_count_all_the_same);
	tcase_add_test(t, tokens_that_are_looked_at_together_do_not_count);
	tcase_add_test(t, wrong_tokens_count);
}

static void
add_others(TCase *t)
{
	tcase_add_loop_test(t, secret_in_clear_is_not_asked_for, 0, 2);
	tcase_add_test(
	    t, record_tells_of_an_unknown_name_that_would_give_a_secret);
	tcase_add_test(t, secret_on_this_machine_is_asked_for);
	tcase_add_loop_test(
	    t, secret_of_no_length_or_too_great_a_one_is_refused, 0, 4);
	tcase_add_test(t, password_with_a_zero_is_nobodys);
	tcase_add_test(t, password_is_asked_of_pam_about_that_person);
	tcase_add_loop_test(t, token_lets_in_whom_it_names, 0, COUNT(tokens));
	tcase_add_test(t, certificate_is_looked_at_with_what_was_signed);
	tcase_add_loop_test(
	    t, certificate_of_another_listener_or_without_tls_is_none, 0, 2);
	tcase_add_test(t, certificate_that_is_wrong_is_told_at_the_end);
	tcase_add_test(t, process_is_an_agent);
}

static void
add_upstream(TCase *t)
{
	tcase_add_loop_test(t, login_upstream_is_the_first_for_this_identity,
	    0, COUNT(logins));
	tcase_add_loop_test(t, other_upstream_than_the_first_is_none, 0, 2);
	tcase_add_test(t, upstream_there_is_not_is_none);
	tcase_add_loop_test(
	    t, without_a_connection_nothing_is_proved_upstream, 0, 3);
	tcase_add_test(t, login_without_a_password_proves_nothing);
	tcase_add_loop_test(t, challenge_that_is_none_is_not_answered, 0,
	    COUNT(challenges));
	tcase_add_test(t, as_many_iterations_as_there_may_be_are_answered);
	tcase_add_test(t, md5_where_the_catalogue_had_scram_is_not_answered);
	tcase_add_loop_test(t,
	    login_without_its_clients_socket_is_refused_and_recorded, 0, 6);
	tcase_add_test(t,
	    login_after_another_listeners_handshake_is_refused_and_recorded);
	tcase_add_loop_test(
	    t, upstream_is_that_of_the_clients_listener_and_no_other, 0, 3);
	tcase_add_test(t, address_that_fails_tells_whether_there_are_more);
}

int
main(void)
{
	Suite *s = suite_create("broker_login");
	TCase *t = tcase_create("login"), *agents = tcase_create("agents");

	tcase_add_checked_fixture(t, rig_start, rig_stop);
	tcase_set_timeout(t, 60);
	add_passwords(t);
	add_others(t);
	add_upstream(t);
	suite_add_tcase(s, t);
	tcase_add_checked_fixture(agents, start_with_agents, rig_stop);
	tcase_add_test(
	    agents, unknown_name_costs_as_many_iterations_as_agents_do);
	suite_add_tcase(s, agents);
	return suite_run(s);
}
