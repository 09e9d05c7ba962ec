/*
 * hold.c - a statement waits on the wire until a person decides.
 *
 * The rule: whatever ends the wait other than an approval of this very number,
 * found where only operators' commands can write, is a refusal.
 */
#include <openssl/evp.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "worker/hold.h"

enum {
	NUMBER_WAIT_MS = 5000 /* for master to give the request a number */
};

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

/* --- waiting ---------------------------------------------------------------- */

static const struct decision *
decision_of(const struct session *s)
{
	return &s->birth->board->decisions[s->birth->place];
}

static struct request *
request_of(struct session *s)
{
	return &s->birth->board->seats[s->birth->place].request;
}

/* Is there a reason on our side to wait no longer? */
static bool
gives_up(
    struct session *s, int64_t expires_at, enum err turn, enum hold_result *why)
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
	return *why != HOLD_EXPIRED || wall_ms() >= expires_at;
}

/* One turn of waiting until that time, Unix time in ms. */
static enum err
wait_turn(struct session *s, int64_t until)
{
	int64_t left = until - wall_ms();
	enum err turn;

	s->relay.deadline = relay_now() + (left > 0 ? left : 1);
	turn = session_turn(s, false);
	s->relay.deadline = 0;
	return turn;
}

/* A number that nobody else can claim, from master; 0: `why` not. */
static uint64_t
wait_for_number(struct session *s, enum hold_result *why)
{
	const struct decision *d = decision_of(s);
	uint64_t before = request_ask(request_of(s), d, s->birth->wake);
	int64_t until = wall_ms() + NUMBER_WAIT_MS;
	uint64_t number = before;

	while (number == before &&
	    !gives_up(s, until, wait_turn(s, until), why))
		number = decision_number(atomic_load(&d->word));
	if (number != before)
		return number;
	if (*why == HOLD_EXPIRED)
		*why = HOLD_UNNUMBERED;
	return 0;
}

/* Is the wait over, and how? When we give up in the very moment in which a
 * person decides, the person's decision stands. */
static bool
is_settled(struct session *s, struct request *r, enum err turn,
    enum hold_result *result)
{
	const struct decision *d = decision_of(s);
	uint64_t word = atomic_load(&d->word);
	bool is_decided = decision_number(word) != atomic_load(&r->number) ||
	    decision_verdict(word) != PEOPLE_UNDECIDED;
	enum request_state to = REQUEST_EXPIRED;

	*result = HOLD_EXPIRED;
	if (!is_decided && !gives_up(s, r->expires_at, turn, result))
		return false;
	if (*result != HOLD_EXPIRED)
		to = REQUEST_WITHDRAWN;
	to = request_settle(r, d, to);
	if (to == REQUEST_APPROVED)
		*result = HOLD_APPROVED;
	else if (to == REQUEST_DENIED)
		*result = HOLD_DENIED;
	return true;
}

static enum hold_result
wait_for_people(struct session *s, struct request *r)
{
	enum hold_result result = HOLD_ENDED;
	enum err turn = ERR_NONE;

	while (!is_settled(s, r, turn, &result))
		turn = wait_turn(s, r->expires_at);
	return result;
}

/* Recorded and shown: from here on people may decide. */
static void
hold_shown(struct session *s, const struct ruling *j, struct held *out)
{
	struct request *r = request_of(s);

	session_show_statement(s, j->text.statements[0].canonical);
	show(s, out->request);
	request_submit(r, out->request);
	out->result = record_undecided(s, out->request, wait_for_people(s, r));
	field_set(out->decided_by, sizeof(out->decided_by),
	    (struct text){decision_of(s)->decided_by,
		strnlen(decision_of(s)->decided_by, SLOT_NAME_MAX)});
	show(s, 0);
}

void
hold_statement(struct session *s, const struct ruling *j, struct text shown,
    struct text values,
    void (*announce)(struct session *s, uint64_t request, int64_t expires_s),
    struct held *out)
{
	const struct rule *rule = j->verdict.rule;
	unsigned within = s->settings->approvals_expire_s;
	struct request *r = request_of(s);

	*out = (struct held){.result = HOLD_UNNUMBERED};
	out->request = wait_for_number(s, &out->result);
	if (out->request == 0)
		return;
	out->result = HOLD_UNRECORDED;
	if (rule->approve_within_s > 0)
		within = rule->approve_within_s;
	fill(r, s, j, shown, within);
	if (digest(j->sql, values, r->digest) &&
	    gate_record(s->gate, j, "approve", TEXT(""), out->request) ==
		ERR_NONE) {
		announce(s, out->request, (int64_t)within);
		hold_shown(s, j, out);
	}
	request_release(r);
}
