/*
 * broker.h - the process that alone holds verifiers, upstream passwords, TLS
 * private keys and the audit key.
 *
 * Workers and catalogues ask over channels (common/broker_channel.h).  Master
 * hands it each new channel over its control socket: one broker_grant with
 * the channel's descriptor beside it.
 */
#ifndef SALLYPORT_BROKER_H
#define SALLYPORT_BROKER_H

#include <stdint.h>

#include "master/master.h"

enum broker_channel {
	CHANNEL_WORKER = 1,
	CHANNEL_CATALOG,
	CHANNEL_REFUSER, /* of the worker that refuses politely */
	CHANNEL_COMMAND, /* of an operator's, for the chain of its record */
	CHANNEL_PORTER,	  /* its errands are done there (errand.h); the */
	CHANNEL_VERIFIER, /* last one given counts */
};

struct broker_grant {
	uint32_t kind; /* enum broker_channel */
	uint32_t upstream; /* CHANNEL_CATALOG: index into the settings */
	uint32_t slot;	   /* CHANNEL_WORKER, CHANNEL_REFUSER: whose */
};

/* Serve until master has closed `control` and every channel is closed; the
 * exit status. Reads secrets first, as whoever master is, then drops. */
int broker_main(const struct master *m, int control);

#endif
