/*
 * pg_tidings.c - what the server sends unasked: settings, notifications.
 */
#include "worker/postgres/pg_back.h"

/* Where the application_name is not the client's to set, only code of the
 * database can have changed it, to whatever it likes. */
static bool
is_others_word(const struct session *s, const struct pg_parameter *p)
{
	return text_is(p->name, TEXT("application_name")) &&
	       gate_protects(s->gate) &&
	       s->upstream->application_name == NAME_IDENTITY;
}

enum err
back_on_parameter(struct session *s, const struct answer *a, enum fate *fate)
{
	struct pg_parameter p;

	*fate = FATE_PASS;
	if (pg_parse_parameter(a->body, &p) != ERR_NONE)
		return back_unexpected(s, a);
	if (is_others_word(s, &p))
		*fate = FATE_DROP;
	return pg_note_parameter(s, &p);
}

/* What other sessions send may hold anything, and nothing tells what: to an
 * identity from which values are protected its payload is withheld. */
enum err
back_on_notification(struct session *s, const struct answer *a, enum fate *fate)
{
	struct buffer *out;
	struct wire body = a->body;
	uint32_t pid = wire_u32(&body);
	struct text channel = wire_cstring(&body);
	struct text payload = wire_cstring(&body);
	size_t at;

	if (wire_end(&body) != ERR_NONE)
		return back_unexpected(s, a);
	*fate = FATE_PASS;
	if (payload.len == 0 || !gate_protects(s->gate))
		return ERR_NONE;
	*fate = FATE_DROP;
	out = pg_out(s);
	at = pg_message_begin(out, 'A');
	buffer_put_u32(out, pid);
	buffer_put_cstring(out, channel);
	buffer_put_cstring(out, TEXT("[masked]"));
	pg_message_end(out, at);
	return ERR_NONE;
}
