/*
 * gate.h - the one decision.
 *
 * A single function turns (identity, statement, policy snapshot) into a
 * verdict.  Whatever goes wrong inside is a denial with a reason.  Protocols
 * know bytes and never policy; the gate knows policy and never bytes.
 */
#ifndef SALLYPORT_GATE_H
#define SALLYPORT_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/audit.h"
#include "common/broker_channel.h"
#include "common/config.h"
#include "common/encoding.h"
#include "common/identity.h"
#include "common/ipc.h"
#include "common/own.h"
#include "common/policy.h"
#include "common/protection.h"
#include "common/store.h"
#include "worker/provisions.h"

enum {
	GATE_RULING_MAX = 64 * 1024 * 1024, /* bytes one ruling takes */
	GATE_CACHE_SLOTS = 64,	   /* rulings of recent texts; power of two */
	GATE_CACHE_WAYS = 4,	   /* of them for texts of one hash */
	GATE_KEPT_MAX = 256 * 1024, /* bytes of one of those … */
	GATE_CACHE_MAX = 4 * 1024 * 1024, /* … and of all together */
	GATE_CATALOG_WAIT_MS = 5000,
	GATE_REASON_MAX = 512,
	GATE_CLAIM_MAX = 256, /* bytes of a claim that are recorded */
};

/* What was decided about one text (one or several statements), and all that
 * its execution needs to know. Reference-counted: a prepared statement, a
 * running one and the gate's cache share it. Immutable but for the count. */
struct ruling {
	unsigned references;
	struct arena *arena; /* everything below lives in it */
	size_t bytes;	     /* of it, once judged */
	struct text sql;     /* what was judged, whole, in the client's bytes */
	struct classified text;
	/* The strictest of its statements'. Its rule is a copy of what is
	 * said about it later: name, say, and numbers. */
	struct verdict verdict;
	uint64_t rule_index; /* of that rule in the policy's `generation` */
	struct verdict *verdicts;    /* one each; NULL when the text was refused
				      * before it came to statements */
	struct touch touch;	     /* of all its statements together */
	struct own_effect *effects;  /* of each statement; NULL: none */
	uint64_t operations, traits; /* of all */
	/* It can change nothing that decides about later statements: they may
	 * be judged while it is still running. */
	bool is_plain;
	/* What a literal says decided: other literals, other rulings. */
	bool reads_literals;
	bool may_set; /* it may change a setting, unknown to us until Sync */
	/* It calls code that may change the schema for all that is known. */
	bool may_redefine;
	/* Refused whatever the policy says (builtin.h). */
	bool is_forbidden;
	/* Outputs without an origin may carry protected values. */
	bool may_carry;
	/* To be run in place of the text, which only claims something; len 0:
	 * the text itself is run. */
	struct text instead;
	/* valid as long as these are current */
	uint64_t generation, reading;
	int64_t minute;
	bool carries_later;   /* as the gate's was */
	unsigned own_version; /* likewise */
	enum makes made_before; /* as the gate's `makes` was */
	struct text observed; /* what observing rules matched, likewise */
	struct text *record;  /* for each statement: its part of the audit
			       * record, as JSON members */
};

struct gate {
	struct birth *birth;
	/* Who it is, as the broker said it, set before gate_enter(). The
	 * groups in it are renewed with each policy (rights.h). */
	struct broker_identity *who;
	struct text groups[IDENTITY_GROUPS_MAX]; /* of `who` */
	size_t login;	/* of the upstream's logins: as whom it was let in */
	bool is_barred; /* its rights were taken away; `reason` says why */
	const struct settings *settings;
	const struct upstream *upstream;
	struct policy *policy;	    /* NULL: none could be loaded, deny all */
	struct arena *policy_arena; /* of a policy this worker loaded itself */
	/* NULL: could not be opened, catalog_error says why */
	struct store *policy_store, *catalog_store;
	enum err catalog_error;
	struct identity *identity;
	struct place place;
	struct lex_state lex;
	/* NULL: not told yet. The coder reads what the client sends. */
	const struct encoding *client_encoding, *server_encoding;
	struct coder coder;
	/* Operations that whatever is judged now has besides its own: those
	 * of the way in which it came. */
	uint64_t also;
	struct docket *docket;	       /* the rules that concern the session */
	struct protection *protection; /* NULL until gate_enter() */
	struct wisher wisher;	       /* to the database's catalogue */
	int64_t own_change;   /* when this session last changed the schema */
	uint64_t first_epoch; /* of the schema, when the session began */
	struct audit *audit;
	time_t asked_at; /* when the session last made its wish; 0: may now */
	bool needs_catalog;  /* the policy's decisions hang on it */
	/* It matters whether code may do what nobody can tell: not every
	 * statement that does is allowed. */
	bool asks_of_code;
	bool is_code_distrusted; /* the catalogue may be wrong about that */
	bool is_code_unread;	 /* when it was last asked for it did not come */
	bool is_schema_open; /* changed here and not committed yet */
	bool is_schema_doubted; /* … in ways that nobody followed */
	/* What the session has made itself. A change that is all on this list
	 * leaves the catalogue's answers as true as they were. */
	struct own_relations own;
	uint64_t own_reading; /* of the catalogue: what views read is in it */
	bool is_distrusted;  /* the catalogue may be wrong about any relation */
	enum makes makes;    /* the transaction that is open made that */
	struct arena *scratch; /* reset before each ruling */
	uint64_t results_lost; /* result events the sink did not take */
	/* The application_name that the client says it has. */
	struct text claims;
	char claimed[GATE_CLAIM_MAX];
	/* Protected values may come out of statements whose results are
	 * fetched later, by name: cursors, prepared statements, portals,
	 * anything opaque. FETCH and EXECUTE carry them. */
	bool carries_later;
	struct ruling *cache[GATE_CACHE_SLOTS];
	size_t cache_bytes; /* at most GATE_CACHE_MAX */
	/* why no policy could be loaded, or it was barred */
	char reason[GATE_REASON_MAX];
};

/* Changes each time a change of the schema was committed through Sallyport. */
uint64_t gate_schema_epoch(const struct gate *g);

/* Are values to be protected from this identity? Without a policy: yes. */
bool gate_protects(const struct gate *g);

/* Forget the rulings of recent texts. */
void gate_forget(struct gate *g);

/* Prepare a gate with the policy the worker was born with. */
void gate_init(
    struct gate *g, struct birth *b, const struct provisions *p);

/* The identity is proved, the upstream known: from now on judge. ERR_REFUSED:
 * barred, by a policy newer than the proof. */
enum err gate_enter(struct gate *g, const struct upstream *u,
    struct text database, struct identity *id) MUST_CHECK;
/* The upstream let us in: the database exists, and its catalogue is wanted. */
void gate_want_catalog(struct gate *g);
void gate_leave(struct gate *g);

/* Judge a text. Never NULL except out of memory, which the caller treats as
 * a denial; the verdict of an error is a denial with a reason. The caller
 * owns one reference. */
struct ruling *gate_judge(struct gate *g, struct text sql);

/* The ruling on SQL that nobody can see now, as EXECUTE of a name that code may
 * have given to something else: it may do anything, and is admitted only where
 * nothing is protected and rules allow `unknown` and escaping-function. As
 * gate_judge(), without a statement. */
struct ruling *gate_judge_unseen(struct gate *g);

/* Is this ruling still what the gate would say? */
bool gate_is_current(struct gate *g, const struct ruling *j);

struct ruling *ruling_share(struct ruling *j);
void ruling_drop(struct ruling *j); /* NULL is fine */

/* Bytes of all rulings there are in this process. */
size_t rulings_bytes(void);

/* The client says that this is its application_name. */
void gate_claim(struct gate *g, struct text name);

/* Take one statement off the identity's rate. False: over its limit. */
bool gate_take_rate(struct gate *g, const struct ruling *j);

/* Write the audit records of the ruling's statements, before anything is
 * forwarded. `decision` in words (allow, deny, approve …); `reason` replaces
 * the verdict's when its len is not 0; `request` the held request or 0.
 * Anything but ERR_NONE: not recorded, so nothing may run. */
enum err gate_record(struct gate *g, const struct ruling *j,
    const char *decision, struct text reason, uint64_t request) MUST_CHECK;

/* How a column of a result is to be masked, asking the catalogue process for
 * a fresh reading when the column is unknown. Any error: out says redact. */
void gate_output(struct gate *g, const struct ruling *j,
    const struct origin *origin, struct column_protection *out);

#endif
