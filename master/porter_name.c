/*
 * porter_name.c - the addresses of upstreams.
 *
 * One rule: an answer that was once right serves until there is a new one, so
 * that a name server that is out of order stops nobody from logging in.
 * Looking up is done in a task: it parses what comes from the network.
 */
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "master/porter_inner.h"

/* What a task finds out. */
struct name_answer {
	int error; /* getaddrinfo(3)'s; 0: none */
	struct addresses found;
};

_Static_assert(sizeof(struct name_answer) <= TASK_ANSWER_MAX, "it fits");

static bool
host_and_port(const char *address, char *host, size_t size, const char **port)
{
	const char *colon = strrchr(address, ':');
	size_t len;

	if (colon == NULL)
		return false;
	*port = colon + 1;
	len = (size_t)(colon - address);
	if (len >= 2 && address[0] == '[' && address[len - 1] == ']')
		address++, len -= 2;
	if (len >= size)
		return false;
	memcpy(host, address, len);
	host[len] = '\0';
	return true;
}

static void
name_resolve(const char *address, int flags, struct name_answer *out)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_NUMERICSERV | flags};
	struct addrinfo *all = NULL, *ai;
	const char *port;
	char host[256];

	memset(out, 0, sizeof(*out));
	out->error = EAI_NONAME;
	if (!host_and_port(address, host, sizeof(host), &port))
		return;
	out->error = getaddrinfo(host, port, &hints, &all);
	if (out->error != 0)
		return;
	for (ai = all; ai != NULL && out->found.count < ADDRESSES_MAX;
	     ai = ai->ai_next) {
		if (ai->ai_addrlen > sizeof(union address))
			continue;
		memcpy(&out->found.list[out->found.count].address, ai->ai_addr,
		    ai->ai_addrlen);
		out->found.list[out->found.count++].len = ai->ai_addrlen;
	}
	freeaddrinfo(all);
}

/* --- what needs nobody's answer ------------------------------------------- */

static void
place_init(struct whereabouts *place, const char *address)
{
	struct sockaddr_un *local = &place->known.list[0].address.local;
	struct name_answer answer;

	if (strncmp(address, "unix:", 5) != 0) {
		name_resolve(address, AI_NUMERICHOST, &answer);
		place->known = answer.found;
	} else if (strlen(address + 5) < sizeof(local->sun_path)) {
		local->sun_family = AF_UNIX;
		memcpy(local->sun_path, address + 5, strlen(address + 5) + 1);
		place->known.list[0].len = sizeof(*local);
		place->known.count = 1;
	}
	place->is_fixed = place->known.count > 0;
}

void
places_init(struct porter *p)
{
	size_t i;

	for (i = 0; i < p->settings->upstream_count && i < UPSTREAMS_MAX; i++)
		place_init(&p->places[i], p->settings->upstreams[i].address);
}

/* --- names ---------------------------------------------------------------- */

static void
name_done(struct porter *p, const struct task *t, const void *answer,
    size_t len)
{
	struct whereabouts *place = &p->places[t->place];
	struct name_answer a = {.error = EAI_AGAIN};
	bool had_failed = place->has_failed;

	if (len == sizeof(a))
		memcpy(&a, answer, sizeof(a));
	place->is_asked = false;
	place->has_failed = a.error != 0 || a.found.count == 0 ||
	    a.found.count > ADDRESSES_MAX;
	if (!place->has_failed) {
		place->known = a.found;
		place->known_at = monotonic_ms();
	}
	if (place->has_failed && !had_failed)
		log_warning("%s: %s%s", p->settings->upstreams[t->place].address,
		    gai_strerror(a.error),
		    place->known.count > 0 ? ": its last addresses serve"
					   : "");
	waiters_serve(p, t->place);
}

static enum err
name_ask(struct porter *p, uint32_t place, int64_t now)
{
	const struct task what = {.kind = TASK_NAME,
	    .until = now + NAME_MS,
	    .place = place,
	    .done = name_done};
	struct name_answer answer;
	struct task *t;
	bool is_child;
	enum err e = task_start(p, &what, -1, false, &t, &is_child);

	if (e != ERR_NONE || !is_child)
		return e;
	name_resolve(p->settings->upstreams[place].address, 0, &answer);
	task_answer(t->socket, &answer, sizeof(answer));
	_exit(0);
}

bool
place_is_ready(struct porter *p, uint32_t place, int64_t now)
{
	struct whereabouts *at = &p->places[place];
	bool is_known = at->known.count > 0;

	if (at->is_fixed || (is_known && now - at->known_at < NAME_FRESH_MS))
		return true;
	if (!at->is_asked) {
		if (name_ask(p, place, now) != ERR_NONE)
			return true; /* it goes by what there is */
		at->is_asked = true;
	}
	return is_known && at->has_failed;
}
