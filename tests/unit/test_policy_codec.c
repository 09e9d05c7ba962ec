/* links: common/policy_codec.c common/codec.c common/wire.c common/policy_compile.c common/classify.c common/class_reader.c common/class_catch.c common/class_names.c common/class_settle.c common/class_rules.c common/class_file.c common/class_need.c common/canonical.c common/flat.c common/words.c common/lexer.c common/lexer_number.c common/lexer_string.c common/lexer_unicode.c common/regex.c common/vocab.c common/mask.c common/mask_shape.c common/mask_nest.c common/mask_array.c common/mask_row.c common/mask_range.c common/mask_keyed.c common/siphash.c common/mask_number.c common/mask_numeric.c common/mask_other.c common/mask_part.c common/mask_script.c common/mask_text.c common/mask_time.c common/detect.c common/detect_bank.c common/detect_mask.c common/detect_net.c common/detect_person.c common/err.c common/arena.c common/text.c common/yaml.c common/diagnostics.c */
#include <check.h>
#include <stdlib.h>

#include "common/policy.h"
#include "common/policy_when.h"
#include "tests/unit/suite.h"

static struct arena *arena;

static void
setup(void)
{
	arena = arena_new(0);
}

static void
teardown(void)
{
	arena_free(arena);
}

/* --- a policy with something of everything ------------------------------- */

static struct text names[] = {{"one", 3}, {"two", 3}};
static struct label labels[] = {{{"environment", 11}, {"production", 10}}};
static struct hours hours[] = {{480, 1080}, {1320, 360}};
static struct offset offsets[] = {{-62135596800, -3600}, {1711846800, 7200}};
static struct when when = {.days = 0x1f,
    .hours = hours,
    .hours_count = 2,
    .offsets = offsets,
    .offset_count = 2,
    .zone = {"Europe/Berlin", 13}};
static uid_t uids[] = {0, 4294967294u};
static struct who whos[] = {{.user = names, .user_count = 2},
    {.agent_none = true, .group = names, .group_count = 1}};

static struct person people[] = {{.name = {"alice", 5},
    .groups = names,
    .group_count = 2,
    .password = {"secret", 6},
    .uids = uids,
    .uid_count = 2}};

static struct agent agents[] = {{.name = {"copilot", 7},
    .password = {"secret", 6},
    .certificates = names,
    .certificate_count = 1,
    .acts_for = whos,
    .acts_for_count = 2}};

static struct protect protects[] = {{.name = {"p", 1},
    .columns = names,
    .column_count = 2,
    .detectors = 5,
    .mask = MASK_LAST4,
    .clear_for = whos,
    .clear_for_count = 1,
    .derived = DERIVED_DENY,
    .predicates = PREDICATES_ALLOW}};

static struct rule rules[] = {{.name = {"r", 1},
    .file = {"/etc/p.yaml", 11},
    .line = 7,
    .who = {.via = names, .via_count = 2, .user_none = true},
    .on = {.upstream = names,
	.upstream_count = 1,
	.labels = labels,
	.label_count = 1},
    .does = BIT(OP_FUNCTION_CALL) | BIT(OP_UNKNOWN),
    .to = names,
    .to_count = 2,
    .has = BIT(TRAIT_TEMPORARY),
    .lacks = BIT(TRAIT_WHERE),
    .matches = {"^sel", 4},
    .when = &when,
    .then = THEN_APPROVE,
    .say = {"Ask.", 4},
    .limits = {.rows = 1, .seconds = 2, .changed_rows = UINT64_MAX},
    .approve_by = whos,
    .approve_by_count = 2,
    .approve_of = 3,
    .approve_within_s = 600}};

static const struct policy full = {
    .identities = {.people = people,
	.person_count = 1,
	.agents = agents,
	.agent_count = 1},
    .protects = protects,
    .protect_count = 1,
    .rules = rules,
    .rule_count = 1,
    .example_count = 9,
};

static struct text
encoded(const struct policy *p)
{
	struct text form;

	ck_assert_int_eq(policy_encode(p, arena, &form), ERR_NONE);
	return form;
}

START_TEST(policy_comes_back_whole)
{
	struct policy p;
	const struct rule *r;

	ck_assert_int_eq(
	    policy_decode(encoded(&full), arena, &p), ERR_NONE);
	ck_assert_uint_eq(p.example_count, 9);
	ck_assert_uint_eq(p.identities.people[0].uids[1], 4294967294u);
	ck_assert_uint_eq(p.identities.agents[0].acts_for_count, 2);
	ck_assert(p.identities.agents[0].acts_for[1].agent_none);
	/* only the broker needs it */
	ck_assert_uint_eq(p.identities.agents[0].certificate_count, 0);
	ck_assert_int_eq(p.protects[0].mask, MASK_LAST4);
	ck_assert_int_eq(p.protects[0].predicates, PREDICATES_ALLOW);
	r = &p.rules[0];
	ck_assert(text_is(r->file, TEXT("/etc/p.yaml")));
	ck_assert_uint_eq(r->line, 7);
	ck_assert(r->who.user_none && !r->who.agent_none);
	ck_assert(text_is(r->on.labels[0].value, TEXT("production")));
	ck_assert_uint_eq(r->does, rules[0].does);
	ck_assert_uint_eq(r->has, rules[0].has);
	ck_assert(text_is(r->to[1], TEXT("two")));
	ck_assert_ptr_nonnull(r->pattern);
	ck_assert_int_eq(r->when->offsets[0].since, -62135596800);
	ck_assert_int_eq(r->when->offsets[0].seconds, -3600);
	ck_assert_uint_eq(r->when->hours[1].to, 360);
	ck_assert_uint_eq(r->limits.changed_rows, UINT64_MAX);
	ck_assert_uint_eq(r->approve_of, 3);
	policy_close(&p);
}
END_TEST

START_TEST(encoding_what_was_decoded_gives_the_same_bytes)
{
	struct text form = encoded(&full);
	struct policy p;

	ck_assert_int_eq(policy_decode(form, arena, &p), ERR_NONE);
	ck_assert(text_is(form, encoded(&p)));
	policy_close(&p);
}
END_TEST

START_TEST(passwords_are_never_published)
{
	struct text form = encoded(&full);
	struct policy p;

	ck_assert_ptr_null(memmem(form.at, form.len, "secret", 6));
	ck_assert_int_eq(policy_decode(form, arena, &p), ERR_NONE);
	ck_assert_uint_eq(p.identities.people[0].password.len, 0);
	policy_close(&p);
}
END_TEST

START_TEST(form_cut_anywhere_is_refused)
{
	struct text form = encoded(&full);
	struct policy p;
	size_t len;

	for (len = 0; len < form.len; len++)
		ck_assert_int_eq(policy_decode((struct text){form.at, len},
				     arena, &p), ERR_MALFORMED);
}
END_TEST

START_TEST(form_with_more_after_it_is_refused)
{
	struct text form = encoded(&full);
	struct policy p;
	char *longer = arena_copy(arena, form.at, form.len);

	/* arena_copy() put a NUL there */
	ck_assert_int_eq(policy_decode((struct text){longer, form.len + 1},
			     arena, &p), ERR_MALFORMED);
}
END_TEST

START_TEST(form_damaged_anywhere_does_no_harm)
{
	struct text form = encoded(&full);
	struct policy p;
	size_t i;
	int bit;

	for (i = 0; i < form.len; i++) {
		for (bit = 0; bit < 8; bit++) {
			char *bytes = arena_copy(arena, form.at, form.len);

			bytes[i] = (char)(bytes[i] ^ (1 << bit));
			if (policy_decode((struct text){bytes, form.len},
				arena, &p) == ERR_NONE)
				policy_close(&p);
		}
		arena_reset(arena);
		form = encoded(&full);
	}
}
END_TEST

START_TEST(form_of_another_version_is_told_apart)
{
	struct text form = encoded(&full);
	char *bytes = arena_copy(arena, form.at, form.len);
	struct policy p;

	bytes[8]++; /* the format, after the magic */
	ck_assert_int_eq(policy_decode((struct text){bytes, form.len}, arena,
			     &p), ERR_VERSION);
	bytes[8]--;
	bytes[9] ^= 1; /* the vocabulary's fingerprint */
	ck_assert_int_eq(policy_decode((struct text){bytes, form.len}, arena,
			     &p), ERR_VERSION);
	bytes[9] ^= 1;
	bytes[0] ^= 1;
	ck_assert_int_eq(policy_decode((struct text){bytes, form.len}, arena,
			     &p), ERR_MALFORMED);
}
END_TEST

START_TEST(pattern_that_does_not_compile_is_damage)
{
	struct rule r = {.name = TEXT("r"), .matches = TEXT("(")};
	struct policy bad = {.rules = &r, .rule_count = 1}, p;

	ck_assert_int_eq(
	    policy_decode(encoded(&bad), arena, &p), ERR_MALFORMED);
	ck_assert_uint_eq(p.rule_count, 0);
}
END_TEST

START_TEST(class_rules_that_do_not_load_are_damage)
{
	struct policy bad = {.example_count = 0}, p;

	bad.classes_yaml[DIALECT_POSTGRES] = TEXT("nonsense");
	ck_assert_int_eq(
	    policy_decode(encoded(&bad), arena, &p), ERR_MALFORMED);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("policy_codec");
	TCase *c = tcase_create("all");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 60);
	tcase_add_test(c, policy_comes_back_whole);
	tcase_add_test(c, encoding_what_was_decoded_gives_the_same_bytes);
	tcase_add_test(c, passwords_are_never_published);
	tcase_add_test(c, form_cut_anywhere_is_refused);
	tcase_add_test(c, form_with_more_after_it_is_refused);
	tcase_add_test(c, form_damaged_anywhere_does_no_harm);
	tcase_add_test(c, form_of_another_version_is_told_apart);
	tcase_add_test(c, pattern_that_does_not_compile_is_damage);
	tcase_add_test(c, class_rules_that_do_not_load_are_damage);
	suite_add_tcase(suite, c);
	return suite_run(suite);
}
