/*
 * porter.c - errands in, outcomes out.
 *
 * One rule: every errand gets one outcome, and none waits for another's.
 * Trusts the broker, that it asks only for what may be asked; nothing that it
 * looks at.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/log.h"
#include "master/capability.h"
#include "master/porter_inner.h"
#include "master/program.h"
#include "master/spawn.h"

enum {
	ERRANDS_A_TURN = 64,
	CHANNEL_FULL_MS = 5000, /* a broker that does not read so long is
				 * stuck */
	LINGER_MS = 50, /* how often those who end are looked for */
};

struct outcome
outcome_of(uint64_t serial, enum errand_kind kind, enum outcome_result result)
{
	return (struct outcome){
	    .serial = serial, .kind = kind, .result = result};
}

void
porter_answer(struct porter *p, const struct outcome *o, int fd)
{
	struct pollfd room = {.fd = p->channel, .events = POLLOUT};
	enum err e = outcome_send(p->channel, o, fd);

	while (e == ERR_INTERRUPTED &&
	    poll(&room, 1, CHANNEL_FULL_MS) > 0)
		e = outcome_send(p->channel, o, fd);
	descriptor_close(&fd);
	if (e == ERR_NONE)
		return;
	if (e != ERR_CLOSED)
		log_error("the broker takes no outcome: %s", err_text(e));
	_exit(e == ERR_CLOSED ? EXIT_SUCCESS : EXIT_FAILURE);
}

void
porter_refuse(struct porter *p, const struct errand *e,
    enum outcome_result result, const char *format, ...)
{
	struct outcome o = outcome_of(e->serial, e->kind, result);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(o.reason, sizeof(o.reason), format, arguments);
	va_end(arguments);
	porter_answer(p, &o, -1);
}

/* --- errands -------------------------------------------------------------- */

static const errand_do doings[ERRAND_KINDS] = {
    [ERRAND_CONNECT] = errand_connect,
    [ERRAND_SINK] = errand_sink,
    [ERRAND_LOG] = errand_log,
    [ERRAND_PROCESS] = errand_process,
    [ERRAND_PAM] = errand_pam,
};

static void
errand_run(struct porter *p, const struct errand *e, size_t len, int fd)
{
	struct text parcel = {(const char *)p->parcel, len};

	if (doings[e->kind] == NULL)
		porter_refuse(
		    p, e, OUTCOME_FAILED, "not an errand of the porter");
	else
		doings[e->kind](p, e, parcel, fd);
	OPENSSL_cleanse(p->parcel, len);
	descriptor_close(&fd);
}

/* False: the broker is gone. */
static bool
errands_take(struct porter *p)
{
	struct errand errand;
	size_t len, i;
	int fd;
	enum err e = ERR_NONE;

	for (i = 0; i < ERRANDS_A_TURN; i++) {
		e = errand_receive(p->channel, &errand, p->parcel, &len, &fd);
		if (e == ERR_NONE)
			errand_run(p, &errand, len, fd);
		else if (e == ERR_MALFORMED)
			log_error("an errand that is none: dropped");
		else
			break;
	}
	if (e == ERR_SYSTEM)
		log_error("cannot read errands: %m");
	return e != ERR_CLOSED && e != ERR_SYSTEM;
}

/* --- waiting -------------------------------------------------------------- */

static int
turn_timeout(const struct porter *p)
{
	int64_t now = monotonic_ms(), until = waiters_next(p);
	size_t i;

	for (i = 0; i < TASKS_MAX; i++) {
		const struct task *t = &p->tasks[i];

		if (t->pid == 0)
			continue;
		if (t->socket < 0 && now + LINGER_MS < until)
			until = now + LINGER_MS;
		if (t->socket >= 0 && t->until < until)
			until = t->until;
	}
	if (until == INT64_MAX)
		return -1;
	return until > now ? (int)(until - now) : 0;
}

/* False: the broker is gone. */
static bool
turn(struct porter *p)
{
	struct pollfd polls[1 + TASKS_MAX];
	size_t i;

	polls[0] = (struct pollfd){.fd = p->channel, .events = POLLIN};
	for (i = 0; i < TASKS_MAX; i++)
		polls[1 + i] = (struct pollfd){
		    .fd = p->tasks[i].pid == 0 ? -1 : p->tasks[i].socket,
		    .events = POLLIN};
	if (poll(polls, 1 + TASKS_MAX, turn_timeout(p)) < 0)
		return errno == EINTR;
	for (i = 0; i < TASKS_MAX; i++)
		task_turn(p, &p->tasks[i], polls[1 + i].revents != 0);
	waiters_turn(p, monotonic_ms());
	return polls[0].revents == 0 || errands_take(p);
}

/* --- beginning ------------------------------------------------------------ */

static bool
is_digest_wanted(const struct identities *ids)
{
	size_t i;

	for (i = 0; i < ids->agent_count; i++) {
		if (ids->agents[i].sha256.len > 0)
			return true;
	}
	return false;
}

static bool
is_executable_wanted(const struct identities *ids)
{
	size_t i;

	for (i = 0; i < ids->agent_count; i++) {
		if (ids->agents[i].executable.len > 0)
			return true;
	}
	return false;
}

static int
log_reopen(void *context)
{
	(void)context;
	return socket_to_log();
}

/* Those to read /proc/PID/exe of others and to read executables stay, as the
 * table of roles has it. */
static void
privileges_drop(const struct master *m)
{
	prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
	spawn_drop(m);
	prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
	spawn_confine(m, CONFINE_PORTER);
	log_set_opener(log_reopen, NULL);
	if ((capabilities_now() & CAPABILITY(CAP_SYS_PTRACE)) == 0 &&
	    is_executable_wanted(&m->policy->identities))
		log_warning("not started as root: the executables of other "
			    "users' processes cannot be seen, and "
			    "`executable` proves nobody among them");
}

static struct porter *
porter_new(const struct master *m, int channel)
{
	static char pam[PROGRAM_PATH_MAX];
	struct porter *p = calloc(1, sizeof(*p));

	if (p == NULL || !program_find("sallyport-pam", pam, sizeof(pam)))
		return NULL;
	p->settings = m->settings;
	p->channel = channel;
	p->pam = pam;
	p->wants_digests = is_digest_wanted(&m->policy->identities);
	p->null = open("/dev/null", O_RDWR | O_CLOEXEC);
	file_status(AT_FDCWD, "/", 0, true, &p->local[0]);
	file_status(AT_FDCWD, "/usr", 0, true, &p->local[1]);
	places_init(p);
	return p;
}

int
porter_main(const struct master *m, int channel)
{
	struct porter *p = porter_new(m, channel);

	/* it ends when its broker does */
	signal(SIGTERM, SIG_IGN);
	privileges_drop(m);
	if (p == NULL || p->null < 0) {
		log_error("cannot start: %m");
		return EXIT_FAILURE;
	}
	while (turn(p))
		;
	return EXIT_SUCCESS;
}
