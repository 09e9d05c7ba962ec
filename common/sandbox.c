/*
 * sandbox.c - entering it, with bare system calls.
 *
 * One rule: every step is checked, and a step that is asked for is made or
 * the process ends.  What a kernel does not have is left out where the
 * sandbox is made, never here.
 */
#include "common/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* As linux/landlock.h has them, in the version of this file's knowledge. */
struct ruleset_attr {
	uint64_t handled_access_fs;
	uint64_t handled_access_net;
	uint64_t scoped;
};

struct path_beneath_attr {
	uint64_t allowed_access;
	int32_t parent_fd;
} __attribute__((packed));

enum {
	CREATE_RULESET_VERSION = 1,
	RULE_PATH_BENEATH = 1,
	VERSION_NET = 4,
	VERSION_SCOPE = 6,
	NET_ALL = 3,	    /* bind and connect, TCP */
	SCOPE_ABSTRACT = 1, /* Unix sockets without a path */
	SCOPE_SIGNAL = 2,
	/* what can be said of a file that is no folder */
	FILE_ACCESS = SANDBOX_FS_EXECUTE | SANDBOX_FS_WRITE_FILE |
	    SANDBOX_FS_READ_FILE | SANDBOX_FS_TRUNCATE,
};

/* What each version knows of files: its bits, from 0. */
static const unsigned fs_bits[] = {0, 13, 14, 15, 15, 16};

int
sandbox_landlock_version(void)
{
	long version = syscall(
	    SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);

	return version < 0 ? 0 : (int)version;
}

static struct ruleset_attr
refuse_all(int version, bool refuses_signals)
{
	const int last = (int)(sizeof(fs_bits) / sizeof(*fs_bits)) - 1;
	struct ruleset_attr all = {0};

	all.handled_access_fs =
	    ((uint64_t)1 << fs_bits[version < last ? version : last]) - 1;
	if (version >= VERSION_NET)
		all.handled_access_net = NET_ALL;
	if (version >= VERSION_SCOPE)
		all.scoped =
		    SCOPE_ABSTRACT | (refuses_signals ? SCOPE_SIGNAL : 0);
	return all;
}

static enum err
rule_add(int ruleset, const struct sandbox_path *p, uint64_t known)
{
	struct path_beneath_attr rule = {
	    .allowed_access = p->access & known,
	    .parent_fd =
		open(p->path, O_PATH | O_CLOEXEC | O_DIRECTORY)};
	long result;

	if (rule.parent_fd < 0 && errno == ENOTDIR) {
		rule.parent_fd = open(p->path, O_PATH | O_CLOEXEC);
		rule.allowed_access &= FILE_ACCESS;
	}
	if (rule.parent_fd < 0)
		return errno == ENOENT ? ERR_NONE : ERR_SYSTEM;
	result = syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH,
	    &rule, 0);
	close(rule.parent_fd);
	return result == 0 ? ERR_NONE : ERR_SYSTEM;
}

enum err
sandbox_ruleset(const struct sandbox_path *paths, size_t count,
    bool refuses_signals, int *ruleset_out)
{
	const int version = sandbox_landlock_version();
	const struct ruleset_attr all = refuse_all(version, refuses_signals);
	enum err e = ERR_NONE;
	size_t i;
	int fd;

	*ruleset_out = -1;
	if (version == 0)
		return ERR_UNSUPPORTED;
	fd = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);
	if (fd < 0)
		return ERR_SYSTEM;
	for (i = 0; i < count && e == ERR_NONE; i++)
		e = rule_add(fd, &paths[i], all.handled_access_fs);
	if (e == ERR_NONE)
		*ruleset_out = fd; /* the kernel makes it close-on-exec */
	else
		close(fd);
	return e;
}

enum err
sandbox_quieten(void)
{
	const struct rlimit none = {0, 0};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
	    setrlimit(RLIMIT_CORE, &none) != 0)
		return ERR_SYSTEM;
	return ERR_NONE;
}

enum err
sandbox_keep_capabilities(uint64_t kept)
{
	struct __user_cap_header_struct header = {
	    .version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[2] = {{0}, {0}};
	int i;

	if (syscall(SYS_capget, &header, sets) != 0)
		return ERR_SYSTEM;
	for (i = 0; i < 2; i++) {
		sets[i].permitted &= (uint32_t)(kept >> (32 * i));
		sets[i].effective = sets[i].permitted;
		sets[i].inheritable = 0;
	}
	/* kernels without ambient ones have none to clear */
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 &&
	    errno != EINVAL)
		return ERR_SYSTEM;
	return syscall(SYS_capset, &header, sets) == 0 ? ERR_NONE : ERR_SYSTEM;
}

/* --- entering ------------------------------------------------------------- */

static bool
limits_set(const struct sandbox *s)
{
	size_t i;

	for (i = 0; i < s->limit_count; i++) {
		const struct sandbox_limit *l = &s->limits[i];
		struct rlimit limit;

		if (getrlimit((__rlimit_resource_t)l->resource, &limit) != 0)
			return false;
		if (limit.rlim_max <= l->most)
			continue; /* it is tighter already */
		limit.rlim_cur = limit.rlim_max = l->most;
		if (setrlimit((__rlimit_resource_t)l->resource, &limit) != 0)
			return false;
	}
	return true;
}

/* What it entered by is closed behind it: a folder outside, a ruleset. */
static bool
root_change(const struct sandbox *s)
{
	return s->root < 0 ||
	    (fchdir(s->root) == 0 && chroot(".") == 0 && chdir("/") == 0 &&
		close(s->root) == 0);
}

static bool
ruleset_apply(const struct sandbox *s)
{
	return s->ruleset < 0 ||
	    (syscall(SYS_landlock_restrict_self, s->ruleset, 0) == 0 &&
		close(s->ruleset) == 0);
}

static bool
capabilities_drop(const struct sandbox *s)
{
	return sandbox_keep_capabilities(s->capabilities) == ERR_NONE;
}

static bool
filter_apply(const struct sandbox *s)
{
	const struct sock_fprog program = {
	    .len = s->filter_len, .filter = s->filter};

	return s->filter == NULL ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
}

enum err
sandbox_enter(const struct sandbox *s, const char **failed_out)
{
	static const struct {
		const char *name;
		bool (*take)(const struct sandbox *s);
	} steps[] = {
	    {"limits", limits_set},
	    {"root directory", root_change},
	    {"Landlock", ruleset_apply},
	    {"capabilities", capabilities_drop},
	    {"seccomp", filter_apply},
	};
	size_t i;

	for (i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		*failed_out = steps[i].name;
		if (!steps[i].take(s))
			return ERR_SYSTEM;
	}
	*failed_out = NULL;
	return ERR_NONE;
}
