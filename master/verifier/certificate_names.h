/*
 * certificate_names.h - what a certificate says of its holder.  Pure.
 */
#ifndef SALLYPORT_VERIFIER_CERTIFICATE_NAMES_H
#define SALLYPORT_VERIFIER_CERTIFICATE_NAMES_H

#include <openssl/types.h>

#include "master/errand.h"

/* Its names (common/certificate_name.h), and what the record shows of it. NULL,
 * or why it proves nobody; static. That it is good is somebody else's affair. */
const char *certificate_facts_read(
    X509 *certificate, struct certificate_facts *out);

/* Unix time, s; -1: it is no time. */
int64_t certificate_time(const ASN1_TIME *t);

#endif
