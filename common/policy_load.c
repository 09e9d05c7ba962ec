/*
 * policy_load.c - policies.d and the class rules into one policy.
 *
 * The rule: the policy is handed out only when every file of it is sound,
 * everything in it compiles and every example comes out as it says.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/policy_file.h"
#include "common/settings_login.h"

struct loading {
	struct reading reading;
	struct policy_names names;
	struct policy_file *files;
	size_t file_count;
	struct policy *policy;
};

/* --- the data folder ----------------------------------------------------- */

/* The folder policies/ beside the folder build/ the program is in. */
static bool
source_folder(char *path, size_t size)
{
	static const char policies[] = "/policies";
	char probe[PATH_MAX + 32];
	ssize_t len = readlink("/proc/self/exe", path, size - 1);
	char *build = NULL, *next;
	struct stat st;

	if (len <= 0)
		return false;
	path[len] = '\0';
	for (next = path; (next = strstr(next, "/build/")) != NULL; next++)
		build = next;
	if (build == NULL ||
	    sizeof(policies) > size - (size_t)(build - path))
		return false;
	memcpy(build, policies, sizeof(policies));
	snprintf(probe, sizeof(probe), "%s/classes", path);
	return stat(probe, &st) == 0 && S_ISDIR(st.st_mode);
}

const char *
config_data_folder(void)
{
	static char path[PATH_MAX];

	if (path[0] == '\0' && !source_folder(path, sizeof(path)))
		snprintf(path, sizeof(path), "%s", DATADIR);
	return path;
}

static enum err
read_data(struct loading *l, const char *kind, enum dialect d,
    struct text *out)
{
	const char *path = arena_printf(l->reading.arena, "%s/%s/%s.yaml",
	    config_data_folder(), kind, policy_dialect_name(d));

	if (path == NULL)
		return ERR_MEMORY;
	return yaml_read_file(
	    path, l->reading.arena, l->reading.diagnostics, out);
}

/* Programs that were built for one place and not installed there. */
static enum err
check_data_folder(struct loading *l)
{
	const char *folder = config_data_folder(), *line;

	if (access(folder, F_OK) == 0)
		return ERR_NONE;
	line = arena_printf(l->reading.arena,
	    "Sallyport's own data (classes, functions) is missing in %s: run "
	    "make install, with the PREFIX it was built with",
	    folder);
	if (line == NULL)
		return ERR_MEMORY;
	diagnostics_add_line(l->reading.diagnostics, line);
	return ERR_INVALID;
}

/* The dialects of the upstreams' engines: PostgreSQL's, for now. */
static enum err
read_classes(struct loading *l)
{
	enum dialect d = DIALECT_POSTGRES;
	enum err err = check_data_folder(l);

	if (err != ERR_NONE)
		return err;
	err = read_data(l, "classes", d, &l->policy->classes_yaml[d]);
	if (err != ERR_NONE)
		return err;
	return read_data(l, "functions", d, &l->policy->functions_yaml[d]);
}

/* --- the files ----------------------------------------------------------- */

static int
is_policy_file(const struct dirent *entry)
{
	struct text name = text_of(entry->d_name);

	return name.len > 5 && name.at[0] != '.' &&
	    text_is((struct text){name.at + name.len - 5, 5}, TEXT(".yaml"));
}

/* Byte order: alphasort()'s depends on the locale. */
static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static enum err
read_one(struct loading *l, const char *folder, const char *name)
{
	const char *path = arena_printf(
	    l->reading.arena, "%s/%s", folder, name);
	enum err err;

	if (path == NULL)
		return ERR_MEMORY;
	err = policy_file_read(
	    &l->reading, path, &l->files[l->file_count++]);
	/* What is wrong with it has been told; the others are read, too. */
	return err == ERR_MEMORY ? err : ERR_NONE;
}

/* A complaint about the folder as a whole, where sallyport.yaml names it. */
static void
complain_of_folder(struct loading *l, const char *folder, const char *what)
{
	const struct settings *s = l->names.settings;

	diagnostics_add(l->reading.diagnostics, s->file, s->policies_at.line,
	    s->policies_at.column, "%s: %s", folder, what);
}

static enum err
read_names(struct loading *l, const char *folder, struct dirent **entries,
    size_t count)
{
	enum err err = ERR_NONE;
	size_t i;

	if (count == 0 || count > CONFIG_POLICY_FILES_MAX) {
		complain_of_folder(l, folder,
		    count == 0 ? "no *.yaml file in it"
			       : "too many *.yaml files in it");
		return ERR_INVALID;
	}
	l->files = arena_array(l->reading.arena, count, sizeof(*l->files));
	if (l->files == NULL)
		return ERR_MEMORY;
	for (i = 0; i < count && err == ERR_NONE; i++)
		err = read_one(l, folder, entries[i]->d_name);
	return err;
}

static enum err
read_folder(struct loading *l, const char *folder)
{
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, is_policy_file, by_name), i;
	enum err err;

	if (count < 0) {
		complain_of_folder(l, folder, strerror(errno));
		return ERR_SYSTEM;
	}
	err = read_names(l, folder, entries, (size_t)count);
	for (i = 0; i < count; i++)
		free(entries[i]);
	free(entries);
	return err;
}

/* --- one policy ---------------------------------------------------------- */

static enum err
join_files(struct loading *l)
{
	struct policy *p = l->policy;
	size_t rules = 0, protects = 0, i;

	for (i = 0; i < l->file_count; i++) {
		rules += l->files[i].rule_count;
		protects += l->files[i].protect_count;
		p->example_count += l->files[i].example_count;
	}
	p->rules = arena_array(l->reading.arena, rules, sizeof(*p->rules));
	p->protects = arena_array(
	    l->reading.arena, protects, sizeof(*p->protects));
	if (p->rules == NULL || p->protects == NULL)
		return ERR_MEMORY;
	for (i = 0; i < l->file_count; i++) {
		const struct policy_file *f = &l->files[i];
		size_t k;

		for (k = 0; k < f->rule_count; k++)
			p->rules[p->rule_count++] = f->rules[k];
		for (k = 0; k < f->protect_count; k++)
			p->protects[p->protect_count++] = f->protects[k];
	}
	return ERR_NONE;
}

/* A name, where it stands, and its hash to find its equals by. */
struct named {
	struct text name;
	const struct node *node;
	uint64_t hash;
	size_t index;
};

static int
named_compare(const void *left, const void *right)
{
	const struct named *a = left, *b = right;

	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

static void
complain_of_twins(struct loading *l, struct named *names, size_t count,
    const char *what)
{
	size_t i;

	qsort(names, count, sizeof(*names), named_compare);
	for (i = 1; i < count; i++) {
		const struct named *one = &names[i - 1], *two = &names[i];

		if (one->name.len > 0 && text_is(one->name, two->name))
			reading_complain(&l->reading, two->node,
			    "there is another %s `%.120s` at %.200s:%zu", what,
			    two->name.at, one->node->file, one->node->line);
	}
}

/* The i-th map of a list that may be written as a single map. */
static const struct node *
element(const struct node *list, size_t i)
{
	return list->kind == NODE_LIST ? list->items[i] : list;
}

static void
add_name(struct named *names, size_t *count, struct text name,
    const struct node *node)
{
	names[*count] = (struct named){name, node, text_hash(name), *count};
	(*count)++;
}

static enum err
check_names(struct loading *l)
{
	const struct policy *p = l->policy;
	struct named *rules, *protects;
	size_t i, k, rule_count = 0, protect_count = 0;

	rules = arena_array(
	    l->reading.arena, p->rule_count, sizeof(*rules));
	protects = arena_array(
	    l->reading.arena, p->protect_count, sizeof(*protects));
	if (rules == NULL || protects == NULL)
		return ERR_MEMORY;
	for (i = 0; i < l->file_count; i++) {
		const struct policy_file *f = &l->files[i];

		for (k = 0; k < f->rule_count; k++)
			add_name(rules, &rule_count, f->rules[k].name,
			    element(yaml_get(f->root, "rules"), k));
		for (k = 0; k < f->protect_count; k++)
			add_name(protects, &protect_count, f->protects[k].name,
			    element(yaml_get(f->root, "protect"), k));
	}
	complain_of_twins(l, rules, rule_count, "rule");
	complain_of_twins(l, protects, protect_count, "protect");
	settings_check_logins(
	    &l->reading, l->names.settings, l->names.identities);
	return ERR_NONE;
}

static enum err
compile(struct loading *l)
{
	const char *message = NULL;
	enum err err;

	err = policy_compile(l->policy, config_data_folder(), l->reading.arena,
	    &message);
	if (err != ERR_NONE)
		diagnostics_add_line(l->reading.diagnostics,
		    message != NULL ? message : err_text(err));
	return err;
}

static enum err
run_example(struct loading *l, const struct example *e)
{
	const char *text;
	bool has_passed;
	enum err err;

	err = policy_example_run(l->names.settings, l->policy, e,
	    l->reading.arena, &has_passed, &text);
	if (err == ERR_NONE && !has_passed)
		reading_complain(&l->reading, e->node, "%s", text);
	return err;
}

static enum err
run_examples(struct loading *l)
{
	enum err err = ERR_NONE;
	size_t i, k;

	for (i = 0; i < l->file_count; i++) {
		const struct policy_file *f = &l->files[i];

		for (k = 0; k < f->example_count && err == ERR_NONE; k++)
			err = run_example(l, &f->examples[k]);
	}
	return err;
}

/* Each step needs the one before to have gone well; within a step all that
 * is wrong is told. */
static enum err
load(struct loading *l, const char *folder)
{
	static enum err (*const steps[])(struct loading *l) = {
	    join_files, check_names, read_classes, compile};
	size_t before = diagnostics_count(l->reading.diagnostics), i;
	enum err err = read_folder(l, folder);

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (err != ERR_NONE)
			return err;
		/* Names are compared even when files have errors. */
		if (i >= 2 && diagnostics_count(l->reading.diagnostics) != before)
			return ERR_INVALID;
		err = steps[i](l);
		if (l->reading.err != ERR_NONE)
			return l->reading.err;
	}
	if (err != ERR_NONE)
		return err;
	return diagnostics_count(l->reading.diagnostics) == before
	    ? ERR_NONE
	    : ERR_INVALID;
}

/* The examples' complaints go to `failed`. */
static enum err
load_and_prove(struct loading *l, const char *folder,
    struct diagnostics *failed)
{
	enum err err = load(l, folder);

	if (err != ERR_NONE)
		return err;
	l->reading.diagnostics = failed;
	err = run_examples(l);
	return l->reading.err != ERR_NONE ? l->reading.err : err;
}

enum err
policy_load_trial(const struct settings *s, const struct identities *ids,
    struct arena *a, struct diagnostics *d, struct diagnostics *failed,
    struct policy *out)
{
	struct loading l = {
	    .names = {s, ids},
	    .policy = out,
	};
	enum err err;

	memset(out, 0, sizeof(*out));
	out->identities = *ids;
	l.reading = (struct reading){
	    .arena = a, .diagnostics = d, .context = &l.names};
	err = load_and_prove(&l, s->policies, failed);
	if (err != ERR_NONE)
		policy_close(out);
	return err;
}

enum err
policy_load(const struct settings *s, const struct identities *ids,
    struct arena *a, struct diagnostics *d, struct policy *out)
{
	size_t before = diagnostics_count(d);
	enum err err = policy_load_trial(s, ids, a, d, d, out);

	if (err == ERR_NONE && diagnostics_count(d) != before) {
		policy_close(out);
		err = ERR_INVALID;
	}
	return err;
}
