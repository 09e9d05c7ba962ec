/*
 * transcript.h - the messages of a handshake, taken apart.  Pure.
 *
 * Only what is needed to know what the client has signed, and with what: the
 * rest was for the two that spoke, and is covered by the signature.
 */
#ifndef SALLYPORT_VERIFIER_TRANSCRIPT_H
#define SALLYPORT_VERIFIER_TRANSCRIPT_H

#include <openssl/types.h>

#include "common/handshake.h"
#include "common/text.h"
#include "common/tls_trust.h"

enum {
	TRANSCRIPT_CONTENT_MAX = 64 + 34 + 64, /* RFC 8446, 4.4.3 */
};

/* All texts borrow from the messages. */
struct transcript {
	uint32_t version; /* HANDSHAKE_TLS_1_2, HANDSHAKE_TLS_1_3 */
	uint16_t cipher;
	struct text before;	 /* all before the client's CertificateVerify */
	struct text first_hello; /* the ClientHello that had to be said again;
				  * len 0: none had */
	struct text server_certificate;
	uint16_t server_scheme; /* SignatureScheme */
	struct text server_signature;
	struct text certificates[TLS_CHAIN_MAX]; /* the client's own first */
	size_t count;
	uint16_t client_scheme;
	struct text client_signature;
};

/* Take a struct handshake apart: every message in its place, each eaten whole,
 * none behind the client's CertificateVerify. NULL, or what is wrong with it;
 * static. */
const char *transcript_read(struct text parcel, struct transcript *out);

/* What the client has signed: in TLS 1.2 `before`, in 1.3 made in `room`. */
bool transcript_content(const struct transcript *t,
    uint8_t room[TRANSCRIPT_CONTENT_MAX], struct text *out);

#endif
