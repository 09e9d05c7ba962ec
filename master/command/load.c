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

bool
load_all(const char *config, struct loaded *out)
{
	enum err e;

	memset(out, 0, sizeof(*out));
	out->arena = arena_new(0);
	out->diagnostics =
	    out->arena == NULL ? NULL : diagnostics_new(out->arena);
	if (out->diagnostics == NULL) {
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
		e = policy_load(&out->settings, &out->identities, out->arena,
		    out->diagnostics, &out->policy);
	if (e == ERR_NONE)
		return true;
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
