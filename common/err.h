/*
 * err.h - what can go wrong, in one list.
 *
 * Every function that can fail returns enum err and hands its value out
 * through a last parameter named *_out.  ERR_NONE is 0.  The lowest layer
 * never logs; whoever decides what to do about an error logs it once.
 */
#ifndef SALLYPORT_ERR_H
#define SALLYPORT_ERR_H

enum err {
	ERR_NONE = 0,
	ERR_MEMORY,	 /* the allocator or an arena's ceiling said no */
	ERR_SYSTEM,	 /* a system call failed; errno tells */
	ERR_CLOSED,	 /* the peer closed its side */
	ERR_DEADLINE,	 /* time ran out */
	ERR_INTERRUPTED, /* a signal asked for attention */
	ERR_TOO_LONG,	 /* longer than the ceiling for such a thing */
	ERR_MALFORMED,	 /* bytes that break their format */
	ERR_UNSUPPORTED, /* well-formed, but not something done here */
	ERR_NOT_FOUND,	 /* no such thing */
	ERR_REFUSED,	 /* the other side said no (login, policy, broker) */
	ERR_REGEX,	 /* PCRE2 error or match limit: always a denial */
	ERR_STORE,	 /* LMDB said no */
	ERR_VERSION,	 /* written by another version of Sallyport */
	ERR_INVALID,	 /* configuration with errors; diagnostics tell */
	ERR_MAX
};

#define MUST_CHECK __attribute__((warn_unused_result))

/* One lower-case phrase, static, never NULL, whatever `e` is. */
const char *err_text(enum err e);

#endif
