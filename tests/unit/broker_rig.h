/*
 * broker_rig.h - a real broker in a process of its own; master, workers,
 * porter, verifier and the audit sink are the test.
 */
#ifndef SALLYPORT_TESTS_BROKER_RIG_H
#define SALLYPORT_TESTS_BROKER_RIG_H

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/log.h"
#include "master/broker_inner.h"
#include "master/chain.h"
#include "master/spawn.h"
#include "tests/unit/scratch.h"

enum {
	PATIENCE_MS = 20000,
	RECORD_MAX = 8192,
	SLOTS = 8,
	WORKERS_SLOT = 3, /* whose worker the test is, unless it says so */
};

#define PASSWORD "correct horse"
#define PASSWORD_OF_ALL "of all"
#define PASSWORD_OF_ALICE "of alice"
#define PASSWORD_OF_DBAS "of dbas"
#define PASSWORD_ELSEWHERE "elsewhere"
#define NOT_PERMITTED "not permitted now"

static struct {
	struct master master;
	struct settings settings;
	struct arena *arena;
	pid_t broker;
	int control, porter, verifier, sink;
	int catalogue; /* it may ask at any time */
	const char *identities; /* NULL: those below */
	unsigned stranger; /* the client's address */
	int listeners[3];
	uint32_t listener; /* which the next client comes through */
	/* the last errand somebody was sent on */
	struct errand errand;
	char parcel[ERRAND_PARCEL_MAX];
	size_t parcel_len;
} rig;

/* --- what the broker calls, and has not here ------------------------------ */

void
spawn_drop_for_now(const struct master *m)
{
	(void)m;
}

void
spawn_confine(const struct master *m, enum confinement role)
{
	(void)m;
	(void)role;
}

int
spawn_open_nothing(void *context)
{
	(void)context;
	return -1;
}

void
descriptor_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

enum err
account_become(const struct account *a)
{
	(void)a;
	return ERR_NONE;
}

struct signer {
	int unused;
};

struct signer *
signer_load(const struct settings *s, const struct tls_contexts *contexts)
{
	static struct signer one;

	(void)s;
	(void)contexts;
	return &one;
}

/* What it signs is another test's. */
bool
signer_sign(const struct signer *s, const struct broker_request *q,
    struct broker_reply *reply)
{
	(void)s;
	if (q->auth_len == 0)
		return false;
	reply->signed_len = 64;
	memset(reply->signed_by_key, (int)q->place + 1, 64);
	return true;
}

void
signer_wipe(struct signer *s)
{
	(void)s;
}

/* --- starting and ending -------------------------------------------------- */

static inline void
rig_write_secret(const char *name, const char *content)
{
	ck_assert_int_eq(chmod(scratch_write(name, content), 0600), 0);
}

static inline void
rig_write_files(void)
{
	static char verifier[SCRAM_VERIFIER_MAX];
	char identities[4 * SCRAM_VERIFIER_MAX + 512];

	if (verifier[0] == '\0')
		ck_assert_int_eq(
		    scram_verifier_make(TEXT(PASSWORD), verifier), ERR_NONE);
	snprintf(identities, sizeof(identities),
	    "people:\n"
	    "  alice: {groups: [analysts, dba], password: \"%s\"}\n"
	    "  bob: {groups: [dba], password: \"%s\"}\n"
	    "  carol: {groups: [analysts]}\n"
	    "  dora: {pam: sallyport}\n"
	    "  erin: {password: \"%s\"}\n"
	    "agents:\n"
	    "  copilot: {password: \"%s\", acts_for: [{group: analysts}]}\n"
	    "  crawler: {certificate: \"spiffe://shop/crawler\"}\n"
	    "  job: {uid: 4242}\n"
	    "tokens:\n"
	    "  - {issuer: i, audience: sallyport, keys: /keys.json}\n",
	    verifier, verifier, verifier, verifier);
	rig_write_secret("ids.yaml",
	    rig.identities != NULL ? rig.identities : identities);
	rig_write_secret("all", PASSWORD_OF_ALL);
	rig_write_secret("alices", PASSWORD_OF_ALICE);
	rig_write_secret("dbas", PASSWORD_OF_DBAS);
	rig_write_secret("elsewhere", PASSWORD_ELSEWHERE);
	rig_write_secret("key", "an audit key of at least thirty-two bytes");
}

static inline void
rig_load_settings(void)
{
	static const char text[] =
	    "listen:\n"
	    "  - {address: 127.0.0.1:6432, upstream: shop}\n"
	    "  - {address: 127.0.0.1:6433, upstream: other}\n"
	    "  - {address: 127.0.0.1:6434, upstream: trusting}\n"
	    "upstreams:\n"
	    "  shop:\n"
	    "    engine: postgres\n"
	    "    address: 127.0.0.1:5432\n"
	    "    login: {user: all, password_file: all}\n"
	    "    logins:\n"
	    "      - {who: {user: alice, agent: none}, user: alices,"
	    " password_file: alices}\n"
	    "      - {who: {group: dba}, user: dbas, password_file: dbas}\n"
	    "  other:\n"
	    "    engine: postgres\n"
	    "    address: 127.0.0.1:5433\n"
	    "    login: {user: them, password_file: elsewhere}\n"
	    "  trusting:\n"
	    "    engine: postgres\n"
	    "    address: 127.0.0.1:5434\n"
	    "    login: {user: them}\n"
	    "identities: ids.yaml\n"
	    "policies: policies.d\n"
	    "state: .\n"
	    "audit: {socket: sink, key_file: key}\n";
	struct diagnostics *d;

	rig.arena = arena_new(0);
	d = diagnostics_new(rig.arena);
	ck_assert_msg(settings_load(scratch_write("s.yaml", text), rig.arena,
			  d, &rig.settings) == ERR_NONE,
	    "%s", diagnostics_count(d) > 0 ? diagnostics_line(d, 0) : "");
}

static inline int
rig_open_sink(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s/sink", scratch_folder);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

/* At ports that are free; what the settings say is a name. */
static inline void
rig_listen(void)
{
	socklen_t len;
	size_t i;

	for (i = 0; i < rig.settings.listener_count; i++) {
		struct sockaddr_in at = {.sin_family = AF_INET,
		    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

		rig.listeners[i] =
		    socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		len = sizeof(at);
		ck_assert_int_eq(bind(rig.listeners[i],
				     (struct sockaddr *)&at, len), 0);
		ck_assert_int_eq(listen(rig.listeners[i], 5), 0);
		len = sizeof(rig.master.bound[i]);
		ck_assert_int_eq(getsockname(rig.listeners[i],
				     (struct sockaddr *)&rig.master.bound[i],
				     &len), 0);
	}
	rig.listener = 0;
}

/* The socket of a client that has just connected: what a worker accepts. */
static inline int
rig_client(void)
{
	struct sockaddr_in from = {.sin_family = AF_INET,
	    .sin_addr.s_addr =
		htonl(INADDR_LOOPBACK + 0x100 + rig.stranger % 256)};
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;

	ck_assert_int_eq(
	    bind(client, (struct sockaddr *)&from, sizeof(from)), 0);
	ck_assert_int_eq(connect(client,
			     (struct sockaddr *)&rig.master.bound[rig.listener],
			     sizeof(from)),
	    0);
	fd = accept(rig.listeners[rig.listener], NULL, NULL);
	ck_assert_int_ge(fd, 0);
	close(client);
	return fd;
}

static inline void
rig_make_master(void)
{
	static const uint8_t key[PENALTY_KEY_LEN] = "of penalties";
	struct master *m = &rig.master;

	*m = (struct master){.settings = &rig.settings};
	m->board = scoreboard_new(SLOTS, NULL);
	ck_assert_ptr_nonnull(m->board);
	atomic_store(&m->board->seats[WORKERS_SLOT].slot.pid, 4711);
	strcpy(m->board->seats[WORKERS_SLOT].slot.session, "0123456789abcdef");
	m->penalties = penalties_init(
	    mmap(NULL, penalties_size(), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0),
	    key);
	m->troubles = troubles_new(&rig.settings);
	ck_assert_ptr_nonnull(m->troubles);
	ck_assert_int_eq(chain_start(m), ERR_NONE);
	rig_listen();
}

/* Master hands the broker a channel; the other end. */
static inline int
rig_grant(struct broker_grant grant)
{
	struct parcel parcel = {.fd = -1};
	int ends[2];

	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	parcel.fd = ends[0];
	ck_assert_int_eq(parcel_send(rig.control, &grant, sizeof(grant),
			     &parcel, 0),
	    ERR_NONE);
	close(ends[0]);
	return ends[1];
}

static inline int
rig_grant_worker(void)
{
	return rig_grant((struct broker_grant){
	    .kind = CHANNEL_WORKER, .slot = WORKERS_SLOT});
}

static inline void
rig_start(void)
{
	int ends[2];

	scratch_make();
	rig_write_files();
	rig_load_settings();
	rig.sink = rig_open_sink();
	rig_make_master();
	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	rig.broker = fork();
	ck_assert_int_ge(rig.broker, 0);
	if (rig.broker == 0) {
		close(ends[0]);
		close(rig.sink);
		_exit(broker_main(&rig.master, ends[1]));
	}
	close(ends[1]);
	rig.control = ends[0];
	rig.porter = rig_grant((struct broker_grant){.kind = CHANNEL_PORTER});
	rig.verifier =
	    rig_grant((struct broker_grant){.kind = CHANNEL_VERIFIER});
	rig.catalogue =
	    rig_grant((struct broker_grant){.kind = CHANNEL_CATALOG});
}

/* It ends when nobody needs it: a test closes its channels. */
static inline void
rig_stop(void)
{
	int status;
	size_t i;

	descriptor_close(&rig.control);
	descriptor_close(&rig.porter);
	descriptor_close(&rig.verifier);
	close(rig.catalogue);
	ck_assert_int_eq(waitpid(rig.broker, &status, 0), rig.broker);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0,
	    "the broker ended with %x", status);
	close(rig.sink);
	for (i = 0; i < rig.settings.listener_count; i++)
		close(rig.listeners[i]);
	troubles_free(rig.master.troubles);
	arena_free(rig.arena);
	scratch_remove();
}

/* --- porter and verifier -------------------------------------------------- */

static inline void
rig_wait(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	ck_assert_msg(poll(&p, 1, PATIENCE_MS) == 1, "nothing comes");
}

/* Take the errand that lies there. */
static inline void
errand_take(int helper)
{
	int fd;

	rig_wait(helper);
	ck_assert_int_eq(errand_receive(helper, &rig.errand,
			     (uint8_t *)rig.parcel, &rig.parcel_len, &fd),
	    ERR_NONE);
	if (fd >= 0)
		close(fd);
}

/* What comes of the errand that was taken, if all is well. */
static inline struct outcome
outcome_good(void)
{
	struct outcome o = {.serial = rig.errand.serial,
	    .kind = rig.errand.kind,
	    .result = OUTCOME_YES};

	if (o.kind == ERRAND_PROCESS) {
		o.process.uid = 4242;
		o.process.pid = 7;
	} else if (o.kind == ERRAND_CERTIFICATE) {
		memcpy(o.certificate.names, "uri:spiffe://shop/crawler", 26);
		o.certificate.name_count = 1;
		o.certificate.names_len = 26;
	} else if (o.kind == ERRAND_TOKEN) {
		strcpy(o.token.user, "carol");
	}
	return o;
}

/* Send an outcome, with a descriptor where it needs one. */
static inline void
outcome_bring(int helper, const struct outcome *o)
{
	bool has_fd = o->result == OUTCOME_YES && o->kind <= ERRAND_LOG;
	int fd = has_fd ? open("/dev/null", O_RDWR | O_CLOEXEC) : -1;

	ck_assert_int_eq(outcome_send(helper, o, fd), ERR_NONE);
	if (fd >= 0)
		close(fd);
}

static inline void
helper_work(int helper)
{
	struct outcome o;

	errand_take(helper);
	o = outcome_good();
	outcome_bring(helper, &o);
}

/* --- workers -------------------------------------------------------------- */

/* What a worker is told. */
struct told {
	bool is_closed; /* it is told nothing any more */
	struct broker_reply reply;
	struct broker_identity who;
	bool has_who;
	int fd;
};

/* One that the broker hears no more is not looked at again. */
static inline void
hear_helper(struct pollfd *p)
{
	if (p->revents & POLLHUP)
		p->fd = -1;
	else if (p->revents & POLLIN)
		helper_work(p->fd);
}

/* The next answer, of that alone. */
static inline struct told
hear_only(int channel)
{
	struct told t = {.fd = -1};
	struct parcel parcel = {.bytes = &t.who, .size = sizeof(t.who)};
	enum err e;

	rig_wait(channel);
	e = parcel_receive(channel, &t.reply, sizeof(t.reply), &parcel);
	t.is_closed = e == ERR_CLOSED;
	ck_assert(e == ERR_NONE || e == ERR_CLOSED);
	t.has_who = parcel.len > 0;
	t.fd = parcel.fd;
	if (t.fd >= 0)
		close(t.fd); /* its number tells that there was one */
	return t;
}

/* The next answer; helpers work in the meantime. */
static inline struct told
hear(int channel)
{
	struct pollfd p[] = {{.fd = channel, .events = POLLIN},
	    {.fd = rig.porter, .events = POLLIN},
	    {.fd = rig.verifier, .events = POLLIN}};

	for (;;) {
		ck_assert_msg(poll(p, 3, PATIENCE_MS) > 0, "no answer");
		if (p[0].revents != 0)
			break;
		hear_helper(&p[1]);
		hear_helper(&p[2]);
	}
	return hear_only(channel);
}

/* A login comes with its client's socket, unless with another. */
static inline void
say(int channel, const struct broker_request *q, const void *bytes,
    size_t len, int fd)
{
	bool has_client = q->kind == BROKER_CLIENT_START && fd < 0;
	const struct parcel parcel = {.bytes = (void *)(uintptr_t)bytes,
	    .len = len,
	    .fd = has_client ? rig_client() : fd};

	ck_assert_int_eq(
	    parcel_send(channel, q, sizeof(*q), &parcel, 0), ERR_NONE);
	if (has_client)
		close(parcel.fd);
}

/* A request as a worker of ours makes it. */
static inline struct broker_request
request_of(uint32_t kind)
{
	struct broker_request q = {.kind = kind};

	if (kind == BROKER_CLIENT_START)
		strcpy(q.name, "alice");
	if (kind == BROKER_CHAIN)
		strcpy(q.name, "0123456789abcdef");
	if (kind == BROKER_UPSTREAM_SCRAM) {
		q.iterations = 4096;
		q.salt_len = 16;
	}
	if (kind == BROKER_UPSTREAM_MD5)
		q.salt_len = 4;
	q.auth_len = 9;
	memcpy(q.auth, "handshake", 9);
	return q;
}

/* What goes beside it, too. */
static inline void
say_kind(int channel, uint32_t kind)
{
	const struct broker_request q = request_of(kind);
	bool is_secret = kind == BROKER_CLIENT_SECRET;

	say(channel, &q, is_secret ? "secret" : NULL, is_secret ? 6 : 0,
	    kind == BROKER_CLIENT_PROCESS ? channel : -1);
}

static inline struct told
ask(int channel, uint32_t kind)
{
	say_kind(channel, kind);
	return hear(channel);
}

static inline struct told
ask_as(int channel, const char *login)
{
	struct broker_request q = request_of(BROKER_CLIENT_START);

	snprintf(q.name, sizeof(q.name), "%s", login);
	say(channel, &q, NULL, 0, -1);
	return hear(channel);
}

static inline struct told
ask_with_secret(int channel, struct text secret)
{
	const struct broker_request q = request_of(BROKER_CLIENT_SECRET);

	say(channel, &q, secret.at, secret.len, -1);
	return hear(channel);
}

static inline struct told
ask_at(int channel, uint32_t kind, uint32_t place)
{
	struct broker_request q = request_of(kind);

	q.place = place;
	say(channel, &q, NULL, 0, -1);
	return hear(channel);
}

/* "n=,r=NONCE" and so on, with a proof of that password, as a client makes it
 * from the first message that `started` brought. */
static inline struct broker_request
proof_of(const struct told *started, const char *password)
{
	static const char nonce[] = "clientsnonce";
	struct broker_request q = request_of(BROKER_CLIENT_PROOF);
	const char *first = started->reply.first;
	const char *salt_at = strstr(first, ",s="), *end;
	uint8_t salt[SCRAM_SALT_MAX], salted[SCRAM_KEY_LEN];
	uint8_t signature[SCRAM_KEY_LEN];
	char whole[BROKER_AUTH_MESSAGE_MAX + BROKER_FIRST_MAX], last[256];
	size_t salt_len;

	ck_assert_ptr_nonnull(salt_at);
	end = strchr(salt_at + 1, ',');
	ck_assert_ptr_nonnull(end);
	ck_assert_int_eq(
	    base64_decode((struct text){salt_at + 3,
			      (size_t)(end - salt_at - 3)},
		salt, sizeof(salt), &salt_len),
	    ERR_NONE);
	ck_assert_int_eq(scram_salt(text_of(password), salt, salt_len,
			     (uint32_t)strtoul(end + 3, NULL, 10), salted),
	    ERR_NONE);
	snprintf(last, sizeof(last), "c=biws,r=%s%.*s", nonce,
	    (int)(salt_at - first), first);
	snprintf(whole, sizeof(whole), "n=,r=%s,r=%s%s,%s", nonce, nonce,
	    first, last);
	ck_assert_int_eq(
	    scram_prove(salted, text_of(whole), q.proof, signature), ERR_NONE);
	q.auth_len = (uint32_t)snprintf(q.auth, sizeof(q.auth),
	    "n=,r=%s%c%s%c%s", nonce, '\0', nonce, '\0', last);
	return q;
}

static inline struct told
ask_with_proof(int channel, const char *login, const char *password)
{
	struct told started = ask_as(channel, login);
	struct broker_request q;

	ck_assert_uint_eq(started.reply.granted, 1);
	ck_assert_uint_eq(started.reply.method, METHOD_SCRAM);
	q = proof_of(&started, password);
	say(channel, &q, NULL, 0, -1);
	return hear(channel);
}

/* A worker whose client has proved to be that. */
static inline int
worker_of(const char *login)
{
	int channel = rig_grant_worker();

	ck_assert_uint_eq(
	    ask_with_proof(channel, login, PASSWORD).reply.granted, 1);
	return channel;
}

/* "No", and nothing else. */
static inline void
assert_nothing_but_no(const struct told *t, const char *reason)
{
	struct broker_reply bare = {0};

	snprintf(bare.reason, sizeof(bare.reason), "%s", reason);
	ck_assert(!t->is_closed && !t->has_who && t->fd < 0);
	ck_assert_str_eq(t->reply.reason, reason);
	ck_assert_mem_eq(&t->reply, &bare, sizeof(bare));
}

/* --- what can be seen ----------------------------------------------------- */

/* The record in the sink, if there is one. What the broker has answered it
 * has recorded before. */
static inline bool
record_take(char out[RECORD_MAX])
{
	ssize_t n = recv(rig.sink, out, RECORD_MAX - 1, 0);

	out[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/* Everything before is done when this returns. */
static inline void
barrier(void)
{
	say_kind(rig.catalogue, BROKER_UPSTREAM_SCRAM);
	ck_assert_uint_eq(hear_only(rig.catalogue).reply.granted, 1);
}

static inline bool
has_word(int channel)
{
	struct pollfd p = {.fd = channel, .events = POLLIN};

	barrier();
	return poll(&p, 1, 0) == 1;
}

static inline int
descriptor_count(void)
{
	char path[64];
	DIR *folder;
	int count = 0;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)rig.broker);
	folder = opendir(path);
	ck_assert_ptr_nonnull(folder);
	while (readdir(folder) != NULL)
		count++;
	closedir(folder);
	return count;
}

/* The broker's descriptors are as many again as they were, in the end. What
 * was sent to it before has come: the barrier is behind that. */
static inline bool
descriptors_are(int wanted)
{
	int64_t until = monotonic_ms() + PATIENCE_MS / 4;
	int count;

	do {
		barrier();
		count = descriptor_count();
	} while (count != wanted && monotonic_ms() < until);
	return count == wanted;
}

#endif
