/*
 * privilege.c - dropping root.
 *
 * One rule: a drop that cannot be proved did not happen, and the child ends.
 */
#include "master/privilege.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum err
account_find(const char *run_as, struct account *out)
{
	const struct passwd *entry;

	*out = (struct account){.uid = geteuid(), .gid = getegid()};
	if (run_as == NULL)
		return ERR_NONE;
	entry = getpwnam(run_as);
	if (entry == NULL || strlen(run_as) >= sizeof(out->name))
		return ERR_NOT_FOUND;
	out->is_other = entry->pw_uid != geteuid();
	if (out->is_other && geteuid() != 0)
		return ERR_REFUSED;
	out->uid = entry->pw_uid;
	out->gid = out->is_other ? entry->pw_gid : getegid();
	snprintf(out->name, sizeof(out->name), "%s", run_as);
	return ERR_NONE;
}

enum err
account_become(const struct account *a)
{
	uid_t real, effective, saved;

	if (!a->is_other)
		return ERR_NONE;
	if (initgroups(a->name, a->gid) != 0 ||
	    setresgid(a->gid, a->gid, a->gid) != 0 ||
	    setresuid(a->uid, a->uid, a->uid) != 0)
		return ERR_SYSTEM;
	if (getresuid(&real, &effective, &saved) != 0 || real != a->uid ||
	    effective != a->uid || saved != a->uid)
		return ERR_REFUSED;
	if (a->uid != 0 && setuid(0) == 0)
		return ERR_REFUSED;
	return ERR_NONE;
}
