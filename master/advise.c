/*
 * advise.c - warnings about what is allowed, and hardly meant.
 *
 * The rule: a warning changes nothing; what could let somebody in who is not
 * to be let in is an error, and told elsewhere.
 */
#include "master/advise.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "master/porter_inner.h"

enum {
	LINE_MAX_LEN = 1024,
	NAMES_SHOWN = 8, /* of those who are in the same case */
};

/* Where services of PAM are described. */
static const char *const pam_folders[] = {"/etc/pam.d", "/usr/lib/pam.d"};

__attribute__((format(printf, 3, 4))) static void
advise(advise_fn tell, const char *file, const char *format, ...)
{
	char line[LINE_MAX_LEN];
	int used = snprintf(line, sizeof(line), "%s: ", file);
	va_list list;

	if (used < 0 || (size_t)used >= sizeof(line))
		return;
	va_start(list, format);
	vsnprintf(line + used, sizeof(line) - (size_t)used, format, list);
	va_end(list);
	tell(line);
}

/* --- listeners ------------------------------------------------------------ */

static bool
is_of_this_machine(struct text address)
{
	static const struct text own[] = {
	    TEXT("unix:"), TEXT("127."), TEXT("[::1]:"), TEXT("localhost:")};
	size_t i;

	for (i = 0; i < sizeof(own) / sizeof(*own); i++) {
		if (text_starts(address, own[i]))
			return true;
	}
	return false;
}

void
advise_listeners(const struct settings *s, advise_fn tell)
{
	size_t i;

	for (i = 0; i < s->listener_count; i++) {
		const struct listener *l = &s->listeners[i];

		if (l->tls.certificate == NULL &&
		    !is_of_this_machine(text_of(l->address)))
			advise(tell, s->file,
			    "listen: %s: without `tls`: statements and "
			    "results cross the network in clear",
			    l->address);
	}
}

/* --- proofs --------------------------------------------------------------- */

static bool
can_person_log_in(const struct person *p)
{
	return p->password.len > 0 || p->pam != NULL ||
	    p->certificate_count > 0;
}

static bool
can_agent_log_in(const struct agent *a)
{
	return a->password.len > 0 || a->pam != NULL ||
	    a->certificate_count > 0 || a->executable.len > 0 ||
	    a->uid_count > 0;
}

struct listed {
	char text[NAMES_SHOWN * (IDENTITY_NAME_MAX + 2)];
	size_t used, count;
};

static void
list_add(struct listed *l, struct text name)
{
	if (l->count++ >= NAMES_SHOWN)
		return;
	l->used += (size_t)snprintf(l->text + l->used,
	    sizeof(l->text) - l->used, "%s%.*s", l->used > 0 ? ", " : "",
	    (int)name.len, name.at);
}

void
advise_proofs(
    const char *file, const struct identities *ids, advise_fn tell)
{
	struct listed l = {.used = 0};
	char rest[32] = "";
	size_t i;

	if (ids->issuer_count > 0)
		return;
	for (i = 0; i < ids->person_count; i++) {
		if (!can_person_log_in(&ids->people[i]) &&
		    ids->people[i].uid_count == 0)
			list_add(&l, ids->people[i].name);
	}
	for (i = 0; i < ids->agent_count; i++) {
		if (!can_agent_log_in(&ids->agents[i]))
			list_add(&l, ids->agents[i].name);
	}
	if (l.count > NAMES_SHOWN)
		snprintf(
		    rest, sizeof(rest), " and %zu more", l.count - NAMES_SHOWN);
	if (l.count > 0)
		advise(tell, file,
		    "no proof of their own, and there are no `tokens`, so "
		    "they cannot log in by themselves: %s%s",
		    l.text, rest);
}

/* --- executables and services --------------------------------------------- */

/* Could it be believed of a process of this user? */
static void
check_genuine(const char *file, const struct agent *a, uid_t user,
    advise_fn tell)
{
	struct statx status;
	const char *why = "";

	if (file_status(AT_FDCWD, a->executable.at, 0, true, &status) &&
	    file_genuine(NULL, a->executable.at, &status, user, true, &why) !=
		GENUINE_YES)
		advise(tell, file,
		    "agent %s: executable: %s: proves nobody: %s",
		    a->name.at, a->executable.at, why);
}

static void
check_executable(const char *file, const struct agent *a, advise_fn tell)
{
	const char *path = a->executable.at;
	char real[PATH_MAX];
	struct stat st;
	size_t i;

	if (realpath(path, real) == NULL || stat(path, &st) != 0)
		advise(tell, file, "agent %s: executable: %s: %s", a->name.at,
		    path, strerror(errno));
	else if (strcmp(path, real) != 0)
		advise(tell, file,
		    "agent %s: executable: %s: a link is on the way: the "
		    "kernel says %s, so write that",
		    a->name.at, path, real);
	else if (!S_ISREG(st.st_mode) || (st.st_mode & 0111) == 0)
		advise(tell, file, "agent %s: executable: %s: not a program",
		    a->name.at, path);
	else if (a->uid_count == 0) /* of whom, nobody knows yet */
		check_genuine(file, a, (uid_t)-1, tell);
	else
		for (i = 0; i < a->uid_count; i++)
			check_genuine(file, a, a->uids[i], tell);
}

static void
check_service(const char *file, struct text name, const char *service,
    advise_fn tell)
{
	char path[PATH_MAX];
	size_t i;

	if (service == NULL)
		return;
	for (i = 0; i < sizeof(pam_folders) / sizeof(*pam_folders); i++) {
		snprintf(path, sizeof(path), "%s/%s", pam_folders[i], service);
		if (access(path, F_OK) == 0)
			return;
	}
	advise(tell, file, "%s: pam: %s/%s is not there", name.at,
	    pam_folders[0], service);
}

void
advise_places(
    const char *file, const struct identities *ids, advise_fn tell)
{
	size_t i;

	for (i = 0; i < ids->person_count; i++)
		check_service(file, ids->people[i].name, ids->people[i].pam,
		    tell);
	for (i = 0; i < ids->agent_count; i++) {
		const struct agent *a = &ids->agents[i];

		check_service(file, a->name, a->pam, tell);
		if (a->executable.len > 0)
			check_executable(file, a, tell);
	}
}
