/*
 * audit_chain.h - records that nobody can change once they are written.
 *
 * Whoever writes records has a chain of them: a session, an operator's
 * command that decided something, master.  A chain begins with a key that the
 * broker derives from the audit key, which no other process of the daemon
 * ever has; each record is sealed with a key of its own, from which the next
 * record's is derived before it is forgotten.  So whoever takes over a
 * process can lie in its records to come, and in no other.
 *
 *   K(1)   = HMAC(audit key, "sallyport audit chain", node, id, session)
 *   mac(n) = the first 128 bits of HMAC(K(n), the record without its `mac`)
 *   K(n+1) = HMAC(K(n), "next")
 *
 * HMAC is that of RFC 2104 with SHA-256; the texts of K(1) end in a zero byte
 * each.  The record is the JSON object as json.c writes it: no space between
 * tokens, members in the order in which they stand, in strings \" \\ \n and
 * \u00XX in lower case for what else is below 0x20, and for 0x7f; anything
 * else as UTF-8.  What carries records may write them otherwise (rsyslog
 * does), as long as names, values and order stay.
 *
 * An id is BOOK.NUMBER: a book is one life of master, from `start` to `stop`;
 * books count up by one, and so do the chains in each.  Chain 0 is master's;
 * `c` follows the number of an operator's command, `b` that of a record which
 * the broker writes itself.
 */
#ifndef SALLYPORT_AUDIT_CHAIN_H
#define SALLYPORT_AUDIT_CHAIN_H

#include <stdint.h>

#include "common/err.h"
#include "common/text.h"

enum {
	AUDIT_KEY_LEN = 32,
	AUDIT_KEY_FILE_MIN = 32, /* bytes of the file with the audit key */
	AUDIT_KEY_FILE_MAX = 4096,
	AUDIT_CHAIN_ID_MAX = 44, /* two numbers of 64 bits, a dot, a letter */
	AUDIT_MAC_SIZE = 33,	 /* hex digits and the NUL */
	AUDIT_SKIP_MAX = 1 << 20, /* records nobody took, in a row */
};

/* The audit key itself: the file's bytes without the newline at the end. */
struct audit_key {
	size_t len;
	char bytes[AUDIT_KEY_FILE_MAX];
};

/* Read it. On failure `reason` says why, for people: ERR_SYSTEM, ERR_REFUSED
 * (others may read the file), ERR_INVALID (not a file, or of a length that no
 * key has). Whoever has it wipes it. */
enum err audit_key_read(const char *path, struct audit_key *out, char *reason,
    size_t size) MUST_CHECK;

/* Could it be read by this process? If not, a diagnostic at the setting,
 * unless it is that others could, too: settings_check_trust() tells that.
 * Reads nothing. */
struct settings;
struct diagnostics;
void audit_key_check(const struct settings *s, struct diagnostics *d);

/* One chain, at the record whose number is `next`. */
struct audit_chain {
	char id[AUDIT_CHAIN_ID_MAX]; /* "": not begun */
	uint64_t next;
	uint64_t given; /* numbers given to records, by audit.c */
	uint64_t lost;	/* of those, the last ones the sink did not take */
	uint8_t key[AUDIT_KEY_LEN];
};

enum audit_writer {
	AUDIT_OF_MASTER,  /* its number is 0 */
	AUDIT_OF_SESSION,
	AUDIT_OF_COMMAND, /* of an operator: one record */
	AUDIT_OF_BROKER,  /* one record */
	AUDIT_WRITERS
};

void audit_chain_name(uint64_t book, uint64_t number,
    enum audit_writer writer, char id_out[AUDIT_CHAIN_ID_MAX]);
/* The other way; false: it is no id. */
bool audit_chain_parse(struct text id, uint64_t *book_out,
    uint64_t *number_out, enum audit_writer *writer_out);

/* K(1). `session` is what the records have as such; master's chain: "". */
enum err audit_chain_derive(const struct audit_key *key, struct text node,
    struct text id, struct text session, uint8_t out[AUDIT_KEY_LEN])
    MUST_CHECK;

/* Begin, with K(1). */
void audit_chain_begin(struct audit_chain *c, const char *id,
    const uint8_t key[AUDIT_KEY_LEN]);

/* Go on to record `number`, forgetting the keys before. ERR_REFUSED: that one
 * is gone already. Costs a derivation for each step. */
enum err audit_chain_go(struct audit_chain *c, uint64_t number) MUST_CHECK;

/* The mac of record `next`, in hex. */
enum err audit_chain_mac(const struct audit_chain *c, struct text record,
    char out[AUDIT_MAC_SIZE]) MUST_CHECK;

/* Seal record `number`: go there, its mac, and past it. ERR_TOO_LONG: more
 * than AUDIT_SKIP_MAX steps. */
enum err audit_chain_seal(struct audit_chain *c, uint64_t number,
    struct text record, char mac_out[AUDIT_MAC_SIZE]) MUST_CHECK;

void audit_chain_wipe(struct audit_chain *c);

/* audit_ask.c: begin with what the broker gives for this session. */
enum err audit_chain_ask(
    int broker, const char *session, struct audit_chain *out) MUST_CHECK;

#endif
