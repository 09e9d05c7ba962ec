/*
 * request.c - a held statement between its worker and the people who decide.
 *
 * One rule: neither writes where the other does.  The worker's state is in
 * its seat, the decision is the operators', and the number that binds the two
 * is master's: a decision about a number that is gone changes nothing, and
 * whoever comes second sees what the first has done.
 */
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/board.h"

enum {
	VERDICT_BITS = 8,
	APPROVALS_BITS = 8,
	NUMBER_SHIFT = VERDICT_BITS + APPROVALS_BITS,
	LEAVING_TRIES = 1000,
};

/* --- the word ------------------------------------------------------------- */

uint64_t
decision_word(
    uint64_t number, unsigned approvals, enum verdict_of_people verdict)
{
	return number << NUMBER_SHIFT |
	    (uint64_t)(approvals & 0xff) << VERDICT_BITS | (uint64_t)verdict;
}

uint64_t
decision_number(uint64_t word)
{
	return word >> NUMBER_SHIFT;
}

unsigned
decision_approvals(uint64_t word)
{
	return (unsigned)(word >> VERDICT_BITS & 0xff);
}

enum verdict_of_people
decision_verdict(uint64_t word)
{
	return (enum verdict_of_people)(word & 0xff);
}

void
decision_give(struct decision *d, uint64_t number)
{
	atomic_store(&d->word, decision_word(number, 0, PEOPLE_UNDECIDED));
}

bool
decision_take(struct decision *d, uint64_t *before, struct text by,
    enum verdict_of_people verdict)
{
	unsigned n = decision_approvals(*before);
	uint64_t after;

	if (verdict != PEOPLE_DENIED) {
		if (n >= APPROVERS_MAX)
			return false;
		field_set(d->approvers[n], sizeof(d->approvers[n]), by);
		n++;
	}
	field_set(d->decided_by, sizeof(d->decided_by), by);
	after = decision_word(decision_number(*before), n, verdict);
	if (!atomic_compare_exchange_strong(&d->word, before, after))
		return false;
	*before = after;
	return true;
}

/* --- the owner's ---------------------------------------------------------- */

uint64_t
request_ask(struct request *r, const struct decision *d, int wake)
{
	uint64_t before = decision_number(atomic_load(&d->word));

	atomic_fetch_add(&r->asked, 1);
	wake_master(wake);
	return before;
}

void
request_submit(struct request *r, uint64_t number)
{
	atomic_store(&r->number, number);
	atomic_store(&r->state, REQUEST_PENDING);
}

enum request_state
request_settle(
    struct request *r, const struct decision *d, enum request_state to)
{
	uint64_t word;

	atomic_store(&r->state, REQUEST_LEAVING);
	word = atomic_load(&d->word);
	if (decision_number(word) == atomic_load(&r->number)) {
		if (decision_verdict(word) == PEOPLE_APPROVED)
			to = REQUEST_APPROVED;
		else if (decision_verdict(word) == PEOPLE_DENIED)
			to = REQUEST_DENIED;
	}
	atomic_store(&r->state, (int)to);
	return to;
}

/* The number stays, so that an operator sees what became of it. */
void
request_release(struct request *r)
{
	int pending = REQUEST_PENDING;

	atomic_compare_exchange_strong(&r->state, &pending, REQUEST_FREE);
}

/* --- an operator's -------------------------------------------------------- */

bool
request_is_taken(const struct request *r, uint64_t number)
{
	int state = atomic_load(&r->state);
	int i;

	for (i = 0; i < LEAVING_TRIES && state == REQUEST_LEAVING; i++) {
		sched_yield();
		state = atomic_load(&r->state);
	}
	return atomic_load(&r->number) == number &&
	    (state == REQUEST_PENDING || state == REQUEST_APPROVED ||
		state == REQUEST_DENIED);
}

#define END(field) ((field)[sizeof(field) - 1] = '\0')

void
request_copy(const struct request *r, struct request *out)
{
	memcpy(out, r, sizeof(*out));
	END(out->session);
	END(out->user);
	END(out->agent);
	END(out->upstream);
	END(out->database);
	END(out->rule);
	END(out->say);
	END(out->text);
}

uint64_t
session_number(const char *id)
{
	char *end;
	uint64_t number;

	if (strlen(id) != SESSION_ID_LEN ||
	    strspn(id, "0123456789abcdef") != SESSION_ID_LEN)
		return 0;
	number = strtoull(id, &end, 16);
	return *end == '\0' ? number : 0;
}
