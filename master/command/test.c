/*
 * test.c - running examples of files against the policy.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "master/command/command.h"
#include "master/command/load.h"

struct tally {
	size_t passed, failed;
	json_t *all; /* --json: every result */
};

static void
result_tell(struct tally *t, const struct example_result *r)
{
	t->passed += r->has_passed;
	t->failed += !r->has_passed;
	if (t->all != NULL)
		json_array_append_new(t->all,
		    json_pack("{s:s, s:I, s:b, s:s}", "file", r->file, "line",
			(json_int_t)r->line, "passed", r->has_passed, "text",
			r->text));
	else if (!r->has_passed)
		printf("%s:%zu: FAILED: %s\n", r->file, r->line, r->text);
}

/* False: the file itself is wrong; said on standard error. */
static bool
file_test(struct loaded *l, const char *file, struct tally *t)
{
	struct diagnostics *d = diagnostics_new(l->arena);
	struct example_result *results;
	size_t i, count;
	enum err e = d == NULL ? ERR_MEMORY
			       : policy_test_file(&l->settings, &l->policy,
				     file, l->arena, d, &results, &count);

	if (e != ERR_NONE) {
		if (d != NULL)
			diagnostics_print(d);
		if (d == NULL || diagnostics_count(d) == 0)
			command_fail("%s: %s", file, err_text(e));
		return false;
	}
	for (i = 0; i < count; i++)
		result_tell(t, &results[i]);
	return true;
}

static void
tally_print(struct tally *t)
{
	if (t->all == NULL) {
		printf("%zu passed, %zu failed\n", t->passed, t->failed);
		return;
	}
	json_print(t->all);
	json_decref(t->all);
}

/* A slip on the command line is told before what is wrong elsewhere. */
static bool
files_are_there(const struct arguments *a)
{
	bool is_fine = true;
	int i;

	for (i = 0; i < a->word_count; i++) {
		if (access(a->words[i], R_OK) == 0)
			continue;
		command_fail("%s: %s", a->words[i], strerror(errno));
		is_fine = false;
	}
	return is_fine;
}

int
run_test(const struct arguments *a)
{
	struct tally t = {0};
	struct loaded l;
	bool is_fine;
	size_t own;
	int i;

	if (!files_are_there(a))
		return EXIT_USAGE;
	t.all = a->is_json ? json_array() : NULL;
	is_fine = load_all(a->config, &l);
	own = l.failed_examples;
	for (i = 0; i < a->word_count && is_fine; i++)
		is_fine = file_test(&l, a->words[i], &t);
	load_release(&l);
	if (!is_fine)
		return EXIT_USAGE;
	tally_print(&t);
	return t.failed + own == 0 ? EXIT_DONE : EXIT_NO;
}
