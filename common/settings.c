/*
 * settings.c - sallyport.yaml into struct settings.
 *
 * The rule: what is written is checked here, where there is a line to point
 * at; nobody later has to ask whether a setting makes sense.
 */
#include <string.h>
#include <syslog.h>

#include "common/config.h"
#include "common/schema.h"
#include "common/settings_address.h"
#include "common/settings_login.h"

/* --- upstreams ----------------------------------------------------------- */

static const struct choice engines[] = {
    {"postgres", ENGINE_POSTGRES, false},
    {"mysql", ENGINE_MYSQL, true},
    {"sqlite", ENGINE_SQLITE, true},
    {"snowflake", ENGINE_SNOWFLAKE, true},
    {NULL, 0, false},
};

static const struct choice application_names[] = {
    {"identity", NAME_IDENTITY, false},
    {"client", NAME_CLIENT, false},
    {NULL, 0, false},
};

static const struct choice tls_modes[] = {
    {"disable", TLS_DISABLE, false},
    {"require", TLS_REQUIRE, false},
    {"verify-full", TLS_VERIFY_FULL, false},
    {NULL, 0, false},
};

static bool
is_name(struct text name)
{
	size_t i;

	for (i = 0; i < name.len; i++) {
		unsigned char c = (unsigned char)name.at[i];

		if (c < ' ' || c == 0x7f)
			return false;
	}
	return name.len >= 1 && name.len <= CONFIG_NAME_MAX &&
	    text_is_utf8(name);
}

static void
name_upstream(struct reading *r, const struct node *key, void *out)
{
	struct upstream *u = out;

	if (!is_name(key->text) ||
	    strpbrk(key->text.at, "*?") != NULL)
		reading_complain(r, key,
		    "an upstream's name has 1 to %d bytes, no control "
		    "characters, no * and no ?", CONFIG_NAME_MAX);
	u->name = key->text.at;
}

static void
read_labels(struct reading *r, const struct node *n, void *out)
{
	struct upstream *u = out;
	size_t i;

	if (n->kind != NODE_MAP) {
		reading_complain(r, n, "expected a map of labels");
		return;
	}
	u->labels = reading_array(r, n->count, sizeof(*u->labels));
	for (i = 0; u->labels != NULL && i < n->count; i++) {
		const struct node *key = n->pairs[i].key;
		const struct node *value = n->pairs[i].value;

		if (text_is(key->text, TEXT("upstream")) ||
		    text_is(key->text, TEXT("database")))
			reading_complain(r, key,
			    "a label cannot be called `%s`", key->text.at);
		u->labels[i].key = key->text;
		(void)reading_text(r, value, &u->labels[i].value);
		u->label_count = i + 1;
	}
}

#define ROW_UPSTREAM(field) .offset = offsetof(struct upstream, field)

static const struct schema upstream_tls_schema = {
    .what = "an upstream's tls",
    .size = sizeof(struct upstream),
    .rows = (const struct row[]){
	{"mode", FIELD_CHOICE, ROW_UPSTREAM(tls_mode), .is_required = true,
	    .choices = tls_modes},
	{"ca", FIELD_PATH, ROW_UPSTREAM(tls.ca)},
	{"server_name", FIELD_STRING, ROW_UPSTREAM(tls_server_name)},
	{"certificate", FIELD_PATH, ROW_UPSTREAM(tls.certificate)},
	{"key", FIELD_PATH, ROW_UPSTREAM(tls.key)},
	{0},
    },
};

static bool
is_unix(const char *address)
{
	return address != NULL && strncmp(address, "unix:", 5) == 0;
}

static void
place_tls_files(
    const struct node *tls, const char *ca, struct tls_files *out)
{
	out->certificate_at = settings_place_of(tls, "certificate");
	out->key_at = settings_place_of(tls, "key");
	out->ca_at = settings_place_of(tls, ca);
}

static void
check_upstream(struct reading *r, const struct node *map, void *out)
{
	struct upstream *u = out;
	const struct node *tls = yaml_get(map, "tls");

	settings_finish_logins(r, map, u);
	if (tls == NULL || tls->kind != NODE_MAP)
		return;
	place_tls_files(tls, "ca", &u->tls);
	if (u->tls_mode == TLS_DISABLE && tls->count > 1)
		reading_complain(r, tls,
		    "`mode: disable` leaves no use for the other settings");
	else if (u->tls_mode != TLS_DISABLE && is_unix(u->address))
		reading_complain(r, tls, "there is no TLS on a Unix socket");
	else if ((u->tls.certificate == NULL) != (u->tls.key == NULL))
		reading_complain(r, tls,
		    "`certificate` and `key` are only of use together");
}

/* login, logins, tls and labels fill the same struct upstream, at no
 * offset. */
static const struct schema upstream_schema = {
    .what = "an upstream",
    .size = sizeof(struct upstream),
    .name = name_upstream,
    .check = check_upstream,
    .rows = (const struct row[]){
	{"engine", FIELD_CHOICE, ROW_UPSTREAM(engine), .is_required = true,
	    .choices = engines},
	{"address", FIELD_CUSTOM, ROW_UPSTREAM(address), .is_required = true,
	    .read = settings_read_address},
	{"labels", FIELD_CUSTOM, .read = read_labels},
	{"application_name", FIELD_CHOICE, ROW_UPSTREAM(application_name),
	    .choices = application_names},
	{"login", FIELD_STRUCT, .is_required = true,
	    .schema = &settings_login_schema},
	{"logins", FIELD_CUSTOM, .read = settings_read_logins},
	{"tls", FIELD_STRUCT, .schema = &upstream_tls_schema},
	{0},
    },
};

/* --- listeners ----------------------------------------------------------- */

#define ROW_LISTENER(field) .offset = offsetof(struct listener, field)

static const struct schema listener_tls_schema = {
    .what = "a listener's tls",
    .size = sizeof(struct listener),
    .rows = (const struct row[]){
	{"certificate", FIELD_PATH, ROW_LISTENER(tls.certificate),
	    .is_required = true},
	{"key", FIELD_PATH, ROW_LISTENER(tls.key), .is_required = true},
	{"client_ca", FIELD_PATH, ROW_LISTENER(tls.ca)},
	{"client_crl", FIELD_PATH, ROW_LISTENER(tls.crl)},
	{"required", FIELD_BOOL, ROW_LISTENER(requires_tls),
	    .fallback = "false"},
	{0},
    },
};

static void
check_listener_tls(struct reading *r, const struct node *map, void *out)
{
	struct listener *l = out;
	const struct node *tls = yaml_get(map, "tls");

	if (tls == NULL)
		return;
	place_tls_files(tls, "client_ca", &l->tls);
	l->tls.crl_at = settings_place_of(tls, "client_crl");
	if (l->tls.crl != NULL && l->tls.ca == NULL)
		reading_complain(r, yaml_get(tls, "client_crl"),
		    "`client_crl` without `client_ca`");
	if (is_unix(l->address))
		reading_complain(r, tls, "there is no TLS on a Unix socket");
}

/* tls fills the same struct listener, at no offset. */
static const struct schema listener_schema = {
    .what = "a listener",
    .size = sizeof(struct listener),
    .check = check_listener_tls,
    .rows = (const struct row[]){
	{"address", FIELD_CUSTOM, ROW_LISTENER(address), .is_required = true,
	    .read = settings_read_address},
	{"upstream", FIELD_STRING, ROW_LISTENER(upstream),
	    .is_required = true},
	{"tls", FIELD_STRUCT, .schema = &listener_tls_schema},
	{"proxy_protocol", FIELD_NOTHING, .not_yet = true,
	    .fallback = "false"},
	{0},
    },
};

/* --- the rest ------------------------------------------------------------ */

static const struct choice facilities[] = {
    {"auth", LOG_AUTH, false},
    {"authpriv", LOG_AUTHPRIV, false},
    {"daemon", LOG_DAEMON, false},
    {"user", LOG_USER, false},
    {"local0", LOG_LOCAL0, false},
    {"local1", LOG_LOCAL1, false},
    {"local2", LOG_LOCAL2, false},
    {"local3", LOG_LOCAL3, false},
    {"local4", LOG_LOCAL4, false},
    {"local5", LOG_LOCAL5, false},
    {"local6", LOG_LOCAL6, false},
    {"local7", LOG_LOCAL7, false},
    {NULL, 0, false},
};

static const struct choice failures[] = {
    {"deny", AUDIT_DENY, false},
    {"spool", AUDIT_SPOOL, true},
    {NULL, 0, false},
};

static void
read_literals(struct reading *r, const struct node *n, void *field)
{
	bool keeps = text_is(n->text, TEXT("keep"));

	if (n->kind != NODE_SCALAR ||
	    (!keeps && !text_is(n->text, TEXT("redact"))))
		reading_complain(r, n, "expected redact or keep");
	*(bool *)field = keeps;
}

#define ROW(field) .offset = offsetof(struct settings, field)
#define ROW_COUNT(field) .count_offset = offsetof(struct settings, field)

static const struct schema audit_schema = {
    .what = "audit",
    .size = sizeof(struct settings),
    .rows = (const struct row[]){
	{"socket", FIELD_CUSTOM, ROW(audit_socket), .fallback = "/dev/log",
	    .read = settings_read_socket_path},
	{"facility", FIELD_CHOICE, ROW(audit_facility), .fallback = "local4",
	    .choices = facilities},
	{"on_failure", FIELD_CHOICE, ROW(audit_on_failure),
	    .fallback = "deny", .choices = failures},
	{"literals", FIELD_CUSTOM, ROW(audit_keeps_literals),
	    .fallback = "redact", .read = read_literals},
	{"key_file", FIELD_PATH, ROW(audit_key_file)},
	{0},
    },
};

static const struct schema approvals_schema = {
    .what = "approvals",
    .size = sizeof(struct settings),
    .rows = (const struct row[]){
	{"expire", FIELD_SECONDS, ROW(approvals_expire_s), .fallback = "10m",
	    .min = 1, .max = 86400},
	{"notify", FIELD_NOTHING, .not_yet = true, .fallback = "[]"},
	{0},
    },
};

static const struct schema workers_schema = {
    .what = "workers",
    .size = sizeof(struct settings),
    .rows = (const struct row[]){
	{"spare", FIELD_UNSIGNED, ROW(workers_spare), .fallback = "4",
	    .min = 1, .max = 1000},
	{"max", FIELD_UNSIGNED, ROW(workers_max), .fallback = "256", .min = 1,
	    .max = 10000},
	{0},
    },
};

static void check_settings(
    struct reading *r, const struct node *map, void *out);

static const struct schema settings_schema = {
    .what = "the settings",
    .size = sizeof(struct settings),
    .check = check_settings,
    .rows = (const struct row[]){
	{"listen", FIELD_STRUCTS, ROW(listeners), ROW_COUNT(listener_count),
	    .is_required = true, .schema = &listener_schema},
	{"upstreams", FIELD_NAMED, ROW(upstreams),
	    ROW_COUNT(upstream_count),
	    .is_required = true, .schema = &upstream_schema},
	{"identities", FIELD_PATH, ROW(identities), .is_required = true},
	{"policies", FIELD_PATH, ROW(policies), .is_required = true},
	{"workers", FIELD_STRUCT, .schema = &workers_schema,
	    .may_be_empty = true, .fallback = "{}"},
	{"run_as", FIELD_STRING, ROW(run_as)},
	{"state", FIELD_PATH, ROW(state), .fallback = "/var/lib/sallyport"},
	{"control", FIELD_CUSTOM, ROW(control),
	    .fallback = "/run/sallyport/control.sock",
	    .read = settings_read_socket_path},
	{"statement_limit", FIELD_SIZE, ROW(statement_limit),
	    .fallback = "16MiB", .min = 1024, .max = 1024 * 1024 * 1024},
	{"audit", FIELD_STRUCT, .schema = &audit_schema,
	    .may_be_empty = true, .fallback = "{}"},
	{"approvals", FIELD_STRUCT, .schema = &approvals_schema,
	    .may_be_empty = true, .fallback = "{}"},
	{"login_deadline", FIELD_SECONDS, ROW(login_deadline_s),
	    .fallback = "30s", .min = 1, .max = 600},
	{"drain_deadline", FIELD_SECONDS, ROW(drain_deadline_s),
	    .fallback = "30s", .min = 1, .max = 3600},
	{"metrics", FIELD_NOTHING, .not_yet = true},
	{0},
    },
};

/* The upstream's place among the settings' upstreams, or complain. */
static void
resolve_upstream(struct reading *r, const struct node *at, struct settings *s,
    struct listener *l)
{
	const char **names;
	size_t i;

	names = reading_array(r, s->upstream_count, sizeof(*names));
	if (names == NULL)
		return;
	for (i = 0; i < s->upstream_count; i++) {
		names[i] = s->upstreams[i].name;
		if (strcmp(names[i], l->upstream) == 0) {
			l->upstream_index = i;
			return;
		}
	}
	reading_unknown(r, at, "upstream", names, s->upstream_count);
}

static void
check_listener(struct reading *r, const struct node *map, struct settings *s,
    size_t index)
{
	struct listener *l = &s->listeners[index];
	size_t i;

	l->address_at = settings_place_of(map, "address");
	if (l->upstream != NULL)
		resolve_upstream(r, yaml_get(map, "upstream"), s, l);
	for (i = 0; l->address != NULL && i < index; i++) {
		const char *other = s->listeners[i].address;

		if (other != NULL && strcmp(other, l->address) == 0)
			reading_complain(r, yaml_get(map, "address"),
			    "`%s` is listened at twice", l->address);
	}
}

static void
check_settings(struct reading *r, const struct node *map, void *out)
{
	struct settings *s = out;
	const struct node *listen = yaml_get(map, "listen");
	const struct node *workers = yaml_get(map, "workers");
	size_t i;

	s->identities_at = settings_place_of(map, "identities");
	s->policies_at = settings_place_of(map, "policies");
	s->run_as_at = settings_place_of(map, "run_as");
	s->state_at = settings_place_of(map, "state");
	s->control_at = settings_place_of(map, "control");
	s->audit_socket_at = settings_place_of(yaml_get(map, "audit"), "socket");
	s->audit_key_file_at = settings_place_of(yaml_get(map, "audit"), "key_file");
	if (s->listener_count > CONFIG_LISTENERS_MAX) {
		reading_complain(r, listen, "more than %d listeners",
		    CONFIG_LISTENERS_MAX);
		return;
	}
	for (i = 0; i < s->listener_count; i++)
		check_listener(r,
		    listen->kind == NODE_LIST ? listen->items[i] : listen, s,
		    i);
	if (s->workers_max != 0 && s->workers_max < s->workers_spare)
		reading_complain(r, workers != NULL ? workers : map,
		    "`max` (%u) is less than `spare` (%u)", s->workers_max,
		    s->workers_spare);
}

enum err
settings_load(const char *file, struct arena *a, struct diagnostics *d,
    struct settings *out)
{
	struct reading r = {.arena = a, .diagnostics = d};
	size_t before = diagnostics_count(d);
	struct node *root;
	enum err err;

	memset(out, 0, sizeof(*out));
	/* A bare name must not depend on where we are when it is used. */
	out->file = reading_path(&r, "", file);
	if (out->file == NULL)
		return ERR_MEMORY;
	err = yaml_load(out->file, a, d, &root);
	if (root == NULL)
		return err;
	schema_read(&r, &settings_schema, root, out);
	if (r.err != ERR_NONE)
		return r.err;
	return diagnostics_count(d) == before ? ERR_NONE : ERR_INVALID;
}

const struct upstream *
settings_upstream(const struct settings *s, struct text name)
{
	size_t i;

	for (i = 0; i < s->upstream_count; i++) {
		if (text_is(text_of(s->upstreams[i].name), name))
			return &s->upstreams[i];
	}
	return NULL;
}

struct place
upstream_place(const struct upstream *u, struct text database)
{
	return (struct place){
	    .upstream = text_of(u->name),
	    .database = database,
	    .labels = u->labels,
	    .label_count = u->label_count,
	};
}
