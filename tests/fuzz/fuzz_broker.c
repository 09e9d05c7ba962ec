/* links: master/trouble.c master/broker_phase.c master/broker_client.c master/broker_upstream.c master/broker_chain.c master/admission.c master/admission_tell.c common/identity.c common/identity_groups.c common/who.c common/certificate_name.c common/wire.c common/slot.c common/text.c common/err.c */
/*
 * Whatever workers ask, in whatever order, and whatever comes of errands and
 * becomes of helpers in between: nobody is in without a proof that was right
 * or that a helper has said yes to, nobody else is given anything for an
 * upstream, and who waits or is over is answered no.
 *
 * Around the broker's own loop (so its file is included) nothing is real:
 * messages come from the bytes, a proof is right if its first byte is odd.
 */
#include <stdlib.h>
#include <sys/eventfd.h>

#include "master/broker.c"
#include "master/chain.h"

enum { CHANNELS = 6, ERRANDS = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* --- the bytes ------------------------------------------------------------ */

static const uint8_t *at, *end;

static uint8_t
next(void)
{
	return at < end ? *at++ : 0;
}

/* --- what is known of a channel, besides what the broker knows ------------ */

struct known {
	const struct channel *channel; /* NULL: none */
	bool was_right; /* a proof of its client */
	bool has_facts; /* a helper knows its connection */
};

static struct broker b;
static struct known known[CHANNELS];
static struct known *speaks; /* who is being answered */

static struct known *
known_of(const struct channel *c)
{
	size_t i;

	for (i = 0; i < CHANNELS; i++) {
		if (known[i].channel == c)
			return &known[i];
	}
	abort();
}

static bool
is_in(const struct channel *c)
{
	return c->phase == PHASE_PROVED || c->phase == PHASE_SESSION ||
	    (c->phase == PHASE_WAITING &&
		(c->before == PHASE_PROVED || c->before == PHASE_SESSION));
}

/* What has to be so at any time. */
static void
check_all(void)
{
	size_t i, k;

	for (i = 0; i < b.count; i++) {
		const struct channel *c = b.channels[i];
		const struct known *n = known_of(c);

		if (c->place != i ||
		    (c->serial != 0 && c->phase != PHASE_WAITING))
			abort();
		if (is_in(c) &&
		    (c->who == NULL || c->of != CHANNEL_WORKER ||
			(!n->was_right && !n->has_facts)))
			abort();
		for (k = 0; k < i; k++) {
			if (c->serial != 0 &&
			    c->serial == b.channels[k]->serial)
				abort();
		}
	}
}

/* --- messages ------------------------------------------------------------- */

static struct broker_request request;
static size_t parcel_len;
static int beside;
static bool is_asking, is_answered;
static struct broker_reply reply;
static bool is_deaf; /* who is answered does not take it */

enum err
parcel_receive(int channel, void *head, size_t head_len, struct parcel *parcel)
{
	(void)channel;
	if (head_len != sizeof(request) || parcel_len > parcel->size)
		abort();
	memcpy(head, &request, sizeof(request));
	memset(parcel->bytes, 's', parcel_len);
	parcel->len = parcel_len;
	parcel->fd = beside;
	return ERR_NONE;
}

static bool
is_empty(const struct broker_reply *r)
{
	struct broker_reply bare = {.has_more = r->has_more};

	memcpy(bare.reason, r->reason, sizeof(bare.reason));
	return memcmp(&bare, r, sizeof(bare)) == 0;
}

enum err
parcel_send(int channel, const void *head, size_t head_len,
    const struct parcel *parcel, int flags)
{
	(void)channel;
	if (head_len != sizeof(reply) || flags != MSG_DONTWAIT ||
	    (is_asking && is_answered))
		abort();
	memcpy(&reply, head, sizeof(reply));
	is_answered = true;
	if (!reply.granted &&
	    (!is_empty(&reply) || parcel->fd >= 0 || parcel->len > 0))
		abort();
	return is_deaf ? ERR_INTERRUPTED : ERR_NONE;
}

/* --- errands -------------------------------------------------------------- */

static struct errand errands[ERRANDS];
static size_t errand_count;
static struct outcome outcome;
static int outcome_fd;
static bool has_outcome;

enum err
errand_send(int channel, const struct errand *e, struct text parcel, int fd)
{
	(void)fd;
	if (channel < 0 || parcel.len > ERRAND_PARCEL_MAX)
		abort();
	if (errand_count == ERRANDS)
		return ERR_INTERRUPTED;
	errands[errand_count++] = *e;
	return ERR_NONE;
}

enum err
outcome_receive(int channel, struct outcome *o, int *fd_out)
{
	if (channel < 0)
		abort();
	*fd_out = -1;
	if (!has_outcome)
		return ERR_INTERRUPTED;
	has_outcome = false;
	*o = outcome;
	*fd_out = outcome_fd;
	return ERR_NONE;
}

/* --- what proofs and secrets are here ------------------------------------- */

enum err
scram_verifier_parse(struct text text, struct scram_verifier *out)
{
	memset(out, 0, sizeof(*out));
	out->iterations = 4096;
	return text.len > 0 ? ERR_NONE : ERR_MALFORMED;
}

enum err
scram_check(const struct scram_verifier *v, struct text auth_message,
    const uint8_t *proof, bool *right_out, uint8_t *signature_out)
{
	(void)v;
	(void)auth_message;
	*right_out = proof[0] % 2 == 1;
	memset(signature_out, 'g', SCRAM_KEY_LEN);
	speaks->was_right = *right_out && !speaks->channel->scram.is_mock &&
	    speaks->channel->plan.refusal == NULL;
	return proof[1] % 8 == 7 ? ERR_SYSTEM : ERR_NONE;
}

enum err
scram_prove(const uint8_t *salted, struct text auth_message,
    uint8_t *proof_out, uint8_t *signature_out)
{
	(void)salted;
	(void)auth_message;
	memset(proof_out, 'p', SCRAM_KEY_LEN);
	memset(signature_out, 'g', SCRAM_KEY_LEN);
	return ERR_NONE;
}

enum err
scram_md5(struct text user, struct text password, const uint8_t salt[4],
    char out[36])
{
	(void)user;
	(void)password;
	(void)salt;
	strcpy(out, "md5");
	return ERR_NONE;
}

size_t
base64_encode(const uint8_t *bytes, size_t len, char *out)
{
	(void)bytes;
	memset(out, 'x', len);
	return len;
}

static struct text all = TEXT("analysts");
static struct text certificate = TEXT("cn:robot");
static uid_t uid = 4242;
static struct who everybody;
static struct person people[] = {
    {.name = TEXT("alice"), .password = TEXT("v"), .groups = &all,
	.group_count = 1},
    {.name = TEXT("carol")},
    {.name = TEXT("dora"), .pam = "sallyport"},
};
static struct agent agents[] = {
    {.name = TEXT("robot"), .certificates = &certificate,
	.certificate_count = 1, .acts_for = &everybody, .acts_for_count = 1},
    {.name = TEXT("job"), .uids = &uid, .uid_count = 1,
	.needs_person = true, .acts_for = &everybody, .acts_for_count = 1},
    {.name = TEXT("copilot"), .password = TEXT("v"),
	.acts_for = &everybody, .acts_for_count = 1},
};
static const struct identities identities = {.people = people,
    .person_count = 3,
    .agents = agents,
    .agent_count = 3};

const struct identities *
secrets_identities(const struct secrets *s)
{
	(void)s;
	return &identities;
}

void
secrets_mock(const struct secrets *s, struct text login,
    struct scram_verifier *out)
{
	(void)s;
	(void)login;
	memset(out, 0, sizeof(*out));
}

uint64_t
secrets_mimic(const struct secrets *s, struct text login)
{
	(void)s;
	return login.len;
}

/* Whose the upstream's password is to be used for. */
static void
check_entitled(void)
{
	const struct channel *c = speaks->channel;

	if (!c->has_upstream ||
	    (c->of != CHANNEL_CATALOG && (c->who == NULL || !is_in(c))))
		abort();
}

bool
secrets_salted(struct secrets *s, struct login_index of, const uint8_t *salt,
    size_t salt_len, uint32_t iterations, const uint8_t **salted_out)
{
	(void)s;
	(void)salt;
	(void)iterations;
	check_entitled();
	if (of.upstream > 1 || salt_len > BROKER_SALT_MAX)
		abort();
	*salted_out = (const uint8_t *)"key";
	return true;
}

bool
secrets_password(const struct secrets *s, struct login_index of,
    struct text *password_out)
{
	(void)s;
	check_entitled();
	if (of.upstream > 1)
		abort();
	*password_out = TEXT("password");
	return true;
}

const struct audit_key *
secrets_audit_key(const struct secrets *s)
{
	(void)s;
	return NULL;
}

void
secrets_count_failure(struct secrets *s)
{
	(void)s;
}

bool
signer_sign(const struct signer *s, const struct broker_request *q,
    struct broker_reply *r)
{
	(void)s;
	if (q->kind == BROKER_UPSTREAM_SIGN)
		check_entitled();
	r->signed_len = 64;
	return q->auth_len % 2 == 0;
}

/* Half of all guesses are too many. */
/* Of sockets a byte decides; half of them are of one listener. */
enum socket_is
client_socket_look(const struct master *m, int fd, struct client_socket *out)
{
	uint8_t bits = next();

	(void)m, (void)fd;
	out->listener = bits / 16 % 2;
	snprintf(out->source, sizeof(out->source), "unix");
	return bits % 16 == 15 ? SOCKET_NOT_CLIENTS
	    : bits % 16 == 14	? SOCKET_GONE
				: SOCKET_CLIENTS;
}

bool
penalty_permits(const struct penalties *p, struct text source,
    struct text name, int64_t now_ms, int64_t *wait_ms_out)
{
	(void)p;
	(void)source;
	(void)name;
	(void)now_ms;
	*wait_ms_out = 1;
	return request.proof[2] % 2 == 0;
}

void
penalty_failed(struct penalties *p, struct text source, struct text name,
    int64_t now_ms)
{
	(void)p;
	(void)source;
	(void)name;
	(void)now_ms;
}

void
penalty_succeeded(struct penalties *p, struct text source, struct text name,
    int64_t now_ms)
{
	(void)p;
	(void)source;
	(void)name;
	(void)now_ms;
}

void
penalty_forgive(struct penalties *p, struct text source, struct text name)
{
	(void)p;
	(void)source;
	(void)name;
}

size_t
settings_login_count(const struct settings *s)
{
	size_t count = 0, i;

	for (i = 0; i < s->upstream_count; i++)
		count += s->upstreams[i].login_count;
	return count;
}

size_t
upstream_login_of(const struct upstream *u, const struct identity *id)
{
	return id->user.len % u->login_count;
}

enum err
chain_grant(const struct master *m, const struct audit_key *key,
    enum audit_writer writer, struct text session, struct audit_chain *out)
{
	(void)m;
	(void)key;
	if (session.len > SESSION_ID_LEN ||
	    (writer == AUDIT_OF_COMMAND) !=
		(speaks->channel->of == CHANNEL_COMMAND))
		abort();
	strcpy(out->id, "1.1");
	return ERR_NONE;
}

void
audit_chain_wipe(struct audit_chain *c)
{
	(void)c;
}

/* --- records, and the rest that is not here ------------------------------- */

static unsigned refusals;

void
broker_record_refusal(
    struct broker *broker, const struct channel *c, uint32_t kind)
{
	(void)broker;
	(void)c;
	(void)kind;
	refusals++;
}

int
broker_sink_take(void *context)
{
	(void)context;
	return -1;
}

void
broker_sink_renew(struct broker *broker)
{
	(void)broker;
}

bool
broker_sink_came(struct broker *broker, const struct outcome *o, int fd)
{
	(void)broker;
	(void)o;
	(void)fd;
	return false;
}

void
descriptor_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

#define SILENT(name)                                                          \
	void name(const char *format, ...)                                    \
	{                                                                     \
		(void)format;                                                 \
	}

SILENT(log_error)
SILENT(log_warning)
SILENT(log_info)

/* For broker_main(), which is not run. */
struct audit *
audit_new(const char *socket, int facility)
{
	(void)socket;
	(void)facility;
	return NULL;
}

enum err
audit_connect(struct audit *a)
{
	(void)a;
	return ERR_SYSTEM;
}

void
audit_set_opener(struct audit *a, int (*open)(void *context), void *context)
{
	(void)a;
	(void)open;
	(void)context;
}

struct secrets *
secrets_load(const struct settings *s)
{
	(void)s;
	return NULL;
}

void
secrets_wipe(struct secrets *s)
{
	(void)s;
}

struct signer *
signer_load(const struct settings *s, const struct tls_contexts *contexts)
{
	(void)s;
	(void)contexts;
	return NULL;
}

void
signer_wipe(struct signer *s)
{
	(void)s;
}

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

/* --- what can happen ------------------------------------------------------ */

/* Channels that the broker has closed are not known any more. */
static void
forget(void)
{
	size_t i, k;

	for (i = 0; i < CHANNELS; i++) {
		for (k = 0; k < b.count; k++) {
			if (b.channels[k] == known[i].channel)
				break;
		}
		if (k == b.count)
			known[i] = (struct known){.channel = NULL};
	}
}

static void
grant(void)
{
	const struct broker_grant g = {.kind = 1 + next() % CHANNEL_COMMAND,
	    .upstream = 1};

	if (b.count == CHANNELS)
		return;
	grant_take(&b, &g, eventfd(0, EFD_CLOEXEC));
	*known_of(NULL) = (struct known){.channel = b.channels[b.count - 1]};
}

static void
replace_helper(void)
{
	const struct broker_grant g = {
	    .kind = next() % 2 == 0 ? CHANNEL_PORTER : CHANNEL_VERIFIER};

	grant_take(&b, &g, eventfd(0, EFD_CLOEXEC));
}

static void
make_request(void)
{
	static const char *const names[] = {"alice", "carol", "dora", "robot",
	    "job", "copilot", "alice+copilot", "dora+job", "carol+robot",
	    "nobody", "nobody+copilot", "", "+", "alice+", "no"};

	memset(&request, 0, sizeof(request));
	request.kind = next() % (BROKER_KINDS + 2);
	snprintf(request.name, sizeof(request.name), "%s",
	    names[next() % (sizeof(names) / sizeof(*names))]);
	request.proof[0] = next();
	request.proof[1] = next();
	request.proof[2] = request.proof[1] >> 4;
	request.place = next() % 3;
	request.iterations = request.proof[1] % 8 == 6 ? 0 : 4096;
	request.iterations = 4096;
	request.salt_len = next() % (BROKER_SALT_MAX + 2);
	request.auth_len = next() * 5U;
	parcel_len = next() * 70U;
	if (request.auth_len > 20 && request.auth_len <= sizeof(request.auth))
		memset(request.auth + 20, 'x', request.auth_len - 20);
	beside = next() % 2 == 0 ? -1 : eventfd(0, EFD_CLOEXEC);
}

/* What may be asked where nothing is to be had any more. */
static bool
is_record_keeping(uint32_t kind)
{
	return kind == BROKER_SINK || kind == BROKER_LOG ||
	    kind == BROKER_CHAIN;
}

static void
ask(void)
{
	struct channel *c;
	enum phase before;
	bool is_waiting, is_later;
	size_t count = b.count, sent = errand_count;

	if (count == 0)
		return;
	c = b.channels[next() % count];
	speaks = known_of(c);
	before = c->phase;
	is_waiting = before == PHASE_WAITING;
	is_asking = true;
	is_answered = false;
	make_request();
	if (!channel_serve(&b, c, c->fd))
		channel_close(&b, c->place);
	is_asking = false;
	is_later = errand_count > sent;
	if ((is_waiting ||
		(before == PHASE_OVER && !is_record_keeping(request.kind))) &&
	    (is_later || (is_answered && reply.granted)))
		abort();
	/* one answer to each, at once or later */
	if (b.count == count && !is_answered && !is_later &&
	    request.kind != BROKER_SESSION &&
	    request.kind != BROKER_UPSTREAM_RESULT)
		abort();
	if (is_later && (is_answered || c->phase != PHASE_WAITING))
		abort();
}

static void
fill_facts(const struct errand *e)
{
	uint8_t bits = next();

	if (outcome.kind == ERRAND_PROCESS) {
		outcome.process.uid = bits % 2 == 0 ? 4242 : 1;
	} else if (outcome.kind == ERRAND_CERTIFICATE) {
		memcpy(outcome.certificate.names, "cn:robot", 9);
		outcome.certificate.name_count = 1;
		outcome.certificate.names_len = 9;
	} else if (outcome.kind == ERRAND_TOKEN) {
		strcpy(outcome.token.user,
		    bits % 2 == 0 ? "carol" : "alice");
		strcpy(outcome.token.agent, bits % 4 < 2 ? "" : "robot");
	}
	outcome_fd = e->kind <= ERRAND_LOG ? eventfd(0, EFD_CLOEXEC) : -1;
}

/* Of an errand that somebody was sent on; now and then of another kind. */
static void
bring(void)
{
	const struct errand *e;
	int *helper;
	uint8_t bits;
	size_t i;

	if (errand_count == 0)
		return;
	e = &errands[next() % errand_count];
	bits = next();
	memset(&outcome, 0, sizeof(outcome));
	outcome.serial = e->serial;
	outcome.kind = bits % 16 == 15 ? 1 + next() % (ERRAND_KINDS - 1)
				       : e->kind;
	outcome.result = 1 + (bits >> 4) % OUTCOME_FAILED;
	outcome_fd = -1;
	if (outcome.result == OUTCOME_YES)
		fill_facts(e);
	helper = (bits % 16 == 14) != is_for_verifier(outcome.kind)
	    ? &b.verifier
	    : &b.porter;
	for (i = 0; i < b.count; i++) {
		struct known *k = known_of(b.channels[i]);
		bool is_its = b.channels[i]->serial == e->serial &&
		    b.channels[i]->errand == outcome.kind &&
		    outcome.result == OUTCOME_YES &&
		    is_for_verifier(outcome.kind) == (helper == &b.verifier);

		k->was_right |= is_its &&
		    (outcome.kind == ERRAND_PAM ||
			outcome.kind == ERRAND_TOKEN);
		k->has_facts |= is_its &&
		    (outcome.kind == ERRAND_PROCESS ||
			outcome.kind == ERRAND_CERTIFICATE);
	}
	has_outcome = true;
	if (*helper >= 0)
		helper_serve(&b, helper);
	else
		descriptor_close(&outcome_fd);
	has_outcome = false;
}

static void
leave(void)
{
	if (b.count > 0)
		channel_close(&b, next() % b.count);
}

static void
happen(void)
{
	uint8_t what = next();

	is_deaf = what >= 240;
	switch (what % 16) {
	case 0:
	case 1:
		grant();
		break;
	case 2:
		replace_helper();
		break;
	case 3:
		leave();
		break;
	case 4:
		if (what > 192)
			descriptor_close(&b.control);
		break;
	case 5:
	case 6:
	case 7:
	case 8:
		bring();
		break;
	default:
		ask();
	}
}

static int
lowest_free(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

static void
begin(void)
{
	static struct upstream_login logins[2] = {
	    {.user = "one"}, {.user = "two"}};
	static struct upstream upstreams[2] = {
	    {.name = "shop", .logins = logins, .login_count = 2},
	    {.name = "other", .logins = logins, .login_count = 1}};
	static struct listener listeners[2] = {{.address = "127.0.0.1:1"},
	    {.address = "127.0.0.1:2", .upstream_index = 1}};
	static const struct settings settings = {.listeners = listeners,
	    .listener_count = 2,
	    .upstreams = upstreams,
	    .upstream_count = 2};
	static struct scoreboard *board;
	static struct channel *channels[CHANNELS];
	static struct master master;

	troubles_free(master.troubles);
	master.troubles = troubles_new(&settings);
	if (board == NULL)
		board = calloc(1, sizeof(*board));
	board->slot_count = 1;
	b = (struct broker){.master = &master,
	    .settings = &settings,
	    .board = board,
	    .sink = -1,
	    .control = eventfd(0, EFD_CLOEXEC),
	    .porter = eventfd(0, EFD_CLOEXEC),
	    .verifier = eventfd(0, EFD_CLOEXEC),
	    .max = CHANNELS,
	    .channels = channels,
	    .watched = epoll_create1(EPOLL_CLOEXEC)};
	errand_count = 0;
	memset(known, 0, sizeof(known));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int lowest = lowest_free();

	at = data;
	end = data + size;
	begin();
	while (at < end) {
		happen();
		forget();
		check_all();
	}
	while (b.count > 0)
		channel_close(&b, b.count - 1);
	descriptor_close(&b.control);
	descriptor_close(&b.porter);
	descriptor_close(&b.verifier);
	close(b.watched);
	if (lowest_free() != lowest)
		abort();
	return 0;
}
