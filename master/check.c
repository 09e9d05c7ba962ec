/*
 * check.c - checking configuration, policy and examples; nothing is started
 * or written.
 */
#include "master/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/audit_chain.h"
#include "common/config.h"
#include "common/jwks.h"
#include "common/file_trust.h"
#include "common/tls_context.h"
#include "master/advise.h"
#include "master/confine.h"
#include "master/privilege.h"
#include "master/program.h"

/* What the broker would only find out when it is too late to say so. */
static enum err
passwords_check(
    const struct settings *s, struct arena *a, struct diagnostics *d)
{
	struct file_state *states =
	    arena_array(a, settings_login_count(s), sizeof(*states));

	if (states == NULL)
		return ERR_MEMORY;
	password_files_look(s, states);
	audit_key_check(s, d);
	password_files_complain(s, states, d);
	return ERR_NONE;
}

static void
warning_print(const char *line)
{
	fprintf(stderr, "warning: %s\n", line);
}

static void
run_as_complain(
    const struct settings *s, struct diagnostics *d, const char *what)
{
	diagnostics_add(d, s->file, s->run_as_at.line, s->run_as_at.column,
	    "run_as: %s: %s", s->run_as, what);
}

/* Go on as the account that will read the rest, for good: what root can read
 * says nothing about it. */
static enum err
account_take(
    const struct settings *s, struct diagnostics *d, struct account *account)
{
	enum err e = account_find(s->run_as, account);

	if (e == ERR_REFUSED) {
		account->is_other = false;
		fprintf(stderr,
		    "%s: warning: only root can become %s, so nothing was "
		    "checked as that account\n",
		    s->file, s->run_as);
		return ERR_NONE;
	}
	if (e == ERR_NONE && account->uid == 0)
		fprintf(stderr,
		    "%s: warning: root cannot start this: no `run_as`\n",
		    s->file);
	if (e == ERR_NONE && account_become(account) != ERR_NONE) {
		run_as_complain(s, d, "cannot become that account");
		e = ERR_REFUSED;
	}
	return e;
}

/* It may come later, and then all is well: no error. */
static void
audit_warn(const struct settings *s)
{
	struct stat st;
	const char *wrong = NULL;

	if (stat(s->audit_socket, &st) != 0)
		wrong = strerror(errno);
	else if (!S_ISSOCK(st.st_mode))
		wrong = "not a socket";
	else if (access(s->audit_socket, W_OK) != 0)
		wrong = strerror(errno);
	if (wrong != NULL)
		fprintf(stderr,
		    "%s: warning: audit.socket: %s: %s: without it every "
		    "statement is refused\n",
		    s->file, s->audit_socket, wrong);
}

/* What the check brings to light. */
struct found {
	struct account account; /* whose eyes it looked with */
	struct account runs_as; /* whom the daemon's children would become */
	struct confine *confine; /* what would stand around them; NULL: not
				  * known */
	struct policy policy;
};

/* While it is still who would start the daemon. */
static void
separation_find(const struct settings *s, struct found *found)
{
	/* a run_as that cannot be is complained of elsewhere */
	if (account_find(s->run_as, &found->runs_as) == ERR_NOT_FOUND ||
	    confine_try(s, &found->runs_as, &found->confine) != ERR_NONE)
		found->confine = NULL;
}

static void
line_show(void *context, const char *line)
{
	(void)context;
	puts(line);
}

static enum err
check_all(const char *file, struct arena *a, struct diagnostics *d,
    struct found *found)
{
	struct account *account = &found->account;
	struct policy *policy = &found->policy;
	struct settings settings;
	struct identities ids;
	struct trust trust;
	bool is_believed;
	enum err e = settings_load(file, a, d, &settings);

	if (e == ERR_NONE)
		e = settings_check_trust(&settings, geteuid(), d, &trust);
	if (e != ERR_NONE)
		return e;
	programs_check_trust(&trust, settings.file, d);
	is_believed = diagnostics_count(d) == 0;
	/* the broker reads these before it drops root */
	e = passwords_check(&settings, a, d);
	tls_check(&settings, d, warning_print);
	separation_find(&settings, found);
	if (e == ERR_NONE)
		e = account_take(&settings, d, account);
	if (e != ERR_NONE)
		return e;
	audit_warn(&settings);
	e = settings_check_files(&settings, d);
	if (e == ERR_NONE)
		e = identities_load(settings.identities, a, d, &ids);
	if (e != ERR_NONE)
		return e;
	identities_warn_of_names(&ids, warning_print);
	if (is_believed) /* else the same would be told again */
		identities_check_trust(&settings, &ids, &trust, d);
	e = jwks_check(&ids, settings.identities, a, d);
	if (e != ERR_NONE)
		return e;
	advise_listeners(&settings, warning_print);
	advise_proofs(settings.identities, &ids, warning_print);
	advise_places(settings.identities, &ids, warning_print);
	return policy_load(&settings, &ids, a, d, policy);
}

/* Whom the file refuses is not who runs the check. */
static void
line_print(const char *line, const struct account *account)
{
	bool is_refused = strstr(line, strerror(EACCES)) != NULL;

	if (account->is_other && is_refused)
		fprintf(stderr, "%s (as run_as %s)\n", line, account->name);
	else
		fprintf(stderr, "%s\n", line);
}

int
check_configuration(const char *file)
{
	struct found found = {.confine = NULL};
	struct arena *a = arena_new(0);
	struct diagnostics *d = a == NULL ? NULL : diagnostics_new(a);
	size_t i;
	enum err e = d == NULL ? ERR_MEMORY : check_all(file, a, d, &found);

	for (i = 0; d != NULL && i < diagnostics_count(d); i++)
		line_print(diagnostics_line(d, i), &found.account);
	if (e != ERR_NONE && (d == NULL || diagnostics_count(d) == 0))
		fprintf(stderr, "%s: %s\n", file, err_text(e));
	if (e == ERR_NONE && diagnostics_count(d) > 0)
		e = ERR_INVALID;
	if (e == ERR_NONE)
		printf("ok: %zu rules, %zu protections, %zu examples\n",
		    found.policy.rule_count, found.policy.protect_count,
		    found.policy.example_count);
	if (e == ERR_NONE && found.confine != NULL)
		separation_tell(found.confine, &found.runs_as, false,
		    line_show, NULL);
	policy_close(&found.policy);
	arena_free(a);
	return e == ERR_NONE ? EXIT_SUCCESS : EXIT_FAILURE;
}
