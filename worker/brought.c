/*
 * brought.c - code that a client brings along: what it may not do.
 *
 * What the block of a DO reads leaves in ways that no mask can follow: in
 * notices, errors, settings, or in whether it fails.  And what a transaction
 * makes (an operator `=`, a function, a view) no other connection sees before
 * it is committed, so the catalogue cannot tell what its later statements mean.
 */
#include "worker/brought.h"

/* Operations that read or write rows, or run code. */
static const uint64_t running =
    BIT(OP_SELECT) | BIT(OP_INSERT) | BIT(OP_UPDATE) | BIT(OP_DELETE) |
    BIT(OP_MERGE) | BIT(OP_TRUNCATE) | BIT(OP_COPY_IN) | BIT(OP_COPY_OUT) |
    BIT(OP_CALL) | BIT(OP_DO) | BIT(OP_REFRESH) | BIT(OP_FUNCTION_CALL) |
    BIT(OP_UNKNOWN);

static struct text
refuse_block(const struct touch *t)
{
	switch (t->block) {
	case BLOCK_FREE:
		break;
	case BLOCK_READS:
	case BLOCK_STORES:
		return TEXT("the block mentions protected columns, and what it "
			    "does with them cannot be masked");
	case BLOCK_OPEN:
		return TEXT("the block may read anything (dynamic SQL, another "
			    "language, an opaque function), and some values "
			    "are protected");
	}
	return (struct text){NULL, 0};
}

/* Making an index or changing a table runs functions, too. */
static bool
may_run(const struct statement *s)
{
	enum { TOO_SHORT = 2 }; /* SELECT 1 */

	if ((s->operations & running) != 0)
		return s->token_count > TOO_SHORT;
	return ((s->operations & BIT(OP_CREATE)) != 0 &&
		   statement_mentions(s, TEXT("index"))) ||
	       ((s->operations & BIT(OP_ALTER)) != 0 &&
		   statement_mentions(s, TEXT("table")));
}

/* Does what the statement means hang on what was made? */
static bool
is_concerned(const struct gate *g, const struct touch *t)
{
	return protection_predicates(g->protection) != PREDICATES_ALLOW &&
	       (t->is_protected || t->is_unknown || t->is_code_unseen);
}

static struct text
refuse_unsettled(const struct gate *g, const struct statement *s,
    const struct touch *t, enum makes made)
{
	if (made == MAKES_READER && may_run(s))
		return TEXT("the transaction has made code that may read "
			    "protected columns; COMMIT before it is used");
	if (made == MAKES_MEANING && (s->operations & running) != 0 &&
	    is_concerned(g, t))
		return TEXT("the transaction has changed what names and "
			    "operators mean, and some values are protected; "
			    "COMMIT first");
	return (struct text){NULL, 0};
}

struct text
brought_refusal(const struct gate *g, const struct statement *s,
    const struct touch *t, enum makes made)
{
	struct text refusal = refuse_block(t);

	if (!gate_protects(g) || g->protection == NULL)
		return (struct text){NULL, 0};
	return refusal.len > 0 ? refusal : refuse_unsettled(g, s, t, made);
}
