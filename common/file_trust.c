/*
 * file_trust.c - going the way to a file and looking at everything on it.
 *
 * The rule: every name on the way is looked at before the next is looked up
 * in it; once all before it are ours, nobody else can change what it means.
 * Trusts the kernel, and the system's lists of accounts and groups.
 */
#include "common/file_trust.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "common/text.h"

/* What something on the way is there for. */
enum part {
	PART_PASSAGE, /* a folder to pass through */
	PART_LINK,
	PART_END,
};

/* What can be wrong with it; the sentences are below. */
enum fault {
	FAULT_NONE,
	FAULT_OWNER,
	FAULT_WORKERS, /* belongs to them */
	FAULT_OTHERS_WRITE,
	FAULT_GROUP_WRITES,
	FAULT_OTHERS_READ,
	FAULT_GROUP_READS,
	FAULT_NOT_FILE,
	FAULT_NOT_FOLDER,
	FAULT_NOT_THEIRS, /* state: of the workers */
	FAULT_NOT_PRIVATE,
};

struct way {
	const struct trust *trust;
	const char *whole;    /* where it leads */
	enum trust_kind kind; /* of what is there */
	char path[PATH_MAX];  /* so far, without links; "" is / */
	char rest[PATH_MAX];
	unsigned links;
	struct distrust *out;
};

static const char *
place_of(const struct way *w)
{
	return w->path[0] == '\0' ? "/" : w->path;
}

/* --- accounts and groups -------------------------------------------------- */

enum err
trust_find(uid_t starter, const char *run_as, struct trust *out)
{
	const struct passwd *entry;
	int count = TRUST_GROUPS_MAX;

	*out = (struct trust){.starter = starter, .workers = starter};
	if (run_as == NULL)
		return ERR_NONE;
	entry = getpwnam(run_as);
	if (entry == NULL)
		return ERR_NOT_FOUND;
	if (entry->pw_uid == starter)
		return ERR_NONE;
	out->is_separate = true;
	out->workers = entry->pw_uid;
	if (getgrouplist(run_as, entry->pw_gid, out->groups, &count) < 0)
		return ERR_TOO_LONG;
	out->group_count = (size_t)count;
	return ERR_NONE;
}

static bool
is_of_workers(const struct trust *t, gid_t group)
{
	size_t i;

	for (i = 0; i < t->group_count; i++) {
		if (t->groups[i] == group)
			return true;
	}
	return false;
}

/* Is it the group that was made with this account, for it alone? */
static bool
is_private_to(uid_t uid, gid_t group)
{
	const struct passwd *user = getpwuid(uid);
	const struct group *g = getgrgid(group);
	size_t i;

	if (user == NULL || g == NULL || user->pw_gid != group ||
	    strcmp(user->pw_name, g->gr_name) != 0)
		return false;
	for (i = 0; g->gr_mem[i] != NULL; i++) {
		if (strcmp(g->gr_mem[i], user->pw_name) != 0)
			return false;
	}
	return true;
}

static bool
is_private(const struct trust *t, gid_t group)
{
	return !is_of_workers(t, group) &&
	    (is_private_to(0, group) || is_private_to(t->starter, group));
}

/* With an access list, a mode's group bits stand for others, too. */
static bool
has_access_list(const char *path)
{
	return lgetxattr(path, "system.posix_acl_access", NULL, 0) > 0;
}

/* --- judging -------------------------------------------------------------- */

static enum fault
fault_of_owner(const struct trust *t, const struct stat *st)
{
	if (t->is_separate && st->st_uid == t->workers)
		return FAULT_WORKERS;
	return st->st_uid == 0 || st->st_uid == t->starter ? FAULT_NONE
							    : FAULT_OWNER;
}

static enum fault
fault_of_writers(
    const struct trust *t, const char *path, const struct stat *st)
{
	if ((st->st_mode & S_IWOTH) != 0)
		return FAULT_OTHERS_WRITE;
	if ((st->st_mode & S_IWGRP) != 0 &&
	    (!is_private(t, st->st_gid) || has_access_list(path)))
		return FAULT_GROUP_WRITES;
	return FAULT_NONE;
}

static enum fault
fault_of_readers(
    const struct trust *t, const char *path, const struct stat *st)
{
	if (trust_is_exposed(st))
		return FAULT_OTHERS_READ;
	if ((st->st_mode & S_IRGRP) == 0)
		return FAULT_NONE;
	return has_access_list(path) || (!is_of_workers(t, st->st_gid) &&
					    !is_private(t, st->st_gid))
	    ? FAULT_GROUP_READS
	    : FAULT_NONE;
}

static enum fault
fault_of_state(const struct trust *t, const struct stat *st)
{
	if (!S_ISDIR(st->st_mode))
		return FAULT_NOT_FOLDER;
	if (st->st_uid != t->workers)
		return FAULT_NOT_THEIRS;
	return (st->st_mode & 077) != 0 ? FAULT_NOT_PRIVATE : FAULT_NONE;
}

static enum fault
fault_of_end(const struct way *w, const struct stat *st)
{
	bool is_file = w->kind == TRUST_FILE || w->kind == TRUST_SECRET;
	enum fault f;

	if (w->kind == TRUST_STATE)
		return fault_of_state(w->trust, st);
	if (is_file && !S_ISREG(st->st_mode))
		return FAULT_NOT_FILE;
	if (!is_file && !S_ISDIR(st->st_mode))
		return FAULT_NOT_FOLDER;
	f = fault_of_owner(w->trust, st);
	if (f == FAULT_NONE)
		f = fault_of_writers(w->trust, place_of(w), st);
	if (f == FAULT_NONE && w->kind == TRUST_SECRET)
		f = fault_of_readers(w->trust, place_of(w), st);
	return f;
}

static enum fault
fault_of(const struct way *w, enum part part, const struct stat *st)
{
	enum fault f;

	if (part == PART_END)
		return fault_of_end(w, st);
	f = fault_of_owner(w->trust, st);
	/* a link's mode means nothing: who may replace it is the folder's */
	if (f != FAULT_NONE || part == PART_LINK ||
	    (st->st_mode & S_ISVTX) != 0)
		return f;
	return fault_of_writers(w->trust, place_of(w), st);
}

/* --- saying so ------------------------------------------------------------ */

static const struct {
	const char *what;
	const char *mend; /* goes before the path */
} sentences[] = {
    [FAULT_OWNER] = {"belongs to somebody else", "chown root"},
    [FAULT_WORKERS] = {"belongs to the account that workers run as, so "
		       "whoever takes one over could change it", "chown root"},
    [FAULT_OTHERS_WRITE] = {"others may write to it", "chmod o-w"},
    [FAULT_GROUP_WRITES] = {"its group may write to it", "chmod g-w"},
    [FAULT_OTHERS_READ] = {"must not be readable by others", "chmod o-r"},
    [FAULT_GROUP_READS] = {"its group may read it and is not the workers'",
	"chmod g-r"},
    [FAULT_NOT_FILE] = {"not a regular file", NULL},
    [FAULT_NOT_FOLDER] = {"not a folder", NULL},
    [FAULT_NOT_THEIRS] = {"must belong to the account that workers run as",
	NULL},
    [FAULT_NOT_PRIVATE] = {"others than its owner get into it", "chmod 700"},
};

static void
fault_explain(struct way *w, enum fault f, const struct stat *st)
{
	const char *place = place_of(w), *mend = sentences[f].mend;
	bool is_elsewhere = strcmp(place, w->whole) != 0;
	int len;

	if (mend == NULL)
		len = snprintf(w->out->reason, TRUST_REASON_MAX, "%s: %s",
		    w->whole, sentences[f].what);
	else
		len = snprintf(w->out->reason, TRUST_REASON_MAX,
		    "permissions of %s%s%s: %s (uid %lu, gid %lu, mode %04o): "
		    "%s %s",
		    w->whole, is_elsewhere ? ": " : "",
		    is_elsewhere ? place : "", sentences[f].what,
		    (unsigned long)st->st_uid, (unsigned long)st->st_gid,
		    (unsigned)st->st_mode & 07777, mend, place);
	if (len >= TRUST_REASON_MAX)
		memcpy(w->out->reason + TRUST_REASON_MAX - 4, "...", 4);
}

/* --- going ---------------------------------------------------------------- */

static enum err
stopped(struct way *w, const char *why)
{
	snprintf(w->out->reason, TRUST_REASON_MAX, "%s: %s", w->whole, why);
	return ERR_REFUSED;
}

static void
path_shorten(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash != NULL)
		*slash = '\0';
}

/* Take the next name off the rest and put it behind the path. False: there is
 * none; `.` and `..` are done at once. */
static bool
name_take(struct way *w, enum err *err_out)
{
	size_t start = strspn(w->rest, "/");
	size_t len = strcspn(w->rest + start, "/"), end = start + len;
	size_t now = strlen(w->path);
	const char *name = w->rest + start;

	*err_out = ERR_NONE;
	if (len == 0)
		return false;
	if (len == 2 && memcmp(name, "..", 2) == 0) {
		path_shorten(w->path);
	} else if (len != 1 || name[0] != '.') {
		if (len + 2 > sizeof(w->path) - now) {
			*err_out = stopped(w, strerror(ENAMETOOLONG));
			return false;
		}
		w->path[now] = '/';
		memcpy(w->path + now + 1, name, len);
		w->path[now + 1 + len] = '\0';
	}
	memmove(w->rest, w->rest + end, strlen(w->rest + end) + 1);
	return true;
}

/* What a link says takes the place of its name. */
static enum err
link_follow(struct way *w)
{
	char target[PATH_MAX], rest[PATH_MAX];
	ssize_t len = readlink(w->path, target, sizeof(target) - 1);

	if (len < 0)
		return ERR_SYSTEM;
	target[len] = '\0';
	if (++w->links > TRUST_LINKS_MAX)
		return stopped(w, strerror(ELOOP));
	memcpy(rest, w->rest, sizeof(rest));
	if ((size_t)snprintf(w->rest, sizeof(w->rest), "%s/%s", target,
		rest) >= sizeof(w->rest))
		return stopped(w, strerror(ENAMETOOLONG));
	if (target[0] == '/')
		w->path[0] = '\0';
	else
		path_shorten(w->path);
	return ERR_NONE;
}

/* Look at where we are. */
static enum err
place_check(struct way *w)
{
	bool is_end = w->rest[strspn(w->rest, "/")] == '\0';
	enum part part = is_end ? PART_END : PART_PASSAGE;
	enum fault f;
	struct stat st;

	if (lstat(place_of(w), &st) != 0)
		return ERR_SYSTEM;
	if (S_ISLNK(st.st_mode))
		part = PART_LINK;
	f = fault_of(w, part, &st);
	if (f != FAULT_NONE) {
		fault_explain(w, f, &st);
		if (part == PART_PASSAGE)
			w->out->folder = text_hash(text_of(place_of(w)));
		return ERR_REFUSED;
	}
	return part == PART_LINK ? link_follow(w) : ERR_NONE;
}

enum err
trust_check(const struct trust *t, const char *path, enum trust_kind kind,
    struct distrust *out)
{
	struct way w = {
	    .trust = t, .whole = path, .kind = kind, .out = out};
	enum err e;

	*out = (struct distrust){0};
	if (path[0] != '/' ||
	    (size_t)snprintf(w.rest, sizeof(w.rest), "%s", path) >=
		sizeof(w.rest))
		return stopped(&w, "not an absolute path");
	e = place_check(&w); /* of / */
	while (e == ERR_NONE && name_take(&w, &e))
		e = place_check(&w);
	return e;
}

enum err
trust_check_folder_of(const struct trust *t, const char *path,
    struct distrust *out)
{
	char folder[PATH_MAX];

	if ((size_t)snprintf(folder, sizeof(folder), "%s", path) >=
	    sizeof(folder))
		folder[0] = '\0';
	path_shorten(folder);
	return trust_check(
	    t, folder[0] == '\0' ? "/" : folder, TRUST_FOLDER, out);
}

bool
trust_is_exposed(const struct stat *st)
{
	return (st->st_mode & S_IROTH) != 0;
}
