/*
 * record.c - master's own audit records.
 *
 * One rule: losing one never stops master; it is said in the operational log.
 */
#include "master/record.h"

#include <string.h>

#include "common/log.h"
#include "master/chain.h"

enum {
	/* Supervision stands still for so long, when the sink is stuck … */
	RECORD_DEADLINE_MS = 50,
	SINK_REST_MS = 1000, /* … and then not again for so long. */
};

enum err
record_open(struct master *m)
{
	struct audit *fresh = audit_new(
	    m->settings->audit_socket, m->settings->audit_facility);

	if (fresh == NULL)
		return ERR_MEMORY;
	audit_set_deadline(fresh, RECORD_DEADLINE_MS);
	audit_watch(fresh, &m->board->audit_failing_since);
	if (m->settings->audit_key_file != NULL)
		audit_set_chain(fresh, &m->chain, NULL, NULL);
	audit_free(m->audit);
	m->audit = fresh;
	m->audit_failed_at = 0;
	return ERR_NONE;
}

static struct json *
record_begin(struct master *m, const char *event)
{
	if (m->audit == NULL)
		return NULL;
	if (m->audit_failed_at != 0 &&
	    monotonic_ms() - m->audit_failed_at < SINK_REST_MS) {
		log_error("audit: the sink is failing: no record of `%s`",
		    event);
		return NULL;
	}
	return audit_begin(m->audit, event);
}

static void
record_send(struct master *m, const char *event)
{
	enum err e = audit_send(m->audit);

	m->audit_failed_at = e == ERR_NONE ? 0 : monotonic_ms();
	if (e != ERR_NONE)
		log_error("audit: no record of `%s`: %s: %s: %m", event,
		    m->settings->audit_socket, err_text(e));
}

/* So many there must be in the records, whatever may be missing. */
static void
chains(const struct master *m, struct json *j)
{
	if (m->chains != NULL)
		json_number(j, "chains", (int64_t)chain_count(m));
}

void
record_start(struct master *m)
{
	struct json *j = record_begin(m, "start");

	if (j == NULL)
		return;
	json_cstring(j, "reason", m->settings->file);
	record_send(m, "start");
}

void
record_stop(struct master *m, const char *reason)
{
	struct json *j;

	/* nothing is left to be held up */
	if (m->audit != NULL)
		audit_set_deadline(m->audit, AUDIT_DEADLINE_MS);
	m->audit_failed_at = 0;
	j = record_begin(m, "stop");

	if (j == NULL)
		return;
	json_cstring(j, "reason", reason);
	chains(m, j);
	record_send(m, "stop");
}

void
record_policy(struct master *m, const char *reason)
{
	struct json *j = record_begin(m, "policy");

	if (j == NULL)
		return;
	json_cstring(j, "decision", reason == NULL ? "loaded" : "refused");
	json_number(j, "generation",
	    (int64_t)atomic_load(&m->board->generation));
	if (reason == NULL)
		json_number(j, "rules", (int64_t)m->policy->rule_count);
	else
		json_cstring(j, "reason", reason);
	chains(m, j);
	record_send(m, "policy");
}

static void
field(struct json *j, const char *key, const char *value)
{
	if (value[0] != '\0')
		json_cstring(j, key, value);
}

void
record_worker_died(
    struct master *m, const struct slot *last, const char *how)
{
	struct json *j = record_begin(m, "worker-died");

	if (j == NULL)
		return;
	field(j, "session", last->session);
	if (last->session[0] != '\0')
		json_number(j, "last_seq", (int64_t)last->audit_seq);
	field(j, "user", last->user);
	field(j, "agent", last->agent);
	field(j, "client", last->client);
	field(j, "upstream", last->upstream);
	field(j, "database", last->database);
	field(j, "statement", last->statement);
	json_cstring(j, "reason", how);
	record_send(m, "worker-died");
}

/* --- in the child of an operator's command -------------------------------- */

struct command {
	int broker;
	char session[SESSION_ID_LEN + 1];
};

static enum err
command_chain(void *context, struct audit_chain *c)
{
	const struct command *command = context;

	return command->broker < 0
	    ? ERR_CLOSED
	    : audit_chain_ask(command->broker, command->session, c);
}

struct json *
record_command(struct master *m, const char *event, struct text session)
{
	static struct command command; /* a child has one */
	struct json *j;

	command.broker = m->broker;
	field_set(command.session, sizeof(command.session), session);
	if (m->settings->audit_key_file != NULL)
		audit_set_chain(m->audit, &m->chain, command_chain, &command);
	j = audit_begin(m->audit, event);
	json_cstring(j, "session", command.session);
	return j;
}
