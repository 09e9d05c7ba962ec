/*
 * file_trust.h - may Sallyport believe what stands in a file?
 *
 * As sshd does with keys: whoever could change a file, or put another in its
 * place, could change what Sallyport does.  So everything on the way to it,
 * from / on and through every symbolic link, must belong to root or to the
 * account that Sallyport was started as, and nobody else may write to it.
 * The workers' account is somebody else: they speak to strangers.
 *
 * Group permissions count as given to all of the group, unless it is the
 * private one (adduser(8)) of an account that may write anyway.  A folder that
 * others may write to, but not take things out of (the sticky bit, as /tmp
 * has it), is fine to pass through: what is of ours there stays ours.
 */
#ifndef SALLYPORT_FILE_TRUST_H
#define SALLYPORT_FILE_TRUST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "common/err.h"

enum {
	TRUST_GROUPS_MAX = 64, /* of the workers' account */
	TRUST_LINKS_MAX = 40,  /* symbolic links on one way, as in Linux */
	TRUST_REASON_MAX = 512,
};

/* Whose files are to be believed. */
struct trust {
	uid_t starter;	  /* who started Sallyport: believed, as root is */
	bool is_separate; /* workers run as somebody else: not believed */
	uid_t workers;	  /* the starter, if not */
	gid_t groups[TRUST_GROUPS_MAX]; /* theirs, if separate */
	size_t group_count;
};

enum trust_kind {
	TRUST_FILE,   /* a regular file: others may read, none may write it */
	TRUST_SECRET, /* nor may others read it; the workers' group may */
	TRUST_FOLDER, /* what is in it is believed, or waited at */
	TRUST_STATE,  /* the workers' own folder; nobody else gets in */
	TRUST_KINDS
};

/* What is wrong. */
struct distrust {
	char reason[TRUST_REASON_MAX]; /* with what, and what to do; or "" */
	/* of the folder to blame, if it is one on the way; 0: it is what is
	 * at the end. Others may be in there. */
	uint64_t folder;
};

/* Of an account that exists; run_as NULL: workers are the starter's.
 * ERR_NOT_FOUND; ERR_TOO_LONG: it is in too many groups. */
enum err trust_find(
    uid_t starter, const char *run_as, struct trust *out) MUST_CHECK;

/* Go the way to `path` (absolute) and look at everything on it. ERR_REFUSED:
 * not to be believed; `out` says why. ERR_SYSTEM: cannot be looked at (errno),
 * as far as it is there it is fine; whoever opens it says so. */
enum err trust_check(const struct trust *t, const char *path,
    enum trust_kind kind, struct distrust *out) MUST_CHECK;

/* The same of the folder that `path` is in, for sockets. */
enum err trust_check_folder_of(const struct trust *t, const char *path,
    struct distrust *out) MUST_CHECK;

/* May others than its owner and its group read it? For whoever has opened a
 * secret and looks a last time. */
bool trust_is_exposed(const struct stat *st);

#endif
