/*
 * confine_roles.h - the table of roles, as data.
 */
#ifndef SALLYPORT_CONFINE_ROLES_H
#define SALLYPORT_CONFINE_ROLES_H

#include "master/confine.h"

enum { CALL_CONDITIONS = 2 };

/* A system call that is permitted, or permitted if all conditions hold. */
struct call {
	const char *name;
	struct call_condition {
		bool is_used;
		unsigned argument; /* from 0 */
		uint64_t mask;	   /* what of it is compared */
		uint64_t value;
	} when[CALL_CONDITIONS];
};

struct call_group {
	const struct call *calls;
	size_t count;
};

/* What is left of the file system. */
enum confine_files {
	FILES_NONE,
	FILES_CATALOG,	 /* the catalogue's store, to change */
	FILES_PUBLISHER, /* all to read, the stores to change */
	FILES_ALL,	 /* as its account may */
};

struct confine_role {
	const char *name;
	const struct call_group *groups; /* ends with a NULL one */
	/* the groups are what is refused, with an error; all else is there */
	bool is_refusal;
	enum confine_files files;
	bool is_program; /* of its own: it is confined without master */
	bool sends_signals; /* to processes outside its own walls */
	uint64_t capabilities;
	const struct sandbox_limit *limits; /* ends with `most` of LIMIT_END */
};

#define LIMIT_END RLIM_INFINITY

extern const struct confine_role confine_roles[CONFINEMENTS];

#endif
