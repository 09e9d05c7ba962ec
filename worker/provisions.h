/*
 * provisions.h - what a worker takes along before it closes the door.
 *
 * A worker opens nothing once it has a client: the stores, the key for masks
 * and the sockets to the audit sink and the log are opened while it is a
 * spare.  A socket that dies later is asked of the broker.
 */
#ifndef SALLYPORT_PROVISIONS_H
#define SALLYPORT_PROVISIONS_H

#include "common/audit.h"
#include "common/ipc.h"
#include "common/mask.h"
#include "common/store.h"

/* A socket that the broker opens for us, not more often than is good. */
struct supply {
	int channel;
	uint32_t kind;	    /* BROKER_SINK, BROKER_LOG */
	int64_t rest_until; /* after a failure; CLOCK_MONOTONIC, ms */
	int64_t rest_ms;
};

struct provisions {
	struct store *policy;  /* NULL: not to be opened: no newer policy */
	struct store *catalog; /* NULL: catalog_error tells why */
	enum err catalog_error;
	bool has_mask_key;
	uint8_t mask_key[MASK_KEY_LEN];
	struct audit *audit;
	struct supply sink, log;
};

/* Open all. Only what no session can do without is an error (ERR_MEMORY);
 * for the rest each session finds out whether it needs it. `p` must stay
 * where it is: all of it ends with the process. */
enum err provisions_open(
    struct provisions *p, const struct birth *b) MUST_CHECK;

/* For processes that need a way to the log alone: from now on the broker
 * opens it. */
void provisions_log(struct supply *log, int channel);

#endif
