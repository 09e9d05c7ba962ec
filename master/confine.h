/*
 * confine.h - which walls stand around which process.
 *
 * One table of roles (confine_roles.c): the system calls of each, the files
 * it is left, its limits.  Everything that takes time is made once, in
 * master, at start: filters compiled, rulesets made, the empty root opened.
 */
#ifndef SALLYPORT_CONFINE_H
#define SALLYPORT_CONFINE_H

#include <stdio.h>

#include "common/config.h"
#include "common/sandbox.h"
#include "master/privilege.h"

enum confinement {
	CONFINE_MASTER,
	CONFINE_WORKER,
	CONFINE_REFUSER,
	CONFINE_BROKER,
	CONFINE_PORTER,
	CONFINE_VERIFIER,
	CONFINE_CATALOG,
	CONFINE_PUBLISHER,
	CONFINE_CONTROL,
	CONFINEMENTS
};

/* What there is to build walls of, here and now. */
struct confine_means {
	uid_t uid;	  /* who starts the daemon */
	bool is_root;	  /* master can become another account */
	bool has_account; /* and does: `run_as` is somebody else */
	bool has_chroot, has_seccomp;
	bool is_open;	   /* a build for tests that goes without walls */
	int landlock;	   /* version; 0: none */
};

struct confine {
	struct confine_means means;
	struct sandbox sandboxes[CONFINEMENTS];
	size_t call_counts[CONFINEMENTS]; /* in its filter; 0: none */
};

struct confine_means confine_means_find(const struct account *account);

/* All of them, for these settings. What the means do not allow is left out;
 * what fails that should not is ERR_SYSTEM or ERR_MEMORY. Lives as long as
 * the process. `failed_out` names it (static). */
enum err confine_new(const struct settings *s, const struct account *account,
    struct confine **out, const char **failed_out) MUST_CHECK;

/* The same, only to be told: nothing is written, and nobody may enter. */
enum err confine_try(const struct settings *s, const struct account *account,
    struct confine **out) MUST_CHECK;

/* The sandbox of a role in a process that has no master to make it (the
 * verifier): no files, no root. */
enum err confine_alone(enum confinement role, struct sandbox *out) MUST_CHECK;

/* In a child, once: close what is for entering other roles' sandboxes. */
void confine_leave_others(const struct confine *c, enum confinement mine);

/* Master's own: what it needs no more once everything is open. */
enum err confine_master(
    const struct confine *c, const char **failed_out) MUST_CHECK;

/* A table for people: what is in force around each process, and what is
 * missing and why. `is_brief`: for the log, a few lines. */
typedef void (*separation_line)(void *context, const char *line);
void separation_tell(const struct confine *c, const struct account *account,
    bool is_brief, separation_line line, void *context);

#endif
