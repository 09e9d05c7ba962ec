/*
 * attend.h - what workers and operators have put on the board for master.
 */
#ifndef SALLYPORT_ATTEND_H
#define SALLYPORT_ATTEND_H

#include "master/master.h"

/* Look at all seats: give numbers to those who ask, pass on what they have to
 * tell, wake whom it concerns, end for good who does not obey. Each turn. */
void attend_workers(struct master *m);

/* Wake all who wait for a client. */
void attend_waiting(struct master *m);

#endif
