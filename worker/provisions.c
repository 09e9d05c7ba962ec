/*
 * provisions.c - opening what a session may need, before there is one.
 *
 * The rule: after this nothing is opened by path in this process.
 */
#include <stdio.h>
#include <string.h>

#include "common/broker_channel.h"
#include "common/clock.h"
#include "common/config.h"
#include "common/log.h"
#include "worker/mask_key.h"
#include "worker/provisions.h"

enum {
	REST_FIRST_MS = 50, /* after the first failure, then twice as long … */
	REST_MOST_MS = 4000, /* … up to this */
};

static int
supply_open(void *context)
{
	struct supply *s = context;
	const struct broker_request request = {.kind = s->kind};
	struct broker_reply reply;
	int fd;

	if (clock_ms() < s->rest_until)
		return -1;
	if (broker_open(s->channel, &request, &reply, &fd) == ERR_NONE) {
		s->rest_ms = 0;
		return fd;
	}
	s->rest_ms = s->rest_ms == 0 ? REST_FIRST_MS : 2 * s->rest_ms;
	if (s->rest_ms > REST_MOST_MS)
		s->rest_ms = REST_MOST_MS;
	s->rest_until = clock_ms() + s->rest_ms;
	return -1;
}

void
provisions_log(struct supply *log, int channel)
{
	*log = (struct supply){.channel = channel, .kind = BROKER_LOG};
	log_set_opener(supply_open, log);
}

static enum err
store_provide(const struct birth *b, const char *folder, struct store **out)
{
	char path[4096];

	*out = NULL;
	if (snprintf(path, sizeof(path), "%s/%s", b->settings->state,
		folder) >= (int)sizeof(path))
		return ERR_TOO_LONG;
	return store_open(path, STORE_READ, out);
}

enum err
provisions_open(struct provisions *p, const struct birth *b)
{
	const struct settings *s = b->settings;
	enum err e;

	memset(p, 0, sizeof(*p));
	p->audit = audit_new(s->audit_socket, s->audit_facility);
	if (p->audit == NULL)
		return ERR_MEMORY;
	/* a sink that is not there now may be, when it is needed */
	if (audit_connect(p->audit) != ERR_NONE)
		log_info("the audit sink is not there: %m");
	p->sink = (struct supply){.channel = b->broker, .kind = BROKER_SINK};
	audit_set_opener(p->audit, supply_open, &p->sink);
	provisions_log(&p->log, b->broker);
	e = store_provide(b, "policy", &p->policy);
	if (e != ERR_NONE)
		log_warning("the policy's store cannot be opened: %s",
		    err_text(e));
	p->catalog_error = store_provide(b, "catalog", &p->catalog);
	p->has_mask_key = mask_key_load(s->state, p->mask_key) == ERR_NONE;
	return ERR_NONE;
}
