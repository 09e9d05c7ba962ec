/*
 * world.h - a gate with all that it needs and nobody at either door: a policy
 * of any number of rules, ten protections, a catalogue.
 */
#ifndef SALLYPORT_BENCH_WORLD_H
#define SALLYPORT_BENCH_WORLD_H

#include "worker/gate.h"

enum { WORLD_RULES_MAX = 1000 };

struct world {
	struct arena *arena; /* the policy's and what is below */
	struct policy policy; /* of as many rules as were asked for last */
	struct settings settings;
	struct upstream upstream;
	struct identity identity;
	struct broker_identity who; /* as the broker would say it */
	struct birth birth;
	struct provisions provisions;
	struct gate gate;
};

/* Make the catalogue in a new folder, whose path is returned; remove it. Any
 * failure ends the program with a word on it. */
const char *world_catalogue(void);
void world_catalogue_remove(void);

/* A gate for alice+copilot under a policy of WORLD_RULES_MAX rules, with the
 * class rules of the folder `policies`. */
struct world *world_new(const char *policies);
void world_free(struct world *w);

/* From now on only the first rules hold, and nothing is remembered. */
void world_use_rules(struct world *w, size_t rules);

#endif
