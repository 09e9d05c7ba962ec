/*
 * handshake.h - a TLS handshake, told to somebody who was not there.
 *
 * The worker, who speaks TLS with the client, writes it down (worker/tls.h);
 * the verifier reads it (master/verifier/certificate.h).
 */
#ifndef SALLYPORT_HANDSHAKE_H
#define SALLYPORT_HANDSHAKE_H

#include <stdint.h>

enum {
	HANDSHAKE_TLS_1_2 = 0x0303,
	HANDSHAKE_TLS_1_3 = 0x0304,
	/* bytes with the struct: what goes with one request to the broker */
	HANDSHAKE_MAX = 64 * 1024,
	HANDSHAKE_HEAD = 8, /* of the struct, before the messages */
};

/* Types of messages (RFC 8446, 4; RFC 5246, 7.4). */
enum handshake_type {
	HANDSHAKE_CLIENT_HELLO = 1,
	HANDSHAKE_SERVER_HELLO = 2,
	HANDSHAKE_ENCRYPTED_EXTENSIONS = 8,
	HANDSHAKE_CERTIFICATE = 11,
	HANDSHAKE_SERVER_KEY_EXCHANGE = 12,
	HANDSHAKE_CERTIFICATE_REQUEST = 13,
	HANDSHAKE_SERVER_HELLO_DONE = 14,
	HANDSHAKE_CERTIFICATE_VERIFY = 15,
	HANDSHAKE_CLIENT_KEY_EXCHANGE = 16,
	HANDSHAKE_FINISHED = 20,
	HANDSHAKE_MESSAGE_HASH = 254, /* never said, only hashed */
};

/* What was said up to and with the client's CertificateVerify, message by
 * message as it was sent: type, 24 bits of length, body. */
struct handshake {
	uint32_t version; /* HANDSHAKE_TLS_1_2, HANDSHAKE_TLS_1_3 */
	uint32_t len;	  /* of the messages */
	uint8_t messages[];
};

_Static_assert(sizeof(struct handshake) == HANDSHAKE_HEAD,
    "two words, and then the messages");

#endif
