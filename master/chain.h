/*
 * chain.h - the chains of one life of master (common/audit_chain.h).
 *
 * Nothing here does anything when the settings name no audit key.
 */
#ifndef SALLYPORT_CHAIN_H
#define SALLYPORT_CHAIN_H

#include "master/master.h"

/* Begin a book, and master's own chain in it: a child reads the audit key, as
 * whoever master is, and takes the book's number, as the account.  Once, as
 * the last thing before the first record.  ERR_REFUSED, logged. */
enum err chain_start(struct master *m) MUST_CHECK;

/* The broker's: begin a chain for somebody else, in `out`. `session`: what its
 * records will have as such. */
enum err chain_grant(const struct master *m, const struct audit_key *key,
    enum audit_writer writer, struct text session, struct audit_chain *out)
    MUST_CHECK;

/* How many there are in this book, besides master's. */
uint64_t chain_count(const struct master *m);

/* In a child: forget master's chain, and, unless it is the broker, how many
 * chains there are. */
void chain_leave(struct master *m, bool is_broker);

#endif
