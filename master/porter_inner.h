/*
 * porter_inner.h - what the files of the porter share.
 *
 *   porter.c          errands in, outcomes out; waiting
 *   porter_task.c     what may take long: children, each with a deadline
 *   porter_connect.c  sockets to upstreams, the sink, the log
 *   porter_name.c     addresses of upstreams; names are looked up in a task
 *   porter_process.c  who is at the other end of a Unix socket
 *   porter_file.c     is an executable the file that its path names
 *   porter_digest.c   SHA-256 of executables
 *   porter_pam.c      questions to PAM, each in a program of its own
 *
 * The porter itself never waits: neither for a name server, nor for a file
 * system that is far away, nor for PAM.
 */
#ifndef SALLYPORT_PORTER_INNER_H
#define SALLYPORT_PORTER_INNER_H

#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "master/errand.h"
#include "master/porter.h"

enum {
	TASKS_MAX = 64,	      /* children at a time */
	PAM_TASKS_MAX = 16,   /* of them, questions to PAM */
	WAITERS_MAX = 1024,   /* errands that wait for an address */
	ADDRESSES_MAX = 16,   /* of one upstream */
	DIGESTS_MAX = 64,     /* executables whose SHA-256 is remembered */
	NAME_MS = 10000,      /* for a name server */
	NAME_FRESH_MS = 10000, /* so long an answer is not asked for again */
	NAME_GRACE_MS = 1000, /* an old answer serves when this has passed */
	BUSY_MS = 5000,	      /* for an upstream's queue to have room */
	BUSY_AGAIN_MS = 20,
	LOOK_MS = 5000,	      /* for a process's files */
	PAM_MS = 10000,
	TASK_ANSWER_MAX = 16 * 1024, /* bytes */
};

/* --- tasks ---------------------------------------------------------------- */

struct porter;
struct task;

enum task_kind { TASK_NAME = 1, TASK_LOOK, TASK_PAM, TASK_KINDS };

/* A child at work. */
struct task {
	pid_t pid; /* 0: this row is free */
	int socket;
	enum task_kind kind;
	int64_t until; /* monotonic ms: then it is killed */
	uint64_t serial;
	uint32_t place; /* TASK_NAME: the upstream */
	uid_t uid;	/* TASK_LOOK: as whom the process connected */
	/* Called once, when it has answered (len bytes) or not (len 0). */
	void (*done)(struct porter *p, const struct task *t,
	    const void *answer, size_t len);
};

/* Fork. In the porter: ERR_NONE, with `t` filled in and *is_child_out false.
 * In the child: *is_child_out is true, t->socket is its end and the only
 * descriptor it has beside 0 to 2 and `keep` (-1: none), and it has no
 * capabilities unless `is_privileged`; it must end in _exit(). */
enum err task_start(struct porter *p, const struct task *what, int keep,
    bool is_privileged, struct task **t_out, bool *is_child_out) MUST_CHECK;

/* In a child: answer. */
void task_answer(int socket, const void *answer, size_t len);

/* The porter's: it was heard of, or its time may be over. */
void task_turn(struct porter *p, struct task *t, bool has_event);

size_t tasks_count(const struct porter *p, enum task_kind kind);

/* --- the porter ----------------------------------------------------------- */

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un local;
};

struct addresses {
	uint32_t count;
	struct {
		socklen_t len;
		union address address;
	} list[ADDRESSES_MAX];
};

/* Where an upstream is. */
struct whereabouts {
	struct addresses known;
	bool is_fixed;	   /* it is an address, no name */
	bool is_asked;	   /* a task looks it up */
	bool has_failed;   /* the last time */
	int64_t known_at;  /* monotonic ms */
};

/* An errand that waits for an address, or for room in an upstream's queue. */
struct waiter {
	bool is_used;
	uint64_t serial;
	uint32_t place, attempt;
	int64_t until;	 /* monotonic ms: do what can be done by then */
	int64_t give_up; /* 0: for an address; else for room, so long */
};

struct digest {
	struct statx of; /* device, inode, size, times */
	char sha256[65];
	uint64_t used; /* when last, by `digest_clock` */
};

struct porter {
	const struct settings *settings;
	int channel;
	int null;	 /* /dev/null, for PAM */
	bool wants_digests; /* some identity has `sha256` */
	const char *pam; /* the program that asks PAM */
	struct whereabouts places[UPSTREAMS_MAX];
	struct waiter waiters[WAITERS_MAX];
	struct task tasks[TASKS_MAX];
	struct digest digests[DIGESTS_MAX];
	uint64_t digest_clock;
	struct statx local[2]; /* of / and /usr: those file systems are here */
	uint8_t parcel[ERRAND_PARCEL_MAX];
};

/* Send an outcome; `fd` (-1: none) is closed. */
void porter_answer(struct porter *p, const struct outcome *o, int fd);

/* An outcome of an errand, with nothing in it yet. */
struct outcome outcome_of(
    uint64_t serial, enum errand_kind kind, enum outcome_result result);

/* Answer an errand with OUTCOME_NO or OUTCOME_FAILED and why. */
void porter_refuse(struct porter *p, const struct errand *e,
    enum outcome_result result, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The errands. `fd`: what came beside; closed by the caller. */
typedef void (*errand_do)(struct porter *p, const struct errand *e,
    struct text parcel, int fd);
void errand_connect(
    struct porter *p, const struct errand *e, struct text parcel, int fd);
void errand_sink(
    struct porter *p, const struct errand *e, struct text parcel, int fd);
void errand_log(
    struct porter *p, const struct errand *e, struct text parcel, int fd);
void errand_process(
    struct porter *p, const struct errand *e, struct text parcel, int fd);
void errand_pam(
    struct porter *p, const struct errand *e, struct text parcel, int fd);

/* --- porter_connect.c ----------------------------------------------------- */

/* A socket to the system's log, or -1 (errno). */
int socket_to_log(void);

/* Those that wait for this place: try again, it was looked up. */
void waiters_serve(struct porter *p, uint32_t place);
/* Those whose time has come. */
void waiters_turn(struct porter *p, int64_t now);
/* When that is; INT64_MAX: nobody waits. */
int64_t waiters_next(const struct porter *p);

/* --- porter_name.c -------------------------------------------------------- */

/* Take what addresses the settings have; names stay to be looked up. */
void places_init(struct porter *p);

/* Is there an answer to go by at once? If not, it was asked for. */
bool place_is_ready(struct porter *p, uint32_t place, int64_t now);

/* --- porter_file.c -------------------------------------------------------- */

enum genuine {
	GENUINE_YES,
	GENUINE_NO,  /* `reason` says why not */
	GENUINE_FAR, /* on a file system that may keep us waiting */
};

/* As statx(); without `may_wait` what the kernel knows without asking. */
bool file_status(int folder, const char *name, int flags, bool may_wait,
    struct statx *out);

bool file_is_same(const struct statx *a, const struct statx *b);

/* May looking at it keep us waiting? */
bool file_is_far(const struct porter *p, const struct statx *status);

/* Is the executable (as `status` tells) what `path` names now, and can `user`
 * not have changed that? With `may_wait` no file system is too far. */
enum genuine file_genuine(const struct porter *p, const char *path,
    const struct statx *status, uid_t user, bool may_wait, const char **reason);

/* --- porter_digest.c ------------------------------------------------------ */

/* The remembered SHA-256 of a file, or NULL. */
const char *digest_known(struct porter *p, const struct statx *status);
void digest_remember(
    struct porter *p, const struct statx *status, const char *sha256);
/* Reads the whole file: in a task only. False: it could not be read. */
bool digest_make(int fd, char out[65]);

#endif
