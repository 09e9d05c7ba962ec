/*
 * porter.h - the process that opens and looks, for those who may not.
 *
 * It holds no secret but a password on its way to PAM.  What it is asked, and
 * what it brings back: master/errand.h.
 */
#ifndef SALLYPORT_PORTER_H
#define SALLYPORT_PORTER_H

#include "master/master.h"

/* Serve errands until the channel is closed; the exit status. Drops first:
 * started as root it keeps what looking at others' processes takes. */
int porter_main(const struct master *m, int channel);

#endif
