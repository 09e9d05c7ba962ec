/*
 * verify_ledger.h - the ledger's inside, for the two files that it has.
 */
#ifndef SALLYPORT_VERIFY_LEDGER_H
#define SALLYPORT_VERIFY_LEDGER_H

#include "master/command/verify.h"

/* Records that have not been seen, though later ones have. */
struct gap {
	struct gap *next;
	uint64_t first, last;
	struct spot seen; /* the record behind, that showed it */
	bool is_lost;	   /* not taken, that record says */
	uint8_t key[AUDIT_KEY_LEN]; /* of `first` */
};

/* A chain of which there is a line, true or not. */
struct chain {
	uint32_t node; /* index in the ledger's */
	enum audit_writer writer;
	uint64_t book, number;
	/* Once a record was genuine; till then all that follows is 0. */
	bool is_known, has_ended, is_wrong;
	char session[VERIFY_SESSION_MAX];
	uint64_t first; /* the lowest record that was seen at its time */
	uint64_t next;	/* the highest, and one */
	uint8_t key[AUDIT_KEY_LEN]; /* of `next` */
	struct spot first_at, last_at; /* where those two are */
	uint64_t chains; /* master's: as many as it has told of */
	struct gap *gaps;
};

/* A line that is not what it should be. Which of the possible wrongs it is
 * shows at the end. */
struct suspect {
	struct spot at;
	size_t chain; /* index in the ledger's */
	uint64_t seq;
};

/* A session whose worker has died, as master's chain says. */
struct death {
	uint32_t node;
	char session[VERIFY_SESSION_MAX];
	uint64_t last_seq;
};

/* What grows by doubling. */
struct list {
	void *at;
	size_t count, room, size; /* size: bytes of an element */
};

struct ledger {
	const struct audit_key *key;
	uint64_t steps; /* keys derived for jumps */
	struct list nodes;    /* of char[VERIFY_NODE_MAX] */
	struct list chains;   /* of struct chain */
	struct list suspects; /* of struct suspect */
	struct list deaths;   /* of struct death */
	struct list findings; /* of struct finding */
	size_t *slots;	      /* hash table: index into chains, and one */
	size_t slot_count;    /* a power of two; 0: none yet */
	uint64_t records, others;
};

/* A new element, zeroed; NULL: memory. */
void *list_add(struct list *l);

static inline struct chain *
ledger_chain(const struct ledger *l, size_t i)
{
	return (struct chain *)l->chains.at + i;
}

/* A finding about this chain (NULL: about none); false: memory. */
bool finding_add(struct ledger *l, enum finding_kind kind, struct spot at,
    struct chain *c, uint64_t first, uint64_t last);

#endif
