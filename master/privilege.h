/*
 * privilege.h - who a child becomes.
 */
#ifndef SALLYPORT_PRIVILEGE_H
#define SALLYPORT_PRIVILEGE_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/err.h"

enum { ACCOUNT_NAME_MAX = 64 };

struct account {
	bool is_other; /* than the one master runs as */
	uid_t uid;
	gid_t gid;
	char name[ACCOUNT_NAME_MAX];
};

/* The account of `run_as`, or master's own when that is NULL.
 * ERR_NOT_FOUND: no such account. ERR_REFUSED: it is another one and master
 * is not root, so it cannot change to it. */
enum err account_find(const char *run_as, struct account *out) MUST_CHECK;

/* Become it for good, with its groups only; checked, not believed. */
enum err account_become(const struct account *a) MUST_CHECK;

#endif
