/*
 * parcel.h - messages between our own processes, with what goes beside them.
 *
 * One SOCK_SEQPACKET message: a head of known size, bytes behind it, at most
 * one descriptor beside it.
 */
#ifndef SALLYPORT_PARCEL_H
#define SALLYPORT_PARCEL_H

#include <stddef.h>

#include "common/err.h"

/* What goes beside a message or comes beside one. */
struct parcel {
	void *bytes;
	size_t len;  /* of what is there */
	size_t size; /* room at `bytes`, when receiving */
	int fd;	     /* -1: none; one that was received is the caller's */
};

/* Send a message and what goes beside it (NULL: nothing); the descriptor stays
 * the caller's. `flags`: MSG_DONTWAIT or 0. ERR_INTERRUPTED: it would have had
 * to wait; ERR_CLOSED; ERR_SYSTEM. */
enum err parcel_send(int channel, const void *head, size_t head_len,
    const struct parcel *parcel, int flags) MUST_CHECK;

/* Take one; never waits. ERR_INTERRUPTED: there is none. ERR_MALFORMED: too
 * long or too short, or with more than one descriptor: dropped, and they are
 * closed. ERR_CLOSED; ERR_SYSTEM. */
enum err parcel_receive(int channel, void *head, size_t head_len,
    struct parcel *parcel) MUST_CHECK;

#endif
