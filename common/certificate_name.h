/*
 * certificate_name.h - what a client certificate can say about its holder.
 *
 * A name has a kind and one spelling:
 *
 *   cn:nightly sync               the only common name of the subject
 *   dns:sync.shop.example         a DNS name of subjectAltName, lower case
 *   email:sync@shop.example       a mailbox of it, its domain lower case
 *   uri:https://shop.example/x    a URI of it, exactly
 *   uri:spiffe://shop.example/x   a SPIFFE ID: a URI as the SPIFFE-ID standard
 *                                 has it, and the certificate's only one
 *
 * Both sides of a comparison are brought into it first, identities.yaml's
 * entry and the certificate's name, so that comparing is comparing bytes.
 * What has no such spelling (wildcards, bytes that are no text) is no name.
 */
#ifndef SALLYPORT_CERTIFICATE_NAME_H
#define SALLYPORT_CERTIFICATE_NAME_H

#include "common/text.h"

enum {
	CERTIFICATE_URI_MAX = 2048, /* SPIFFE-ID, 2.3 */
	CERTIFICATE_NAME_MAX = CERTIFICATE_URI_MAX + 8, /* with kind and NUL */
};

enum certificate_name_kind {
	CERTIFICATE_CN,
	CERTIFICATE_DNS,
	CERTIFICATE_EMAIL,
	CERTIFICATE_URI,
	CERTIFICATE_KINDS
};

/* Spell what a certificate has: "dns:sync.shop.example", terminated. False:
 * it is no name. */
bool certificate_name_spell(enum certificate_name_kind kind, struct text value,
    char out[CERTIFICATE_NAME_MAX]);

/* Spell what identities.yaml has: one of the forms above, or "spiffe://…".
 * NULL, or what is wrong with it; static. */
const char *certificate_name_read(
    struct text entry, char out[CERTIFICATE_NAME_MAX]);

/* Is it meant as a SPIFFE ID, well or badly formed? */
bool certificate_uri_is_spiffe(struct text uri);

/* Does a certificate have any of these names? `has`: its own, each terminated,
 * one behind the other (struct certificate_facts). */
bool certificate_names_meet(
    const struct text *wanted, size_t count, struct text has);

#endif
