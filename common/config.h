/*
 * config.h - sallyport.yaml, identities.yaml and policies.d/ as typed values.
 *
 * All errors of a file are collected, not just the first; each is one line
 * "file:line:column: what is wrong (did you mean `x`?)".  A word of the
 * design that this version does not do yet is an error that says so: nothing
 * is accepted and then ignored.
 */
#ifndef SALLYPORT_CONFIG_H
#define SALLYPORT_CONFIG_H

#include <stdint.h>

#include "common/arena.h"
#include "common/diagnostics.h"
#include "common/err.h"
#include "common/identity.h"
#include "common/policy.h"
#include "common/text.h"

enum {
	CONFIG_NAME_MAX = 63,	  /* bytes of an upstream's name, a label */
	CONFIG_LISTENERS_MAX = 64, /* as many as a worker takes */
	CONFIG_LOGINS_MAX = 1000, /* of one upstream, with the default */
	CONFIG_POLICY_FILES_MAX = 1000,
};

enum engine { ENGINE_POSTGRES, ENGINE_MYSQL, ENGINE_SQLITE, ENGINE_SNOWFLAKE };

/* Where in sallyport.yaml a setting is written, for complaints. */
struct setting_at {
	size_t line, column; /* 0: nowhere */
};

/* The files of one side's TLS: absolute paths; NULL: none. */
struct tls_files {
	const char *certificate; /* PEM: the certificate, then its issuers */
	const char *key;	 /* PEM, without a passphrase */
	const char *ca;		 /* PEM: whom the other side's may be from */
	const char *crl;	 /* PEM: what those have revoked */
	struct setting_at certificate_at, key_at, ca_at, crl_at;
};

struct listener {
	const char *address;	    /* "127.0.0.1:6432" or "unix:/path" */
	const char *upstream;
	struct setting_at address_at;
	size_t upstream_index;	    /* into settings.upstreams */
	struct tls_files tls;	    /* no certificate: no TLS */
	bool requires_tls;
};

/* What the database is shown as application_name. */
enum application_name { NAME_IDENTITY, NAME_CLIENT };

enum tls_mode { TLS_DISABLE, TLS_REQUIRE, TLS_VERIFY_FULL };

struct node; /* yaml.h */

/* As whom the sessions of some are logged in to an upstream. */
struct upstream_login {
	struct who who; /* empty: all */
	const char *user;
	const char *password_file; /* absolute; NULL: none (trust) */
	struct setting_at password_file_at;
	const struct node *who_at; /* as it is written; NULL: the default */
};

struct upstream {
	const char *name;
	enum engine engine;
	const char *address; /* "host:port" or "unix:/path/.s.PGSQL.5432" */
	struct label *labels;
	size_t label_count;
	enum application_name application_name;
	/* The first that matches is it (upstream_login_of()). The last is
	 * `login`: everybody else's, and the catalogue's. At least one. */
	struct upstream_login *logins;
	size_t login_count;
	const char *login_user; /* the last one's, as are the next two */
	const char *password_file;
	struct setting_at password_file_at;
	enum tls_mode tls_mode;
	struct tls_files tls; /* ca NULL: the system's */
	const char *tls_server_name; /* NULL: the host of `address` */
};

enum audit_failure { AUDIT_DENY, AUDIT_SPOOL };

struct settings {
	const char *file; /* sallyport.yaml itself, absolute */
	struct listener *listeners;
	size_t listener_count;
	struct upstream *upstreams;
	size_t upstream_count;
	const char *identities;	  /* absolute path */
	const char *policies;	  /* absolute path of the folder */
	struct setting_at identities_at, policies_at;
	unsigned workers_spare;	  /* 1..1000, default 4 */
	unsigned workers_max;	  /* 1..10000, >= spare, default 256 */
	const char *run_as;	  /* user name, NULL: stay */
	struct setting_at run_as_at;
	const char *state;	  /* absolute path of the folder */
	const char *control;	  /* absolute path of the socket */
	struct setting_at state_at, control_at;
	struct setting_at audit_socket_at, audit_key_file_at;
	size_t statement_limit;	  /* bytes, 1 KiB..1 GiB, default 16 MiB */
	const char *audit_socket; /* default /dev/log */
	int audit_facility;	  /* LOG_LOCAL4 … */
	enum audit_failure audit_on_failure;
	bool audit_keeps_literals; /* literals: keep */
	const char *audit_key_file; /* NULL: no chain */
	unsigned approvals_expire_s; /* 1..86400, default 600 */
	unsigned login_deadline_s;   /* 1..600, default 30 */
	unsigned drain_deadline_s;   /* 1..3600, default 30 */
};

/* Read sallyport.yaml. ERR_INVALID with diagnostics, ERR_SYSTEM when it
 * cannot be read (a diagnostic says so too), ERR_MEMORY. */
enum err settings_load(const char *file, struct arena *a,
    struct diagnostics *d, struct settings *out) MUST_CHECK;

/* Can this process read the identities file and the policies folder? If not,
 * a diagnostic at the setting, and ERR_SYSTEM. */
enum err settings_check_files(
    const struct settings *s, struct diagnostics *d) MUST_CHECK;

/* What came of opening a password file. */
struct file_state {
	enum err err; /* ERR_SYSTEM: `error`; ERR_INVALID: no regular file;
		       * ERR_REFUSED: others may read it */
	int error;    /* errno */
};

/* Open it for reading; the descriptor, or -1. */
int password_file_open(const char *path, struct file_state *out);

/* What is wrong with it, in words; "" when nothing is. */
void password_file_explain(const char *path, const struct file_state *state,
    char *out, size_t size);

/* How many logins all upstreams have. */
size_t settings_login_count(const struct settings *s);

/* Which of the upstream's logins is this identity's: an index. */
size_t upstream_login_of(
    const struct upstream *u, const struct identity *id);

/* Look at the password file of every login of every upstream (states: one for
 * each, settings_login_count() of them) and, later and perhaps as somebody who
 * cannot, complain at the settings. */
void password_files_look(const struct settings *s, struct file_state *states);
void password_files_complain(const struct settings *s,
    const struct file_state *states, struct diagnostics *d);

struct trust; /* file_trust.h */

/* Are all files and folders that the settings name, and Sallyport's own data,
 * to be believed by `starter`, who starts Sallyport? A complaint at the
 * setting for each one that is not. What cannot be looked at is told by
 * whoever opens it. To be called as `starter`, before what is in the files is
 * used. Errors are only those of not finding run_as, also complained of. */
enum err settings_check_trust(const struct settings *s, uid_t starter,
    struct diagnostics *d, struct trust *out) MUST_CHECK;

/* What only those who have read identities.yaml know: it is a secret when
 * there are verifiers in it, and it names files of its own. */
void identities_check_trust(const struct settings *s,
    const struct identities *ids, const struct trust *t,
    struct diagnostics *d);

/* Read identities.yaml, with verifiers. */
enum err identities_load(const char *file, struct arena *a,
    struct diagnostics *d, struct identities *out) MUST_CHECK;

/* Give each person without a `uid:` that of the account of the same name, if
 * there is one and it is nobody else's. Asks the system, so it may wait. */
enum err identities_find_accounts(
    struct identities *ids, struct arena *a) MUST_CHECK;

/* Read every *.yaml of the policies folder in name order, the class rules,
 * functions and detectors of the data folder, against `settings` and
 * `identities` (names must exist), and run the examples; one that fails is a
 * diagnostic at its line. `out` is complete on ERR_NONE. */
enum err policy_load(const struct settings *s, const struct identities *ids,
    struct arena *a, struct diagnostics *d, struct policy *out) MUST_CHECK;

/* As policy_load(), but an example that fails refuses nothing: what would be
 * complained of is in `failed` instead. For looking at a policy that is being
 * written, never for putting one in force. */
enum err policy_load_trial(const struct settings *s,
    const struct identities *ids, struct arena *a, struct diagnostics *d,
    struct diagnostics *failed, struct policy *out) MUST_CHECK;

/* What became of one example: as it was expected, or not; in words. */
struct example_result {
	const char *file;
	size_t line;
	bool has_passed;
	const char *text; /* "expected deny, got allow: …"; in the arena */
};

/* Run the `examples:` of one more file (a policy file or one with nothing
 * else) against a loaded policy, for `sallyport test`. ERR_INVALID with
 * diagnostics when the file is not right; failed examples are no error here
 * but are told by the results. */
enum err policy_test_file(const struct settings *s, const struct policy *p,
    const char *file, struct arena *a, struct diagnostics *d,
    struct example_result **results_out, size_t *count_out) MUST_CHECK;

/* The upstream of that name, or NULL. */
const struct upstream *settings_upstream(
    const struct settings *s, struct text name);

/* Where statements of a session there would run, for policy_decide(). */
struct place upstream_place(const struct upstream *u, struct text database);

/* Where classes/, functions/ and detectors.yaml are: policies/ of the source
 * tree when the program runs out of build/, else DATADIR. Static. */
const char *config_data_folder(void);

#endif
