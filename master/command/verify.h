/*
 * verify.h - `sallyport verify`: are all audit records there, as they were
 * written?
 *
 * A line becomes a struct sealed (verify_line.c); the ledger takes them in the
 * order of the files and follows each chain (verify_ledger.c); when all are
 * read it finds what is missing (verify_close.c); findings become words
 * (verify_tell.c).  What the chains are: common/audit_chain.h.
 */
#ifndef SALLYPORT_VERIFY_H
#define SALLYPORT_VERIFY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/audit.h"

enum {
	VERIFY_LINE_MAX = 1 << 20, /* bytes: a record has AUDIT_RECORD_MAX, and
				    * others may spell it longer */
	/* Keys derived, in all, for records that are far from the one before:
	 * about a minute. What a line claims costs no more than that. */
	VERIFY_STEPS_MAX = 1 << 28,
	VERIFY_NODE_MAX = 256, /* bytes of a machine's name, with the NUL */
	VERIFY_SESSION_MAX = 17, /* and of a session's id */
};

/* --- verify_line.c -------------------------------------------------------- */

enum line_kind {
	LINE_SEALED,
	LINE_UNSEALED, /* a JSON object without a `mac` */
	LINE_DAMAGED,  /* nothing that Sallyport has written */
	LINE_OTHER,    /* no JSON: another program's */
};

/* A record. Texts are the reader's until its next line. */
struct sealed {
	const char *node, *chain, *session, *event, *mac;
	uint64_t seq, lost, last_seq;
	uint64_t chains; /* so many there are, says master */
	bool is_masters; /* an event that only master tells of */
	bool is_decision; /* … or only an operator's command */
	bool is_brokers; /* … or only the broker */
	struct text canonical; /* what the mac is of */
};

struct line_reader {
	json_t *object;
	char canonical[AUDIT_RECORD_MAX];
};

/* One line, without its end. */
enum line_kind line_read(
    struct line_reader *r, struct text line, struct sealed *out);
void line_reader_free(struct line_reader *r);

/* --- the ledger ----------------------------------------------------------- */

enum finding_kind {
	FINDING_CHANGED,    /* a record's line is there, but not as written */
	FINDING_ADDED,	    /* a line beside the record that it pretends to be */
	FINDING_FALSE,	    /* one or the other */
	FINDING_MISSING,    /* records `first` to `last` */
	FINDING_LOST,	    /* so are these: not taken, says the next one */
	FINDING_REORDERED,
	FINDING_REPEATED,
	FINDING_NO_START,   /* records before `first` */
	FINDING_NO_END,	    /* whatever came behind `last` */
	FINDING_NO_CHAIN,   /* chains `first` to `last` of the book */
	FINDING_NO_BOOK,    /* books `first` to `last` */
	FINDING_USURPED,    /* its writer may not tell of such an event */
	FINDING_TWICE,	    /* two chains say they are one session's */
	FINDING_UNSEALED,
	FINDING_DAMAGED,
	FINDING_TOO_FAR,    /* VERIFY_STEPS_MAX: nobody knows */
	FINDING_KINDS
};

struct spot {
	uint32_t file; /* index among the arguments */
	uint64_t line; /* from 1; 0: no line */
};

struct finding {
	enum finding_kind kind;
	struct spot at; /* where it shows */
	uint64_t until;	 /* the last of several such lines */
	uint64_t first, last;
	char node[VERIFY_NODE_MAX];
	char chain[AUDIT_CHAIN_ID_MAX];
	char session[VERIFY_SESSION_MAX];
};

struct ledger;

/* The key is borrowed. NULL: memory. */
struct ledger *ledger_new(const struct audit_key *key);
void ledger_free(struct ledger *l);

/* Take the next line of this kind; `record` is looked at when it is sealed.
 * False: memory. */
bool ledger_take(struct ledger *l, struct spot at, enum line_kind kind,
    const struct sealed *record);

/* All is read: look for what is missing. `is_part`: the files are a part of a
 * longer log, chains may begin before them and go on behind, as far as the
 * files themselves do not say otherwise. False: memory. */
bool ledger_close(struct ledger *l, bool is_part);

struct tally {
	uint64_t records; /* genuine ones */
	uint64_t chains, whole;
	uint64_t others; /* lines of other programs */
};

/* In the order in which they show. */
const struct finding *ledger_findings(const struct ledger *l, size_t *count);
struct tally ledger_tally(const struct ledger *l);

/* --- verify_tell.c -------------------------------------------------------- */

/* What it is called by programs, and said to people. */
const char *finding_name(enum finding_kind kind);
void finding_describe(const struct finding *f, char *out, size_t size);

#endif
