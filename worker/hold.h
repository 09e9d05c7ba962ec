/*
 * hold.h - a statement waits on the wire until a person decides.
 */
#ifndef SALLYPORT_HOLD_H
#define SALLYPORT_HOLD_H

#include "worker/session.h"

enum hold_result {
	HOLD_APPROVED,
	HOLD_DENIED,
	HOLD_EXPIRED,
	HOLD_WITHDRAWN,	 /* the client cancelled */
	HOLD_UNNUMBERED, /* master gave it no number in time */
	HOLD_UNRECORDED, /* the audit sink did not take the request */
	HOLD_ENDED	 /* the session ends: client gone, drain, kill */
};

struct held {
	enum hold_result result;
	uint64_t request;
	char decided_by[SLOT_NAME_MAX]; /* a person; "" when nobody */
};

/* Hold the statement until it is decided. `shown` is what the approver sees
 * of text and values; `values` are the bound values in the protocol's own bytes
 * (part of what is approved), len 0 without.
 * `announce` tells the client once the request has its number. */
void hold_statement(struct session *s, const struct ruling *j,
    struct text shown, struct text values,
    void (*announce)(struct session *s, uint64_t request, int64_t expires_s),
    struct held *out);

#endif
