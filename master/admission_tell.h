/*
 * admission_tell.h - why a connection proves nobody, for the record.
 */
#ifndef SALLYPORT_ADMISSION_TELL_H
#define SALLYPORT_ADMISSION_TELL_H

#include <stddef.h>

#include "master/errand.h"

enum {
	ADMISSION_REASON_MAX = 160, /* as a reply of the broker has room for */
};

/* In what a process is not the one that an entry names. */
enum process_part {
	PROCESS_RIGHT, /* in nothing */
	PROCESS_USER,
	PROCESS_PATH,
	PROCESS_NOT_GENUINE,
	PROCESS_DIGEST,
};

/* Each puts what has room into `out`, terminated; the end of a longer text is
 * missing. */

/* The names that a certificate has in place of the one wanted. */
void admission_tell_certificate(
    const struct certificate_facts *c, char *out, size_t size);

/* Which process it is, and the part that differs. `wrong`: why it is not
 * genuine or not known, as the porter said it; NULL: it did not. */
void admission_tell_process(const struct process_facts *p,
    enum process_part part, const char *wrong, char *out, size_t size);

#endif
