/*
 * load.c - loading all configuration and saying what is wrong with it.
 */
#include "master/command/load.h"

#include <stdio.h>
#include <string.h>

#include "master/command/command.h"

void
diagnostics_print(const struct diagnostics *d)
{
	size_t i;

	for (i = 0; i < diagnostics_count(d); i++)
		fprintf(stderr, "%s\n", diagnostics_line(d, i));
}

/* The daemon would refuse this policy: whoever looks at it is to know. */
static void
examples_warn(struct loaded *l, const struct diagnostics *failed)
{
	size_t i;

	l->failed_examples = diagnostics_count(failed);
	for (i = 0; i < l->failed_examples; i++)
		fprintf(stderr, "warning: %s\n", diagnostics_line(failed, i));
	if (l->failed_examples > 0)
		fputs("warning: an example of the policy fails: sallyportd "
		      "would not load it\n",
		    stderr);
}

bool
load_all(const char *config, struct loaded *out)
{
	struct diagnostics *failed;
	enum err e;

	memset(out, 0, sizeof(*out));
	out->arena = arena_new(0);
	out->diagnostics =
	    out->arena == NULL ? NULL : diagnostics_new(out->arena);
	failed = out->arena == NULL ? NULL : diagnostics_new(out->arena);
	if (out->diagnostics == NULL || failed == NULL) {
		command_fail("%s", err_text(ERR_MEMORY));
		return false;
	}
	e = settings_load(
	    config, out->arena, out->diagnostics, &out->settings);
	if (e == ERR_NONE)
		e = settings_check_files(&out->settings, out->diagnostics);
	if (e == ERR_NONE)
		e = identities_load(out->settings.identities, out->arena,
		    out->diagnostics, &out->identities);
	if (e == ERR_NONE)
		e = policy_load_trial(&out->settings, &out->identities,
		    out->arena, out->diagnostics, failed, &out->policy);
	if (e == ERR_NONE) {
		examples_warn(out, failed);
		return true;
	}
	diagnostics_print(out->diagnostics);
	if (diagnostics_count(out->diagnostics) == 0)
		command_fail("%s: %s", config, err_text(e));
	return false;
}

void
load_release(struct loaded *l)
{
	policy_close(&l->policy);
	arena_free(l->arena);
}
