/* links: common/policy_load.c common/policy_file.c common/policy_rule.c common/policy_examples.c common/policy_compile.c common/policy_decide.c common/policy_docket.c common/policy_touch.c common/policy_when.c common/policy_when_read.c common/who.c common/who_read.c common/identities.c common/identity.c common/identity_certificates.c common/certificate_name.c common/token_read.c common/settings.c common/settings_address.c common/settings_login.c common/schema.c common/schema_scalar.c common/yaml.c common/diagnostics.c common/classify.c common/class_reader.c common/class_catch.c common/class_names.c common/class_settle.c common/class_rules.c common/class_file.c common/class_need.c common/canonical.c common/flat.c common/words.c common/lexer.c common/lexer_number.c common/lexer_string.c common/lexer_unicode.c common/regex.c common/vocab.c common/mask.c common/mask_shape.c common/mask_nest.c common/mask_array.c common/mask_row.c common/mask_range.c common/mask_keyed.c common/siphash.c common/mask_number.c common/mask_numeric.c common/mask_other.c common/mask_part.c common/mask_script.c common/mask_text.c common/mask_time.c common/detect.c common/detect_bank.c common/detect_mask.c common/detect_net.c common/detect_person.c common/scram.c common/hmac.c common/saslprep.c common/err.c common/arena.c common/text.c common/wire.c */
#include <check.h>
#include <stdlib.h>

#include "common/config.h"
#include "common/policy_when.h"
#include "tests/unit/scratch.h"
#include "tests/unit/suite.h"

static struct arena *arena;
static struct diagnostics *diagnostics;
static struct settings settings;
static struct identities ids;
static struct policy policy;

static const char settings_text[] =
    "listen: {address: 127.0.0.1:6432, upstream: shop}\n"
    "upstreams:\n"
    "  shop: {engine: postgres, address: 'db:5432', login: {user: s},"
    " labels: {environment: production}}\n"
    "  depot: {engine: postgres, address: 'db:5433', login: {user: s},"
    " labels: {environment: staging}}\n"
    "identities: identities.yaml\n"
    "policies: policies.d\n";

static const char identities_text[] =
    "people:\n"
    "  alice: {groups: [analysts]}\n"
    "  carol: {groups: [dba]}\n"
    "agents:\n"
    "  copilot: {acts_for: [{group: analysts}]}\n";

static void
setup(void)
{
	arena = arena_new(0);
	diagnostics = diagnostics_new(arena);
	scratch_make();
	ck_assert_int_eq(mkdir(scratch_path("policies.d"), 0700), 0);
	scratch_write("identities.yaml", identities_text);
	ck_assert_int_eq(
	    settings_load(scratch_write("sallyport.yaml", settings_text),
		arena, diagnostics, &settings),
	    ERR_NONE);
	ck_assert_int_eq(identities_load(settings.identities, arena,
			     diagnostics, &ids), ERR_NONE);
}

static void
teardown(void)
{
	policy_close(&policy);
	scratch_remove();
	arena_free(arena);
}

static enum err
load(const char *text)
{
	scratch_write("policies.d/10.yaml", text);
	return policy_load(&settings, &ids, arena, diagnostics, &policy);
}

static const char *
first_line(void)
{
	return diagnostics_line(diagnostics, 0);
}

/* --- what is loaded ------------------------------------------------------ */

START_TEST(every_part_of_a_rule_arrives)
{
	const struct rule *r;

	ck_assert_int_eq(load(
	    "rules:\n"
	    "  - name: one\n"
	    "    who: {user: [alice, none], agent: none, group: dba,"
	    " via: scram-sha-256, from: [10.0.0.0/8, '::1'], process: /bin/x}\n"
	    "    on: {upstream: sh*, database: [a, b],"
	    " environment: [production, staging]}\n"
	    "    does: [read, delete]\n"
	    "    to: public.*\n"
	    "    has: [star]\n"
	    "    lacks: where\n"
	    "    matches: '^select'\n"
	    "    when: {days: [mon-fri, sun], hours: '22:00-06:00',"
	    " zone: Europe/Berlin}\n"
	    "    then: approve\n"
	    "    say: Ask.\n"
	    "    limits: {rows: 5, seconds: 6, statements_per_minute: 7}\n"
	    "    approve: {by: {group: dba}, of: 1, within: 10m}\n"), ERR_NONE);
	ck_assert_uint_eq(policy.rule_count, 1);
	r = &policy.rules[0];
	ck_assert(text_is(r->name, TEXT("one")));
	ck_assert_uint_eq(r->line, 2);
	ck_assert_uint_eq(r->who.user_count, 1);
	ck_assert(r->who.user_none && r->who.agent_none);
	ck_assert_uint_eq(r->who.from_count, 2);
	ck_assert_uint_eq(r->on.database_count, 2);
	ck_assert_uint_eq(r->on.label_count, 2);
	ck_assert(r->does & BIT(OP_SELECT) && r->does & BIT(OP_DELETE));
	ck_assert(!(r->does & BIT(OP_UPDATE)));
	ck_assert_uint_eq(r->to_count, 1);
	ck_assert_uint_eq(r->has, BIT(TRAIT_STAR));
	ck_assert_uint_eq(r->lacks, BIT(TRAIT_WHERE));
	ck_assert_ptr_nonnull(r->pattern);
	ck_assert_uint_eq(r->when->days, 0x5f);
	ck_assert_uint_eq(r->when->hours[0].from, 22 * 60);
	ck_assert_uint_gt(r->when->offset_count, 10);
	ck_assert_int_eq(r->then, THEN_APPROVE);
	ck_assert_uint_eq(r->limits.statements_per_minute, 7);
	ck_assert_uint_eq(r->approve_by_count, 1);
	ck_assert_uint_eq(r->approve_within_s, 600);
}
END_TEST

START_TEST(every_part_of_a_protect_arrives)
{
	const struct protect *p;

	ck_assert_int_eq(load("protect:\n"
			      "  - name: mails\n"
			      "    columns: [public.customers.email]\n"
			      "    values: [email, iban]\n"
			      "    mask: last4\n"
			      "    clear_for: [{group: dba, agent: none}]\n"
			      "    derived: deny\n"
			      "    predicates: allow\n"), ERR_NONE);
	ck_assert_uint_eq(policy.protect_count, 1);
	p = &policy.protects[0];
	ck_assert_int_eq(p->mask, MASK_LAST4);
	ck_assert_int_eq(p->derived, DERIVED_DENY);
	ck_assert_int_eq(p->predicates, PREDICATES_ALLOW);
	ck_assert_uint_eq(p->clear_for_count, 1);
	ck_assert_uint_eq(p->column_count, 1);
	ck_assert_uint_ne(p->detectors, 0);
}
END_TEST

START_TEST(zone_is_resolved_at_load)
{
	const struct when *w;

	ck_assert_int_eq(setenv("TZ", "Asia/Tokyo", 1), 0);
	ck_assert_int_eq(load("rules: {name: a, then: allow, when: {hours: "
			      "['08:00-18:00'], zone: Europe/Berlin}}"),
	    ERR_NONE);
	ck_assert_str_eq(getenv("TZ"), "Asia/Tokyo");
	w = policy.rules[0].when;
	/* 2028-07-03 is in summer: UTC+2; 2029-01-15 in winter */
	ck_assert(when_holds(w, 1846216800));	   /* 06:00 UTC */
	ck_assert(!when_holds(w, 1846216799));
	ck_assert(!when_holds(w, 1863151200 - 1)); /* 2029-01-15 06:00 UTC */
	ck_assert(when_holds(w, 1863154800));	   /* 07:00 UTC */
	ck_assert(!when_holds(w, 1863154799));
}
END_TEST

START_TEST(files_are_read_in_name_order_and_others_are_not)
{
	scratch_write("policies.d/20.yaml", "rules: {name: b, then: deny}");
	scratch_write("policies.d/.hidden.yaml", "nonsense: 1");
	scratch_write("policies.d/30.yaml.bak", "nonsense: 1");
	ck_assert_int_eq(load("rules: {name: a, then: allow}"), ERR_NONE);
	ck_assert_uint_eq(policy.rule_count, 2);
	ck_assert(text_is(policy.rules[0].name, TEXT("a")));
	ck_assert(text_is(policy.rules[1].name, TEXT("b")));
}
END_TEST

START_TEST(folder_without_policies_is_refused)
{
	ck_assert_int_eq(
	    policy_load(&settings, &ids, arena, diagnostics, &policy),
	    ERR_INVALID);
	ck_assert_ptr_nonnull(strstr(first_line(), "no *.yaml file in it"));
	settings.policies = "/nonexistent";
	ck_assert_int_eq(
	    policy_load(&settings, &ids, arena, diagnostics, &policy),
	    ERR_SYSTEM);
}
END_TEST

static const char *const login_names[][2] = {
    {"{user: alise}", ":4:37: unknown user `alise` (did you mean `alice`?)"},
    {"{agent: [copilot, pilot]}",
	":4:48: unknown agent `pilot`"},
    {"{group: dbas}", ":4:38: unknown group `dbas` (did you mean `dba`?)"},
    {"{user: \"al*\", agent: none, group: dba}", NULL},
};

START_TEST(names_in_logins_must_exist)
{
	char text[1024], want[256];

	snprintf(text, sizeof(text),
	    "listen: {address: 'x:1', upstream: shop}\n"
	    "upstreams: {shop: {engine: postgres, address: 'x:1',\n"
	    "  login: {user: shared}, logins: [{user: first,\n"
	    "  password_file: /none, who: %s}]}}\n"
	    "identities: identities.yaml\npolicies: policies.d\n",
	    login_names[_i][0]);
	ck_assert_int_eq(
	    settings_load(scratch_write("sallyport.yaml", text), arena,
		diagnostics, &settings),
	    ERR_NONE);
	ck_assert_int_eq(load("rules: {name: a, then: allow}"),
	    login_names[_i][1] == NULL ? ERR_NONE : ERR_INVALID);
	if (login_names[_i][1] == NULL)
		return;
	snprintf(want, sizeof(want), "%s%s", scratch_path("sallyport.yaml"),
	    login_names[_i][1]);
	ck_assert_str_eq(first_line(), want);
}
END_TEST

/* --- what is refused ----------------------------------------------------- */

static const struct wrong {
	const char *text, *line; /* the complaint after the file's name */
} wrong[] = {
    {"rule: []", ":1:1: unknown key in a policy file: `rule` (did you mean "
		 "`rules`?)"},
    {"rules: {}", ":1:8: expected a list of maps"},
    {"protect: {}", ":1:10: expected a list of maps"},
    {"examples: {}", ":1:11: expected a list of maps"},
    {"rules: [{then: allow}]", ":1:9: `name` is missing in a rule"},
    {"rules: [{name: a}]", ":1:9: `then` is missing in a rule"},
    {"rules: [{name: a, then: permit}]",
	":1:25: unknown value of `then`: `permit` (allow, approve, deny or "
	"observe)"},
    {"rules: [{name: a, then: alow}]",
	":1:25: unknown value of `then`: `alow` (did you mean `allow`?)"},
    {"rules: [{name: a, then: allow, does: [slect]}]",
	":1:39: unknown operation `slect` (did you mean `select`?)"},
    {"rules: [{name: a, then: allow, does: []}]", ":1:38: `does` is empty"},
    {"rules: [{name: a, then: allow, to: []}]", ":1:36: `to` is empty"},
    {"rules: [{name: a, then: allow, who: {}}]", ":1:37: `who` is empty"},
    {"rules: [{name: a, then: allow, on: {}}]", ":1:36: `on` is empty"},
    {"rules: [{name: a, then: allow, has: [whre]}]",
	":1:38: unknown trait `whre` (did you mean `where`?)"},
    {"rules: [{name: a, then: allow, has: [star, where], lacks: where}]",
	":1:59: `where` is both in `has` and in `lacks`"},
    {"rules: [{name: a, then: allow, who: {user: alcie}}]",
	":1:44: unknown user `alcie` (did you mean `alice`?)"},
    {"rules: [{name: a, then: allow, who: {agent: [none, copilt]}}]",
	":1:52: unknown agent `copilt` (did you mean `copilot`?)"},
    {"rules: [{name: a, then: allow, who: {group: analyst}}]",
	":1:45: unknown group `analyst` (did you mean `analysts`?)"},
    {"rules: [{name: a, then: allow, who: {from: 10.0.0.0/33}}]",
	":1:44: `10.0.0.0/33` is neither an address nor a network such as "
	"10.0.0.0/8 or 2001:db8::/32, nor unix"},
    {"rules: [{name: a, then: allow, who: {via: [token, tokn]}}]",
	":1:51: unknown via `tokn` (did you mean `token`?)"},
    {"rules: [{name: a, then: allow, who: {via: certificate+tokn}}]",
	":1:43: unknown via `certificate+tokn` (did you mean "
	"`certificate+token`?)"},
    {"rules: [{name: a, then: allow, who: {via: '*kerberos*'}}]",
	":1:43: unknown via `*kerberos*` (certificate, process, scram-sha-256, "
	"token or pam)"},
    {"protect: [{name: a, columns: [public.t.c], mask: redact, clear_for: "
     "[{via: proces}]}]",
	":1:76: unknown via `proces` (did you mean `process`?)"},
    {"rules: [{name: a, then: allow, who: {form: x}}]",
	":1:38: unknown key in a who: `form` (did you mean `from`?)"},
    {"rules: [{name: a, then: allow, on: {upstream: shp}}]",
	":1:47: unknown upstream `shp` (did you mean `shop`?)"},
    {"rules: [{name: a, then: allow, on: {enviroment: production}}]",
	":1:37: unknown label `enviroment` (did you mean `environment`?)"},
    {"rules: [{name: a, then: allow, on: {environment: produktion}}]",
	":1:50: unknown value of label `environment`: `produktion` (did you "
	"mean `production`?)"},
    {"rules: [{name: a, then: allow, on: {environment: [staging, prod,"
     " stagin]}}]",
	":1:66: unknown value of label `environment`: `stagin` (did you mean "
	"`staging`?)"},
    {"rules: [{name: a, then: allow, to: a.b.c}]",
	":1:36: `a.b.c` is not a relation such as public.orders"},
    {"rules: [{name: a, then: allow, to: .b}]",
	":1:36: `.b` is not a relation such as public.orders"},
    {"rules: [{name: a, then: allow, to: b.}]",
	":1:36: `b.` is not a relation such as public.orders"},
    {"rules: [{name: a, then: allow, matches: '('}]",
	":1:41: missing closing parenthesis at offset 1"},
    {"rules: [{name: a, then: approve}]",
	":1:25: `then: approve` needs `approve: {by: …}`: who may"},
    {"rules: [{name: a, then: approve, approve: {of: 1}}]",
	":1:43: `by` is missing in an approve"},
    {"rules: [{name: a, then: approve, approve: {by: []}}]",
	":1:48: `by` is empty"},
    {"rules: [{name: a, then: approve, approve: {by: {group: dba}, of: 2}}]",
	":1:43: only 1 people can approve, but `of` is 2"},
    {"rules: [{name: a, then: approve, approve: {by: {user: x*}}}]",
	":1:43: only 0 people can approve, but `of` is 1"},
    {"rules: [{name: a, then: approve, approve: {by: {user: carl}}}]",
	":1:55: unknown user `carl` (did you mean `carol`?)"},
    {"rules: [{name: a, then: approve, approve: {by: {group: dba}, of: 9}}]",
	":1:66: 9 is not between 1 and 8"},
    {"rules: [{name: a, then: allow, approve: {by: {group: dba}}}]",
	":1:41: `approve` is only for `then: approve`"},
    {"rules: [{name: a, then: deny, limits: {rows: 1}}]",
	":1:39: limits on what is denied"},
    {"rules: [{name: a, then: observe, limits: {rows: 1}}]",
	":1:42: limits on what is only observed"},
    {"rules: [{name: a, then: allow, limits: {rows: 0}}]",
	":1:47: 0 is not between 1 and 1000000000000"},
    {"rules: [{name: a, then: allow, limits: {}}]",
	":1:40: `limits` is empty"},
    {"rules: [{name: a, then: allow, when: {}}]",
	":1:38: `when` needs `days` or `hours`"},
    {"rules: [{name: a, then: allow, when: {days: [mno]}}]",
	":1:46: unknown day `mno` (did you mean `mon`?)"},
    {"rules: [{name: a, then: allow, when: {days: []}}]",
	":1:45: `days` is empty"},
    {"rules: [{name: a, then: allow, when: {hours: 8-18}}]",
	":1:46: expected hours such as \"08:00-18:00\""},
    {"rules: [{name: a, then: allow, when: {hours: '08:00-08:00'}}]",
	":1:46: from 08:00 to 08:00 is no time at all"},
    {"rules: [{name: a, then: allow, when: {hours: '08:00-25:00'}}]",
	":1:46: expected hours such as \"08:00-18:00\""},
    {"rules: [{name: a, then: allow, when: {days: mon, zone: Europe/Brln}}]",
	":1:56: unknown time zone `Europe/Brln`"},
    {"rules: [{name: a, then: allow, when: {days: mon, zone: ../../x}}]",
	":1:56: unknown time zone `../../x`"},
    {"rules: [{name: a, then: allow}, {name: a, then: deny}]", NULL},
    {"protect: [{columns: [a.b.c], mask: 'null'}]",
	":1:11: `name` is missing in a protect"},
    {"protect: [{name: a, columns: [a.b.c]}]",
	":1:11: `mask` is missing in a protect"},
    {"protect: [{name: a, columns: [a.b.c], mask: none}]",
	":1:45: unknown mask `none` (redact, null, email, last4, pseudonym, "
	"hash, year or round)"},
    {"protect: [{name: a, columns: [a.b.c], mask: lst4}]",
	":1:45: unknown mask `lst4` (did you mean `last4`?)"},
    {"protect: [{name: a, columns: [b.c], mask: email}]",
	":1:31: `b.c` is not a column such as public.customers.email"},
    {"protect: [{name: a, values: [emial], mask: email}]",
	":1:30: unknown detector `emial` (did you mean `email`?)"},
    {"protect: [{name: a, mask: email}]",
	":1:11: protects neither `columns` nor `values`"},
    {"protect: [{name: a, values: [email], mask: email, derived: deny}]",
	":1:60: `derived` is for columns"},
    {"protect: [{name: a, columns: [a.b.c], mask: email, clear_for: {}}]",
	":1:63: `clear_for` is empty"},
    {"protect: [{name: a, columns: [a.b.c], mask: email,"
     " clear_for: {group: dbas}}]",
	":1:71: unknown group `dbas` (did you mean `dba`?)"},
    {"examples: [{as: alice, on: shop, sql: x}]",
	":1:12: `expect` is missing in an example"},
    {"examples: [{as: alcie, on: shop, sql: x, expect: deny}]",
	":1:17: `alcie` is no person, no agent and no person+agent"},
    {"examples: [{as: carol+copilot, on: shop, sql: x, expect: deny}]",
	":1:17: in `carol+copilot` the agent may not act for that person"},
    {"examples: [{as: alice, on: shp, sql: x, expect: deny}]",
	":1:28: unknown upstream `shp` (did you mean `shop`?)"},
    {"examples: [{as: alice, on: shop, sql: x, expect: observe}]",
	":1:50: unknown value of `expect`: `observe` (allow, approve or "
	"deny)"},
    /* words of the design that are not done yet */
    {"rules: [{name: a, then: allow, limits: {changed_rows: 0}}]",
	":1:55: 0 is not between 1 and 1000000000000"},
    {"protect: [{name: a, columns: [a.b.c], mask: email, predicates: deny}]",
	":1:64: `predicates: deny` is not supported yet"},
};

START_TEST(what_is_wrong_is_told_with_its_place)
{
	char want[512];

	ck_assert_int_eq(load(wrong[_i].text), ERR_INVALID);
	ck_assert_uint_eq(diagnostics_count(diagnostics), 1);
	if (wrong[_i].line == NULL)
		return;
	snprintf(want, sizeof(want), "%s%s",
	    scratch_path("policies.d/10.yaml"), wrong[_i].line);
	ck_assert_str_eq(first_line(), want);
}
END_TEST

START_TEST(same_name_in_two_files_is_refused)
{
	char want[512];

	scratch_write("policies.d/20.yaml",
	    "rules:\n  - {name: b, then: deny}\n  - {name: a, then: deny}\n");
	ck_assert_int_eq(load("rules: {name: a, then: allow}"), ERR_INVALID);
	snprintf(want, sizeof(want),
	    "%s:3:5: there is another rule `a` at %s:1",
	    scratch_path("policies.d/20.yaml"),
	    scratch_path("policies.d/10.yaml"));
	ck_assert_str_eq(first_line(), want);
	ck_assert_uint_eq(diagnostics_count(diagnostics), 1);
}
END_TEST

START_TEST(all_that_is_wrong_in_all_files_is_told)
{
	scratch_write("policies.d/20.yaml", "rules: [{name: b, then: x}]");
	scratch_write("policies.d/30.yaml", "rules: [");
	ck_assert_int_eq(
	    load("rules: [{name: a}, {then: deny}, {nme: c, then: allow}]"),
	    ERR_INVALID);
	ck_assert_uint_eq(diagnostics_count(diagnostics), 6);
}
END_TEST

START_TEST(labels_of_other_machines_are_no_slip)
{
	ck_assert_int_eq(load("rules: [{name: a, then: allow,"
			      " on: {tier: gold, environment:"
			      " [testing, productio*]}}]"),
	    ERR_NONE);
}
END_TEST

/* --- examples ------------------------------------------------------------ */

START_TEST(examples_are_run)
{
	ck_assert_int_eq(load(
	    "rules:\n"
	    "  - {name: reads, does: read, then: allow}\n"
	    "  - {name: no reads in the depot, on: {environment: staging},"
	    " does: read, then: deny}\n"
	    "examples:\n"
	    "  - {as: alice+copilot, on: shop, sql: SELECT 1, expect: allow}\n"
	    "  - {as: alice, on: depot, sql: SELECT 1, expect: deny}\n"
	    "  - {as: copilot, on: shop, sql: DROP TABLE t, expect: deny}\n"
	    "  - {as: alice, on: shop, sql: \"SELECT 'open\", expect: deny}\n"),
	    ERR_NONE);
	ck_assert_uint_eq(policy.example_count, 4);
}
END_TEST

START_TEST(example_that_fails_refuses_the_load)
{
	char want[512];

	ck_assert_int_eq(load(
	    "rules: [{name: reads, does: read, then: allow}]\n"
	    "examples:\n"
	    "  - {as: alice, on: shop, sql: SELECT 1, expect: allow}\n"
	    "  - {as: alice, on: shop, sql: SELECT 1, expect: deny}\n"
	    "  - {as: alice, on: shop, sql: DROP TABLE t, expect: allow}\n"),
	    ERR_INVALID);
	ck_assert_uint_eq(diagnostics_count(diagnostics), 2);
	snprintf(want, sizeof(want),
	    "%s:4:5: expected deny, got allow because: allowed by rule "
	    "\"reads\": SELECT 1", scratch_path("policies.d/10.yaml"));
	ck_assert_str_eq(first_line(), want);
	snprintf(want, sizeof(want),
	    "%s:5:5: expected allow, got deny because: no rule allows drop "
	    "on t: DROP TABLE t", scratch_path("policies.d/10.yaml"));
	ck_assert_str_eq(diagnostics_line(diagnostics, 1), want);
}
END_TEST

START_TEST(failed_example_shows_its_statement_on_one_line_cut)
{
	char text[400] = "examples:\n  - as: alice\n    on: shop\n"
			 "    expect: allow\n    sql: \"DROP\\n\\tTABLE  ";
	const char *shown;
	size_t i;

	for (i = 0; i < 60; i++) /* a cut inside one would not be UTF-8 */
		memcpy(text + strlen(text), "ü\0", sizeof("ü"));
	memcpy(text + strlen(text), "\"\n", 3);
	ck_assert_int_eq(load(text), ERR_INVALID);
	shown = strstr(first_line(), ": DROP  TABLE  ");
	ck_assert_ptr_nonnull(shown);
	ck_assert_uint_eq(strlen(shown), 2 + 119 + 3);
	ck_assert_str_eq(shown + 2 + 117, "ü...");
}
END_TEST

START_TEST(protection_shows_in_traits)
{
	ck_assert_int_eq(load(
	    "protect: [{name: p, columns: [public.customers.email],"
	    " mask: email, clear_for: {group: dba}}]\n"
	    "rules:\n"
	    "  - {name: all, then: allow}\n"
	    "  - {name: no, has: protected, does: read, then: deny}\n"
	    "  - {name: nor, has: copies-protected, then: deny}\n"
	    "examples:\n"
	    "  - {as: alice, on: shop, sql: TABLE orders, expect: allow}\n"
	    "  - {as: alice, on: shop, sql: TABLE customers, expect: deny}\n"
	    "  - {as: carol, on: shop, sql: TABLE customers, expect: allow}\n"
	    "  - {as: alice, on: shop, sql: INSERT INTO o SELECT * FROM"
	    " customers, expect: deny}\n"), ERR_NONE);
}
END_TEST

START_TEST(examples_of_another_file_are_tested)
{
	struct example_result *results;
	size_t count;

	ck_assert_int_eq(
	    load("rules: [{name: reads, does: read, then: allow}]"), ERR_NONE);
	scratch_write("more.yaml",
	    "rules: whatever\n"
	    "examples:\n"
	    "  - {as: alice, on: shop, sql: SELECT 1, expect: allow}\n"
	    "  - {as: alice, on: shop, sql: DELETE FROM t, expect: approve}\n");
	ck_assert_int_eq(
	    policy_test_file(&settings, &policy, scratch_path("more.yaml"),
		arena, diagnostics, &results, &count),
	    ERR_NONE);
	ck_assert_uint_eq(count, 2);
	ck_assert(results[0].has_passed);
	ck_assert(!results[1].has_passed);
	ck_assert_uint_eq(results[1].line, 4);
	ck_assert_str_eq(results[1].text,
	    "expected approve, got deny because: no rule allows delete on t: DELETE FROM t");
	scratch_write("more.yaml", "example: []");
	ck_assert_int_eq(
	    policy_test_file(&settings, &policy, scratch_path("more.yaml"),
		arena, diagnostics, &results, &count),
	    ERR_INVALID);
}
END_TEST

/* --- the examples that come along ---------------------------------------- */

static const char *const shipped[] = {"read-only-agent", "support-desk",
    "dba-approval", "batch-job"};

/* Copy them into policies.d, and take the example settings. */
static void
take_shipped(const char *files)
{
	char from[512], command[1100];

	snprintf(command, sizeof(command), "cp '%s/examples/'%s.yaml '%s'",
	    config_data_folder(), files, scratch_path("policies.d"));
	ck_assert_int_eq(system(command), 0);
	snprintf(from, sizeof(from), "%s/identities.yaml.example",
	    config_data_folder());
	ck_assert_int_eq(
	    identities_load(from, arena, diagnostics, &ids), ERR_NONE);
	snprintf(from, sizeof(from), "%s/sallyport.yaml.example",
	    config_data_folder());
	ck_assert_int_eq(
	    settings_load(from, arena, diagnostics, &settings), ERR_NONE);
	settings.policies = arena_printf(
	    arena, "%s", scratch_path("policies.d"));
}

START_TEST(policy_that_comes_along_proves_itself)
{
	take_shipped(shipped[_i]);
	ck_assert_msg(policy_load(&settings, &ids, arena, diagnostics,
			  &policy) == ERR_NONE, "%s", first_line());
	ck_assert_uint_gt(policy.example_count, 0);
}
END_TEST

START_TEST(policies_that_come_along_load_together)
{
	take_shipped("*");
	ck_assert_msg(policy_load(&settings, &ids, arena, diagnostics,
			  &policy) == ERR_NONE, "%s", first_line());
	ck_assert_uint_gt(policy.example_count, 20);
}
END_TEST

/* Then it can be looked at, but never loaded. */
START_TEST(trial_takes_a_policy_whose_example_fails)
{
	struct diagnostics *failed = diagnostics_new(arena);

	ck_assert_int_eq(load(
	    "rules: [{name: reads, does: read, then: allow}]\n"
	    "examples:\n"
	    "  - {as: alice, on: shop, sql: SELECT 1, expect: deny}\n"),
	    ERR_INVALID);
	ck_assert_uint_eq(diagnostics_count(diagnostics), 1);
	ck_assert_int_eq(policy_load_trial(&settings, &ids, arena,
			     diagnostics, failed, &policy), ERR_NONE);
	ck_assert_uint_eq(diagnostics_count(diagnostics), 1);
	ck_assert_uint_eq(diagnostics_count(failed), 1);
	ck_assert_uint_eq(policy.rule_count, 1);
}
END_TEST

START_TEST(trial_refuses_what_is_wrong_otherwise)
{
	struct diagnostics *failed = diagnostics_new(arena);

	scratch_write("policies.d/10.yaml", "rules: [{name: a, then: x}]");
	ck_assert_int_eq(policy_load_trial(&settings, &ids, arena,
			     diagnostics, failed, &policy), ERR_INVALID);
	ck_assert_uint_eq(diagnostics_count(diagnostics), 1);
	ck_assert_uint_eq(diagnostics_count(failed), 0);
}
END_TEST

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

int
main(void)
{
	Suite *suite = suite_create("policy_load");
	TCase *c = tcase_create("all");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 60);
	tcase_add_test(c, every_part_of_a_rule_arrives);
	tcase_add_test(c, every_part_of_a_protect_arrives);
	tcase_add_test(c, zone_is_resolved_at_load);
	tcase_add_test(c, files_are_read_in_name_order_and_others_are_not);
	tcase_add_test(c, folder_without_policies_is_refused);
	tcase_add_loop_test(
	    c, names_in_logins_must_exist, 0, COUNT(login_names));
	tcase_add_loop_test(
	    c, what_is_wrong_is_told_with_its_place, 0, COUNT(wrong));
	tcase_add_test(c, same_name_in_two_files_is_refused);
	tcase_add_test(c, all_that_is_wrong_in_all_files_is_told);
	tcase_add_test(c, labels_of_other_machines_are_no_slip);
	tcase_add_test(c, examples_are_run);
	tcase_add_test(c, example_that_fails_refuses_the_load);
	tcase_add_test(c, failed_example_shows_its_statement_on_one_line_cut);
	tcase_add_test(c, protection_shows_in_traits);
	tcase_add_test(c, examples_of_another_file_are_tested);
	tcase_add_loop_test(c, policy_that_comes_along_proves_itself, 0,
	    COUNT(shipped));
	tcase_add_test(c, policies_that_come_along_load_together);
	tcase_add_test(c, trial_takes_a_policy_whose_example_fails);
	tcase_add_test(c, trial_refuses_what_is_wrong_otherwise);
	suite_add_tcase(suite, c);
	return suite_run(suite);
}
