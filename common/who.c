/*
 * who.c - does a description describe this identity?
 *
 * The rule: a part that is given and cannot be compared does not match.
 */
#include <arpa/inet.h>
#include <string.h>

#include "common/who.h"

/* --- networks ------------------------------------------------------------ */

struct network {
	unsigned char bytes[16]; /* IPv4 as ::ffff:a.b.c.d */
	unsigned bits;
};

static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};

static bool
parse_ip(struct text t, unsigned char bytes[16], bool *is_v4_out)
{
	char string[INET6_ADDRSTRLEN + 1];

	if (t.len == 0 || t.len >= sizeof(string))
		return false;
	memcpy(string, t.at, t.len);
	string[t.len] = '\0';
	memcpy(bytes, mapped, sizeof(mapped));
	*is_v4_out = inet_pton(AF_INET, string, bytes + 12) == 1;
	return *is_v4_out || inet_pton(AF_INET6, string, bytes) == 1;
}

static bool
parse_bits(struct text t, unsigned most, unsigned *out)
{
	unsigned bits = 0;
	size_t i;

	for (i = 0; i < t.len && t.at[i] >= '0' && t.at[i] <= '9'; i++)
		bits = bits * 10 + (unsigned)(t.at[i] - '0');
	*out = bits;
	return i == t.len && i >= 1 && i <= 3 && bits <= most;
}

static bool
parse_network(struct text t, struct network *out)
{
	const char *slash = memchr(t.at, '/', t.len);
	struct text ip = t, bits = {NULL, 0};
	unsigned most;
	bool is_v4;

	if (slash != NULL) {
		ip.len = (size_t)(slash - t.at);
		bits = (struct text){slash + 1, t.len - ip.len - 1};
	}
	if (!parse_ip(ip, out->bytes, &is_v4))
		return false;
	most = is_v4 ? 32 : 128;
	out->bits = most;
	if (slash != NULL && !parse_bits(bits, most, &out->bits))
		return false;
	out->bits += is_v4 ? 96 : 0;
	return true;
}

bool
who_is_from(struct text word)
{
	struct network net;

	return text_is(word, TEXT("unix")) || parse_network(word, &net);
}

static bool
network_contains(const struct network *n, const unsigned char ip[16])
{
	unsigned whole = n->bits / 8, rest = n->bits % 8;
	unsigned char edge = (unsigned char)(0xff00 >> rest);

	if (memcmp(n->bytes, ip, whole) != 0)
		return false;
	return rest == 0 || ((n->bytes[whole] ^ ip[whole]) & edge) == 0;
}

/* The address of "1.2.3.4:5", "[::1]:5", or either without a port. */
static struct text
client_host(struct text client)
{
	const char *colon = memchr(client.at, ':', client.len);
	const char *end;

	if (client.at[0] == '[') {
		end = memchr(client.at, ']', client.len);
		if (end == NULL)
			return (struct text){NULL, 0};
		client.at++;
		client.len = (size_t)(end - client.at);
	} else if (colon != NULL &&
	    memchr(colon + 1, ':',
		client.len - (size_t)(colon + 1 - client.at)) == NULL) {
		client.len = (size_t)(colon - client.at);
	}
	end = memchr(client.at, '%', client.len); /* fe80::1%eth0 */
	if (end != NULL)
		client.len = (size_t)(end - client.at);
	return client;
}

static bool
from_matches(const struct who *who, struct text client)
{
	unsigned char ip[16];
	struct network net;
	bool is_v4, is_ip;
	size_t i;

	if (client.len == 0)
		return false;
	is_ip = parse_ip(client_host(client), ip, &is_v4);
	for (i = 0; i < who->from_count; i++) {
		if (is_ip && parse_network(who->from[i], &net) &&
		    network_contains(&net, ip))
			return true;
		if (!is_ip && text_is(who->from[i], client))
			return true;
	}
	return false;
}

/* --- matching ------------------------------------------------------------ */

static bool
any_matches(const struct text *globs, size_t count, struct text value)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (text_glob(globs[i], value))
			return true;
	}
	return false;
}

/* An absent value matches `none` and nothing else. */
static bool
part_matches(
    const struct text *globs, size_t count, bool none, struct text value)
{
	if (count == 0 && !none)
		return true;
	if (value.len == 0)
		return none;
	return any_matches(globs, count, value);
}

static bool
group_matches(const struct who *who, const struct identity *id)
{
	size_t i;

	if (who->group_count == 0)
		return true;
	for (i = 0; i < id->group_count; i++) {
		if (any_matches(who->group, who->group_count, id->groups[i]))
			return true;
	}
	return false;
}

/* Each word of "certificate+process+token", and the whole. */
static bool
via_matches(const struct who *who, struct text via)
{
	if (part_matches(who->via, who->via_count, false, via))
		return true;
	while (via.len > 0) {
		const char *plus = memchr(via.at, '+', via.len);
		struct text word = {via.at,
		    plus == NULL ? via.len : (size_t)(plus - via.at)};

		if (any_matches(who->via, who->via_count, word))
			return true;
		if (plus == NULL)
			break;
		via.at = plus + 1;
		via.len -= word.len + 1;
	}
	return false;
}

bool
who_matches(const struct who *who, const struct identity *id)
{
	if (who == NULL)
		return true;
	return part_matches(who->user, who->user_count, who->user_none,
		   id->user) &&
	    part_matches(who->agent, who->agent_count, who->agent_none,
		id->agent) &&
	    group_matches(who, id) &&
	    via_matches(who, id->via) &&
	    part_matches(
		who->process, who->process_count, false, id->process) &&
	    (who->from_count == 0 || from_matches(who, id->client));
}
