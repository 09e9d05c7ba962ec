/* links: master/errand.c common/parcel.c common/text.c */
/*
 * Whatever comes over the channels between the broker and its helpers: what is
 * taken for an errand or an outcome is within bounds, and has a descriptor
 * exactly when it brings one; no other stays open.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/parcel.h"
#include "master/errand.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int ends[2];
static uint8_t message[sizeof(struct errand) + ERRAND_PARCEL_MAX + 64];

static size_t
bounded(const char *text, size_t size)
{
	if (memchr(text, '\0', size) == NULL)
		abort();
	return strlen(text);
}

#define BOUNDED(field) bounded(field, sizeof(field))

static void
check_names(const struct certificate_facts *c)
{
	const char *name = c->names, *last = c->names + c->names_len;
	uint32_t count = 0;

	if (c->names_len > sizeof(c->names))
		abort();
	for (; name < last; name += strlen(name) + 1)
		count++;
	if (name != last || count != c->name_count)
		abort();
}

static void
check_outcome(const struct outcome *o)
{
	uint32_t i;

	BOUNDED(o->reason);
	if (o->result != OUTCOME_YES)
		return;
	if (o->kind == ERRAND_PROCESS) {
		if (BOUNDED(o->process.executable) == 0 &&
		    o->process.is_genuine)
			abort();
		BOUNDED(o->process.sha256);
		BOUNDED(o->process.cgroup);
	} else if (o->kind == ERRAND_CERTIFICATE) {
		check_names(&o->certificate);
		BOUNDED(o->certificate.subject);
		BOUNDED(o->certificate.sha256);
	} else if (o->kind == ERRAND_TOKEN) {
		if (BOUNDED(o->token.user) == 0)
			abort();
		BOUNDED(o->token.agent);
		BOUNDED(o->token.chain);
		for (i = 0; i < o->token.group_count; i++)
			BOUNDED(o->token.groups[i]);
	}
}

/* Lengths that outcomes have, and one less or more; or an errand's. */
static size_t
length_of(uint8_t choice, size_t most)
{
	static const size_t facts[] = {0, sizeof(struct process_facts),
	    sizeof(struct certificate_facts), sizeof(struct token_facts)};
	size_t head = offsetof(struct outcome, process);
	size_t len = choice < 128 ? head + facts[choice % 4]
				  : sizeof(struct errand) + choice % 64U;

	if (choice % 32 >= 30)
		len += choice % 2 == 0 ? 1 : (size_t)-1;
	return choice == 255 ? most : len;
}

/* A message of zeros with pieces at places: (place, length, bytes) … */
static void
fill(const uint8_t *data, size_t size)
{
	size_t place, len;

	memset(message, 0, sizeof(message));
	while (size >= 3) {
		place = (size_t)data[0] | (size_t)data[1] << 8;
		len = data[2] < size - 3 ? data[2] : size - 3;
		if (place + len > sizeof(message))
			return;
		memcpy(message + place, data + 3, len);
		data += 3 + len;
		size -= 3 + len;
	}
}

static void
receive_errand(void)
{
	static uint8_t parcel[ERRAND_PARCEL_MAX];
	struct errand e;
	size_t len;
	int fd;

	if (errand_receive(ends[1], &e, parcel, &len, &fd) != ERR_NONE) {
		if (fd >= 0)
			abort();
		return;
	}
	BOUNDED(e.service);
	BOUNDED(e.listener);
	if (len > sizeof(parcel) || e.signature_len > sizeof(e.signature) ||
	    (fd >= 0) != (e.kind == ERRAND_PROCESS))
		abort();
	if (fd >= 0)
		close(fd);
}

static void
receive_outcome(void)
{
	struct outcome o;
	int fd;

	if (outcome_receive(ends[1], &o, &fd) != ERR_NONE) {
		if (fd >= 0)
			abort();
		return;
	}
	check_outcome(&o);
	if ((fd >= 0) !=
	    (o.result == OUTCOME_YES && o.kind <= ERRAND_LOG))
		abort();
	if (fd >= 0)
		close(fd);
}

static int
lowest_free(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct parcel beside = {.fd = -1};
	int lowest;

	if (size < 2)
		return 0;
	if (ends[1] == 0 &&
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		abort();
	lowest = lowest_free();
	fill(data + 2, size - 2);
	beside.fd = data[1] % 2 == 0 ? -1 : ends[0];
	if (parcel_send(ends[0], message, length_of(data[0], size), &beside,
		MSG_DONTWAIT) != ERR_NONE)
		abort();
	if (data[0] >= 128 || data[1] >= 128)
		receive_errand();
	else
		receive_outcome();
	if (lowest_free() != lowest)
		abort();
	return 0;
}
