/*
 * verifier.h - the program that reads what strangers have signed.
 *
 * `sallyport-verifier FILE`, started by master with the broker's channel as
 * descriptor 3 (master/errand.h).  It reads sallyport.yaml, identities.yaml
 * and the keys and certificates that these name, gives up everything else,
 * and then answers errands one at a time until the channel is closed.  It
 * holds no secret; but who it says somebody is, somebody is.
 *
 *   main.c         starting, and the loop
 *   entries.c      the issuers in identities.yaml, read by a child
 *   confine.c      what it gives up
 *   token*.c       tokens (token.h)
 *   certificate*.c certificates
 */
#ifndef SALLYPORT_VERIFIER_H
#define SALLYPORT_VERIFIER_H

#include "common/err.h"

enum { VERIFIER_CHANNEL = 3 };

/* Give up files, network and everything but memory and the channel, for good.
 * On an error the program must end. */
enum err verifier_confine(void) MUST_CHECK;

#endif
