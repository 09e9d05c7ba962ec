/*
 * certificate.h - has this client proved to hold the key of a certificate?
 *
 * A worker speaks TLS with the client, and a worker's word is none: whoever
 * has taken one over could name any certificate (they are public).  So the
 * handshake itself is the proof, and is looked at here:
 *
 *   The client signs a hash of everything said before (RFC 8446, 4.4.3; RFC
 *   5246, 7.4.8).  That contains what the listener's key has signed, which
 *   the broker did itself, on this very channel, moments ago: another
 *   connection's handshake has another signature in it, because those used
 *   here never come out the same twice (ECDSA and RSASSA-PSS; a server that
 *   signs with RSA PKCS #1 in TLS 1.2 proves nobody's certificate).  And a
 *   client signs only after it has checked that signature.  So: the holder of
 *   that key speaks to whoever had the broker sign, now.
 *
 * That the certificate is of an authority of the listener, valid and not
 * revoked, is then looked up as it is in the handshake itself (tls_trust.h).
 */
#ifndef SALLYPORT_VERIFIER_CERTIFICATE_H
#define SALLYPORT_VERIFIER_CERTIFICATE_H

#include "common/config.h"
#include "common/tls_files.h"
#include "master/errand.h"

/* Read the certificate, CAs and CRLs of every listener that asks for client
 * certificates; forgets what was read before. Needs files; certificate_check()
 * does not. On failure `reason` says which and why: no certificate proves
 * anything to that listener, but the others are served. */
enum err certificate_load(
    const struct settings *s, char reason[TLS_REASON_MAX]) MUST_CHECK;

/* Do an ERRAND_CERTIFICATE: `listener` is the address of one of the settings
 * that were read, `signature` what the broker has signed, the parcel a struct
 * handshake. Fills result, reason and
 * facts of `out`, and returns the result. */
enum outcome_result certificate_check(
    const struct errand *e, struct text parcel, struct outcome *out);

/* Forget all that was read. */
void certificate_unload(void);

#endif
