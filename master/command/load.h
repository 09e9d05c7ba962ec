/*
 * load.h - configuration as it is in the files now, for explain and test.
 */
#ifndef SALLYPORT_LOAD_H
#define SALLYPORT_LOAD_H

#include <stdbool.h>

#include "common/config.h"

struct loaded {
	struct arena *arena;
	struct diagnostics *diagnostics;
	struct settings settings;
	struct identities identities;
	struct policy policy;
	size_t failed_examples; /* of the policy's own */
};

/* Load settings, identities and policies. False: what is wrong has been
 * printed on standard error. An example of the policy that fails is printed as
 * a warning, and the rest can be looked at. Release it either way. */
bool load_all(const char *config, struct loaded *out);
void load_release(struct loaded *l);

/* Print the diagnostics there are. */
void diagnostics_print(const struct diagnostics *d);

#endif
