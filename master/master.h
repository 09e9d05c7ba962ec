/*
 * master.h - what the supervisor holds, shared by the files of this folder.
 *
 * Everything here lives as long as the process.  A child inherits a copy and
 * closes what is not its business first thing (spawn.c).
 */
#ifndef SALLYPORT_MASTER_H
#define SALLYPORT_MASTER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>

#include "common/arena.h"
#include "common/audit.h"
#include "common/config.h"
#include "common/ipc.h"
#include "common/policy.h"
#include "master/children.h"
#include "master/confine.h"
#include "master/pool.h"
#include "master/privilege.h"

enum {
	CONTROL_CHILDREN_MAX = 24, /* operators' commands at a time */
	CONTROL_CHILDREN_OF_UID = 4,
	CONTROL_CHILDREN_OF_PEOPLE = 12, /* all but root and our account */
	BROKERS_MAX = 16, /* the one in force, and old ones lingering */
	ORDER_RELOAD = 'R', /* a byte on the orders pipe */
	ORDER_LOOK = 'L',
	KILL_GRACE_MS = 10000, /* for a session that an operator ends */
};

struct penalties;
struct troubles;

/* How a helper ended last, without having been told to. */
struct mishap {
	unsigned count; /* so often */
	int64_t at;	/* Unix time, ms */
	char how[96];
};

/* The publisher at work, and what it has to say. */
struct publication {
	bool is_running;
	bool has_exited;
	int exit_status; /* of waitpid() */
	int pipe;	 /* read end; -1: closed */
	int64_t started_at; /* Unix time, ms */
	size_t len;
	char text[STATUS_TEXT_MAX];
};

struct master {
	const struct settings *settings;
	const struct roles *roles;
	struct account account; /* whom children become */
	bool is_foreground;
	int report; /* tells the process that started the daemon that it is
		     * up; -1: nobody waits */

	struct scoreboard *board;
	struct board_files board_files;
	uint64_t requests; /* numbers given out to held statements */
	struct penalties *penalties; /* shared by brokers; others have none */
	struct troubles *troubles; /* of logins upstream */
	struct children *children;
	struct confine *confine; /* the sandboxes of all roles */
	struct policy *policy; /* NULL: none loaded yet */
	struct arena *policy_arena;
	struct tls_contexts *tls; /* as of the policy; NULL: none loaded yet */
	struct audit *audit;
	uint64_t book;		   /* chain.h; 0: no chains */
	struct audit_chain chain;  /* master's own; wiped in children */
	struct chain_count *chains; /* shared with brokers alone */
	int64_t audit_failed_at; /* monotonic ms; 0: the last record went out */

	/* descriptors; -1: closed */
	int listeners[LISTENERS_MAX];
	size_t listener_count;
	/* what they are bound to, in the order of the settings */
	struct sockaddr_storage bound[LISTENERS_MAX];
	int control;	 /* listening */
	int control_lock; /* control children take turns by record locks */
	int wake[2];	/* workers write, master alone reads */
	int catalogs[UPSTREAMS_MAX];
	int alone;	/* what claims the state folder (alone.h) */
	int life[2];	/* nobody writes: EOF says that master has died */
	int orders[2];	/* control children ask master for things */
	int broker;	/* to the broker in force */
	bool is_broker_mute; /* it has hung up: master is about to learn why */

	struct publication publication;
	struct throttle throttles[CHILD_KINDS];
	struct mishap mishaps[CHILD_KINDS];
	bool is_reload_wanted;
	bool is_announced; /* spares stood ready once */
	uint64_t settled; /* the generation whose workers find a settled heap */
	bool is_draining;
	int64_t drain_until; /* monotonic ms */
	bool is_finished;
	int exit_status;
};

static inline int64_t
clock_milliseconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* For durations. */
static inline int64_t
monotonic_ms(void)
{
	return clock_milliseconds(CLOCK_MONOTONIC);
}

/* For people and records. */
static inline int64_t
unix_ms(void)
{
	return clock_milliseconds(CLOCK_REALTIME);
}

/* Close and mark as closed. */
void descriptor_close(int *fd);

#endif
