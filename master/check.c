/*
 * check.c - checking configuration, policy and examples; nothing is started
 * or written.
 */
#include "master/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/config.h"

/* What the broker would only find out when it is too late to say so. */
static void
password_files_check(const struct settings *s, struct diagnostics *d)
{
	size_t i;

	for (i = 0; i < s->upstream_count; i++) {
		const char *file = s->upstreams[i].password_file;

		if (file != NULL && access(file, R_OK) != 0)
			diagnostics_add(d, s->file, 0, 0,
			    "upstreams.%s.login.password_file: %s: %s",
			    s->upstreams[i].name, file, strerror(errno));
	}
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
	password_files_check(&settings, d);
	e = identities_load(settings.identities, a, d, &ids);
	if (e != ERR_NONE)
		return e;
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
