/* links: master/admission.c master/admission_tell.c common/identity.c common/identity_groups.c common/who.c common/text.c common/certificate_name.c common/wire.c */
/*
 * Who has to prove what to get in: every combination of entries, and of what
 * connections show.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "master/admission.h"
#include "tests/unit/suite.h"

#define T(s) {(char *)(uintptr_t)s, sizeof(s) - 1}
#define VERIFIER "SCRAM-SHA-256$4096:c2FsdA==$x:y"

static struct text analysts[] = {T("analysts")}, jobs[] = {T("jobs")};
static struct text of_copilot[] = {T("uri:spiffe://shop/copilot")};
static struct text of_erin[] = {T("email:erin@shop"), T("cn:erin")};
static uid_t job_uids[] = {4242};
static struct text group_analysts[] = {T("analysts")};
static struct who analysts_only[] = {
    {.group = group_analysts, .group_count = 1}};
static struct who everybody[] = {{.user = NULL}};

static struct person people[] = {
    {.name = T("alice"), .groups = analysts, .group_count = 1,
	.password = T(VERIFIER)},
    {.name = T("bob")}, /* by a token */
    {.name = T("dora"), .pam = "sallyport"},
    {.name = T("erin"), .certificates = of_erin, .certificate_count = 2},
    {.name = T("fay"), .certificates = of_erin, .certificate_count = 1,
	.password = T(VERIFIER)},
};

static struct agent agents[] = {
    {.name = T("helper"), .password = T(VERIFIER), .acts_for = analysts_only,
	.acts_for_count = 1},
    {.name = T("copilot"), .certificates = of_copilot,
	.certificate_count = 1, .acts_for = everybody, .acts_for_count = 1},
    {.name = T("careful"), .certificates = of_copilot,
	.certificate_count = 1, .needs_person = true, .acts_for = everybody,
	.acts_for_count = 1},
    {.name = T("job"), .executable = T("/usr/bin/job"), .uids = job_uids,
	.uid_count = 1, .sha256 = T("ab"), .groups = jobs, .group_count = 1},
    {.name = T("bearer"), .acts_for = analysts_only, .acts_for_count = 1},
};

static const struct identities ids = {.people = people,
    .person_count = sizeof(people) / sizeof(people[0]),
    .agents = agents,
    .agent_count = sizeof(agents) / sizeof(agents[0]),
    .issuer_count = 1};

static const struct certificate_facts copilots = {.name_count = 1,
    .names_len = 26, .names = "uri:spiffe://shop/copilot",
    .subject = "CN=x", .not_after = 2000};
static const struct certificate_facts erins = {.name_count = 2,
    .names_len = 24, .names = "cn:erin\0email:erin@shop"};
static const struct certificate_facts both_names = {.name_count = 2,
    .names_len = 34, .names = "cn:erin\0uri:spiffe://shop/copilot"};
static const struct process_facts job = {.uid = 4242, .pid = 7,
    .executable = "/usr/bin/job", .is_genuine = 1, .sha256 = "ab"};
static const struct process_facts other_uid = {.uid = 4243, .pid = 7,
    .executable = "/usr/bin/job", .is_genuine = 1, .sha256 = "ab"};
static const struct process_facts replaced = {.uid = 4242, .pid = 7,
    .executable = "/usr/bin/job", .is_genuine = 0, .sha256 = "ab"};
static const struct process_facts changed = {.uid = 4242, .pid = 7,
    .executable = "/usr/bin/job", .is_genuine = 1, .sha256 = "cd"};
static const struct process_facts user_only = {.uid = 1};
static const struct process_facts elsewhere = {.uid = 4242, .pid = 7,
    .executable = "/usr/bin/job2", .is_genuine = 1, .sha256 = "ab"};

static const struct {
	const char *login;
	const struct certificate_facts *certificate;
	const struct process_facts *process;
	enum admission_proof proof;
	bool is_refused;
	const char *user_via, *agent_via; /* when all is proved */
} plans[] = {
    {"alice", NULL, NULL, PROOF_SCRAM, false, "scram-sha-256", ""},
    {"dora", NULL, NULL, PROOF_PAM, false, "pam", ""},
    {"erin", &erins, NULL, PROOF_NONE, false, "certificate", ""},
    {"fay", &erins, NULL, PROOF_SCRAM, false, "certificate+scram-sha-256", ""},
    {"helper", NULL, NULL, PROOF_SCRAM, false, "", "scram-sha-256"},
    {"alice+helper", NULL, NULL, PROOF_SCRAM, false, "agent",
	"scram-sha-256"},
    {"copilot", &copilots, NULL, PROOF_NONE, false, "", "certificate"},
    {"bob+copilot", &copilots, NULL, PROOF_NONE, false, "agent",
	"certificate"},
    {"alice+careful", &copilots, NULL, PROOF_SCRAM, false, "scram-sha-256",
	"certificate"},
    {"dora+careful", &copilots, NULL, PROOF_PAM, false, "pam", "certificate"},
    {"careful", &copilots, NULL, PROOF_NONE, false, "", "certificate"},
    {"job", NULL, &job, PROOF_NONE, false, "", "process"},
    /* an exchange all the same, and then no */
    {"erin", NULL, NULL, PROOF_SCRAM, true, NULL, NULL},
    {"erin", &copilots, NULL, PROOF_SCRAM, true, NULL, NULL},
    {"fay", NULL, NULL, PROOF_SCRAM, true, NULL, NULL},
    {"copilot", NULL, NULL, PROOF_SCRAM, true, NULL, NULL},
    {"copilot", &erins, NULL, PROOF_SCRAM, true, NULL, NULL},
    {"alice+careful", &erins, NULL, PROOF_SCRAM, true, NULL, NULL},
    /* the person's certificate cannot be shown beside the agent's */
    {"erin+careful", &copilots, NULL, PROOF_SCRAM, true, NULL, NULL},
    {"fay+careful", &copilots, NULL, PROOF_SCRAM, true, NULL, NULL},
    {"erin+careful", &both_names, NULL, PROOF_SCRAM, true, NULL, NULL},
    {"bob+helper", NULL, NULL, PROOF_SCRAM, true, NULL, NULL},
    {"alice+job", NULL, &job, PROOF_SCRAM, true, NULL, NULL},
    {"job", NULL, NULL, PROOF_SCRAM, true, NULL, NULL},
    {"job", NULL, &other_uid, PROOF_SCRAM, true, NULL, NULL},
    {"job", NULL, &replaced, PROOF_SCRAM, true, NULL, NULL},
    {"job", NULL, &changed, PROOF_SCRAM, true, NULL, NULL},
    {"job", NULL, &elsewhere, PROOF_SCRAM, true, NULL, NULL},
};

static uint64_t chosen;

static uint64_t
choose(const void *context, struct text name)
{
	(void)context;
	(void)name;
	return chosen;
}

static const struct mimic mimic = {choose, NULL};

START_TEST(plan_asks_for_what_the_entries_name)
{
	const struct connection_facts facts = {
	    plans[_i].process, plans[_i].certificate, NULL, NULL};
	struct broker_identity who;
	struct admission a;

	admission_plan(&ids, text_of(plans[_i].login), &facts, &mimic, &a);
	ck_assert_int_eq(a.proof, plans[_i].proof);
	ck_assert_int_eq(a.refusal != NULL, plans[_i].is_refused);
	if (a.refusal == NULL)
		ck_assert_int_eq(a.verifier.len > 0, a.proof == PROOF_SCRAM);
	ck_assert_int_eq(admission_finish(&a, &facts, NULL, &who) != NULL,
	    plans[_i].is_refused);
	if (plans[_i].is_refused)
		return;
	ck_assert_str_eq(who.user_via, plans[_i].user_via);
	ck_assert_str_eq(who.agent_via, plans[_i].agent_via);
}
END_TEST

static const struct {
	const char *login, *wrong;
	const struct certificate_facts *certificate;
	const struct process_facts *process;
	const char *reason;
} refusals[] = {
    {"copilot", NULL, &erins, NULL, "the certificate is somebody else's: "
	"cn:erin, email:erin@shop"},
    {"job", NULL, NULL, NULL, "the process is unknown"},
    {"job", "it has ended", NULL, &user_only, "the process is unknown: it has "
	"ended"},
    {"job", NULL, NULL, &other_uid, "another process than the one allowed: "
	"pid 7, its uid is 4243, its executable /usr/bin/job"},
    {"job", NULL, NULL, &elsewhere, "another process than the one allowed: "
	"pid 7, uid 4242, its executable is /usr/bin/job2"},
    {"job", "it was replaced", NULL, &replaced, "another process than the one "
	"allowed: pid 7, uid 4242, not genuine: it was replaced"},
    {"job", NULL, NULL, &changed, "another process than the one allowed: "
	"pid 7, its sha256 is cd"},
};

START_TEST(refusal_says_what_the_connection_showed_instead)
{
	const struct connection_facts facts = {refusals[_i].process,
	    refusals[_i].certificate, NULL, refusals[_i].wrong};
	struct admission a;

	admission_plan(
	    &ids, text_of(refusals[_i].login), &facts, &mimic, &a);
	ck_assert_ptr_nonnull(a.refusal);
	ck_assert_str_eq(a.refusal, refusals[_i].reason);
}
END_TEST

START_TEST(names_that_have_no_room_are_cut_off)
{
	struct certificate_facts many = {.names_len = 4000};
	const struct connection_facts facts = {.certificate = &many};
	struct admission a;

	memset(many.names, 'x', sizeof(many.names));
	many.names[100] = many.names[3999] = '\0';
	admission_plan(&ids, TEXT("copilot"), &facts, &mimic, &a);
	ck_assert_uint_eq(strlen(a.refusal), ADMISSION_REASON_MAX - 1);
}
END_TEST

START_TEST(without_issuers_nobody_enters_by_a_token)
{
	struct identities none = ids;
	const struct connection_facts facts = {0};
	struct admission a;

	none.issuer_count = 0;
	admission_plan(&none, TEXT("bob"), &facts, &mimic, &a);
	ck_assert_int_eq(a.proof, PROOF_TOKEN); /* as if there were some */
	ck_assert_str_eq(
	    a.refusal, "no proof in identities.yaml, and no `tokens`");
	admission_plan(&none, TEXT("alice"), &facts, &mimic, &a);
	ck_assert_ptr_null(a.refusal);
}
END_TEST

START_TEST(unknown_name_is_asked_for_what_somebody_is_asked_for)
{
	const struct connection_facts none = {.process = NULL};
	bool has[PROOF_PAM + 1] = {false};
	struct broker_identity who;
	struct admission a, again;

	for (chosen = 0; chosen < ids.person_count; chosen++) {
		admission_plan(&ids, TEXT("mallory"), &none, &mimic, &a);
		admission_plan(
		    &ids, TEXT("mallory+nobody"), &none, &mimic, &again);
		ck_assert_int_eq(a.proof, again.proof);
		ck_assert_str_eq(a.refusal, "unknown user");
		ck_assert(a.is_nobodys && again.is_nobodys);
		ck_assert(text_is(a.subject, TEXT("mallory")));
		ck_assert(text_is(again.subject, TEXT("nobody")));
		ck_assert_uint_eq(a.verifier.len, 0);
		ck_assert_ptr_nonnull(
		    admission_finish(&a, &none, NULL, &who));
		ck_assert_int_ne(a.proof, PROOF_NONE);
		has[a.proof] = true;
	}
	chosen = 0;
	ck_assert(has[PROOF_SCRAM] && has[PROOF_TOKEN] && has[PROOF_PAM]);
}
END_TEST

/* Through the same agent, on the same kind of connection. */
static const struct {
	const char *known, *not_acted_for, *unknown;
	const struct certificate_facts *certificate;
} alikes[] = {
    {"alice+helper", "bob+helper", "mallory+helper", NULL},
    {"alice+bearer", "bob+bearer", "mallory+bearer", NULL},
    {"alice+copilot", "bob+copilot", "mallory+copilot", NULL},
};

START_TEST(persons_are_not_told_apart_through_an_agent)
{
	const struct connection_facts facts = {
	    .certificate = alikes[_i].certificate};
	const char *const logins[] = {alikes[_i].known,
	    alikes[_i].not_acted_for, alikes[_i].unknown};
	struct admission first, a;
	size_t i;

	admission_plan(&ids, text_of(logins[0]), &facts, &mimic, &first);
	for (i = 1; i < 3; i++) {
		admission_plan(&ids, text_of(logins[i]), &facts, &mimic, &a);
		ck_assert_int_eq(a.proof, first.proof);
		ck_assert(text_is(a.subject, first.subject));
		ck_assert(text_is(a.verifier, first.verifier));
	}
}
END_TEST

START_TEST(person_is_asked_for_the_same_alone_and_behind_an_agent)
{
	const struct connection_facts facts = {.certificate = &copilots};
	static const char *const names[][2] = {{"alice", "alice+careful"},
	    {"bob", "bob+careful"}, {"dora", "dora+careful"},
	    {"erin", "erin+careful"}, {"fay", "fay+careful"},
	    {"mallory", "mallory+careful"}};
	struct admission alone, behind;
	size_t i;

	for (chosen = 0; chosen < ids.person_count; chosen++) {
		for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			admission_plan(&ids, text_of(names[i][0]), &facts,
			    &mimic, &alone);
			admission_plan(&ids, text_of(names[i][1]), &facts,
			    &mimic, &behind);
			ck_assert_int_eq(alone.proof, behind.proof);
			ck_assert(text_is(alone.subject, behind.subject));
			ck_assert(text_is(alone.verifier, behind.verifier));
		}
	}
	chosen = 0;
}
END_TEST

static const struct {
	const char *login, *user, *agent, *group; /* of the token */
	bool is_right;
} tokens[] = {
    {"bob", "bob", "", "", true},
    {"bob", "alice", "", "", false},
    {"bob", "bob", "bearer", "", false}, /* not alone */
    {"bob", "Bob", "", "", false},
    {"bearer", "bearer", "", "", true},
    {"bearer", "bob", "bearer", "", false},
    {"bearer", "bearer", "bearer", "", false},
    {"alice+bearer", "alice", "bearer", "", true},
    {"alice+bearer", "alice", "", "", false},
    {"alice+bearer", "alice", "copilot", "", false},
    {"alice+bearer", "bob", "bearer", "", false},
    {"bob+bearer", "bob", "bearer", "", false}, /* may not act for him */
    {"bob+bearer", "bob", "bearer", "analysts", true}, /* now it may */
    {"bob+bearer", "bob", "bearer", "dba", false},
};

START_TEST(token_must_speak_of_this_login)
{
	const struct connection_facts none = {0};
	struct token_facts t = {.expires_at = 1000};
	struct broker_identity who;
	struct admission a;

	strcpy(t.user, tokens[_i].user);
	strcpy(t.agent, tokens[_i].agent);
	strcpy(t.groups[0], tokens[_i].group);
	t.has_groups = t.group_count = tokens[_i].group[0] != '\0';
	admission_plan(&ids, text_of(tokens[_i].login), &none, &mimic, &a);
	ck_assert_int_eq(a.proof, PROOF_TOKEN);
	ck_assert_int_eq(admission_finish(&a, &none, &t, &who) == NULL,
	    tokens[_i].is_right);
	if (tokens[_i].is_right) {
		ck_assert_str_eq(who.via, "token");
		ck_assert_int_eq(who.expires_at, 1000);
	}
}
END_TEST

START_TEST(token_proves_no_person_who_has_a_certificate)
{
	static const char *const logins[] = {"erin+careful", "fay+careful"};
	const struct connection_facts facts = {.certificate = &copilots};
	struct token_facts t = {.expires_at = 1000};
	struct broker_identity who;
	struct admission a;
	size_t i;

	for (i = 0; i < 2; i++) {
		admission_plan(
		    &ids, text_of(logins[i]), &facts, &mimic, &a);
		ck_assert_int_ne(a.proof, PROOF_TOKEN);
		snprintf(t.user, sizeof(t.user), "%.*s",
		    (int)strcspn(logins[i], "+"), logins[i]);
		ck_assert_str_eq(admission_finish(&a, &facts, &t, &who),
		    "the person's own proof is a certificate, which cannot "
		    "be shown through an agent");
		ck_assert_str_eq(who.user, "");
	}
}
END_TEST

/* The agent's word, as it would be with a password. */
START_TEST(agents_token_is_no_proof_of_who_has_another)
{
	static const char *const logins[] = {"alice+bearer", "bob+bearer"};
	static const char *const vias[] = {"agent", "token"};
	const struct connection_facts none = {.process = NULL};
	struct token_facts t = {.agent = "bearer", .groups = {"analysts"},
	    .has_groups = 1, .group_count = 1};
	struct broker_identity who;
	struct admission a;
	size_t i;

	for (i = 0; i < 2; i++) {
		admission_plan(&ids, text_of(logins[i]), &none, &mimic, &a);
		snprintf(t.user, sizeof(t.user), "%.*s",
		    (int)strcspn(logins[i], "+"), logins[i]);
		ck_assert_ptr_null(admission_finish(&a, &none, &t, &who));
		ck_assert_str_eq(who.user_via, vias[i]);
		ck_assert_str_eq(who.agent_via, "token");
	}
}
END_TEST

START_TEST(certificate_that_proves_nobody_says_why)
{
	struct connection_facts facts = {0};
	struct admission a;

	admission_plan(&ids, TEXT("bob+careful"), &facts, &mimic, &a);
	ck_assert_str_eq(a.refusal, "no client certificate");
	facts.certificate_wrong = "it is a CA's";
	admission_plan(&ids, TEXT("bob+careful"), &facts, &mimic, &a);
	ck_assert_str_eq(a.refusal, "it is a CA's");
	admission_plan(&ids, TEXT("bob"), &facts, &mimic, &a);
	ck_assert_ptr_null(a.refusal); /* who needs none is not concerned */
}
END_TEST

START_TEST(agent_by_certificate_and_person_by_token_expire_with_the_first)
{
	const struct connection_facts facts = {.certificate = &copilots};
	struct token_facts t = {.user = "bob", .expires_at = 3000};
	struct broker_identity who;
	struct admission a;

	admission_plan(&ids, TEXT("bob+careful"), &facts, &mimic, &a);
	ck_assert_int_eq(a.proof, PROOF_TOKEN);
	ck_assert_ptr_null(admission_finish(&a, &facts, &t, &who));
	ck_assert_str_eq(who.via, "certificate+token");
	ck_assert_str_eq(who.user_via, "token");
	ck_assert_str_eq(who.agent_via, "certificate");
	ck_assert_int_eq(who.expires_at, 2000);
	strcpy(t.agent, "copilot"); /* it speaks of another */
	ck_assert_ptr_nonnull(admission_finish(&a, &facts, &t, &who));
}
END_TEST

START_TEST(too_many_groups_are_an_error_and_not_fewer_groups)
{
	const struct connection_facts none = {0};
	struct token_facts t = {.user = "bob"};
	struct broker_identity who;
	struct admission a;
	uint32_t i;

	for (i = 0; i < ERRAND_GROUPS_MAX; i++)
		snprintf(t.groups[i], sizeof(t.groups[i]), "g%u", i);
	t.group_count = ERRAND_GROUPS_MAX;
	admission_plan(&ids, TEXT("bob"), &none, &mimic, &a);
	ck_assert_ptr_null(admission_finish(&a, &none, &t, &who));
	ck_assert_uint_eq(who.group_count, ERRAND_GROUPS_MAX);
	people[1].groups = analysts;
	people[1].group_count = 1;
	ck_assert_ptr_nonnull(admission_finish(&a, &none, &t, &who));
	people[1].groups = NULL;
	people[1].group_count = 0;
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("admission");
	TCase *c = tcase_create("admission");

	tcase_add_loop_test(c, plan_asks_for_what_the_entries_name, 0,
	    sizeof(plans) / sizeof(plans[0]));
	tcase_add_loop_test(c, refusal_says_what_the_connection_showed_instead,
	    0, sizeof(refusals) / sizeof(refusals[0]));
	tcase_add_test(c, names_that_have_no_room_are_cut_off);
	tcase_add_test(c, without_issuers_nobody_enters_by_a_token);
	tcase_add_test(
	    c, unknown_name_is_asked_for_what_somebody_is_asked_for);
	tcase_add_loop_test(c, persons_are_not_told_apart_through_an_agent, 0,
	    sizeof(alikes) / sizeof(alikes[0]));
	tcase_add_test(
	    c, person_is_asked_for_the_same_alone_and_behind_an_agent);
	tcase_add_loop_test(c, token_must_speak_of_this_login, 0,
	    sizeof(tokens) / sizeof(tokens[0]));
	tcase_add_test(c, token_proves_no_person_who_has_a_certificate);
	tcase_add_test(c, agents_token_is_no_proof_of_who_has_another);
	tcase_add_test(c, certificate_that_proves_nobody_says_why);
	tcase_add_test(
	    c, agent_by_certificate_and_person_by_token_expire_with_the_first);
	tcase_add_test(
	    c, too_many_groups_are_an_error_and_not_fewer_groups);
	suite_add_tcase(suite, c);
	return suite_run(suite);
}
