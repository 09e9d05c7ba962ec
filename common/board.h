/*
 * board.h - the memory that master shares with its children.
 *
 * Made by master before the first fork, in parts that are files of their own,
 * so that no process can reach from a part that it may write into another:
 *
 *   part        written by                      read by
 *   notices     master                          all who have a board
 *   decisions   operators' commands             worker
 *   answers     catalogue processes             worker, operators' commands
 *   commons     workers                         all who have a board
 *   a seat      its worker, and master when     master, broker, operators'
 *               it buries the worker            commands
 *
 * A process loses right after fork() what is not in its row of the table in
 * board.c: a part it may only read is mapped anew from a descriptor sealed
 * against writing, which mprotect() cannot undo; a part it may not read, and
 * every seat but a worker's own, is not there at all.  So a worker that has
 * been taken over sees no other session's texts, decides nothing about a held
 * statement, and has no orders to give.
 *
 * What it can do: write lies into its own seat, which master and operators
 * show, and which decide nothing but whether it counts as a spare; and write
 * into the commons.  There it can make the catalogues read more often or not
 * at all (sessions then mask strictly, or refuse), use up or give back the
 * statements a minute of anybody, and falsify the counters that `sallyport
 * status` shows.  It can wake master as often as it likes.
 *
 * Text in shared memory is bounded and always NUL-terminated by who writes
 * it; a reader copies it out, ends it himself and trusts nothing in it.
 */
#ifndef SALLYPORT_BOARD_H
#define SALLYPORT_BOARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"
#include "common/text.h"

enum {
	BOARD_PAGE = 64 * 1024,	  /* no machine has larger ones */
	BOARD_SEATS_MAX = 10001,  /* workers.max, and the one that refuses */
	SLOT_NAME_MAX = 64,	  /* user, agent, database … with the NUL */
	SLOT_STATEMENT_MAX = 1024, /* canonical text, cut, with the NUL */
	REQUEST_TEXT_MAX = 4096,  /* the exact statement, cut, with the NUL */
	APPROVERS_MAX = 8,
	WISH_TEXT_MAX = 2048,
	WISHES_MAX = 64, /* databases the catalogues watch */
	WISH_REST_MS = 60000,
	RATE_BUCKETS = 4096,  /* power of two */
	SCHEMA_CHANGES = 4096, /* power of two */
	STATUS_TEXT_MAX = 8192,
	SESSION_ID_LEN = 16, /* hex digits */
	CANCEL_KEY_MAX = 32, /* bytes; clients before protocol 3.2 get 4 */
	CANCELS_MAX = 16,    /* that one worker has carried, not yet taken */
};

/* --- a worker's seat ------------------------------------------------------ */

enum slot_state {
	SLOT_FREE,	/* no process */
	SLOT_STARTING,	/* forked, not yet waiting */
	SLOT_IDLE,	/* waiting in accept: a spare */
	SLOT_LOGIN,	/* has a client, which is not yet proved */
	SLOT_WAITING,	/* a session, idle between statements */
	SLOT_RUNNING,	/* a statement is at the upstream */
	SLOT_HELD,	/* a statement waits for approval */
	SLOT_ENDING,	/* saying goodbye */
	SLOT_STATES
};

/* What a worker shows of itself. */
struct slot {
	atomic_int state; /* enum slot_state */
	atomic_int pid;	  /* the worker; 0: none. Written by master */
	/* What cancels this session: the pid shown in BackendKeyData (the
	 * server's real one; 0: none yet, stored last) and Sallyport's own
	 * key, of which the client was given so many bytes. Only master
	 * compares it with what others have been told. */
	atomic_int backend_pid;
	atomic_uint cancel_key_len;
	_Atomic uint64_t cancel_key[CANCEL_KEY_MAX / 8];
	/* What master is to tell others of the schema of its database
	 * (schema_key()): is a change under way, and how many have been
	 * settled, the last at that time. Bumps `schema_serial` after each
	 * change of these. */
	_Atomic uint64_t schema_key;
	atomic_int schema_is_open;
	atomic_uint schema_settled;
	atomic_llong schema_settled_at; /* clock_ns() */
	atomic_uint schema_serial;
	/* Odd while the owner changes what follows: re-read until even and
	 * unchanged. Never waited for by the owner. */
	atomic_uint sequence;
	char session[SESSION_ID_LEN + 1];
	char user[SLOT_NAME_MAX], agent[SLOT_NAME_MAX];
	char upstream[SLOT_NAME_MAX], database[SLOT_NAME_MAX];
	char client[SLOT_NAME_MAX];
	int64_t connected_at; /* Unix time, ms; 0: no client */
	int64_t statement_at; /* start of the running statement, ms; 0: none */
	uint64_t statements, denied, rows, masked;
	char statement[SLOT_STATEMENT_MAX];
	uint64_t request; /* number of the request it holds; 0: none */
	uint64_t audit_seq; /* last audit sequence number it used */
};

enum request_state {
	REQUEST_FREE,
	REQUEST_PENDING,
	REQUEST_LEAVING, /* the worker gives up, unless it is decided by now */
	REQUEST_APPROVED,
	REQUEST_DENIED,
	REQUEST_EXPIRED,
	REQUEST_WITHDRAWN /* the client went away or cancelled */
};

/* The statement a worker holds: one at a time. */
struct request {
	atomic_int state; /* enum request_state */
	atomic_uint asked; /* for a number, so often: see decision_number() */
	_Atomic uint64_t number;
	char session[SESSION_ID_LEN + 1];
	char user[SLOT_NAME_MAX], agent[SLOT_NAME_MAX];
	char upstream[SLOT_NAME_MAX], database[SLOT_NAME_MAX];
	char rule[SLOT_NAME_MAX * 2];
	char say[256];
	char text[REQUEST_TEXT_MAX];
	uint64_t text_len;	/* of the whole statement */
	uint8_t digest[32];	/* SHA-256 of exact text and bound values */
	int64_t created_at, expires_at; /* Unix time, ms */
	uint32_t needed;	/* people who must approve */
	uint64_t rule_index; /* into policy.rules of `generation`: approve_by */
	uint64_t generation;
};

/* A CancelRequest that came to this worker, for master to find whose it is. */
struct cancel {
	atomic_int is_posted; /* set by the worker, cleared by master */
	int32_t backend_pid;
	uint32_t key_len;
	uint8_t key[CANCEL_KEY_MAX];
};

struct seat {
	_Alignas(BOARD_PAGE) struct slot slot;
	struct request request;
	struct cancel cancels[CANCELS_MAX];
};

/* --- what master and operators tell a worker ------------------------------ */

/* Master's, one for each place. */
struct notice {
	atomic_uint cancels; /* so many cancel requests have come for it */
	atomic_uint schema_noted; /* futex: slot.schema_serial as last seen */
	_Atomic uint64_t open_schema; /* slot.schema_key while it is open */
};

/* Operators', one for each place. */
struct decision {
	/* The number of the request that the worker may hold, how many have
	 * approved it and what came of it: see decision_word(). Numbers are
	 * given out by master, so none can be claimed by another worker. */
	_Atomic uint64_t word;
	atomic_uint calls; /* bumped for master to wake the worker */
	_Atomic uint64_t killed; /* the session to be ended: session_number() */
	atomic_int killed_pid;	 /* its worker, which master ends if need be */
	/* Names beyond the count in `word` mean nothing. */
	char approvers[APPROVERS_MAX][SLOT_NAME_MAX];
	char decided_by[SLOT_NAME_MAX]; /* who approved last, or denied */
};

/* --- catalogues ----------------------------------------------------------- */

/* A database whose catalogue somebody needs, in the commons. The catalogue
 * process of the upstream reads the database when it has been asked to since
 * it last did. */
struct wish {
	atomic_int state; /* 0 free, 1 filling, 2 in use */
	char upstream[SLOT_NAME_MAX], database[SLOT_NAME_MAX];
	/* A reading begun at this time (clock_ns()) or later is wanted. */
	atomic_llong wanted_at;
	atomic_llong used_at; /* when a session last came to it, clock_ns() */
};

/* What came of the wish in the same row: believed only by who finds his own
 * database's name in it. Times are clock_ns() before the reading began. */
struct wish_answer {
	atomic_uint done; /* futex: readings that have ended */
	/* Odd while what follows changes. */
	atomic_uint sequence;
	char upstream[SLOT_NAME_MAX], database[SLOT_NAME_MAX];
	atomic_llong read_at;  /* of the last that succeeded; 0: none */
	atomic_llong tried_at; /* of the last, whatever came of it */
	/* What the last reading says against the policy, a line each; only
	 * shown. */
	char warnings[WISH_TEXT_MAX];
};

/* --- the whole ------------------------------------------------------------ */

struct rate_bucket { /* statements of one (identity, rule) in one minute */
	_Atomic uint64_t minute_and_count; /* 14 bits of the key, 26 of the
					    * minute, 24 of count */
};

struct scoreboard {
	struct { /* notices: master's */
		_Alignas(BOARD_PAGE) atomic_uint_fast64_t
		    generation;	     /* of the policy in force */
		atomic_int master;   /* pid */
		int64_t started_at;  /* Unix time, ms */
		uint32_t slot_count; /* seats: workers.max + 1; the last is of
				      * the worker that refuses politely */
		atomic_int draining;
		atomic_uint_fast64_t workers_died;
		/* all `max` busy: refuse politely */
		atomic_int worker_ceiling_reached;
		/* What the last reload said; under `sequence` as in a slot. */
		atomic_uint sequence;
		int64_t loaded_at; /* when the generation was loaded, ms */
		int64_t reload_at; /* the last attempt, ms */
		int reload_failed;
		char reload_text[STATUS_TEXT_MAX]; /* errors, a line each */
		/* When the schema of a database last changed (clock_ns()), by
		 * the low bits of its key: who shares a row with another
		 * reads his catalogue once more than need be. */
		atomic_llong schema_changed[SCHEMA_CHANGES];
		atomic_uint open_schemas; /* how many notices have one */
		struct notice notices[BOARD_SEATS_MAX];
	};
	struct { /* decisions: operators' */
		/* A bit for each place of a control child: it has its request
		 * and is at work. */
		_Alignas(BOARD_PAGE) atomic_uint control_heard;
		struct decision decisions[BOARD_SEATS_MAX];
	};
	struct { /* answers: the catalogues' */
		_Alignas(BOARD_PAGE) struct wish_answer answers[WISHES_MAX];
	};
	struct { /* commons: the workers' */
		_Alignas(BOARD_PAGE) struct wish wishes[WISHES_MAX];
		struct rate_bucket rates[RATE_BUCKETS];
		atomic_uint_fast64_t sessions_total, clients_refused;
		/* Since when the audit sink takes no records (Unix time, ms);
		 * 0: it does. Set and cleared by whoever sends; only shown. */
		atomic_llong audit_failing_since;
	};
	struct seat seats[];
};

/* --- making and dividing it ----------------------------------------------- */

enum board_part {
	BOARD_NOTICES,
	BOARD_DECISIONS,
	BOARD_ANSWERS,
	BOARD_COMMONS,
	BOARD_PARTS
};

enum board_role {
	BOARD_STRANGER, /* it has no board */
	BOARD_BROKER,
	BOARD_WORKER,
	BOARD_CATALOG,
	BOARD_OPERATOR, /* a control child */
	BOARD_ROLES
};

/* What the parts can be mapped from, to be read and no more. */
struct board_files {
	int parts[BOARD_PARTS];
};

/* Map a scoreboard with `slots` free seats, or NULL (errno). Made once, by
 * master, never unmapped. `files_out` may be NULL: then it is never divided. */
struct scoreboard *scoreboard_new(uint32_t slots, struct board_files *files_out);

/* Master, once: children are born with no seat, from here on. */
enum err board_withhold(struct scoreboard *b) MUST_CHECK;
/* Master, around a fork(): the child is (not) born with the seats that its
 * role may have; a worker with that of `place`. */
enum err board_lend(struct scoreboard *b, enum board_role role, uint32_t place,
    bool is_lent) MUST_CHECK;
/* The child, first thing: give up for good what the role may not have. Closes
 * the files. */
enum err board_confine(struct scoreboard *b, struct board_files *files,
    enum board_role role) MUST_CHECK;

/* --- slots (slot.c) ------------------------------------------------------- */

/* CLOCK_MONOTONIC: the same in all processes. */
int64_t clock_ns(void);

/* Bracket for the owner's changes of a slot's plain fields. */
void slot_write_begin(struct slot *s);
void slot_write_end(struct slot *s);

/* A consistent copy of a slot that another process may be writing. False
 * when it would not hold still (a dead owner): the copy is then best effort,
 * still NUL-terminated. */
bool slot_snapshot(const struct slot *s, struct slot *copy);

/* Copy text into a bounded field, cut at a UTF-8 boundary, always
 * NUL-terminated. */
void field_set(char *field, size_t size, struct text value);

/* Master is to look at the board. `wake`: its pipe's end, which never waits. */
void wake_master(int wake);

/* The owner's: what cancels its session from now on. */
void slot_set_cancel_key(
    struct slot *s, int32_t backend_pid, struct text key);
/* Is this what cancels that session? Takes the same time for every key. */
bool slot_has_cancel_key(
    struct slot *s, int32_t backend_pid, struct text key);
/* The owner's: have master find and wake the session that this cancels; one
 * too many at a time is lost, as cancel requests may be. */
void seat_post_cancel(
    struct seat *mine, int wake, int32_t backend_pid, struct text key);

/* Count one statement against `limit` (1..) per minute for this key (a hash
 * of identity and rule). False: over the limit, or too many keys at once. */
bool rate_take(
    struct scoreboard *b, uint64_t key, uint64_t limit, int64_t now_s);

/* --- schemas (schema_news.c) ---------------------------------------------- */

/* What a database is called among these; never 0. */
uint64_t schema_key(struct text upstream, struct text database);

/* The owner's: it is going to change its database's schema. When this gives
 * ERR_NONE all others know; ERR_DEADLINE: nobody may. */
enum err schema_open(struct scoreboard *b, uint32_t place, int wake,
    uint64_t key, int timeout_ms) MUST_CHECK;
/* The owner's: what it had open is committed or undone, just now. Gives the
 * time that others will be told. */
int64_t schema_settle(struct slot *s, int wake);
/* Is another session changing this database's schema? */
bool schema_is_open_elsewhere(
    struct scoreboard *b, uint32_t place, uint64_t key);
/* When it last changed; 0: never. */
int64_t schema_changed_at(const struct scoreboard *b, uint64_t key);

/* Master's: take what a slot has to tell since `seen`. */
struct schema_seen {
	uint32_t serial, settled;
};
void schema_note(
    struct scoreboard *b, uint32_t place, struct schema_seen *seen);
/* Master's: its worker is dead, whatever it was about. */
void schema_bury(struct scoreboard *b, uint32_t place);

/* --- requests (approvals; request.c) -------------------------------------- */

enum verdict_of_people {
	PEOPLE_UNDECIDED,
	PEOPLE_APPROVED,
	PEOPLE_DENIED
};

/* The parts of decision.word. */
uint64_t decision_word(
    uint64_t number, unsigned approvals, enum verdict_of_people verdict);
uint64_t decision_number(uint64_t word);
unsigned decision_approvals(uint64_t word);
enum verdict_of_people decision_verdict(uint64_t word);

/* Master's: nobody has decided about this number. */
void decision_give(struct decision *d, uint64_t number);
/* An operator's, under the operators' lock: from `before` to this; false when
 * the request has gone meanwhile. `by` is kept. */
bool decision_take(struct decision *d, uint64_t *before, struct text by,
    enum verdict_of_people verdict);

/* The owner's: ask for a number. It is there when the number in the decision
 * is no longer `before`. */
uint64_t request_ask(struct request *r, const struct decision *d, int wake);
/* The owner's: show it, all else filled in. */
void request_submit(struct request *r, uint64_t number);
/* The owner's: how it is settled, when people have decided or it gives up.
 * What people have decided before it is `to` stands: gives the state it now
 * has. */
enum request_state request_settle(
    struct request *r, const struct decision *d, enum request_state to);
void request_release(struct request *r);
/* An operator's, when the decision about `number` is taken: has the worker
 * taken it, too? Waits for a worker that is about to leave, a moment. */
bool request_is_taken(const struct request *r, uint64_t number);

/* The number of a session from its id, for decision.killed; 0: no id. */
uint64_t session_number(const char *id);

/* A copy that nobody changes, its texts ended. */
void request_copy(const struct request *r, struct request *out);

/* --- catalogue wishes (wish.c) -------------------------------------------- */

/* A session's, to a database. The texts live as long. */
struct wisher {
	struct scoreboard *board;
	struct wish *wish; /* NULL: there is no room for it */
	struct text upstream, database;
	uint64_t key; /* schema_key() */
};

/* Find the wish for this database or make a new one: only one whose last
 * reading failed and nobody has asked for in the last WISH_REST_MS makes room
 * for another. False: none could be had. */
bool wish_for(struct wisher *w, struct scoreboard *b, struct text upstream,
    struct text database);
/* Ask for a fresh reading and wait for it, at most `timeout_ms`.
 * `catalog_fd` is the catalogue's eventfd. ERR_DEADLINE, ERR_REFUSED (the
 * reading failed, or there is no room for the wish). */
enum err wish_make(struct wisher *w, int catalog_fd, int timeout_ms) MUST_CHECK;
/* Ask for one begun at `since` or later, without waiting. */
void wish_ask(struct wisher *w, int64_t since, int catalog_fd);
/* When the reading that counts was begun; 0: there is none. */
int64_t wish_read_at(const struct wisher *w);
/* How many readings there were: a number that changes with each. */
uint64_t wish_reading(const struct wisher *w);
/* Ask for it, and wait until there is one; one that has failed since then is
 * tried again after a pause. Errors as wish_make(). */
enum err wish_catch_up(struct wisher *w, int64_t since, int catalog_fd,
    int timeout_ms) MUST_CHECK;

/* The catalogue's side. Is a reading wanted? */
bool wish_is_wanted(const struct scoreboard *b, size_t row);
/* It was read, begun at that time: tell those who wait. */
void wish_done(struct scoreboard *b, size_t row, struct text upstream,
    struct text database, int64_t begun_at, bool failed);
bool wish_has_failed(const struct scoreboard *b, size_t row);

#endif
