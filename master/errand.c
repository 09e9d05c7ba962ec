/*
 * errand.c - errands and outcomes as messages.
 *
 * One rule: what is not exactly an errand or an outcome is dropped, and a
 * descriptor that came with it is closed.  Trusts that the other side is of
 * the same build, not that what it says is within bounds.
 */
#include "master/errand.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* What comes beside a message: one descriptor. The kernel rounds its room up
 * and fills it, so two fit, and both have to be looked at. */
union ancillary {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int))];
};

enum {
	DESCRIPTORS_MAX =
	    (CMSG_SPACE(sizeof(int)) - CMSG_LEN(0)) / sizeof(int)
};

/* --- sending -------------------------------------------------------------- */

static void
descriptor_attach(struct msghdr *message, union ancillary *room, int fd)
{
	struct cmsghdr *header;

	memset(room, 0, sizeof(*room));
	message->msg_control = room->bytes;
	message->msg_controllen = sizeof(room->bytes);
	header = CMSG_FIRSTHDR(message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
}

static enum err
message_send(int channel, struct iovec *parts, size_t count, int fd)
{
	union ancillary room;
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
	size_t len = parts[0].iov_len + (count > 1 ? parts[1].iov_len : 0);
	ssize_t n;

	if (fd >= 0)
		descriptor_attach(&message, &room, fd);
	do {
		n = sendmsg(channel, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n == (ssize_t)len)
		return ERR_NONE;
	if (n < 0 && (errno == EAGAIN || errno == ENOBUFS))
		return ERR_INTERRUPTED;
	return n < 0 && (errno == EPIPE || errno == ECONNRESET) ? ERR_CLOSED
								: ERR_SYSTEM;
}

/* sendmsg() takes parts that are not const, and leaves them as they are. */
static struct iovec
part_of(const void *bytes, size_t len)
{
	return (struct iovec){(void *)(uintptr_t)bytes, len};
}

enum err
errand_send(int channel, const struct errand *e, struct text parcel, int fd)
{
	struct iovec parts[] = {
	    part_of(e, sizeof(*e)), part_of(parcel.at, parcel.len)};

	if (parcel.len > ERRAND_PARCEL_MAX)
		return ERR_TOO_LONG;
	return message_send(channel, parts, 2, fd);
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
	struct iovec part = part_of(o, outcome_len(o->kind, o->result));

	if (part.iov_len == 0)
		return ERR_MALFORMED;
	return message_send(channel, &part, 1, fd);
}

/* --- receiving ------------------------------------------------------------ */

/* Take the descriptors out of what came beside a message. True: there was at
 * most one, and nothing else. All are closed otherwise. */
static bool
descriptor_take(struct msghdr *message, int *fd_out)
{
	int fds[DESCRIPTORS_MAX];
	struct cmsghdr *header = CMSG_FIRSTHDR(message);
	size_t count = 0, i;
	bool is_sound = (message->msg_flags & MSG_CTRUNC) == 0;

	*fd_out = -1;
	if (header == NULL)
		return is_sound;
	if (header->cmsg_level != SOL_SOCKET ||
	    header->cmsg_type != SCM_RIGHTS ||
	    header->cmsg_len < CMSG_LEN(0))
		return false;
	count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	if (count > DESCRIPTORS_MAX)
		return false; /* there was no room for so many */
	memcpy(fds, CMSG_DATA(header), count * sizeof(int));
	if (is_sound && count == 1) {
		*fd_out = fds[0];
		return true;
	}
	for (i = 0; i < count; i++)
		close(fds[i]);
	return false;
}

static enum err
message_drop(int *fd, enum err e)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	return e;
}

/* One message of at least `least` bytes and no more than fit in the parts. */
static enum err
message_receive(int channel, struct iovec *parts, size_t count, size_t least,
    size_t *len_out, int *fd_out)
{
	union ancillary room;
	struct msghdr message = {.msg_iov = parts,
	    .msg_iovlen = count,
	    .msg_control = room.bytes,
	    .msg_controllen = sizeof(room.bytes)};
	ssize_t n;
	bool is_sound;

	*fd_out = -1;
	do {
		n = recvmsg(channel, &message,
		    MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return ERR_INTERRUPTED;
	if (n < 0)
		return errno == ECONNRESET ? ERR_CLOSED : ERR_SYSTEM;
	is_sound = descriptor_take(&message, fd_out) &&
	    (message.msg_flags & MSG_TRUNC) == 0 &&
	    (size_t)n >= least;
	*len_out = (size_t)n;
	if (is_sound)
		return ERR_NONE;
	return n == 0 ? message_drop(fd_out, ERR_CLOSED)
		      : message_drop(fd_out, ERR_MALFORMED);
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
	struct iovec parts[] = {
	    {e_out, sizeof(*e_out)}, {parcel, ERRAND_PARCEL_MAX}};
	enum err e = message_receive(
	    channel, parts, 2, sizeof(*e_out), len_out, fd_out);

	if (e != ERR_NONE)
		return e;
	*len_out -= sizeof(*e_out);
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
	struct iovec part = {o_out, sizeof(*o_out)};
	size_t len = 0;
	enum err e;

	memset(o_out, 0, sizeof(*o_out));
	e = message_receive(channel, &part, 1,
	    offsetof(struct outcome, process), &len, fd_out);
	if (e != ERR_NONE)
		return e;
	if (len == outcome_len(o_out->kind, o_out->result) &&
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
	    o->result < OUTCOME_YES || o->result > OUTCOME_FAILED ||
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
