/*
 * hold.c - a statement waits on the wire until a person decides.
 *
 * The rule: whatever ends the wait other than REQUEST_APPROVED, found in the
 * shared table by its own compare-and-swap, is a refusal.
 */
#include <openssl/evp.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "worker/hold.h"

static int64_t
wall_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* What exactly is approved: the text and the bound values. */
static bool
digest(struct text sql, struct text values, uint8_t out[32])
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	uint64_t len = sql.len;
	bool ok;

	ok = c != NULL && EVP_DigestInit_ex(c, EVP_sha256(), NULL) == 1 &&
	     EVP_DigestUpdate(c, &len, sizeof(len)) == 1 &&
	     EVP_DigestUpdate(c, sql.at, sql.len) == 1 &&
	     EVP_DigestUpdate(c, values.at, values.len) == 1 &&
	     EVP_DigestFinal_ex(c, out, NULL) == 1;
	EVP_MD_CTX_free(c);
	return ok;
}

/* Of a text that is too long, its head and its tail: nothing dangerous hides
 * behind kilobytes of padding. */
static void
show_text(char *field, size_t size, struct text sql)
{
	static const char gap[] = "\n [ … ] \n";
	size_t half = (size - sizeof(gap)) / 2;
	struct text tail;

	if (sql.len < size) {
		field_set(field, size, sql);
		return;
	}
	field_set(field, half + 1, sql);
	memcpy(field + strlen(field), gap, sizeof(gap));
	tail = (struct text){sql.at + sql.len - half, half};
	while (tail.len > 0 && ((unsigned char)*tail.at & 0xc0) == 0x80)
		tail.at++, tail.len--;
	field_set(field + strlen(field), size - strlen(field), tail);
}

static void
fill(struct request *r, const struct session *s, const struct ruling *j,
    struct text sql, unsigned within_s)
{
	const struct rule *rule = j->verdict.rule;

	r->worker = getpid();
	field_set(r->session, sizeof(r->session), text_of(s->id));
	field_set(r->user, sizeof(r->user), s->identity.user);
	field_set(r->agent, sizeof(r->agent), s->identity.agent);
	field_set(r->upstream, sizeof(r->upstream), text_of(s->upstream->name));
	field_set(r->database, sizeof(r->database), text_of(s->database));
	field_set(r->rule, sizeof(r->rule), rule->name);
	field_set(r->say, sizeof(r->say), rule->say);
	show_text(r->text, sizeof(r->text), sql);
	r->text_len = sql.len;
	r->created_at = wall_ms();
	r->expires_at = r->created_at + (int64_t)within_s * 1000;
	r->needed = rule->approve_of > 0 ? rule->approve_of : 1;
	r->rule_index = j->rule_index;
	r->generation = j->generation;
}

/* A request that no person decided is recorded as such; those that people
 * decided are recorded where they decide. */
static enum hold_result
record_undecided(struct session *s, uint64_t request, enum hold_result result)
{
	struct json *j;

	if (result == HOLD_APPROVED || result == HOLD_DENIED)
		return result;
	j = audit_begin(s->audit, "approval");
	json_number(j, "request", (int64_t)request);
	json_cstring(
	    j, "decision", result == HOLD_EXPIRED ? "expired" : "withdrawn");
	if (audit_send(s->audit) != ERR_NONE)
		log_error("the end of request %llu could not be recorded",
		    (unsigned long long)request);
	return result;
}

static void
show(struct session *s, uint64_t request)
{
	slot_write_begin(s->slot);
	s->slot->request = request;
	slot_write_end(s->slot);
	session_show_state(s, request != 0 ? SLOT_HELD : SLOT_RUNNING);
}

/* Is there a reason on our side to wait no longer? */
static bool
gives_up(struct session *s, const struct request *r, enum err turn,
    enum hold_result *why)
{
	if (turn == ERR_INTERRUPTED)
		turn = session_attend(s);
	else if (turn == ERR_CLOSED)
		turn = session_lost(s);
	*why = HOLD_ENDED;
	if (s->is_draining || s->has_ending)
		return true;
	if (turn == ERR_INTERRUPTED)
		*why = HOLD_WITHDRAWN;
	else if (turn == ERR_DEADLINE || turn == ERR_NONE)
		*why = HOLD_EXPIRED;
	return *why != HOLD_EXPIRED || wall_ms() >= r->expires_at;
}

/* Is the wait over, and how? When we give up in the very moment in which a
 * person decides, the person's decision stands. */
static bool
is_settled(struct session *s, struct request *r, enum err turn,
    enum hold_result *result)
{
	switch (atomic_load(&r->state)) {
	case REQUEST_APPROVED:
		*result = HOLD_APPROVED;
		return true;
	case REQUEST_DENIED:
		*result = HOLD_DENIED;
		return true;
	case REQUEST_PENDING:
		return gives_up(s, r, turn, result) &&
		       request_settle(r, *result == HOLD_EXPIRED
					     ? REQUEST_EXPIRED
					     : REQUEST_WITHDRAWN);
	default:
		*result = HOLD_EXPIRED;
		return true;
	}
}

static enum hold_result
wait_for_people(struct session *s, struct request *r)
{
	enum hold_result result = HOLD_ENDED;
	enum err turn = ERR_NONE;
	int64_t left;

	while (!is_settled(s, r, turn, &result)) {
		left = r->expires_at - wall_ms();
		s->relay.deadline = relay_now() + (left > 0 ? left : 1);
		turn = session_turn(s, false);
	}
	s->relay.deadline = 0;
	return result;
}

void
hold_statement(struct session *s, const struct ruling *j, struct text shown,
    struct text values,
    void (*announce)(struct session *s, uint64_t request, int64_t expires_s),
    struct held *out)
{
	const struct rule *rule = j->verdict.rule;
	unsigned within = s->settings->approvals_expire_s;
	struct request *r = request_claim(s->birth->board);

	*out = (struct held){.result = HOLD_FULL};
	if (r == NULL)
		return;
	out->request = r->number;
	out->result = HOLD_UNRECORDED;
	if (rule->approve_within_s > 0)
		within = rule->approve_within_s;
	fill(r, s, j, shown, within);
	if (digest(j->sql, values, r->digest) &&
	    gate_record(s->gate, j, "approve", TEXT(""), r->number) ==
		ERR_NONE) {
		session_show_statement(s, j->text.statements[0].canonical);
		request_submit(r);
		show(s, r->number);
		announce(s, r->number, (int64_t)within);
		out->result =
		    record_undecided(s, r->number, wait_for_people(s, r));
		field_set(out->decided_by, sizeof(out->decided_by),
		    text_of(r->decided_by));
		show(s, 0);
	}
	request_release(r);
}
