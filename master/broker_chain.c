/*
 * broker_chain.c - first keys of audit chains (chain.h).
 *
 * One rule: a channel gets one, for its one client or command; what it is
 * given for is part of the key, so that it serves for nothing else.
 */
#include <openssl/crypto.h>
#include <string.h>

#include "common/log.h"
#include "master/broker_inner.h"
#include "master/chain.h"

ANSWER(broker_chain)
{
	const struct broker_request *request = q->request;
	const enum audit_writer writer =
	    c->phase == PHASE_COMMAND ? AUDIT_OF_COMMAND : AUDIT_OF_SESSION;
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

/* The broker's own records are so rare that each is a chain. */
static enum err
chain_open(void *context, struct audit_chain *chain)
{
	const struct broker *b = context;

	return chain_grant(b->master, secrets_audit_key(b->secrets),
	    AUDIT_OF_BROKER, text_of(b->recorded), chain);
}

struct json *
broker_record(struct broker *b, const char *event, const char *session)
{
	struct json *j;

	field_set(b->recorded, sizeof(b->recorded), text_of(session));
	audit_chain_wipe(&b->chain);
	if (b->settings->audit_key_file != NULL)
		audit_set_chain(b->audit, &b->chain, chain_open, b);
	j = audit_begin(b->audit, event);
	json_cstring(j, "session", b->recorded);
	return j;
}
