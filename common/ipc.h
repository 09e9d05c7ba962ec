/*
 * ipc.h - the channels between master and its children; the shared memory is
 * board.h's.
 *
 * DESCRIPTORS a worker is born with: the listening sockets, one end of a
 * SOCK_SEQPACKET pair whose other end the broker holds, the write end of the
 * wake pipe (written by a worker whenever its seat's state changed and master
 * should look; master alone has the other, so that nobody takes another's
 * bytes away), the catalogues' eventfds, and the read end of the life pipe
 * (end of file on it means master has died: finish up).
 *
 * SIGNALS to a worker, from master alone: SIGTERM drain (finish the running
 * statement, then say goodbye), SIGUSR1 look at the board, SIGKILL when the
 * drain's deadline has passed.  No other process of Sallyport signals any.
 */
#ifndef SALLYPORT_IPC_H
#define SALLYPORT_IPC_H

struct settings;
struct policy;
struct tls_contexts;
struct sandbox;

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/board.h"
#include "common/err.h"
#include "common/text.h"

enum {
	LISTENERS_MAX = 64,
	UPSTREAMS_MAX = 64,
};

/* What a worker (and the catalogue) is born with. */
struct birth {
	struct scoreboard *board;
	uint32_t place; /* a worker's: which seat, notice and decision is its */
	struct slot *slot; /* a worker's: board->seats[place].slot */
	int listeners[LISTENERS_MAX]; /* in the order of the settings */
	size_t listener_count;
	int broker;  /* channel */
	int wake;    /* master, look at the scoreboard (wake_master()) */
	int catalog; /* eventfd: catalogue of `upstream`, look at the wishes */
	int catalogs[UPSTREAMS_MAX]; /* all of them, in the order of the
				      * settings: a worker wishes at its own */
	int life;    /* read end; EOF when master has died */
	bool is_awaited; /* master is to be woken when it is ready */
	bool refuses; /* the extra worker that answers when all are busy */
	const struct tls_contexts *tls; /* of the policy's generation */
	const struct settings *settings; /* shared copy-on-write with master */
	struct policy *policy; /* of board->generation when it was forked; the
				* child's own copy, replaced when stale */
	size_t upstream; /* the catalogue's: index into settings.upstreams */
	const struct sandbox *sandbox; /* to be entered as soon as all is open
					* that its role needs */
};

/* What master runs in the children it forks, after dropping what they must
 * not have. Each returns the exit status. Master knows no more of them. */
struct roles {
	int (*worker)(struct birth *b);
	int (*catalog)(struct birth *b); /* one for each upstream */
};

#endif
