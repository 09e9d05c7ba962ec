/*
 * errand.c - errands and outcomes as messages.
 *
 * One rule: what is not exactly an errand or an outcome is dropped, and a
 * descriptor that came with it is closed.  Trusts that the other side is of
 * the same build, not that what it says is within bounds.
 */
#include "master/errand.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/parcel.h"

/* --- sending -------------------------------------------------------------- */

enum err
errand_send(int channel, const struct errand *e, struct text parcel, int fd)
{
	const struct parcel beside = {
	    .bytes = (void *)(uintptr_t)parcel.at, .len = parcel.len, .fd = fd};

	if (parcel.len > ERRAND_PARCEL_MAX)
		return ERR_TOO_LONG;
	return parcel_send(channel, e, sizeof(*e), &beside, MSG_DONTWAIT);
}

/* Only what this outcome has is sent: most are small, and many wait in the
 * channel when many log in at once. 0: there is no such outcome. */
static size_t
outcome_len(uint32_t kind, uint32_t result)
{
	static const size_t facts[ERRAND_KINDS] = {
	    [ERRAND_PROCESS] = sizeof(struct process_facts),
	    [ERRAND_TOKEN] = sizeof(struct token_facts),
	    [ERRAND_CERTIFICATE] = sizeof(struct certificate_facts),
	};

	if (kind < ERRAND_CONNECT || kind >= ERRAND_KINDS)
		return 0;
	return offsetof(struct outcome, process) +
	    (result == OUTCOME_YES ? facts[kind] : 0);
}

enum err
outcome_send(int channel, const struct outcome *o, int fd)
{
	const struct parcel beside = {.fd = fd};
	size_t len = outcome_len(o->kind, o->result);

	if (len == 0)
		return ERR_MALFORMED;
	return parcel_send(channel, o, len, &beside, MSG_DONTWAIT);
}

/* --- receiving ------------------------------------------------------------ */

static enum err
message_drop(int *fd, enum err e)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	return e;
}

#define IS_TERMINATED(field) (memchr((field), '\0', sizeof(field)) != NULL)

/* Only a process is looked at through a descriptor. */
static bool
errand_is_sound(const struct errand *e, int fd)
{
	return e->kind >= ERRAND_CONNECT && e->kind < ERRAND_KINDS &&
	    IS_TERMINATED(e->service) && IS_TERMINATED(e->listener) &&
	    e->signature_len <= sizeof(e->signature) &&
	    (fd >= 0) == (e->kind == ERRAND_PROCESS);
}

enum err
errand_receive(int channel, struct errand *e_out, uint8_t *parcel,
    size_t *len_out, int *fd_out)
{
	struct parcel beside = {.bytes = parcel, .size = ERRAND_PARCEL_MAX};
	enum err e =
	    parcel_receive(channel, e_out, sizeof(*e_out), &beside);

	*len_out = beside.len;
	*fd_out = beside.fd;
	if (e != ERR_NONE)
		return e;
	return errand_is_sound(e_out, *fd_out)
	    ? ERR_NONE
	    : message_drop(fd_out, ERR_MALFORMED);
}

static bool
outcome_brings_descriptor(const struct outcome *o)
{
	return o->result == OUTCOME_YES &&
	    (o->kind == ERRAND_CONNECT || o->kind == ERRAND_SINK ||
		o->kind == ERRAND_LOG);
}

enum err
outcome_receive(int channel, struct outcome *o_out, int *fd_out)
{
	const size_t head = offsetof(struct outcome, process);
	struct parcel facts = {
	    .bytes = &o_out->process, .size = sizeof(*o_out) - head};
	enum err e;

	memset(o_out, 0, sizeof(*o_out));
	e = parcel_receive(channel, o_out, head, &facts);
	*fd_out = facts.fd;
	if (e != ERR_NONE)
		return e;
	if (head + facts.len == outcome_len(o_out->kind, o_out->result) &&
	    outcome_is_sound(o_out) &&
	    (*fd_out >= 0) == outcome_brings_descriptor(o_out))
		return ERR_NONE;
	return message_drop(fd_out, ERR_MALFORMED);
}

/* --- what an outcome may say ---------------------------------------------- */

static bool
process_is_sound(const struct process_facts *p)
{
	return IS_TERMINATED(p->executable) && IS_TERMINATED(p->sha256) &&
	    IS_TERMINATED(p->cgroup) && p->is_genuine <= 1 &&
	    (p->executable[0] == '/' ||
		(p->executable[0] == '\0' && p->is_genuine == 0));
}

/* As many names as it says, the last terminated, too, and no bytes more. */
static bool
names_are_sound(const struct certificate_facts *c)
{
	size_t i;
	uint32_t count = 0;

	if (c->name_count > ERRAND_NAMES_MAX || c->names_len > sizeof(c->names))
		return false;
	for (i = 0; i < c->names_len; i++)
		count += c->names[i] == '\0';
	return count == c->name_count &&
	    (c->names_len == 0 || c->names[c->names_len - 1] == '\0');
}

static bool
certificate_is_sound(const struct certificate_facts *c)
{
	return names_are_sound(c) && IS_TERMINATED(c->subject) &&
	    IS_TERMINATED(c->serial) && IS_TERMINATED(c->sha256);
}

static bool
token_is_sound(const struct token_facts *t)
{
	uint32_t i;

	if (t->group_count > ERRAND_GROUPS_MAX || t->has_groups > 1)
		return false;
	for (i = 0; i < t->group_count; i++) {
		if (!IS_TERMINATED(t->groups[i]))
			return false;
	}
	return IS_TERMINATED(t->issuer) && IS_TERMINATED(t->user) &&
	    t->user[0] != '\0' && IS_TERMINATED(t->agent) &&
	    IS_TERMINATED(t->id) && IS_TERMINATED(t->chain);
}

bool
outcome_is_sound(const struct outcome *o)
{
	if (o->kind < ERRAND_CONNECT || o->kind >= ERRAND_KINDS ||
	    o->result < OUTCOME_YES || o->result > OUTCOME_SPENT ||
	    o->has_more > 1 || !IS_TERMINATED(o->reason))
		return false;
	if (o->result != OUTCOME_YES)
		return true;
	switch (o->kind) {
	case ERRAND_PROCESS:
		return process_is_sound(&o->process);
	case ERRAND_CERTIFICATE:
		return certificate_is_sound(&o->certificate);
	case ERRAND_TOKEN:
		return token_is_sound(&o->token);
	default:
		return true;
	}
}
