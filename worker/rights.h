/*
 * rights.h - what a session's identity may be now.
 *
 * Who it is was proved once, when the session began.  Whether such a person
 * and such an agent are still known, whether the one may act for the other,
 * and in which groups the person is, is looked up again with each policy: the
 * identities are part of it.
 */
#ifndef SALLYPORT_RIGHTS_H
#define SALLYPORT_RIGHTS_H

#include "worker/gate.h"

/* Give g->identity the rights that g->policy leaves it. False: none; g->reason
 * says why, in ASCII and without names, and g->is_barred is true for good. */
bool rights_renew(struct gate *g) MUST_CHECK;

#endif
