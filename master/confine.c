/*
 * confine.c - making the sandboxes of all roles, once, in master.
 *
 * One rule: what this kernel, this account or this build does not allow is
 * left out and told (separation.c); what it does allow and still fails stops
 * the start.
 */
#include "master/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/hole.h"
#include "master/capability.h"
#include "master/confine_roles.h"

#ifdef __has_feature
#define HAS_FEATURE(name) __has_feature(name)
#else
#define HAS_FEATURE(name) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || HAS_FEATURE(address_sanitizer)
#define IS_SANITIZED true
#else
#define IS_SANITIZED false
#endif

/* --- what there is -------------------------------------------------------- */

static bool
has_seccomp(void)
{
	const uint32_t action = SECCOMP_RET_KILL_PROCESS;

	return syscall(
		   SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

struct confine_means
confine_means_find(const struct account *account)
{
	return (struct confine_means){
	    .uid = geteuid(),
	    .is_root = geteuid() == 0,
	    .has_account = account->is_other,
	    .has_chroot = (capabilities_now() &
		CAPABILITY(CAP_SYS_CHROOT)) != 0,
	    .has_seccomp = has_seccomp(),
	    .is_open = IS_SANITIZED || hole_is_wide(),
	    .landlock = sandbox_landlock_version(),
	};
}

/* --- the filter ------------------------------------------------------------ */

static bool
call_add(scmp_filter_ctx filter, uint32_t action, const struct call *call)
{
	struct scmp_arg_cmp when[CALL_CONDITIONS];
	int number = seccomp_syscall_resolve_name(call->name);
	unsigned count = 0;

	for (; count < CALL_CONDITIONS && call->when[count].is_used; count++) {
		const struct call_condition *c = &call->when[count];

		when[count] = (struct scmp_arg_cmp){.arg = c->argument,
		    .op = SCMP_CMP_MASKED_EQ,
		    .datum_a = c->mask,
		    .datum_b = c->value};
	}
	return number != __NR_SCMP_ERROR &&
	    seccomp_rule_add_array(filter, action, number, count, when) == 0;
}

/* How many different calls the role's list names. */
static size_t
calls_count(const struct confine_role *role)
{
	const struct call_group *group;
	const char *last = "";
	size_t count = 0, i;

	for (group = role->groups; group->calls != NULL; group++) {
		for (i = 0; i < group->count; i++) {
			count += strcmp(group->calls[i].name, last) != 0;
			last = group->calls[i].name;
		}
	}
	return count;
}

static scmp_filter_ctx
filter_new(const struct confine_role *role)
{
	const uint32_t refusal = role->is_refusal ? SCMP_ACT_ERRNO(ENOSYS)
						  : SCMP_ACT_KILL_PROCESS;
	const uint32_t action =
	    role->is_refusal ? refusal : (uint32_t)SCMP_ACT_ALLOW;
	const struct call_group *group;
	scmp_filter_ctx filter = seccomp_init(
	    role->is_refusal ? (uint32_t)SCMP_ACT_ALLOW : refusal);
	bool is_good = filter != NULL &&
	    seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH,
		SCMP_ACT_KILL_PROCESS) == 0 &&
	    /* as a tree: the kernel runs it for calls with conditions */
	    seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2) == 0;
	size_t i;

	for (group = role->groups; group->calls != NULL; group++) {
		for (i = 0; i < group->count && is_good; i++)
			is_good = call_add(filter, action, &group->calls[i]);
	}
	if (is_good)
		return filter;
	seccomp_release(filter);
	return NULL;
}

/* The program as the kernel takes it. */
static enum err
filter_export(scmp_filter_ctx filter, struct sandbox *out)
{
	int fd = memfd_create("filter", MFD_CLOEXEC);
	const size_t one = sizeof(struct sock_filter);
	enum err e = ERR_SYSTEM;
	off_t size;

	if (fd < 0)
		return ERR_SYSTEM;
	if (seccomp_export_bpf(filter, fd) == 0 &&
	    (size = lseek(fd, 0, SEEK_END)) > 0 &&
	    (size_t)size / one <= USHRT_MAX) {
		out->filter = malloc((size_t)size);
		out->filter_len = (unsigned short)((size_t)size / one);
		if (out->filter == NULL)
			e = ERR_MEMORY;
		else if (pread(fd, out->filter, (size_t)size, 0) == size)
			e = ERR_NONE;
	}
	close(fd);
	return e;
}

static enum err
filter_make(const struct confine_role *role, struct sandbox *out)
{
	scmp_filter_ctx filter = filter_new(role);
	enum err e;

	if (filter == NULL)
		return ERR_MEMORY;
	e = filter_export(filter, out);
	seccomp_release(filter);
	return e;
}

/* --- files ----------------------------------------------------------------- */

static enum err
ruleset_make(
    const struct confine_role *role, const char *state, int *ruleset_out)
{
	char catalog[PATH_MAX];
	const struct sandbox_path publisher[] = {
	    {"/", SANDBOX_READ}, {state, SANDBOX_CHANGE}, {"/dev", SANDBOX_READ}};
	const struct sandbox_path catalogs[] = {{catalog, SANDBOX_CHANGE}};
	const struct sandbox_path *paths = NULL;
	size_t count = 0;

	*ruleset_out = -1;
	if (snprintf(catalog, sizeof(catalog), "%s/catalog", state) >=
	    (int)sizeof(catalog))
		return ERR_TOO_LONG;
	if (role->files == FILES_ALL)
		return ERR_NONE;
	if (role->files == FILES_CATALOG)
		paths = catalogs, count = 1;
	if (role->files == FILES_PUBLISHER)
		paths = publisher,
		count = sizeof(publisher) / sizeof(*publisher);
	return sandbox_ruleset(
	    paths, count, !role->sends_signals, ruleset_out);
}

/* A folder that was removed: nobody can ever put anything into it. */
static enum err
root_make(const char *state, int *root_out)
{
	char path[PATH_MAX];
	struct stat st;
	mode_t before;
	bool is_made;
	int fd;

	if (snprintf(path, sizeof(path), "%s/root.%d", state,
		(int)getpid()) >= (int)sizeof(path))
		return ERR_TOO_LONG;
	/* they have to be able to go there; master's umask is for files */
	before = umask(0);
	is_made = mkdir(path, 0555) == 0;
	umask(before);
	if (!is_made)
		return ERR_SYSTEM;
	fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (rmdir(path) != 0 || fd < 0 || fstat(fd, &st) != 0 ||
	    st.st_nlink != 0 || st.st_uid != 0) {
		if (fd >= 0)
			close(fd);
		return ERR_SYSTEM;
	}
	*root_out = fd;
	return ERR_NONE;
}

/* --- all together ---------------------------------------------------------- */

static void
sandbox_begin(const struct confine_role *role, struct sandbox *out)
{
	*out = (struct sandbox){.ruleset = -1,
	    .root = -1,
	    .capabilities = role->capabilities};
	while (role->limits[out->limit_count].most != LIMIT_END) {
		out->limits[out->limit_count] =
		    role->limits[out->limit_count];
		out->limit_count++;
	}
}

static enum err
role_make(struct confine *c, enum confinement which,
    const struct settings *s, int root, const char **failed_out)
{
	const struct confine_role *role = &confine_roles[which];
	struct sandbox *out = &c->sandboxes[which];
	enum err e = ERR_NONE;

	sandbox_begin(role, out);
	if (!c->means.is_root)
		out->capabilities = 0;
	if (c->means.is_open) {
		out->limit_count = 0;
		return ERR_NONE;
	}
	if (role->files == FILES_NONE && !role->is_program)
		out->root = root;
	*failed_out = "seccomp";
	if (c->means.has_seccomp) {
		e = filter_make(role, out);
		c->call_counts[which] = calls_count(role);
	}
	if (e != ERR_NONE || c->means.landlock == 0)
		return e;
	*failed_out = "Landlock";
	return ruleset_make(role, s->state, &out->ruleset);
}

static enum err
confine_make(const struct settings *s, const struct account *account,
    enum err (*make_root)(const char *state, int *root_out),
    struct confine **out, const char **failed_out)
{
	struct confine *c = calloc(1, sizeof(*c));
	enum err e = c == NULL ? ERR_MEMORY : ERR_NONE;
	int root = -1, i;

	*out = c;
	*failed_out = "memory";
	if (e != ERR_NONE)
		return e;
	c->means = confine_means_find(account);
	*failed_out = "an empty root directory";
	if (c->means.has_chroot && !c->means.is_open)
		e = make_root(s->state, &root);
	for (i = 0; i < CONFINEMENTS && e == ERR_NONE; i++)
		e = role_make(c, (enum confinement)i, s, root, failed_out);
	return e;
}

enum err
confine_new(const struct settings *s, const struct account *account,
    struct confine **out, const char **failed_out)
{
	return confine_make(s, account, root_make, out, failed_out);
}

/* Any folder will do. */
static enum err
root_pretend(const char *state, int *root_out)
{
	(void)state;
	*root_out = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return *root_out < 0 ? ERR_SYSTEM : ERR_NONE;
}

enum err
confine_try(const struct settings *s, const struct account *account,
    struct confine **out)
{
	const char *failed;

	return confine_make(s, account, root_pretend, out, &failed);
}

enum err
confine_alone(enum confinement role, struct sandbox *out)
{
	const struct account self = {0};
	struct confine c = {.means = confine_means_find(&self)};
	const struct settings none = {.state = "/nonexistent"};
	const char *failed;
	enum err e;

	c.means.is_root = c.means.has_chroot = false;
	e = role_make(&c, role, &none, -1, &failed);
	*out = c.sandboxes[role];
	return e;
}

void
confine_leave_others(const struct confine *c, enum confinement mine)
{
	int root = -1, i;

	for (i = 0; i < CONFINEMENTS; i++) {
		const struct sandbox *s = &c->sandboxes[i];

		if (s->root >= 0)
			root = s->root; /* one for all */
		if (i != (int)mine && s->ruleset >= 0)
			close(s->ruleset);
	}
	if (root >= 0 && c->sandboxes[mine].root < 0)
		close(root);
}

enum err
confine_master(const struct confine *c, const char **failed_out)
{
	enum err e;

	capabilities_forbid();
	*failed_out = "no new privileges";
	e = sandbox_quieten();
	return e == ERR_NONE
	    ? sandbox_enter(&c->sandboxes[CONFINE_MASTER], failed_out)
	    : e;
}
