/*
 * broker_chain.c - first keys of audit chains (chain.h).
 *
 * One rule: a channel gets one, for its one client or command; what it is
 * given for is part of the key, so that it serves for nothing else.
 */
#include <string.h>

#include "master/broker_inner.h"
#include "master/chain.h"

ANSWER(broker_chain)
{
	const struct broker_request *request = q->request;
	const enum audit_writer writer =
	    c->of == CHANNEL_COMMAND ? AUDIT_OF_COMMAND : AUDIT_OF_SESSION;
	struct text session = {
	    request->name, strnlen(request->name, SESSION_ID_LEN + 1)};
	struct audit_chain chain = {0};

	if (session.len > SESSION_ID_LEN)
		return broker_no(r, "no session's id");
	if (chain_grant(b->master, secrets_audit_key(b->secrets), writer,
		session, &chain) != ERR_NONE)
		return broker_no(r, "no chain");
	field_set(r->reply.first, sizeof(r->reply.first), text_of(chain.id));
	memcpy(r->reply.proof, chain.key, sizeof(r->reply.proof));
	audit_chain_wipe(&chain);
	return ANSWER_YES;
}
