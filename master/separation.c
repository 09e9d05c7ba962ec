/*
 * separation.c - telling what separates the processes, and what does not.
 *
 * One rule: it reads what was made (confine.c), so it cannot say more than
 * is there.
 */
#include <linux/capability.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "master/capability.h"
#include "master/confine_roles.h"

struct teller {
	const struct confine *confine;
	const char *account, *own_account;
	separation_line line;
	void *context;
};

static void __attribute__((format(printf, 2, 3)))
say(const struct teller *t, const char *format, ...)
{
	char line[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	t->line(t->context, line);
}

static const char *
account_of(const struct teller *t, enum confinement role)
{
	return role == CONFINE_MASTER ? t->own_account : t->account;
}

/* Capabilities reach further than the account. */
static const char *
files_of_account(uint64_t capabilities)
{
	if ((capabilities & CAPABILITY(CAP_DAC_OVERRIDE)) != 0)
		return "all";
	if ((capabilities & CAPABILITY(CAP_DAC_READ_SEARCH)) != 0)
		return "all to read, else as its account";
	return "as its account";
}

static void
files_describe(const struct teller *t, enum confinement role, char *out,
    size_t size)
{
	static const char *const rests[] = {
	    [FILES_NONE] = "none",
	    [FILES_CATALOG] = "the catalogue",
	    [FILES_PUBLISHER] = "all to read, state to write",
	};
	const struct sandbox *s = &t->confine->sandboxes[role];
	const char *wall = s->root >= 0 && s->ruleset >= 0
	    ? " (empty root, Landlock)"
	    : s->root >= 0    ? " (empty root)"
	    : s->ruleset >= 0 ? " (Landlock)"
			      : "";
	bool is_all = confine_roles[role].files == FILES_ALL ||
	    (s->root < 0 && s->ruleset < 0);

	snprintf(out, size, "%s%s",
	    is_all ? files_of_account(s->capabilities)
		   : rests[confine_roles[role].files],
	    wall);
}

static void
calls_describe(const struct teller *t, enum confinement role, char *out,
    size_t size)
{
	size_t count = t->confine->call_counts[role];

	if (t->confine->sandboxes[role].filter == NULL)
		snprintf(out, size, "all");
	else if (confine_roles[role].is_refusal)
		snprintf(out, size, "all but %zu", count);
	else
		snprintf(out, size, "%zu", count);
}

static void
capabilities_describe(const struct teller *t, enum confinement role, char *out,
    size_t size)
{
	uint64_t bits = t->confine->sandboxes[role].capabilities;

	if (bits == 0)
		snprintf(out, size, "none");
	else
		snprintf(out, size, "%d", __builtin_popcountll(bits));
}

static void
table_tell(const struct teller *t)
{
	char files[64], calls[32], capabilities[16];
	int i;

	say(t, "%-10s %-12s %-14s %-13s %s", "process", "account",
	    "system calls", "capabilities", "files");
	for (i = 0; i < CONFINEMENTS; i++) {
		enum confinement role = (enum confinement)i;

		files_describe(t, role, files, sizeof(files));
		calls_describe(t, role, calls, sizeof(calls));
		capabilities_describe(
		    t, role, capabilities, sizeof(capabilities));
		say(t, "%-10s %-12s %-14s %-13s %s", confine_roles[i].name,
		    account_of(t, role), calls, capabilities, files);
	}
}

/* --- what is missing ------------------------------------------------------- */

static void
missing_tell(const struct teller *t)
{
	const struct confine_means *m = &t->confine->means;

	if (m->is_open) {
		say(t, "missing: all walls: this build is for tests only");
		return;
	}
	if (!m->is_root)
		say(t, "missing: an account of their own: not started as "
		       "root, so all processes share %s, and who can be %s "
		       "can do what master can",
		    t->own_account, t->own_account);
	else if (!m->has_account)
		say(t, "missing: an account of their own: set `run_as`");
	if (!m->has_seccomp)
		say(t, "missing: system call filters: this kernel has no "
		       "seccomp");
	if (m->landlock == 0)
		say(t, "missing: Landlock: this kernel has none%s",
		    m->has_chroot ? "" : ", so files are hidden from nobody");
	if (!m->has_chroot && m->is_root)
		say(t, "missing: an empty root directory: no CAP_SYS_CHROOT");
}

static void
brief_tell(const struct teller *t)
{
	const struct confine_means *m = &t->confine->means;
	const struct sandbox *worker = &t->confine->sandboxes[CONFINE_WORKER];
	char calls[32];

	calls_describe(t, CONFINE_WORKER, calls, sizeof(calls));
	say(t, "separation: workers run as %s, %s root directory, Landlock %s, "
	       "system calls: %s",
	    t->account, worker->root >= 0 ? "empty" : "common",
	    worker->ruleset >= 0 ? "on" : "off", calls);
	if (m->is_open || !m->is_root || !m->has_account ||
	    !m->has_seccomp || m->landlock == 0)
		missing_tell(t);
}

static const char *
name_of(uid_t uid, char out[32])
{
	const struct passwd *entry = getpwuid(uid);

	if (entry != NULL)
		snprintf(out, 32, "%s", entry->pw_name);
	else
		snprintf(out, 32, "uid %u", (unsigned)uid);
	return out;
}

void
separation_tell(const struct confine *c, const struct account *account,
    bool is_brief, separation_line line, void *context)
{
	char own[32], others[32];
	const struct teller t = {.confine = c,
	    .account = name_of(account->uid, others),
	    .own_account = name_of(c->means.uid, own),
	    .line = line,
	    .context = context};

	if (is_brief) {
		brief_tell(&t);
		return;
	}
	table_tell(&t);
	missing_tell(&t);
}
