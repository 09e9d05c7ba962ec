/* links: common/settings.c common/settings_address.c common/settings_login.c common/who.c common/who_read.c common/schema.c common/schema_scalar.c common/yaml.c common/diagnostics.c common/arena.c common/text.c */
#include <check.h>
#include <stdlib.h>
#include <syslog.h>

#include "common/config.h"
#include "tests/unit/scratch.h"
#include "tests/unit/suite.h"

static struct arena *arena;
static struct diagnostics *diagnostics;
static struct settings settings;

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
	return settings_load(
	    scratch_write("s.yaml", text), arena, diagnostics, &settings);
}

static const char least[] =
    "listen: {address: 127.0.0.1:6432, upstream: shop}\n"
    "upstreams:\n"
    "  shop: {engine: postgres, address: db.example:5432,"
    " login: {user: sally}}\n"
    "identities: ids.yaml\n"
    "policies: /etc/p\n";

START_TEST(defaults_are_those_of_the_manual)
{
	ck_assert_int_eq(load(least), ERR_NONE);
	ck_assert_uint_eq(settings.listener_count, 1);
	ck_assert_uint_eq(settings.workers_spare, 4);
	ck_assert_uint_eq(settings.workers_max, 256);
	ck_assert_ptr_null(settings.run_as);
	ck_assert_str_eq(settings.state, "/var/lib/sallyport");
	ck_assert_str_eq(settings.control, "/run/sallyport/control.sock");
	ck_assert_uint_eq(settings.statement_limit, 16 << 20);
	ck_assert_str_eq(settings.audit_socket, "/dev/log");
	ck_assert_int_eq(settings.audit_facility, LOG_LOCAL4);
	ck_assert_int_eq(settings.audit_on_failure, AUDIT_DENY);
	ck_assert(!settings.audit_keeps_literals);
	ck_assert_uint_eq(settings.approvals_expire_s, 600);
	ck_assert_uint_eq(settings.login_deadline_s, 30);
	ck_assert_uint_eq(settings.drain_deadline_s, 30);
}
END_TEST

static const char whole[] =
    "listen:\n"
    "  - {address: \"unix:run/.s.PGSQL.6432\", upstream: two}\n"
    "  - address: \"[::1]:6432\"\n"
    "    upstream: one\n"
    "    proxy_protocol: false\n"
    "upstreams:\n"
    "  one: {engine: postgres, address: 127.0.0.1:5432,"
    " login: {user: u, password_file: secrets/one}, tls: {mode: disable}}\n"
    "  two:\n"
    "    engine: postgres\n"
    "    address: unix:/run/postgresql/.s.PGSQL.5432\n"
    "    labels: {environment: production, region: eu}\n"
    "    application_name: client\n"
    "    login: {user: v}\n"
    "identities: ids.yaml\n"
    "policies: policies.d\n"
    "workers: {spare: 2, max: 3}\n"
    "run_as: sally\n"
    "state: var\n"
    "control: ctl\n"
    "statement_limit: 2MiB\n"
    "audit: {socket: log, facility: local0, on_failure: deny,"
    " literals: keep}\n"
    "approvals: {expire: 1h, notify: []}\n"
    "login_deadline: 10\n"
    "drain_deadline: 2m\n";

START_TEST(every_setting_arrives)
{
	const struct upstream *two;

	ck_assert_int_eq(load(whole), ERR_NONE);
	ck_assert_uint_eq(settings.listener_count, 2);
	ck_assert_uint_eq(settings.listeners[0].upstream_index, 1);
	ck_assert_uint_eq(settings.listeners[1].upstream_index, 0);
	ck_assert_str_eq(settings.listeners[1].address, "[::1]:6432");
	two = settings_upstream(&settings, TEXT("two"));
	ck_assert_ptr_eq(two, &settings.upstreams[1]);
	ck_assert_ptr_null(settings_upstream(&settings, TEXT("three")));
	ck_assert_uint_eq(two->label_count, 2);
	ck_assert_int_eq(two->application_name, NAME_CLIENT);
	ck_assert_int_eq(settings.upstreams[0].application_name, NAME_IDENTITY);
	ck_assert(text_is(two->labels[0].value, TEXT("production")));
	ck_assert_ptr_null(two->password_file);
	ck_assert_uint_eq(settings.workers_max, 3);
	ck_assert_str_eq(settings.run_as, "sally");
	ck_assert_uint_eq(settings.statement_limit, 2 << 20);
	ck_assert_int_eq(settings.audit_facility, LOG_LOCAL0);
	ck_assert(settings.audit_keeps_literals);
	ck_assert_uint_eq(settings.approvals_expire_s, 3600);
	ck_assert_uint_eq(settings.login_deadline_s, 10);
	ck_assert_uint_eq(settings.drain_deadline_s, 120);
}
END_TEST

START_TEST(paths_are_relative_to_the_file)
{
	char want[128];

	ck_assert_int_eq(load(whole), ERR_NONE);
	snprintf(want, sizeof(want), "unix:%s/run/.s.PGSQL.6432",
	    scratch_folder);
	ck_assert_str_eq(settings.listeners[0].address, want);
	ck_assert_str_eq(settings.identities, scratch_path("ids.yaml"));
	ck_assert_str_eq(settings.policies, scratch_path("policies.d"));
	ck_assert_str_eq(settings.state, scratch_path("var"));
	ck_assert_str_eq(settings.control, scratch_path("ctl"));
	ck_assert_str_eq(settings.audit_socket, scratch_path("log"));
	ck_assert_str_eq(
	    settings.upstreams[0].password_file, scratch_path("secrets/one"));
}
END_TEST

START_TEST(file_may_be_named_from_here)
{
	scratch_write("s.yaml", whole);
	ck_assert_int_eq(chdir(scratch_folder), 0);
	ck_assert_int_eq(
	    settings_load("s.yaml", arena, diagnostics, &settings), ERR_NONE);
	ck_assert_str_eq(settings.file, scratch_path("s.yaml"));
	ck_assert_str_eq(settings.state, scratch_path("var"));
	ck_assert_int_eq(chdir("/"), 0);
}
END_TEST

/* Lines appended to `least`, which has 5. */
static const struct wrong {
	const char *more, *line; /* the complaint after the file's name */
} wrong[] = {
    {"worker: {}\n",
	":6:1: unknown key in the settings: `worker` (did you mean "
	"`workers`?)"},
    {"frobnicate: 1\n", ":6:1: unknown key in the settings: `frobnicate`"},
    {"workers: {spare: 0}\n", ":6:18: 0 is not between 1 and 1000"},
    {"workers: {spare: 1001}\n", ":6:18: 1001 is not between 1 and 1000"},
    {"workers: {max: 10001}\n", ":6:16: 10001 is not between 1 and 10000"},
    {"workers: {max: 3}\n", ":6:10: `max` (3) is less than `spare` (4)"},
    {"workers: {spare: four}\n", ":6:18: expected a number"},
    {"workers: {spare: '4'}\n", ":6:18: expected a number"},
    {"workers: {spare: -1}\n", ":6:18: expected a number"},
    {"workers: {spare: 99999999999999999999}\n",
	":6:18: expected a number"},
    {"workers: 3\n", ":6:10: expected a map: workers"},
    {"workers: {}\nworkers: {}\n",
	":7:1: `workers` is here twice (first in line 6)"},
    {"statement_limit: 1023\n",
	":6:18: 1023 is not between 1KiB and 1GiB"},
    {"statement_limit: 2GiB\n", ":6:18: 2GiB is not between 1KiB and 1GiB"},
    {"statement_limit: 16MB\n",
	":6:18: expected a size in bytes, such as 4096, 64KiB or 16MiB"},
    {"statement_limit: 99999999999GiB\n",
	":6:18: expected a size in bytes, such as 4096, 64KiB or 16MiB"},
    {"approvals: {expire: 0s}\n", ":6:21: 0s is not between 1s and 1d"},
    {"approvals: {expire: 2d}\n", ":6:21: 2d is not between 1s and 1d"},
    {"approvals: {expire: 10 minutes}\n",
	":6:21: expected a length of time, such as 30s, 10m or 1h"},
    {"audit: {facility: local8}\n",
	":6:19: unknown value of `facility`: `local8` (did you mean "
	"`local0`?)"},
    {"audit: {literals: hide}\n", ":6:19: expected redact or keep"},
    {"audit: {socket: }\n", ":6:17: `socket` has no value"},
    {"run_as:\n", ":6:8: `run_as` has no value"},
    {"run_as: [a]\n", ":6:9: expected a word"},
    {"login_deadline: 601\n", ":6:17: 601 is not between 1s and 10m"},
    {"control: /12345678901234567890123456789012345678901234567890123456789"
     "0123456789012345678901234567890123456789012345678\n",
	":6:10: a socket's path has at most 107 bytes"},
    /* words of the design that are not done yet */
    {"audit: {on_failure: spool}\n",
	":6:21: `on_failure: spool` is not supported yet"},
    {"approvals: {notify: [mail]}\n",
	":6:21: `notify` is not supported yet"},
    {"metrics: 127.0.0.1:9187\n", ":6:10: `metrics` is not supported yet"},
};

START_TEST(what_is_wrong_is_told_with_its_place)
{
	char text[2048], want[512];

	snprintf(text, sizeof(text), "%s%s", least, wrong[_i].more);
	ck_assert_int_eq(load(text), ERR_INVALID);
	snprintf(want, sizeof(want), "%s%s", scratch_path("s.yaml"),
	    wrong[_i].line);
	ck_assert_str_eq(diagnostics_line(diagnostics, 0), want);
	ck_assert_uint_eq(diagnostics_count(diagnostics), 1);
}
END_TEST

/* A listener and an upstream in place of the sound ones. */
static const struct wrong wrong_places[] = {
    {"listen: {address: 127.0.0.1, upstream: a}\n",
	":1:19: expected host:port or unix:/path, not `127.0.0.1`"},
    {"listen: {address: 127.0.0.1:0, upstream: a}\n",
	":1:19: expected host:port or unix:/path, not `127.0.0.1:0`"},
    {"listen: {address: 'x:65536', upstream: a}\n",
	":1:19: expected host:port or unix:/path, not `x:65536`"},
    {"listen: {address: '::1:5432', upstream: a}\n",
	":1:19: expected host:port or unix:/path, not `::1:5432`"},
    {"listen: {address: '[::g]:5432', upstream: a}\n",
	":1:19: expected host:port or unix:/path, not `[::g]:5432`"},
    {"listen: {address: 'a b:5432', upstream: a}\n",
	":1:19: expected host:port or unix:/path, not `a b:5432`"},
    {"listen: {address: 'x:1', upstream: shap}\n",
	":1:36: unknown upstream `shap` (did you mean `shop`?)"},
    {"listen: {upstream: shop}\n",
	":1:9: `address` is missing in a listener"},
    {"listen: []\n", ":1:9: `listen` is empty"},
    {"listen: x\n", ":1:9: expected a list of maps"},
    {"listen: [{address: 'x:1', upstream: shop},"
     " {address: 'x:1', upstream: shop}]\n",
	":1:54: `x:1` is listened at twice"},
    {"listen: {address: 'x:1', upstream: shop, tls: {required: true}}\n",
	":1:47: `certificate` is missing in a listener's tls"},
    {"listen: {address: 'x:1', upstream: shop, tls: {}}\n",
	":1:47: `tls` is empty"},
    {"listen: {address: 'x:1', upstream: shop,"
     " tls: {certificate: a, key: b, required: maybe}}\n",
	":1:82: expected true or false"},
    {"listen: {address: 'x:1', upstream: shop,"
     " tls: {certificate: a, key: b, client_crl: c}}\n",
	":1:84: `client_crl` without `client_ca`"},
    {"listen: {address: 'unix:/x', upstream: shop,"
     " tls: {certificate: a, key: b}}\n",
	":1:51: there is no TLS on a Unix socket"},
    {"listen: {address: 'x:1', upstream: shop, proxy_protocol: true}\n",
	":1:58: `proxy_protocol` is not supported yet"},
};

START_TEST(listener_that_is_wrong_is_told)
{
	char text[2048], want[512];

	snprintf(text, sizeof(text), "%s%s", wrong_places[_i].more,
	    strchr(least, '\n') + 1);
	/* one that names no upstream is `a` only to have a name */
	if (strstr(wrong_places[_i].more, "upstream: a}") != NULL)
		snprintf(text, sizeof(text), "%.*s shop}\n%s",
		    (int)(strstr(wrong_places[_i].more, " a}") -
			wrong_places[_i].more),
		    wrong_places[_i].more, strchr(least, '\n') + 1);
	ck_assert_int_eq(load(text), ERR_INVALID);
	snprintf(want, sizeof(want), "%s%s", scratch_path("s.yaml"),
	    wrong_places[_i].line);
	ck_assert_str_eq(diagnostics_line(diagnostics, 0), want);
}
END_TEST

static const struct wrong wrong_upstreams[] = {
    {"{address: 'x:1', login: {user: u}}",
	":2:19: `engine` is missing in an upstream"},
    {"{engine: oracle, address: 'x:1', login: {user: u}}",
	":2:28: unknown value of `engine`: `oracle` (postgres)"},
    {"{engine: mysql, address: 'x:1', login: {user: u}}",
	":2:28: `engine: mysql` is not supported yet"},
    {"{engine: postgres, address: 'x:1'}",
	":2:19: `login` is missing in an upstream"},
    {"{engine: postgres, address: 'x:1', login: {}}",
	":2:61: `login` is empty"},
    {"{engine: postgres, address: 'x:1', login: {user: u}, labels: [a]}",
	":2:80: expected a map of labels"},
    {"{engine: postgres, address: 'x:1', login: {user: u},"
     " labels: {upstream: a}}",
	":2:81: a label cannot be called `upstream`"},
    {"{engine: postgres, address: 'x:1', login: {user: u},"
     " tls: {mode: prefer}}",
	":2:84: unknown value of `mode`: `prefer`"
	" (disable, require or verify-full)"},
    {"{engine: postgres, address: 'x:1', login: {user: u},"
     " tls: {mode: disable, ca: f}}",
	":2:77: `mode: disable` leaves no use for the other settings"},
    {"{engine: postgres, address: 'x:1', login: {user: u},"
     " tls: {mode: require, key: f}}",
	":2:77: `certificate` and `key` are only of use together"},
    {"{engine: postgres, address: 'unix:/x', login: {user: u},"
     " tls: {mode: require}}",
	":2:81: there is no TLS on a Unix socket"},
    {"{engine: postgres, address: 'x:1', login: {user: u},"
     " tls: {ca: f}}",
	":2:77: `mode` is missing in an upstream's tls"},
    {"5", ":2:19: expected a map: an upstream"},
};

START_TEST(upstream_that_is_wrong_is_told)
{
	char text[2048], want[512];

	snprintf(text, sizeof(text),
	    "listen: {address: 'x:1', upstream: shop}\n"
	    "upstreams: {shop: %s}\nidentities: i\npolicies: p\n",
	    wrong_upstreams[_i].more);
	ck_assert_int_eq(load(text), ERR_INVALID);
	snprintf(want, sizeof(want), "%s%s", scratch_path("s.yaml"),
	    wrong_upstreams[_i].line);
	ck_assert_str_eq(diagnostics_line(diagnostics, 0), want);
	ck_assert_uint_eq(diagnostics_count(diagnostics), 1);
}
END_TEST

static const struct wrong wrong_logins[] = {
    {"{who: {user: a}, user: u}", ":7:13: expected a list of logins"},
    {"[u]", ":7:14: expected a map: one of the logins"},
    {"[{user: u}]", ":7:14: `who` is missing in one of the logins"},
    {"[{who: {user: a}}]", ":7:14: `user` is missing in one of the logins"},
    {"[{who: {}, user: u}]", ":7:20: `who` is empty"},
    {"[{who: a, user: u}]", ":7:20: expected a map: a who"},
    {"[{who: {user: []}, user: u}]", ":7:27: the list is empty"},
    {"[{who: {person: a}, user: u}]",
	":7:21: unknown key in a who: `person`"},
    {"[{who: {user: a}, user: u, password: p}]",
	":7:50: a password does not stand here: put it into a file of its own "
	"and name that with `password_file`"},
    {"[{who: {user: a, from: 10.0.0.0/8}, user: u}]",
	":7:36: `from` chooses no login: where a client comes from is the word "
	"of the process that serves it"},
};

static const char with_logins[] =
    "listen: {address: 'x:1', upstream: shop}\n"
    "upstreams:\n"
    "  shop:\n"
    "    engine: postgres\n"
    "    address: 'x:1'\n"
    "    login: {user: shared, password_file: secrets/shared}\n"
    "    logins: %s\n"
    "identities: i\n"
    "policies: p\n";

START_TEST(login_that_is_wrong_is_told)
{
	char text[2048], want[512];

	snprintf(text, sizeof(text), with_logins, wrong_logins[_i].more);
	ck_assert_int_eq(load(text), ERR_INVALID);
	snprintf(want, sizeof(want), "%s%s", scratch_path("s.yaml"),
	    wrong_logins[_i].line);
	ck_assert_str_eq(diagnostics_line(diagnostics, 0), want);
}
END_TEST

static const char logins[] =
    "\n"
    "    - {who: {user: alice, agent: none}, user: alice_db,\n"
    "       password_file: secrets/alice}\n"
    "    - {who: {user: alice, agent: copilot}, user: copilot_db}\n"
    "    - {who: {group: analysts}, user: analysts}\n"
    "    - {who: {user: none, agent: \"night*\"}, user: jobs}\n"
    "    - {who: {via: certificate}, user: proved}\n";

START_TEST(default_login_is_the_last_of_the_logins)
{
	const struct upstream *u;
	char text[2048];

	ck_assert_int_eq(load(least), ERR_NONE);
	u = &settings.upstreams[0];
	ck_assert_uint_eq(u->login_count, 1);
	ck_assert_str_eq(u->logins[0].user, "sally");
	ck_assert_uint_eq(settings_login_count(&settings), 1);

	snprintf(text, sizeof(text), with_logins, logins);
	ck_assert_int_eq(load(text), ERR_NONE);
	u = &settings.upstreams[0];
	ck_assert_uint_eq(u->login_count, 6);
	ck_assert_uint_eq(settings_login_count(&settings), 6);
	ck_assert_str_eq(u->logins[0].user, "alice_db");
	ck_assert_str_eq(
	    u->logins[0].password_file, scratch_path("secrets/alice"));
	ck_assert_uint_eq(u->logins[0].password_file_at.line, 9);
	ck_assert_ptr_null(u->logins[1].password_file);
	ck_assert_str_eq(u->logins[5].user, "shared");
	ck_assert_str_eq(
	    u->logins[5].password_file, scratch_path("secrets/shared"));
	ck_assert_uint_eq(u->logins[5].password_file_at.line, 6);
}
END_TEST

static const struct choosing {
	const char *user, *agent, *group, *via, *want;
} choosing[] = {
    {"alice", "", "analysts", "scram-sha-256", "alice_db"},
    {"alice", "copilot", "analysts", "scram-sha-256", "copilot_db"},
    {"alice", "other", "analysts", "scram-sha-256", "analysts"},
    {"bob", "", "analysts", "scram-sha-256", "analysts"},
    {"bob", "copilot", "analysts", "scram-sha-256", "analysts"},
    {"", "nightly", "jobs", "scram-sha-256", "jobs"},
    {"", "nightly", "analysts", "scram-sha-256", "analysts"},
    {"", "copilot", "jobs", "scram-sha-256", "shared"},
    {"carol", "", "dba", "certificate", "proved"},
    /* names that only begin alike, or are another's in part */
    {"alicea", "", "dba", "scram-sha-256", "shared"},
    {"Alice", "", "dba", "scram-sha-256", "shared"},
    {"carol", "nightly", "dba", "scram-sha-256", "shared"},
    {"carol", "", "dba", "scram-sha-256", "shared"},
};

START_TEST(first_login_that_matches_is_the_identitys)
{
	const struct choosing *c = &choosing[_i];
	struct text group = text_of(c->group);
	struct identity id = {.user = text_of(c->user),
	    .agent = text_of(c->agent),
	    .groups = &group,
	    .group_count = 1,
	    .via = text_of(c->via)};
	const struct upstream *u;
	char text[2048];

	snprintf(text, sizeof(text), with_logins, logins);
	ck_assert_int_eq(load(text), ERR_NONE);
	u = &settings.upstreams[0];
	ck_assert_str_eq(u->logins[upstream_login_of(u, &id)].user, c->want);
}
END_TEST

START_TEST(all_that_is_wrong_is_told_at_once)
{
	ck_assert_int_eq(load("listen: {address: nowhere}\n"
			      "upstreams: {}\n"
			      "workers: {spare: x, max: y, most: 3}\n"),
	    ERR_INVALID);
	/* identities and policies missing, the listener's upstream missing,
	 * its address, upstreams empty, and three in workers */
	ck_assert_uint_eq(diagnostics_count(diagnostics), 8);
}
END_TEST

START_TEST(file_that_is_no_map_is_refused)
{
	ck_assert_int_eq(load(""), ERR_INVALID);
	ck_assert_int_eq(load("[]"), ERR_INVALID);
	ck_assert_int_eq(load("text"), ERR_INVALID);
	ck_assert_int_eq(settings_load("/nonexistent", arena, diagnostics,
			     &settings),
	    ERR_SYSTEM);
}
END_TEST

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

int
main(void)
{
	Suite *suite = suite_create("settings");
	TCase *c = tcase_create("all");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, defaults_are_those_of_the_manual);
	tcase_add_test(c, every_setting_arrives);
	tcase_add_test(c, paths_are_relative_to_the_file);
	tcase_add_test(c, file_may_be_named_from_here);
	tcase_add_loop_test(
	    c, what_is_wrong_is_told_with_its_place, 0, COUNT(wrong));
	tcase_add_loop_test(
	    c, listener_that_is_wrong_is_told, 0, COUNT(wrong_places));
	tcase_add_loop_test(
	    c, upstream_that_is_wrong_is_told, 0, COUNT(wrong_upstreams));
	tcase_add_loop_test(
	    c, login_that_is_wrong_is_told, 0, COUNT(wrong_logins));
	tcase_add_test(c, default_login_is_the_last_of_the_logins);
	tcase_add_loop_test(c, first_login_that_matches_is_the_identitys, 0,
	    COUNT(choosing));
	tcase_add_test(c, all_that_is_wrong_is_told_at_once);
	tcase_add_test(c, file_that_is_no_map_is_refused);
	suite_add_tcase(suite, c);
	return suite_run(suite);
}
