/* links: common/identities.c common/identity.c common/token_read.c common/identity_certificates.c common/certificate_name.c common/wire.c common/who.c common/who_read.c common/scram.c common/hmac.c common/saslprep.c common/schema.c common/schema_scalar.c common/yaml.c common/diagnostics.c common/arena.c common/text.c */
#include <check.h>
#include <stdlib.h>

#include "common/config.h"
#include "tests/unit/scratch.h"
#include "tests/unit/suite.h"

static struct arena *arena;
static struct diagnostics *diagnostics;
static struct identities ids;

static void
setup(void)
{
	arena = arena_new(0);
	diagnostics = diagnostics_new(arena);
	scratch_make();
}

static void
teardown(void)
{
	scratch_remove();
	arena_free(arena);
}

static enum err
load(const char *text)
{
	return identities_load(
	    scratch_write("i.yaml", text), arena, diagnostics, &ids);
}

#define VERIFIER                                                               \
	"SCRAM-SHA-256$4096:c2FsdHNhbHRzYWx0c2FsdA==$"                         \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:"                        \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static const char shop[] =
    "people:\n"
    "  alice: {groups: [analysts], password: \"" VERIFIER "\"}\n"
    "  bob: {groups: support}\n"
    "  carol: {groups: [dba, analysts], uid: 4242}\n"
    "  dave: {uid: [root, 4243]}\n"
    "  daemon: {}\n"
    "agents:\n"
    "  copilot: {password: \"" VERIFIER "\","
    " acts_for: [{group: analysts}]}\n"
    "  helper: {acts_for: {user: b*}}\n"
    "  nightly-sync: {certificate: \"spiffe://x/y\", groups: [jobs]}\n"
    "  report: {executable: /usr/bin/report, sha256: "
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef}\n";

static const struct login {
	const char *login;
	enum err err;
	const char *user, *agent, *group;
} logins[] = {
    {"alice", ERR_NONE, "alice", "", "analysts"},
    {"copilot", ERR_NONE, "", "copilot", NULL},
    {"nightly-sync", ERR_NONE, "", "nightly-sync", "jobs"},
    {"alice+copilot", ERR_NONE, "alice", "copilot", "analysts"},
    {"carol+copilot", ERR_NONE, "carol", "copilot", "dba"},
    {"bob+helper", ERR_NONE, "bob", "helper", "support"},
    {"bob+copilot", ERR_REFUSED, NULL, NULL, NULL},
    {"alice+nightly-sync", ERR_REFUSED, NULL, NULL, NULL},
    {"alice+helper", ERR_REFUSED, NULL, NULL, NULL},
    {"Alice", ERR_NOT_FOUND, NULL, NULL, NULL},
    {"mallory", ERR_NOT_FOUND, NULL, NULL, NULL},
    {"mallory+copilot", ERR_NOT_FOUND, NULL, NULL, NULL},
    {"alice+alice", ERR_NOT_FOUND, NULL, NULL, NULL},
    {"copilot+copilot", ERR_NOT_FOUND, NULL, NULL, NULL},
    {"copilot+alice", ERR_NOT_FOUND, NULL, NULL, NULL},
    {"alice+", ERR_NOT_FOUND, NULL, NULL, NULL},
    {"+copilot", ERR_NOT_FOUND, NULL, NULL, NULL},
    {"+", ERR_NOT_FOUND, NULL, NULL, NULL},
    {"", ERR_NOT_FOUND, NULL, NULL, NULL},
    {"alice+copilot+helper", ERR_NOT_FOUND, NULL, NULL, NULL},
};

START_TEST(login_names_resolve)
{
	const struct login *l = &logins[_i];
	struct identity id;

	ck_assert_int_eq(load(shop), ERR_NONE);
	ck_assert_int_eq(
	    identity_resolve(&ids, text_of(l->login), &id), l->err);
	if (l->err != ERR_NONE)
		return;
	ck_assert(text_is(id.user, text_of(l->user)));
	ck_assert(text_is(id.agent, text_of(l->agent)));
	ck_assert_int_eq(l->group != NULL, id.group_count > 0);
	if (l->group != NULL)
		ck_assert(text_is(id.groups[0], text_of(l->group)));
}
END_TEST

START_TEST(verifiers_are_kept_for_who_has_one)
{
	ck_assert_int_eq(load(shop), ERR_NONE);
	ck_assert(text_is(ids.people[0].password, TEXT(VERIFIER)));
	ck_assert_uint_eq(ids.people[1].password.len, 0);
	ck_assert(text_is(ids.agents[0].password, TEXT(VERIFIER)));
}
END_TEST

START_TEST(operating_system_users_are_people)
{
	ck_assert_int_eq(load(shop), ERR_NONE);
	ck_assert_ptr_null(identity_by_uid(&ids, 1));
	ck_assert_int_eq(identities_find_accounts(&ids, arena), ERR_NONE);
	ck_assert_ptr_eq(identity_by_uid(&ids, 4242), &ids.people[2]);
	ck_assert_ptr_eq(identity_by_uid(&ids, 0), &ids.people[3]);
	ck_assert_ptr_eq(identity_by_uid(&ids, 4243), &ids.people[3]);
	/* by the account's name */
	ck_assert_ptr_eq(identity_by_uid(&ids, 1), &ids.people[4]);
	ck_assert_ptr_null(identity_by_uid(&ids, 4244));
}
END_TEST

START_TEST(who_has_a_uid_is_not_found_by_name)
{
	ck_assert_int_eq(load("people: {daemon: {uid: 77777}}"), ERR_NONE);
	ck_assert_int_eq(identities_find_accounts(&ids, arena), ERR_NONE);
	ck_assert_ptr_null(identity_by_uid(&ids, 1));
}
END_TEST

START_TEST(account_that_is_somebodys_by_uid_is_nobody_elses)
{
	ck_assert_int_eq(
	    load("people: {daemon: {}, erin: {uid: 1}}"), ERR_NONE);
	ck_assert_int_eq(identities_find_accounts(&ids, arena), ERR_NONE);
	ck_assert_ptr_eq(identity_by_uid(&ids, 1), &ids.people[1]);
	ck_assert_uint_eq(ids.people[0].uid_count, 0);
}
END_TEST

static const struct wrong {
	const char *text, *line;
} wrong[] = {
    {"people: {a+b: {}}",
	":1:10: a name has 1 to 63 bytes, no control characters, no +, * or "
	"?, and is not `none`"},
    {"people: {none: {}}",
	":1:10: a name has 1 to 63 bytes, no control characters, no +, * or "
	"?, and is not `none`"},
    {"agents: {\"a\\tb\": {}}",
	":1:10: a name has 1 to 63 bytes, no control characters, no +, * or "
	"?, and is not `none`"},
    {"people: {"
     "a234567890123456789012345678901234567890123456789012345678901234: {}}",
	":1:10: a name has 1 to 63 bytes, no control characters, no +, * or "
	"?, and is not `none`"},
    {"people: {a: {}, a: {}}", ":1:17: `a` is here twice (first in line 1)"},
    {"people: {a: {}}\nagents: {a: {}}",
	":2:10: `a` is a person already: a name is one or the other"},
    {"people: {a: {password: secret}}",
	":1:24: not a SCRAM-SHA-256 verifier: make one with `sallyport "
	"passwd`"},
    {"people: {a: {group: x}}",
	":1:14: unknown key in a person: `group` (did you mean `groups`?)"},
    {"people: {a: {uid: no-such-account}}",
	":1:19: no such operating system user: `no-such-account`"},
    {"people: {a: {uid: 4294967295}}",
	":1:19: 4294967295 is not between 0 and 4294967294"},
    {"people: {a: {uid: 5}, b: {uid: [6, 5]}}",
	":1:32: uid 5 is already `a`"},
    {"people: {a: {groups: [x]}}\nagents: {b: {acts_for: {group: xs}}}",
	":2:32: unknown group `xs` (did you mean `x`?)"},
    {"people: {alice: {}}\nagents: {b: {acts_for: [{user: alcie}]}}",
	":2:32: unknown user `alcie` (did you mean `alice`?)"},
    {"agents: {b: {certificate: nightly}}",
	":1:27: a certificate's name begins with spiffe://, uri:, dns:, "
	"email: or cn:"},
    {"people: {a: {certificate: [dns:x.example, 'dns:*.example']}}",
	":1:43: not a DNS name (wildcards are none)"},
    {"agents: {b: {certificate: spiffe://Shop.example/x}}",
	":1:27: not a URI; a SPIFFE ID is spiffe://, a trust domain in lower "
	"case and a path, and nothing else"},
    {"agents: {b: {certificate: ''}}", ":1:27: expected a word"},
    {"agents: {b: {certificate: []}}", ":1:27: `certificate` is empty"},
    {"people: {a: {certificate: dns:X.example}}\n"
     "agents: {b: {certificate: [cn:b, dns:x.EXAMPLE]}}",
	":2:34: this certificate is already that of `a`"},
    {"agents:\n  b: {certificate: [spiffe://a/b, uri:spiffe://a/b]}",
	":2:35: this certificate is already that of `b`"},
    {"agents: {b: {acts_for: {}}}", ":1:24: expected a list of maps"},
    {"agents: {b: {acts_for: [{}]}}",
	":1:25: says nothing: name somebody"},
    {"agents: {b: {acts_for: [{agent: x}]}}",
	":1:26: unknown key in a description of people: `agent`"},
    {"agents: {b: {sha256: aa}}",
	":1:22: expected 64 lower-case hexadecimal digits"},
    {"tokens: [{issuer: x, audience: y}]",
	":1:10: `keys` is missing in an issuer of tokens"},
    {"tokens: [{issuer: x, keys: k}]",
	":1:10: `audience` is missing in an issuer of tokens"},
    {"tokens: [{issuer: x, audience: [], keys: k}]",
	":1:32: `audience` is empty"},
    {"tokens: [{issuer: x, audience: y, keys: k, skew: 301}]",
	":1:50: 301 is not between 0 and 5m"},
    {"tokens: [{issuer: x, audience: y, keys: k, algorithms: [HS256]}]",
	":1:57: unknown signature algorithm `HS256` (did you mean `RS256`?)"},
    {"tokens: [{issuer: x, audience: y, keys: k, algorithms: none}]",
	":1:56: unknown signature algorithm `none` (RS256, RS384, RS512, "
	"PS256, ES256, ES384 or EdDSA)"},
    {"tokens: [{issuer: x, audience: y, keys: k, agent: .sub}]",
	":1:51: `.sub`: a claim's name neither starts nor ends with a dot"},
    {"tokens: [{issuer: x, audience: y, keys: k, group: g}]",
	":1:44: unknown key in an issuer of tokens: `group` (did you mean "
	"`groups`?)"},
    {"tokens: [{issuer: x, audience: y, keys: k},\n"
     " {issuer: x, audience: z, keys: l}]",
	":2:2: issuer `x` has an entry already"},
    {"people: [a]", ":1:9: expected a map of names"},
    {"people: {a: 5}", ":1:13: expected a map: a person"},
};

START_TEST(what_is_wrong_is_told_with_its_place)
{
	char want[512];

	ck_assert_int_eq(load(wrong[_i].text), ERR_INVALID);
	snprintf(want, sizeof(want), "%s%s", scratch_path("i.yaml"),
	    wrong[_i].line);
	ck_assert_str_eq(diagnostics_line(diagnostics, 0), want);
}
END_TEST

START_TEST(certificates_have_one_spelling)
{
	const struct agent *b;

	ck_assert_int_eq(
	    load("people: {a: {certificate: cn:A}}\n"
		 "agents: {b: {certificate: [spiffe://X/y, dns:Z]}}"),
	    ERR_INVALID);
	ck_assert_int_eq(
	    load("people: {a: {certificate: 'email:A@X.example'}}\n"
		 "agents: {b: {certificate: [spiffe://x/y, dns:Z.a]}}"),
	    ERR_NONE);
	ck_assert_uint_eq(ids.people[0].certificate_count, 1);
	ck_assert_str_eq(
	    ids.people[0].certificates[0].at, "email:A@x.example");
	b = &ids.agents[0];
	ck_assert_uint_eq(b->certificate_count, 2);
	ck_assert_str_eq(b->certificates[0].at, "uri:spiffe://x/y");
	ck_assert_str_eq(b->certificates[1].at, "dns:z.a");
}
END_TEST

START_TEST(issuers_of_tokens_are_read)
{
	const struct token_issuer *t;

	ck_assert_int_eq(
	    load("tokens:\n"
		 "  - {issuer: \"https://login\", audience: a, keys: k.json}\n"
		 "  - {issuer: other, audience: [a, b], keys: /k, user: "
		 "email,\n"
		 "     agent: none, groups: \"realm.roles\", skew: 1m,\n"
		 "     algorithms: [RS256, EdDSA], required_type: at+jwt,\n"
		 "     once: false}\n"),
	    ERR_NONE);
	ck_assert_uint_eq(ids.issuer_count, 2);
	t = &ids.issuers[0];
	ck_assert_str_eq(t->issuer.at, "https://login");
	ck_assert_str_eq(t->keys.at, scratch_path("k.json"));
	ck_assert_uint_eq(t->keys_line, 2);
	ck_assert(text_is(t->user, TEXT("sub")));
	ck_assert(text_is(t->agent, TEXT("act.sub")));
	ck_assert_uint_eq(t->groups.len, 0);
	ck_assert_uint_eq(t->skew_s, TOKEN_SKEW_DEFAULT_S);
	ck_assert_uint_eq(t->algorithms, (1U << TOKEN_ALGORITHM_COUNT) - 1);
	ck_assert(t->is_once);
	t = &ids.issuers[1];
	ck_assert_uint_eq(t->audience_count, 2);
	ck_assert_str_eq(t->keys.at, "/k");
	ck_assert(text_is(t->user, TEXT("email")));
	ck_assert_uint_eq(t->agent.len, 0);
	ck_assert(text_is(t->groups, TEXT("realm.roles")));
	ck_assert_uint_eq(t->skew_s, 60);
	ck_assert_uint_eq(t->algorithms, TOKEN_RS256 | TOKEN_EDDSA);
	ck_assert(text_is(t->required_type, TEXT("at+jwt")));
	ck_assert(!t->is_once);
}
END_TEST

START_TEST(complaint_about_a_password_does_not_repeat_it)
{
	ck_assert_int_eq(
	    load("people: {a: {password: hunter2}}"), ERR_INVALID);
	ck_assert_ptr_null(
	    strstr(diagnostics_line(diagnostics, 0), "hunter2"));
}
END_TEST

START_TEST(keys_given_twice_do_not_mix_two_lists)
{
	ck_assert_int_eq(
	    load("people: {a: {}}\n"
		 "people: {b: {uid: 1}, c: {uid: 2}, d: {uid: 3}}\n"),
	    ERR_INVALID);
	ck_assert_uint_eq(ids.person_count, 1);
}
END_TEST

/* --- who ----------------------------------------------------------------- */

static const struct text groups[] = {
    {"analysts", 8},
    {"dba", 3},
};

static const struct from {
	const char *from, *client;
	bool matches;
} froms[] = {
    {"127.0.0.1", "127.0.0.1:5432", true},
    {"127.0.0.1", "127.0.0.2:5432", false},
    {"10.0.0.0/8", "10.255.1.2:1", true},
    {"10.0.0.0/8", "11.0.0.1:1", false},
    {"10.1.2.129/25", "10.1.2.200:1", true},
    {"10.1.2.129/25", "10.1.2.100:1", false},
    {"0.0.0.0/0", "1.2.3.4:1", true},
    {"0.0.0.0/0", "[2001:db8::1]:1", false},
    {"::1", "[::1]:5432", true},
    {"::1", "::1", true},
    {"2001:db8::/32", "[2001:db8:ffff::1]:1", true},
    {"2001:db8::/32", "[2001:db9::1]:1", false},
    {"fe80::/10", "[fe80::1%eth0]:1", true},
    {"10.0.0.0/8", "[::ffff:10.1.2.3]:1", true},
    {"unix", "unix", true},
    {"unix", "127.0.0.1:1", false},
    {"127.0.0.1", "unix", false},
    {"0.0.0.0/0", "", false},
    {"0.0.0.0/0", "[::1", false},
    {"0.0.0.0/0", "1.2.3:4", false},
};

START_TEST(from_matches_the_clients_network)
{
	struct text from = text_of(froms[_i].from);
	struct who who = {.from = &from, .from_count = 1};
	struct identity id = {.client = text_of(froms[_i].client)};

	ck_assert_int_eq(who_matches(&who, &id), froms[_i].matches);
}
END_TEST

START_TEST(every_given_part_must_match)
{
	struct text user = TEXT("al*"), agent = TEXT("*"), group = TEXT("dba");
	struct identity person = {
	    .user = TEXT("alice"), .groups = groups, .group_count = 2};
	struct identity through = {.user = TEXT("alice"),
	    .agent = TEXT("copilot"),
	    .groups = groups,
	    .group_count = 2};
	struct who who = {.user = &user, .user_count = 1};

	ck_assert(who_matches(NULL, &person));
	ck_assert(who_matches(&who, &person));
	who.agent_none = true;
	ck_assert(who_matches(&who, &person));
	ck_assert(!who_matches(&who, &through));
	who.agent_none = false;
	who.agent = &agent;
	who.agent_count = 1;
	ck_assert(!who_matches(&who, &person));
	ck_assert(who_matches(&who, &through));
	who.group = &group;
	who.group_count = 1;
	ck_assert(who_matches(&who, &through));
	through.group_count = 1;
	ck_assert(!who_matches(&who, &through));
}
END_TEST

START_TEST(absent_part_matches_no_glob)
{
	struct text any = TEXT("*");
	struct who via = {.via = &any, .via_count = 1};
	struct who process = {.process = &any, .process_count = 1};
	struct who group = {.group = &any, .group_count = 1};
	struct who user = {.user = &any, .user_count = 1};
	struct identity nobody = {.agent = TEXT("copilot")};

	ck_assert(!who_matches(&via, &nobody));
	ck_assert(!who_matches(&process, &nobody));
	ck_assert(!who_matches(&group, &nobody));
	ck_assert(!who_matches(&user, &nobody));
	user.user_none = true;
	ck_assert(who_matches(&user, &nobody));
}
END_TEST

START_TEST(each_word_of_what_proved_somebody_is_matched)
{
	struct identity proved = {
	    .via = TEXT("certificate+process+scram-sha-256")};
	static struct {
		struct text glob;
		bool matches;
	} rows[] = {
	    {TEXT("certificate"), true}, {TEXT("process"), true},
	    {TEXT("scram-sha-256"), true}, {TEXT("scram*"), true},
	    {TEXT("certificate+process+scram-sha-256"), true},
	    {TEXT("token"), false}, {TEXT("cert"), false},
	    {TEXT("sha-256"), false}};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct who who = {.via = &rows[i].glob, .via_count = 1};

		ck_assert_msg(who_matches(&who, &proved) == rows[i].matches,
		    "%s", rows[i].glob.at);
	}
}
END_TEST

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static char warnings[512];

static void
warn(const char *line)
{
	strncat(warnings, line, sizeof(warnings) - strlen(warnings) - 1);
	strcat(warnings, "\n");
}

/* 63 bytes with the plus are what a database keeps. */
START_TEST(agent_whose_name_is_cut_behind_a_persons_is_warned_of)
{
	static char thirty[31], thirty_two[33], thirty_three[34];
	static struct text of_leads[] = {{"leads", 5}};
	static struct who leads[] = {{.group = of_leads, .group_count = 1}};
	struct person people[] = {{.name = {thirty, 30}, .groups = of_leads,
				      .group_count = 1},
	    {.name = {thirty_three, 33}}};
	struct agent agents[] = {{.name = {thirty_two, 32}, .acts_for = leads,
				     .acts_for_count = 1},
	    {.name = {thirty_three, 33}, .acts_for = leads,
		.acts_for_count = 1},
	    {.name = {thirty_three, 33}}};
	const struct identities named = {.people = people,
	    .person_count = 2,
	    .agents = agents,
	    .agent_count = 3};

	memset(thirty, 'p', 30);
	memset(thirty_two, 'a', 32);
	memset(thirty_three, 'b', 33);
	warnings[0] = '\0';
	identities_warn_of_names(&named, warn);
	ck_assert_str_eq(warnings,
	    "pppppppppppppppppppppppppppppp+bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb "
	    "is longer than 63 bytes: the database cuts it in "
	    "application_name\n");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("identities");
	TCase *c = tcase_create("all");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_loop_test(c, login_names_resolve, 0, COUNT(logins));
	tcase_add_test(c, verifiers_are_kept_for_who_has_one);
	tcase_add_test(c, operating_system_users_are_people);
	tcase_add_test(c, who_has_a_uid_is_not_found_by_name);
	tcase_add_test(c, account_that_is_somebodys_by_uid_is_nobody_elses);
	tcase_add_loop_test(
	    c, what_is_wrong_is_told_with_its_place, 0, COUNT(wrong));
	tcase_add_test(c, certificates_have_one_spelling);
	tcase_add_test(c, issuers_of_tokens_are_read);
	tcase_add_test(c, complaint_about_a_password_does_not_repeat_it);
	tcase_add_test(c, keys_given_twice_do_not_mix_two_lists);
	tcase_add_loop_test(
	    c, from_matches_the_clients_network, 0, COUNT(froms));
	tcase_add_test(c, every_given_part_must_match);
	tcase_add_test(c, absent_part_matches_no_glob);
	tcase_add_test(c, each_word_of_what_proved_somebody_is_matched);
	tcase_add_test(
	    c, agent_whose_name_is_cut_behind_a_persons_is_warned_of);
	suite_add_tcase(suite, c);
	return suite_run(suite);
}
