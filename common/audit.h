/*
 * audit.h - one JSON record an event, to the syslog socket.
 *
 * RFC 5424 framing, `@cee:` cookie without a byte-order mark.  A socket of
 * our own, because syslog(3) cannot say that a record was lost: a datagram
 * is taken or it is not, and audit_send() says which.  A record that was not
 * taken is the caller's reason to refuse.
 */
#ifndef SALLYPORT_AUDIT_H
#define SALLYPORT_AUDIT_H

#include <stdatomic.h>
#include <stdint.h>

#include "common/audit_chain.h"
#include "common/err.h"
#include "common/identity.h"
#include "common/json.h"
#include "common/text.h"

enum {
	AUDIT_RECORD_MAX = 48 * 1024, /* bytes with framing */
	AUDIT_STATEMENT_MAX = 16 * 1024, /* longer statements are cut in the
					  * record (`statement_bytes` has the
					  * true length) */
	AUDIT_DEADLINE_MS = 2000, /* a sink that takes longer has failed */
};

struct audit; /* a process's way to the sink */

/* `socket` is the path ("/dev/log"). Does not connect yet. NULL: memory. */
struct audit *audit_new(const char *socket, int facility);
void audit_free(struct audit *a);
/* What a child does with its parent's: closes the socket, and writes nowhere. */
void audit_leave(struct audit *a);

/* Connect now, if it is not yet: for who cannot later. ERR_SYSTEM: the sink is
 * not there. */
enum err audit_connect(struct audit *a) MUST_CHECK;

/* From now on ask `open` for a socket, in place of connecting one: a confined
 * process opens nothing itself.  It returns a connected one, which becomes
 * ours, or -1. */
void audit_set_opener(
    struct audit *a, int (*open)(void *context), void *context);

/* From now on wait so long for the sink, at most (1 or more), instead of
 * AUDIT_DEADLINE_MS. */
void audit_set_deadline(struct audit *a, unsigned milliseconds);

/* Note in `failing_since` (shared with others; Unix time in ms, 0: all is
 * well) when the sink stops taking records and when it takes them again; the
 * first to see either logs it. */
void audit_watch(struct audit *a, atomic_llong *failing_since);

/* Whose events these are: put into every record from now on (borrowed). */
struct audit_session {
	const char *session;	/* id */
	struct identity *identity;
	struct text upstream, database;
	struct text login; /* before the identity is known */
	uint64_t seq; /* incremented for each record */
};
void audit_set_session(struct audit *a, struct audit_session *s);

/* Seal every record from now on in this chain (borrowed): a `chain`, a `seq`
 * and, last, a `mac`.  A chain that has not begun is begun before its first
 * record by `open`, which gets `context`; while that fails, so does sending.
 * Records that the sink did not take are counted in the next as `lost`. */
typedef enum err (*audit_open)(void *context, struct audit_chain *c);
void audit_set_chain(struct audit *a, struct audit_chain *c, audit_open open,
    void *context);

/* The name of this machine as it was when first asked for. */
const char *audit_node(void);

/* Begin a record: time, node, session, seq, event, identity, upstream,
 * database are written. Add members to the returned object, then
 * audit_send(). One record at a time. */
struct json *audit_begin(struct audit *a, const char *event);

/* Finish, and keep the record to be sent together with the next one: for what
 * decides nothing (a result), it saves waking the sink twice.  A record that
 * was kept before is sent first; if that fails, this one is lost, and the
 * error says so.  Whoever defers must see that audit_flush() or another
 * audit_send() follows soon. */
enum err audit_defer(struct audit *a) MUST_CHECK;
bool audit_has_deferred(const struct audit *a);
enum err audit_flush(struct audit *a) MUST_CHECK;

/* Finish and send. ERR_NONE: the sink's kernel buffer has it. Anything else:
 * it is lost (ERR_DEADLINE, ERR_SYSTEM, ERR_TOO_LONG). Reconnects by itself,
 * once a call. */
enum err audit_send(struct audit *a) MUST_CHECK;

#endif
