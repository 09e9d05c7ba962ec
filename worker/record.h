/*
 * record.h - what the audit trail says of a statement.
 */
#ifndef SALLYPORT_RECORD_H
#define SALLYPORT_RECORD_H

#include "worker/gate.h"

/* Make j->record: the part of each statement's record that is the same at
 * every execution. Left NULL when out of memory: gate_record() then fails. */
void record_prepare(struct gate *g, struct ruling *j);

/* What came of an execution. */
struct outcome {
	uint64_t seq; /* of the statement's record */
	uint64_t rows, bytes, changed, masked;
	int64_t ms;
	char sqlstate[6]; /* "" when it succeeded */
};

/* Make the `result` event of an execution; it is sent with the session's next
 * record, or by audit_flush(). */
enum err record_result(struct gate *g, const struct outcome *o) MUST_CHECK;

#endif
