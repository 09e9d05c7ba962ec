/*
 * signer.h - the TLS private keys, and what they are used for.  Only the
 * broker's process ever calls this.
 *
 * A listener's key signs what a TLS server signs in its handshake, an
 * upstream's what a TLS client does; nothing else, and nothing is decrypted.
 * So whoever takes over a worker can be that server for as long as it is
 * there, but cannot have the key sign for another purpose.
 */
#ifndef SALLYPORT_SIGNER_H
#define SALLYPORT_SIGNER_H

#include "common/config.h"
#include "common/broker_channel.h"
#include "common/tls_context.h"

struct signer;

/* Read the key files. A key that cannot be read or that is not the one of the
 * certificate in `contexts` is logged, and nothing is signed with it. NULL:
 * out of memory. */
struct signer *signer_load(
    const struct settings *s, const struct tls_contexts *contexts);

/* Answer BROKER_LISTENER_SIGN or BROKER_UPSTREAM_SIGN. False: not something
 * to be signed with this key. */
bool signer_sign(const struct signer *s, const struct broker_request *q,
    struct broker_reply *reply);

/* NULL is fine. */
void signer_wipe(struct signer *s);

#endif
