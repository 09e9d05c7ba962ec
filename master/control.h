/*
 * control.h - the operators' socket.
 *
 * Each connection gets a short-lived unprivileged child, which reads one line
 * of JSON, {"command": …}, and answers with one: {"ok": true, …} or
 * {"ok": false, "error": "in words", "lines": […]}.  Who may do what is
 * decided by SO_PEERCRED alone.
 *
 * Anybody can connect, so nobody can be in another's way: strangers get their
 * refusal from master and never a child; each uid has a few places, and its
 * oldest child that has not been told anything yet gives way to its next;
 * people together leave places to root and the daemon's own account.
 */
#ifndef SALLYPORT_CONTROL_H
#define SALLYPORT_CONTROL_H

#include <jansson.h>

#include "master/master.h"

enum {
	CONTROL_LINE_MAX = 4096,
	CONTROL_LINE_MS = 2000,	    /* to say what is wanted */
	CONTROL_REPLY_MS = 5000,    /* to take the answer */
	CONTROL_RELOAD_MS = 60000,  /* to wait for a reload's result */
};

/* Who asks. */
struct peer {
	uid_t uid;
	bool is_owner; /* root, or the account master runs as */
	const struct person *person; /* NULL: nobody in identities.yaml */
};

/* In master: accept what is there, a child for each that may have one
 * (control_door.c). Never waits, never reads a byte. */
void control_accept(struct master *m);

/* The child's whole life; its exit status. `place` is its bit in
 * board->control_heard. */
int control_main(
    struct master *m, int fd, const struct peer *peer, uint32_t place);

/* --- in the child: each returns a new reply ------------------------------- */

json_t *control_refusal(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

json_t *report_status(struct master *m);
json_t *report_sessions(struct master *m);
json_t *report_approvals(struct master *m);

/* Put a byte on the orders pipe. False: it is full, or master is gone. */
bool control_order(struct master *m, char order);

/* Text from shared memory, whatever its bytes, as a JSON string. */
json_t *report_text(const char *field);

/* approve or deny request `number` in the name of `peer`. */
json_t *approval_decide(struct master *m, const struct peer *peer,
    uint64_t number, bool is_approved);

#endif
