/*
 * check.c - checking configuration, policy and examples; nothing is started
 * or written.
 */
#include "master/check.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/config.h"

/* What the broker would only find out when it is too late to say so. */
static enum err
passwords_check(
    const struct settings *s, struct arena *a, struct diagnostics *d)
{
	struct file_state *states =
	    arena_array(a, s->upstream_count, sizeof(*states));

	if (states == NULL)
		return ERR_MEMORY;
	password_files_look(s, states);
	password_files_complain(s, states, d);
	return ERR_NONE;
}

static void
exposure_warn(const struct settings *s, const struct identities *ids)
{
	if (identities_are_exposed(s->identities, ids))
		fprintf(stderr,
		    "%s: warning: others can read the password verifiers in "
		    "it\n",
		    s->identities);
}

static enum err
check_all(const char *file, struct arena *a, struct diagnostics *d,
    struct policy *policy)
{
	struct settings settings;
	struct identities ids;
	enum err e = settings_load(file, a, d, &settings);

	if (e != ERR_NONE)
		return e;
	e = passwords_check(&settings, a, d);
	if (e == ERR_NONE)
		e = settings_check_files(&settings, d);
	if (e == ERR_NONE)
		e = identities_load(settings.identities, a, d, &ids);
	if (e != ERR_NONE)
		return e;
	exposure_warn(&settings, &ids);
	return policy_load(&settings, &ids, a, d, policy);
}

int
check_configuration(const char *file)
{
	struct arena *a = arena_new(0);
	struct diagnostics *d = a == NULL ? NULL : diagnostics_new(a);
	struct policy policy = {0};
	size_t i;
	enum err e = d == NULL ? ERR_MEMORY : check_all(file, a, d, &policy);

	for (i = 0; d != NULL && i < diagnostics_count(d); i++)
		fprintf(stderr, "%s\n", diagnostics_line(d, i));
	if (e != ERR_NONE && (d == NULL || diagnostics_count(d) == 0))
		fprintf(stderr, "%s: %s\n", file, err_text(e));
	if (e == ERR_NONE && diagnostics_count(d) > 0)
		e = ERR_INVALID;
	if (e == ERR_NONE)
		printf("ok: %zu rules, %zu protections, %zu examples\n",
		    policy.rule_count, policy.protect_count,
		    policy.example_count);
	policy_close(&policy);
	arena_free(a);
	return e == ERR_NONE ? EXIT_SUCCESS : EXIT_FAILURE;
}
