/* links: worker/rights.c common/identity.c common/identity_groups.c common/who.c common/text.c common/settings_login.c common/schema.c common/schema_scalar.c common/yaml.c common/diagnostics.c common/arena.c common/err.c common/who_read.c */
/* What is left of a session's identity when identities.yaml has changed. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/identity_groups.h"
#include "tests/unit/suite.h"
#include "worker/rights.h"

#define T(s) {(char *)(uintptr_t)s, sizeof(s) - 1}

static struct text two[] = {T("analysts"), T("dba")}, one[] = {T("dba")};
static struct text many[IDENTITY_GROUPS_MAX];
static struct who for_dba[] = {{.group = one, .group_count = 1}};
static struct person people[] = {
    {.name = T("alice"), .groups = two, .group_count = 2}, {.name = T("bob")}};
static struct agent agents[] = {
    {.name = T("copilot"), .groups = one, .group_count = 1,
	.acts_for = for_dba, .acts_for_count = 1}};
static struct upstream_login logins[2];
static struct upstream upstream = {.logins = logins, .login_count = 1};
static struct broker_identity who;
static struct identity identity;
static struct policy policy;
static struct gate gate;

/* Somebody came with these groups of a token, and with those of the file. */
static void
begin(const char *user, const char *agent, const struct text *list,
    size_t count, const char *brought)
{
	memset(&who, 0, sizeof(who));
	strcpy(who.user, user);
	strcpy(who.agent, agent);
	if (brought != NULL)
		ck_assert(identity_groups_bring(&who, text_of(brought)));
	ck_assert(identity_groups_renew(&who, list, count));
	identity = (struct identity){
	    .user = text_of(who.user), .agent = text_of(who.agent)};
	policy.identities = (struct identities){.people = people,
	    .person_count = 2,
	    .agents = agents,
	    .agent_count = 1};
	people[0].groups = two;
	people[0].group_count = 2;
	gate = (struct gate){.who = &who,
	    .identity = &identity,
	    .policy = &policy,
	    .upstream = &upstream};
	ck_assert(rights_renew(&gate));
}

/* The groups, with a comma behind each. */
static void
assert_groups(const char *want)
{
	char got[256] = "";
	size_t i;

	for (i = 0; i < identity.group_count; i++) {
		strncat(got, identity.groups[i].at, identity.groups[i].len);
		strcat(got, ",");
	}
	ck_assert_str_eq(got, want);
}

START_TEST(groups_are_those_of_the_file_now)
{
	begin("alice", "", two, 2, NULL);
	assert_groups("analysts,dba,");
	people[0].groups = one;
	people[0].group_count = 1;
	ck_assert(rights_renew(&gate));
	assert_groups("dba,");
	people[0].group_count = 0;
	ck_assert(rights_renew(&gate));
	assert_groups("");
}
END_TEST

START_TEST(groups_of_the_token_stay)
{
	begin("alice", "", two, 2, "night");
	assert_groups("analysts,dba,night,");
	people[0].group_count = 0;
	ck_assert(rights_renew(&gate));
	assert_groups("night,");
	people[0].group_count = 1;
	ck_assert(rights_renew(&gate));
	assert_groups("analysts,night,");
}
END_TEST

START_TEST(group_of_file_and_token_stays_when_the_file_has_it_no_more)
{
	begin("alice", "", two, 2, "dba");
	assert_groups("analysts,dba,");
	people[0].group_count = 1;
	ck_assert(rights_renew(&gate));
	assert_groups("analysts,dba,");
	people[0].group_count = 0;
	ck_assert(rights_renew(&gate));
	assert_groups("dba,");
}
END_TEST

START_TEST(agent_alone_has_its_own_groups)
{
	begin("", "copilot", one, 1, "night");
	assert_groups("dba,night,");
}
END_TEST

static void
assert_barred(const char *reason)
{
	ck_assert(!rights_renew(&gate));
	ck_assert(gate.is_barred);
	ck_assert_msg(strstr(gate.reason, reason) != NULL, "%s", gate.reason);
}

START_TEST(who_is_known_no_more_is_barred_for_good)
{
	begin("alice", "copilot", two, 2, NULL);
	policy.identities.people = people + 1;
	policy.identities.person_count = 1;
	assert_barred("person is known no more");
	policy.identities.people = people;
	policy.identities.person_count = 2;
	assert_barred("person is known no more");
	begin("alice", "copilot", two, 2, NULL);
	policy.identities.agent_count = 0;
	assert_barred("agent is known no more");
	begin("", "copilot", one, 1, NULL);
	policy.identities.agent_count = 0;
	assert_barred("agent is known no more");
}
END_TEST

START_TEST(agent_that_may_not_act_any_more_is_barred)
{
	begin("alice", "copilot", two, 2, NULL);
	people[0].group_count = 1;
	assert_barred("may not act");
	/* a group of the token's is as good */
	begin("alice", "copilot", two, 2, "dba");
	people[0].group_count = 1;
	ck_assert(rights_renew(&gate));
	/* alone it acts for nobody */
	begin("", "copilot", one, 1, NULL);
	agents[0].acts_for_count = 0;
	ck_assert(rights_renew(&gate));
	agents[0].acts_for_count = 1;
}
END_TEST

START_TEST(who_would_have_another_account_at_the_database_is_barred)
{
	logins[0].who = (struct who){.group = one, .group_count = 1};
	upstream.login_count = 2;
	begin("alice", "", two, 2, NULL);
	people[0].group_count = 1;
	assert_barred("another account");
	upstream.login_count = 1;
}
END_TEST

START_TEST(more_groups_than_there_is_room_for_bar)
{
	static char names[IDENTITY_GROUPS_MAX][8];
	size_t i;

	for (i = 0; i < IDENTITY_GROUPS_MAX; i++) {
		snprintf(names[i], sizeof(names[i]), "g%zu", i);
		many[i] = text_of(names[i]);
	}
	begin("alice", "", two, 2, NULL);
	people[0].groups = many;
	people[0].group_count = IDENTITY_GROUPS_MAX;
	ck_assert(rights_renew(&gate));
	begin("alice", "", two, 2, "night");
	people[0].groups = many;
	people[0].group_count = IDENTITY_GROUPS_MAX;
	assert_barred("too many groups");
}
END_TEST

START_TEST(nobody_is_barred)
{
	begin("alice", "", two, 2, NULL);
	gate.who = NULL;
	assert_barred("nobody");
	begin("alice", "", two, 2, NULL);
	identity.user.len = 0;
	assert_barred("nobody");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("rights");
	TCase *t = tcase_create("rights");

	tcase_add_test(t, groups_are_those_of_the_file_now);
	tcase_add_test(t, groups_of_the_token_stay);
	tcase_add_test(
	    t, group_of_file_and_token_stays_when_the_file_has_it_no_more);
	tcase_add_test(t, agent_alone_has_its_own_groups);
	tcase_add_test(t, who_is_known_no_more_is_barred_for_good);
	tcase_add_test(t, agent_that_may_not_act_any_more_is_barred);
	tcase_add_test(
	    t, who_would_have_another_account_at_the_database_is_barred);
	tcase_add_test(t, more_groups_than_there_is_room_for_bar);
	tcase_add_test(t, nobody_is_barred);
	suite_add_tcase(s, t);
	return suite_run(s);
}
