/*
 * sandbox.h - the walls a process puts around itself.
 *
 * Master makes what is costly once, at its start (master/confine.h): the
 * filter of system calls as a program for the kernel, the ruleset that says
 * which files are left, the folder that becomes the root.  A child inherits
 * all that and enters with a few system calls; there is no way back.
 */
#ifndef SALLYPORT_SANDBOX_H
#define SALLYPORT_SANDBOX_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include "common/err.h"

enum { SANDBOX_LIMITS_MAX = 8 };

/* Landlock, where the headers are older than the kernel. */
enum {
	SANDBOX_FS_EXECUTE = 1 << 0,
	SANDBOX_FS_WRITE_FILE = 1 << 1,
	SANDBOX_FS_READ_FILE = 1 << 2,
	SANDBOX_FS_READ_DIR = 1 << 3,
	SANDBOX_FS_REMOVE_FILE = 1 << 5,
	SANDBOX_FS_MAKE_DIR = 1 << 7,
	SANDBOX_FS_MAKE_REG = 1 << 8,
	SANDBOX_FS_REFER = 1 << 13,
	SANDBOX_FS_TRUNCATE = 1 << 14,

	SANDBOX_READ = SANDBOX_FS_READ_FILE | SANDBOX_FS_READ_DIR,
	SANDBOX_CHANGE = SANDBOX_READ | SANDBOX_FS_WRITE_FILE |
	    SANDBOX_FS_REMOVE_FILE | SANDBOX_FS_MAKE_DIR |
	    SANDBOX_FS_MAKE_REG | SANDBOX_FS_REFER | SANDBOX_FS_TRUNCATE,
};

/* What one path leaves to a process; the path's whole tree. */
struct sandbox_path {
	const char *path;
	uint64_t access; /* SANDBOX_FS_* */
};

struct sandbox_limit {
	unsigned resource; /* RLIMIT_* */
	rlim_t most;
};

struct sandbox {
	/* the filter; NULL: none */
	struct sock_filter *filter;
	unsigned short filter_len; /* instructions */
	int ruleset; /* Landlock's; -1: none */
	int root;    /* folder to chroot() into; -1: none */
	/* capabilities to keep, a bit each (CAP_*) */
	uint64_t capabilities;
	size_t limit_count;
	struct sandbox_limit limits[SANDBOX_LIMITS_MAX];
};

/* Which version of Landlock this kernel has; 0: none. */
int sandbox_landlock_version(void);

/* A ruleset that refuses everything Landlock of this kernel knows - files,
 * TCP, abstract sockets, and with `refuses_signals` signals to processes
 * outside - except what `paths` give. A path that is not there gives nothing.
 * Close-on-exec. ERR_UNSUPPORTED: no Landlock here. */
enum err sandbox_ruleset(const struct sandbox_path *paths, size_t count,
    bool refuses_signals, int *ruleset_out) MUST_CHECK;

/* What every process of ours gives up: gaining privileges by executing a
 * file, core files, being looked into by others of the same account. */
enum err sandbox_quieten(void) MUST_CHECK;

/* Of the capabilities it has, keep these only, in effect; none inheritable
 * or ambient. */
enum err sandbox_keep_capabilities(uint64_t kept) MUST_CHECK;

/* In this order: limits, root, ruleset, capabilities, filter. `failed_out`
 * names the step that failed (static); the process must end then. */
enum err sandbox_enter(
    const struct sandbox *s, const char **failed_out) MUST_CHECK;

#endif
