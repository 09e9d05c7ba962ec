/*
 * broker_record.c - what the broker itself records: requests out of turn.
 *
 * One rule: a record that the sink does not take is kept until it does.  The
 * broker opens nothing: when the sink was restarted, the porter opens the way
 * to it, and the record waits for that; a second one does not fit, and is
 * lost, which its chain tells.
 */
#include "common/audit.h"
#include "common/log.h"
#include "master/broker_inner.h"
#include "master/chain.h"
#include "master/spawn.h"

/* --- the way to the sink -------------------------------------------------- */

static void
sink_ask(struct broker *b)
{
	struct errand e = {.kind = ERRAND_SINK, .serial = b->last_serial + 1};

	if (b->sink_serial != 0 || b->porter < 0 ||
	    errand_send(b->porter, &e, TEXT(""), -1) != ERR_NONE)
		return;
	b->sink_serial = b->last_serial = e.serial;
}

int
broker_sink_take(void *context)
{
	struct broker *b = context;
	int fd = b->sink;

	b->sink = -1;
	if (fd < 0)
		sink_ask(b);
	return fd;
}

void
broker_sink_renew(struct broker *b)
{
	b->sink_serial = 0;
	if (audit_has_deferred(b->audit))
		sink_ask(b);
}

bool
broker_sink_came(struct broker *b, const struct outcome *o, int fd)
{
	if (o->kind != ERRAND_SINK || o->serial == 0 ||
	    o->serial != b->sink_serial)
		return false;
	descriptor_close(&b->sink);
	b->sink = fd; /* -1: the porter has none */
	/* one that does not serve is not asked for again at once: its serial
	 * stands until then */
	if (b->sink >= 0 && audit_flush(b->audit) != ERR_NONE)
		log_warning("the audit sink takes no record of the broker");
	b->sink_serial = 0;
	return true;
}

/* --- records -------------------------------------------------------------- */

/* The broker's own records are so rare that each is a chain. */
static enum err
chain_open(void *context, struct audit_chain *chain)
{
	const struct broker *b = context;

	return chain_grant(b->master, secrets_audit_key(b->secrets),
	    AUDIT_OF_BROKER, text_of(b->recorded), chain);
}

/* Then as audit_begin(). */
static struct json *
record_begin(struct broker *b, const char *event, const char *session)
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

/* Somebody asked for what is not his to ask for: a worker that is not ours
 * any more does that. Who is no worker has no seat, and no session. */
void
broker_record_refusal(
    struct broker *b, const struct channel *c, uint32_t kind)
{
	static const char *const names[] = {[CHANNEL_WORKER] = "worker",
	    [CHANNEL_CATALOG] = "catalog", [CHANNEL_REFUSER] = "refuser",
	    [CHANNEL_COMMAND] = "command"};
	const struct slot *s = &b->board->seats[c->slot].slot;
	bool has_seat = c->of == CHANNEL_WORKER || c->of == CHANNEL_REFUSER;
	struct slot copy;
	struct json *j;

	log_warning(
	    "%s, slot %u: request kind %u is not permitted in phase %d",
	    names[c->of], c->slot, kind, (int)c->phase);
	slot_snapshot(s, &copy);
	j = record_begin(
	    b, "request-refused", has_seat ? copy.session : "");
	json_cstring(j, "of", names[c->of]);
	json_cstring(j, "login", c->login);
	if (has_seat)
		json_number(j, "pid", atomic_load(&s->pid));
	json_number(j, "kind", kind);
	json_number(j, "phase", (int64_t)c->phase);
	if (audit_defer(b->audit) != ERR_NONE)
		log_error("a refused request could not be recorded");
	else if (audit_flush(b->audit) != ERR_NONE)
		log_warning("a refused request will be recorded later");
}
