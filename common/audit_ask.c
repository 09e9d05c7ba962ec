/*
 * audit_ask.c - the first key of a chain, from the broker.
 *
 * The rule: it is in one place when this returns.
 */
#include <string.h>

#include "common/audit_chain.h"
#include "common/broker_channel.h"

enum err
audit_chain_ask(int broker, const char *session, struct audit_chain *out)
{
	struct broker_request request = {.kind = BROKER_CHAIN};
	struct broker_reply reply;
	enum err e;

	field_set(request.name, sizeof(request.name), text_of(session));
	e = broker_ask(broker, &request, &reply);
	if (e == ERR_NONE &&
	    strnlen(reply.first, AUDIT_CHAIN_ID_MAX) == AUDIT_CHAIN_ID_MAX)
		e = ERR_MALFORMED;
	if (e == ERR_NONE)
		audit_chain_begin(out, reply.first, reply.proof);
	explicit_bzero(&reply, sizeof(reply));
	return e;
}
