/* world.c - the policy, the catalogue and the gate that are measured. */
#include <err.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/regex.h"
#include "tests/bench/world.h"

enum { YAML_MAX = 1 << 20, CODE_COUNT = 300 };

static char folder[64];

/* What must not fail here. */
static void
must(enum err e, const char *what)
{
	if (e != ERR_NONE)
		errx(2, "%s: %s", what, err_text(e));
}

static void *
room_for(struct arena *a, size_t count, size_t size)
{
	void *at = arena_array(a, count, size);

	if (at == NULL)
		errx(2, "out of memory");
	return at;
}

/* --- the catalogue -------------------------------------------------------- */

struct table {
	const char *name;
	const char *columns[9];
};

static const struct table tables[] = {
    {"orders", {"id", "customer_id", "total", "state", "status", "region",
		   "created_at", "updated_at", "is_active"}},
    {"customers", {"id", "name", "email", "card_number", "birth_date",
		      "city", "level", "phone"}},
    {"items", {"id", "order_id", "sku", "amount", "price", "note"}},
    {"tickets", {"id", "customer_id", "body", "created_at"}},
};

static void
add_table(struct store *s, const struct table *t, uint32_t oid)
{
	struct column columns[9] = {0};
	struct relation r = {.oid = oid,
	    .schema = TEXT("public"),
	    .name = text_of(t->name),
	    .kind = 'r',
	    .columns = columns};

	for (; r.column_count < 9 && t->columns[r.column_count] != NULL;
	     r.column_count++) {
		columns[r.column_count].name =
		    text_of(t->columns[r.column_count]);
		columns[r.column_count].type = 25; /* text */
	}
	must(store_catalog_add(s, &r), "the catalogue");
}

static int
compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Functions that users wrote, and none of the texts calls. */
static void
add_code(struct store *s)
{
	uint64_t hashes[CODE_COUNT];
	char name[32];
	size_t i;

	for (i = 0; i < CODE_COUNT; i++) {
		snprintf(name, sizeof(name), "function_%zu", i);
		hashes[i] = code_hash(CODE_FUNCTION, text_of(name));
	}
	qsort(hashes, CODE_COUNT, sizeof(*hashes), compare);
	must(store_catalog_add_code_names(s, hashes, CODE_COUNT),
	    "the catalogue");
}

const char *
world_catalogue(void)
{
	struct store *s;
	char path[80];
	uint32_t i;

	snprintf(folder, sizeof(folder), "/tmp/sallyport-bench-XXXXXX");
	if (mkdtemp(folder) == NULL)
		err(2, "%s", folder);
	snprintf(path, sizeof(path), "%s/catalog", folder);
	must(store_open(path, STORE_WRITE, &s), path);
	must(store_catalog_begin(s, TEXT("shop"), TEXT("shop")), path);
	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		add_table(s, &tables[i], 16384 + i);
	add_code(s);
	must(store_catalog_commit(s), path);
	store_close(s);
	return folder;
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
	(void)st;
	(void)kind;
	(void)walk;
	return remove(path);
}

void
world_catalogue_remove(void)
{
	nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* --- the policy ----------------------------------------------------------- */

static struct text
read_file(struct arena *a, const char *policies, const char *name)
{
	char path[4096], *at = room_for(a, 1, YAML_MAX);
	FILE *file;
	size_t len;

	snprintf(path, sizeof(path), "%s/%s/postgres.yaml", policies, name);
	file = fopen(path, "r");
	if (file == NULL)
		err(2, "%s", path);
	len = fread(at, 1, YAML_MAX, file);
	fclose(file);
	return (struct text){at, len};
}

static struct text *
one_text(struct arena *a, const char *format, size_t number)
{
	struct text *t = room_for(a, 1, sizeof(*t));
	char *at = room_for(a, 1, 80);

	snprintf(at, 80, format, number);
	*t = text_of(at);
	return t;
}

static void
make_protects(struct policy *p, struct arena *a)
{
	static const char *const columns[] = {"public.customers.email",
	    "public.customers.card_number", "public.customers.birth_date",
	    "public.customers.phone", "public.customers.*iban*",
	    "public.*.ssn", "staff.*.salary", "*.*.password",
	    "public.tickets.secret", "audit.*.*"};
	size_t i;

	p->protect_count = sizeof(columns) / sizeof(columns[0]);
	p->protects = room_for(a, p->protect_count, sizeof(*p->protects));
	for (i = 0; i < p->protect_count; i++)
		p->protects[i] = (struct protect){.name = text_of(columns[i]),
		    .columns = one_text(a, columns[i], 0),
		    .column_count = 1,
		    .mask = MASK_REDACT};
}

/* Rules as a large policy has them: most speak of other people, places or
 * operations; a good part names relations; some have a pattern. */
static void
make_rule(struct rule *r, struct arena *a, size_t i)
{
	*r = (struct rule){.name = *one_text(a, "rule %zu", i),
	    .then = THEN_DENY,
	    .approve_of = 1};
	switch (i % 10) {
	case 0: /* everybody reads and writes; the first is what allows */
		r->then = THEN_ALLOW;
		r->does = operation_set(TEXT("read")) |
		    operation_set(TEXT("write"));
		r->limits.rows = 100000 + i;
		break;
	case 1:
	case 2:
	case 3: /* other people's tables */
		r->who.group = one_text(a, "team-%zu", i);
		r->who.group_count = 1;
		r->to = one_text(a, "team%zu.*", i);
		r->to_count = 1;
		break;
	case 4: /* ours, and elsewhere in this database */
	case 5:
		r->who.group = one_text(a, "analysts", i);
		r->who.group_count = 1;
		r->does = operation_set(TEXT("read"));
		r->to = one_text(a, "public.secret_%zu_*", i);
		r->to_count = 1;
		break;
	case 6: /* another place */
		r->on.upstream = one_text(a, "staging-%zu", i);
		r->on.upstream_count = 1;
		break;
	case 7:
		r->does = operation_set(TEXT("ddl"));
		break;
	case 8:
		r->does = BIT(OP_UPDATE) | BIT(OP_DELETE);
		r->lacks = BIT(TRAIT_WHERE);
		r->then = THEN_APPROVE;
		break;
	default: /* of these every other has a pattern */
		r->who.agent = one_text(a, "*", i);
		r->who.agent_count = 1;
		r->has = BIT(TRAIT_ESCAPING_FUNCTION);
		if (i % 20 == 9) {
			r->has = 0;
			r->matches = *one_text(a, "\\bforbidden_%zu\\b", i);
		}
		break;
	}
}

static void
make_policy(struct world *w, const char *policies)
{
	struct policy *p = &w->policy;
	const char *message;
	size_t i;

	p->generation = 1;
	make_protects(p, w->arena);
	p->rule_count = WORLD_RULES_MAX;
	p->rules = room_for(w->arena, p->rule_count, sizeof(*p->rules));
	for (i = 0; i < p->rule_count; i++)
		make_rule(&p->rules[i], w->arena, i);
	p->classes_yaml[DIALECT_POSTGRES] =
	    read_file(w->arena, policies, "classes");
	p->functions_yaml[DIALECT_POSTGRES] =
	    read_file(w->arena, policies, "functions");
	if (policy_compile(p, policies, w->arena, &message) != ERR_NONE)
		errx(2, "%s", message);
}

/* --- the gate ------------------------------------------------------------- */

static const struct text groups[] = {{"analysts", 8}, {"people", 6}};

/* They are looked up as the gate is entered. */
static void
make_identities(struct world *w)
{
	static struct who everybody[1];
	static struct person people[] = {
	    {.name = TEXT("alice"), .group_count = 2}};
	static struct agent agents[] = {{.name = TEXT("copilot"),
	    .acts_for = everybody,
	    .acts_for_count = 1}};

	people[0].groups = (struct text *)(uintptr_t)groups;
	w->policy.identities = (struct identities){.people = people,
	    .person_count = 1,
	    .agents = agents,
	    .agent_count = 1};
	w->gate.who = &w->who;
}

static void
enter(struct world *w)
{
	char path[80];

	snprintf(path, sizeof(path), "%s/catalog", folder);
	must(store_open(path, STORE_READ, &w->provisions.catalog), path);
	gate_init(&w->gate, &w->birth, &w->provisions);
	make_identities(w);
	must(gate_enter(&w->gate, &w->upstream, TEXT("shop"), &w->identity),
	    "the gate");
}

struct world *
world_new(const char *policies)
{
	struct world *w = calloc(1, sizeof(*w));

	if (w == NULL)
		errx(2, "out of memory");
	w->arena = arena_new(0);
	make_policy(w, policies);
	w->upstream.name = "shop";
	w->settings = (struct settings){
	    .state = folder, .upstreams = &w->upstream, .upstream_count = 1};
	w->identity = (struct identity){.user = TEXT("alice"),
	    .agent = TEXT("copilot"),
	    .groups = groups,
	    .group_count = 2,
	    .via = TEXT("scram-sha-256"),
	    .client = TEXT("127.0.0.1:54321")};
	w->birth = (struct birth){.board = scoreboard_new(1, NULL),
	    .settings = &w->settings,
	    .policy = &w->policy,
	    .catalogs = {-1}};
	if (w->birth.board == NULL)
		err(2, "scoreboard");
	w->birth.slot = &w->birth.board->seats[0].slot;
	atomic_store(&w->birth.board->generation, w->policy.generation);
	enter(w);
	return w;
}

void
world_use_rules(struct world *w, size_t rules)
{
	gate_leave(&w->gate);
	store_close(w->provisions.catalog);
	w->policy.rule_count = rules;
	enter(w);
}

void
world_free(struct world *w)
{
	gate_leave(&w->gate);
	w->policy.rule_count = WORLD_RULES_MAX;
	policy_close(&w->policy);
	arena_free(w->arena);
	free(w);
}
