/*
 * start.c - opening the process's descriptors and memory.
 *
 * One rule: all or nothing; a daemon that could not open one of its listeners
 * does not run on the others.
 */
#include "master/start.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/hole.h"
#include "common/log.h"
#include "master/alone.h"
#include "master/chain.h"
#include "master/listen.h"
#include "master/penalty.h"
#include "master/record.h"
#include "master/trouble.h"

static enum err
sizes_check(struct master *m)
{
	if (m->settings->listener_count > LISTENERS_MAX ||
	    m->settings->upstream_count > UPSTREAMS_MAX) {
		log_error("%s: more than %d listeners or %d upstreams",
		    m->settings->file, LISTENERS_MAX, UPSTREAMS_MAX);
		return ERR_TOO_LONG;
	}
	return ERR_NONE;
}

static enum err
account_choose(struct master *m)
{
	const char *run_as = m->settings->run_as;
	enum err e = account_find(run_as, &m->account);

	if (e == ERR_NONE && m->account.uid == 0) {
		log_error("run_as: started by root, the daemon needs an "
			  "account that it can become to serve clients");
		return ERR_REFUSED;
	}
	if (e == ERR_REFUSED)
		log_error("run_as: %s: only root can become another account",
		    run_as);
	else if (e != ERR_NONE)
		log_error("run_as: %s: no such account", run_as);
	return e;
}

/* The broker holds a channel for each worker. */
static void
descriptors_raise(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* Who guesses wrong is remembered from one broker to the next. */
static struct penalties *
penalties_open(void)
{
	uint8_t key[PENALTY_KEY_LEN];
	void *memory = mmap(NULL, penalties_size(), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED ||
	    madvise(memory, penalties_size(), MADV_DONTFORK) != 0 ||
	    getentropy(key, sizeof(key)) != 0)
		return NULL;
	return penalties_init(memory, key);
}

static enum err
memory_open(struct master *m)
{
	uint32_t slots = m->settings->workers_max + 1;

	m->board = scoreboard_new(slots, &m->board_files);
	m->children = children_new(slots + m->settings->upstream_count +
	    CONTROL_CHILDREN_MAX + BROKERS_MAX * 3 + 1);
	m->penalties = penalties_open();
	m->troubles = troubles_new(m->settings);
	if (m->board == NULL) {
		log_error("no shared memory for %u workers: %m", slots - 1);
		return ERR_SYSTEM;
	}
	if (m->children == NULL || m->penalties == NULL ||
	    m->troubles == NULL ||
	    board_withhold(m->board) != ERR_NONE ||
	    record_open(m) != ERR_NONE) {
		log_error("%s", err_text(ERR_MEMORY));
		return ERR_MEMORY;
	}
	atomic_store(&m->board->master, getpid());
	m->board->started_at = unix_ms();
	return ERR_NONE;
}

static enum err
pipes_open(struct master *m)
{
	const int flags = EFD_CLOEXEC | EFD_NONBLOCK;
	size_t i;
	bool is_open;

	m->control_lock = memfd_create("control-lock", MFD_CLOEXEC);
	is_open = m->control_lock >= 0 &&
	    pipe2(m->wake, O_CLOEXEC | O_NONBLOCK) == 0 &&
	    pipe2(m->life, O_CLOEXEC) == 0 &&
	    pipe2(m->orders, O_CLOEXEC | O_NONBLOCK) == 0;
	for (i = 0; i < m->settings->upstream_count && is_open; i++) {
		m->catalogs[i] = eventfd(0, flags);
		is_open = m->catalogs[i] >= 0;
	}
	if (is_open)
		return ERR_NONE;
	log_error("cannot open pipes: %m");
	return ERR_SYSTEM;
}

/* Make a folder of ours if it is not there; one level, as packages leave it
 * to us under /run and /var/lib. */
static enum err
folder_make(const char *path, mode_t mode, const struct account *owner)
{
	if (mkdir(path, mode) != 0) {
		if (errno == EEXIST)
			return ERR_NONE;
		log_error("%s: %m%s", path,
		    errno != EACCES ? ""
				    : " (chown the folder above to the account "
				      "that runs this; or is `run_as` missing?)");
		return ERR_SYSTEM;
	}
	/* chmod: the umask is for files whose mode nobody thought about */
	if (chmod(path, mode) == 0 &&
	    (!owner->is_other || chown(path, owner->uid, owner->gid) == 0))
		return ERR_NONE;
	log_error("%s: %m", path);
	return ERR_SYSTEM;
}

/* The stores: each has a folder that its writer alone may change. */
static enum err
stores_make(struct master *m)
{
	static const char *const stores[] = {"policy", "catalog"};
	char folder[PATH_MAX];
	enum err e = ERR_NONE;
	size_t i;

	for (i = 0; i < sizeof(stores) / sizeof(*stores) && e == ERR_NONE;
	     i++) {
		if (snprintf(folder, sizeof(folder), "%s/%s",
			m->settings->state, stores[i]) >= (int)sizeof(folder))
			return ERR_TOO_LONG;
		e = folder_make(folder, 0700, &m->account);
	}
	return e;
}

static enum err
folders_open(struct master *m)
{
	const struct account self = {0};
	char folder[PATH_MAX];
	char *slash;
	enum err e = folder_make(m->settings->state, 0700, &m->account);

	if (e == ERR_NONE)
		e = stores_make(m);
	if (e != ERR_NONE)
		return e;
	if ((size_t)snprintf(folder, sizeof(folder), "%s",
		m->settings->control) >= sizeof(folder))
		return ERR_TOO_LONG;
	slash = strrchr(folder, '/');
	if (slash == NULL || slash == folder)
		return ERR_NONE;
	*slash = '\0';
	return folder_make(folder, 0755, &self);
}

static enum err
state_claim(struct master *m)
{
	return alone_claim(m->settings->state, &m->alone);
}

static enum err
listener_open(const char *address, int *fd_out)
{
	const char *reason = "";
	enum err e = listen_open(address, fd_out, &reason);

	if (e == ERR_SYSTEM || e == ERR_REFUSED)
		log_error("%s: %s: %m", address, reason);
	else if (e != ERR_NONE)
		log_error("%s: %s", address, reason);
	return e;
}

/* Brokers know by it through which one a client came (broker_socket.c). */
static enum err
bound_note(struct master *m, size_t i)
{
	socklen_t len = sizeof(m->bound[i]);

	if (getsockname(m->listeners[i], (struct sockaddr *)&m->bound[i],
		&len) == 0)
		return ERR_NONE;
	log_error("%s: %m", m->settings->listeners[i].address);
	return ERR_SYSTEM;
}

static enum err
listeners_open(struct master *m)
{
	char control[PATH_MAX];
	enum err e = ERR_NONE;
	size_t i;

	for (i = 0; i < m->settings->listener_count && e == ERR_NONE; i++) {
		e = listener_open(m->settings->listeners[i].address,
		    &m->listeners[i]);
		if (e == ERR_NONE) {
			m->listener_count = i + 1;
			e = bound_note(m, i);
		}
	}
	snprintf(control, sizeof(control), "unix:%s", m->settings->control);
	return e == ERR_NONE ? listener_open(control, &m->control) : e;
}

static void
line_log(void *context, const char *line)
{
	(void)context;
	log_info("%s", line);
}

/* Master keeps what it takes to start children; the rest goes now that all
 * is open. */
static enum err
confine_open(struct master *m)
{
	const char *failed = "";
	enum err e =
	    confine_new(m->settings, &m->account, &m->confine, &failed);

	if (e == ERR_NONE)
		e = confine_master(m->confine, &failed);
	if (e != ERR_NONE)
		log_error("cannot make the sandboxes: %s: %s: %m", failed,
		    err_text(e));
	else
		separation_tell(
		    m->confine, &m->account, true, line_log, NULL);
	return e;
}

enum err
start_open(struct master *m)
{
	static enum err (*const steps[])(struct master *) = {sizes_check,
	    account_choose, memory_open, pipes_open, folders_open,
	    state_claim, listeners_open, chain_start, confine_open};
	enum err e = ERR_NONE;
	size_t i;

	descriptors_raise();
	if (HAS_HOLE)
		log_error("UNSAFE: this build has a deliberate hole, through "
			  "which any client takes over its worker: it is for "
			  "one test only");
	for (i = 0; i < sizeof(steps) / sizeof(*steps) && e == ERR_NONE; i++)
		e = steps[i](m);
	if (e != ERR_NONE)
		start_undo(m);
	return e;
}

void
start_undo(struct master *m)
{
	char control[PATH_MAX];
	size_t i;

	for (i = 0; i < m->listener_count; i++) {
		listen_unlink(m->settings->listeners[i].address);
		descriptor_close(&m->listeners[i]);
	}
	m->listener_count = 0;
	if (m->control < 0)
		return;
	snprintf(control, sizeof(control), "unix:%s", m->settings->control);
	listen_unlink(control);
	descriptor_close(&m->control);
}
