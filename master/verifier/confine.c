/*
 * confine.c - what the verifier can do no more once it has read its files.
 *
 * The rule: whoever takes it over through a token or a certificate finds
 * nothing to read, nowhere to send it, and no way to become more.
 */
#include <stddef.h>
#include <sys/resource.h>

#include "common/log.h"
#include "master/confine.h"
#include "master/verifier/verifier.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_SANITIZER
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define HAS_SANITIZER
#endif

enum {
	FILES_MAX = 16, /* descriptors */
	MEMORY_MAX = 512 * 1024 * 1024,
};

static const struct {
	__rlimit_resource_t what;
	rlim_t most;
} limits[] = {
    {RLIMIT_NPROC, 0},
    {RLIMIT_FSIZE, 0},
    {RLIMIT_MEMLOCK, 0},
    {RLIMIT_MSGQUEUE, 0},
    {RLIMIT_NOFILE, FILES_MAX},
#ifndef HAS_SANITIZER /* which maps all there is */
    {RLIMIT_AS, MEMORY_MAX},
#endif
};

/* The log it has must do. */
static int
open_nothing(void *context)
{
	(void)context;
	return -1;
}

enum err
verifier_confine(void)
{
	struct sandbox sandbox;
	const char *failed;
	enum err e;
	size_t i;

	/* first: it needs a file in memory */
	e = confine_alone(CONFINE_VERIFIER, &sandbox);
	if (e != ERR_NONE)
		return e;
	for (i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		struct rlimit limit = {limits[i].most, limits[i].most};

		if (setrlimit(limits[i].what, &limit) != 0)
			return ERR_SYSTEM;
	}
	log_set_opener(open_nothing, NULL);
	return sandbox_enter(&sandbox, &failed);
}
