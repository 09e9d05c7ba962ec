/*
 * snapshot.c - the policy generation and catalogue reading in force.
 *
 * The rule: a generation that cannot be loaded leaves no policy at all, so
 * every statement is denied until one can.  Nor does one under which the
 * identity may not be here: then for good.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/log.h"
#include "worker/rights.h"
#include "worker/snapshot.h"

enum {
	READ_AGAIN_PAUSE_S = 1, /* between two wishes of one session */
	SCHEMA_WAIT_MS = 5000,	/* for master to tell the others */
	SAME_NAME_MAX = 64,
};

/* Let go of the policy, if it is one that this worker loaded. */
static void
drop_policy(struct gate *g)
{
	protection_free(g->protection);
	g->protection = NULL;
	docket_free(g->docket);
	g->docket = NULL;
	if (g->policy_arena != NULL) {
		policy_close(g->policy);
		free(g->policy);
		arena_free(g->policy_arena);
	}
	g->policy = NULL;
	g->policy_arena = NULL;
}

static enum err
load_policy(struct gate *g)
{
	struct text form;
	uint64_t generation = 0;
	enum err e = ERR_NONE;

	if (g->policy_store == NULL)
		return ERR_NOT_FOUND;
	g->policy_arena = arena_new(0);
	g->policy = calloc(1, sizeof(*g->policy));
	if (g->policy_arena == NULL || g->policy == NULL)
		return ERR_MEMORY;
	e = store_read_policy(
	    g->policy_store, g->policy_arena, &form, &generation);
	if (e == ERR_NONE)
		e = policy_decode(form, g->policy_arena, g->policy);
	if (e == ERR_NONE)
		g->policy->generation = generation;
	return e;
}

bool
snapshot_is_current(struct gate *g)
{
	uint64_t wanted = atomic_load_explicit(
	    &g->birth->board->generation, memory_order_acquire);
	enum err e;

	if (g->policy != NULL && g->policy->generation == wanted)
		return true;
	if (g->is_barred)
		return false;
	gate_forget(g);
	/* cursors and prepared statements of before were judged otherwise */
	if (g->identity != NULL)
		g->carries_later = true;
	drop_policy(g);
	e = load_policy(g);
	if (e == ERR_NONE && g->identity != NULL && !rights_renew(g)) {
		log_info("%s", g->reason);
		drop_policy(g);
		return false;
	}
	if (e == ERR_NONE && g->identity != NULL)
		e = snapshot_protect(g);
	if (e == ERR_NONE)
		return true;
	snprintf(g->reason, sizeof(g->reason),
	    "policy generation %llu cannot be loaded: %s",
	    (unsigned long long)wanted, err_text(e));
	log_error("%s", g->reason);
	drop_policy(g);
	return false;
}

/* Does anything this policy decides hang on what the relations and users'
 * functions are? */
static bool
policy_needs_catalog(const struct policy *p)
{
	const uint64_t code =
	    BIT(TRAIT_UNKNOWN_FUNCTION) | BIT(TRAIT_TEMPORARY);
	size_t i;

	for (i = 0; i < p->rule_count; i++) {
		const struct rule *r = &p->rules[i];

		if (r->to_count > 0 || ((r->has | r->lacks) & code) != 0)
			return true;
	}
	return p->protect_count > 0;
}

enum err
snapshot_protect(struct gate *g)
{
	const enum err e = g->catalog_error;

	/* ERR_NOT_FOUND: no catalogue was ever read; ERR_VERSION: nor since
	 * Sallyport was renewed. All is unknown then */
	if (e != ERR_NONE && e != ERR_NOT_FOUND && e != ERR_VERSION) {
		snprintf(g->reason, sizeof(g->reason),
		    "the catalogue cannot be opened: %s", err_text(e));
		return e;
	}
	protection_free(g->protection);
	g->protection = protection_new(g->policy, g->identity, g->catalog_store,
	    g->place.upstream, g->place.database);
	docket_free(g->docket);
	g->docket = docket_new(g->policy, g->identity, &g->place);
	if (g->protection == NULL || g->docket == NULL)
		return ERR_MEMORY;
	g->asks_of_code = !docket_frees_escaping(g->docket);
	g->needs_catalog = g->asks_of_code || policy_needs_catalog(g->policy);
	if (g->own.count > 0 || g->own.oid_count > 0)
		own_clear(&g->own);
	protection_set_own(g->protection, &g->own);
	protection_sync(g->protection, snapshot_reading(g));
	return ERR_NONE;
}

uint64_t
snapshot_reading(const struct gate *g)
{
	return wish_reading(&g->wisher);
}

/* The eventfd of the catalogue process of this session's upstream. */
static int
catalog_of(const struct gate *g)
{
	return g->birth->catalogs[g->upstream - g->settings->upstreams];
}

/* Not before gate_want_catalog(): then there is nobody to tell. */
static bool
is_known(const struct gate *g)
{
	return g->wisher.key != 0;
}

enum err
snapshot_schema_changed(struct gate *g, bool is_doubted)
{
	bool was_open = g->is_schema_open;

	g->is_schema_open = true;
	g->is_schema_doubted |= is_doubted;
	if (was_open || !is_known(g))
		return ERR_NONE;
	return schema_open(g->birth->board, g->birth->place, g->birth->wake,
	    g->wisher.key, SCHEMA_WAIT_MS);
}

void
snapshot_schema_settled(struct gate *g)
{
	if (g->is_schema_open && is_known(g)) {
		g->own_change = schema_settle(g->birth->slot, g->birth->wake);
		if (g->needs_catalog)
			wish_ask(&g->wisher, g->own_change, catalog_of(g));
	}
	g->is_schema_open = g->is_schema_doubted = false;
	own_commit(&g->own);
	g->makes = MAKES_NOTHING;
}

int64_t
snapshot_changed_at(const struct gate *g)
{
	int64_t at = 0;

	if (is_known(g))
		at = schema_changed_at(g->birth->board, g->wisher.key);
	return at > g->own_change ? at : g->own_change;
}

static bool
is_reading_old(const struct gate *g)
{
	return wish_read_at(&g->wisher) < snapshot_changed_at(g);
}

bool
snapshot_is_outdated(const struct gate *g)
{
	return is_known(g) && g->needs_catalog &&
	    (is_reading_old(g) ||
		schema_is_open_elsewhere(
		    g->birth->board, g->birth->place, g->wisher.key));
}

void
snapshot_catch_up(struct gate *g)
{
	enum err e = ERR_NONE;

	if (snapshot_is_outdated(g) && (gate_protects(g) || g->asks_of_code))
		/* while a change elsewhere may be committed at any moment, a
		 * reading holds for one statement */
		e = is_reading_old(g)
		    ? wish_catch_up(&g->wisher, snapshot_changed_at(g),
			  catalog_of(g), GATE_CATALOG_WAIT_MS)
		    : wish_make(
			  &g->wisher, catalog_of(g), GATE_CATALOG_WAIT_MS);
	g->is_code_distrusted = e != ERR_NONE;
	g->is_distrusted = e != ERR_NONE || g->is_schema_doubted;
	if (e != ERR_NONE)
		log_warning("catalogue of %s is outdated: %s; masking strictly",
		    g->upstream->name, err_text(e));
}

bool
snapshot_read_again(struct gate *g)
{
	time_t now = time(NULL);

	if (!is_known(g) || now - g->asked_at < READ_AGAIN_PAUSE_S)
		return false;
	g->asked_at = now;
	g->is_code_unread = true;
	if (wish_make(&g->wisher, catalog_of(g), GATE_CATALOG_WAIT_MS) !=
	    ERR_NONE)
		return false;
	if (g->catalog_store == NULL)
		return false;
	g->is_code_unread = false;
	protection_refresh(g->protection, g->catalog_store);
	return true;
}

/* Schemas of all relations of that name; max when it cannot tell. */
static size_t
schemas_named(
    struct gate *g, struct text name, struct text *schemas_out, size_t max)
{
	uint32_t oids[SAME_NAME_MAX];
	struct relation r;
	size_t count = 0, i, n = 0;

	if (g->catalog_store == NULL ||
	    store_relations_named(g->catalog_store, g->place.upstream,
		g->place.database, name, oids, SAME_NAME_MAX,
		&count) != ERR_NONE)
		return 0;
	for (i = 0; i < count && n < max; i++) {
		if (store_relation(g->catalog_store, g->place.upstream,
			g->place.database, oids[i], g->scratch, &r) == ERR_NONE)
			schemas_out[n++] = r.schema;
	}
	return n;
}

size_t
snapshot_resolve(void *context, struct text schema, struct text name,
    struct text *schemas_out, size_t max)
{
	struct gate *g = context;
	size_t n;

	if (max == 0)
		return 0;
	if (schema.len > 0) {
		schemas_out[0] = schema;
		return 1;
	}
	if (!snapshot_is_outdated(g) &&
	    protection_is_temporary(g->protection, schema, name)) {
		schemas_out[0] = TEXT("pg_temp");
		return 1;
	}
	n = schemas_named(g, name, schemas_out, max);
	if (n == 0 && snapshot_read_again(g))
		n = schemas_named(g, name, schemas_out, max);
	return n;
}

void
snapshot_close(struct gate *g)
{
	drop_policy(g);
}
