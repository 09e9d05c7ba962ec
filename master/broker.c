/*
 * broker.c - answering challenges with secrets that stay here.
 *
 * One rule: a request that is not permitted in its channel's phase changes
 * nothing and gets "no".  Never parses a client's bytes: AuthMessage and salt
 * are only ever fed to HMAC and PBKDF2, and what is to be signed only has to
 * look like a handshake (signer.c).  Trusts nothing a channel sends:
 * workers speak to clients.
 */
#include "master/broker.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "common/scram.h"
#include "master/secrets.h"
#include "master/signer.h"
#include "master/spawn.h"

enum { UPSTREAM_LOGINS = 2 }; /* a session's own, and one retry */

enum phase {
	PHASE_NEW,     /* nothing asked yet */
	PHASE_STARTED, /* a login name was given */
	PHASE_PROVED,  /* its password was proved */
	PHASE_OVER,    /* a wrong proof, or a request out of turn */
	PHASE_CATALOG, /* Sallyport's own, for one upstream */
	PHASE_REFUSER, /* it has many clients, and none gets in */
	PHASES
};

struct channel {
	enum phase phase;
	unsigned upstream_logins, upstream_signatures;
	bool has_signed; /* as a listener */
	size_t upstream; /* PHASE_CATALOG: the only one it may log in at */
	struct scram_verifier verifier; /* PHASE_STARTED */
	bool is_mock; /* nobody has that name: no proof is right */
};

struct broker {
	const struct settings *settings;
	struct secrets *secrets;
	struct signer *signer;
	int control; /* -1: master has closed it */
	size_t count, max;
	struct channel *channels;
	struct pollfd *polls; /* [0] is control, [1 + i] channels[i] */
};

static bool
client_start(struct broker *b, struct channel *c,
    const struct broker_request *q, struct broker_reply *reply)
{
	struct text login = {q->name, strnlen(q->name, sizeof(q->name))};

	if (login.len == 0 || login.len == sizeof(q->name))
		return false;
	c->is_mock =
	    !secrets_verifier(b->secrets, login, &c->verifier);
	c->phase = PHASE_STARTED;
	reply->iterations = c->verifier.iterations;
	reply->salt_len = (uint32_t)c->verifier.salt_len;
	memcpy(reply->salt, c->verifier.salt, c->verifier.salt_len);
	return true;
}

/* A name nobody has takes the same path as a wrong password. */
static bool
client_proof(struct broker *b, struct channel *c,
    const struct broker_request *q, struct broker_reply *reply)
{
	struct text auth = {q->auth, q->auth_len};
	bool is_right = false;

	if (scram_check(&c->verifier, auth, q->proof, &is_right,
		reply->signature) != ERR_NONE ||
	    c->is_mock)
		is_right = false;
	OPENSSL_cleanse(&c->verifier, sizeof(c->verifier));
	c->phase = is_right ? PHASE_PROVED : PHASE_OVER;
	if (!is_right)
		secrets_count_failure(b->secrets);
	return is_right;
}

/* The upstream a request names, if this channel may log in there now. */
static bool
upstream_permitted(const struct broker *b, struct channel *c,
    const struct broker_request *q, size_t *index_out)
{
	struct text name = {
	    q->upstream, strnlen(q->upstream, sizeof(q->upstream))};
	size_t i;

	for (i = 0; i < b->settings->upstream_count; i++) {
		if (text_is(name, text_of(b->settings->upstreams[i].name)))
			break;
	}
	if (i == b->settings->upstream_count)
		return false;
	*index_out = i;
	if (c->phase == PHASE_CATALOG)
		return i == c->upstream;
	return c->upstream_logins++ < UPSTREAM_LOGINS;
}

static bool
upstream_scram(struct broker *b, struct channel *c,
    const struct broker_request *q, struct broker_reply *reply)
{
	const uint8_t *salted;
	size_t i;

	return upstream_permitted(b, c, q, &i) &&
	    secrets_salted(b->secrets, i, q->salt, q->salt_len, q->iterations,
		&salted) &&
	    scram_prove(salted, (struct text){q->auth, q->auth_len},
		reply->proof, reply->signature) == ERR_NONE;
}

static bool
upstream_md5(struct broker *b, struct channel *c,
    const struct broker_request *q, struct broker_reply *reply)
{
	struct text password;
	size_t i;

	if (q->salt_len != 4 || !upstream_permitted(b, c, q, &i) ||
	    !secrets_password(b->secrets, i, &password))
		return false;
	return scram_md5(text_of(b->settings->upstreams[i].login_user),
		   password, q->salt, reply->md5) == ERR_NONE;
}

static bool
listener_sign(struct broker *b, struct channel *c,
    const struct broker_request *q, struct broker_reply *reply)
{
	if (c->has_signed && c->phase != PHASE_REFUSER)
		return false;
	c->has_signed = true;
	return signer_sign(b->signer, q, reply);
}

static bool
upstream_sign(struct broker *b, struct channel *c,
    const struct broker_request *q, struct broker_reply *reply)
{
	if (c->phase == PHASE_CATALOG
		? q->place != c->upstream
		: c->upstream_signatures++ >= UPSTREAM_LOGINS)
		return false;
	return signer_sign(b->signer, q, reply);
}

/* What is permitted in which phase; anything else ends the channel's use. */
typedef bool (*answer)(struct broker *, struct channel *,
    const struct broker_request *, struct broker_reply *);

static const answer permitted[PHASES][BROKER_KINDS] = {
    [PHASE_NEW] = {[BROKER_CLIENT_START] = client_start,
	[BROKER_LISTENER_SIGN] = listener_sign},
    [PHASE_STARTED] = {[BROKER_CLIENT_PROOF] = client_proof},
    [PHASE_PROVED] = {[BROKER_UPSTREAM_SCRAM] = upstream_scram,
	[BROKER_UPSTREAM_MD5] = upstream_md5,
	[BROKER_UPSTREAM_SIGN] = upstream_sign},
    [PHASE_OVER] = {NULL},
    [PHASE_CATALOG] = {[BROKER_UPSTREAM_SCRAM] = upstream_scram,
	[BROKER_UPSTREAM_MD5] = upstream_md5,
	[BROKER_UPSTREAM_SIGN] = upstream_sign},
    [PHASE_REFUSER] = {[BROKER_LISTENER_SIGN] = listener_sign},
};

static bool
request_is_bounded(const struct broker_request *q)
{
	return q->kind < BROKER_KINDS && q->salt_len <= BROKER_SALT_MAX &&
	    q->auth_len <= BROKER_AUTH_MESSAGE_MAX;
}

static void
request_answer(struct broker *b, struct channel *c,
    const struct broker_request *q, struct broker_reply *reply)
{
	answer act = NULL;

	memset(reply, 0, sizeof(*reply));
	if (request_is_bounded(q))
		act = permitted[c->phase][q->kind];
	if (act == NULL) {
		log_warning("request kind %u is not permitted in phase %d",
		    q->kind, (int)c->phase);
		if (c->phase != PHASE_CATALOG && c->phase != PHASE_REFUSER)
			c->phase = PHASE_OVER;
		return;
	}
	if (act(b, c, q, reply))
		reply->granted = 1;
	else
		OPENSSL_cleanse(reply, sizeof(*reply));
}

/* False: the channel is to be closed. */
static bool
channel_serve(struct broker *b, struct channel *c, int fd)
{
	struct broker_request request;
	struct broker_reply reply;
	ssize_t n =
	    recv(fd, &request, sizeof(request), MSG_DONTWAIT | MSG_TRUNC);
	bool is_sent;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n != (ssize_t)sizeof(request)) {
		if (n != 0)
			log_warning(
			    "a request of %zd bytes: channel closed", n);
		return false;
	}
	request_answer(b, c, &request, &reply);
	is_sent = send(fd, &reply, sizeof(reply),
		      MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof(reply);
	OPENSSL_cleanse(&reply, sizeof(reply));
	return is_sent;
}

static void
channel_close(struct broker *b, size_t i)
{
	close(b->polls[1 + i].fd);
	OPENSSL_cleanse(&b->channels[i], sizeof(b->channels[i]));
	b->count--;
	b->channels[i] = b->channels[b->count];
	b->polls[1 + i] = b->polls[1 + b->count];
}

static void
channel_add(struct broker *b, const struct broker_grant *grant, int fd)
{
	static const enum phase first[] = {
	    [CHANNEL_WORKER] = PHASE_NEW,
	    [CHANNEL_CATALOG] = PHASE_CATALOG,
	    [CHANNEL_REFUSER] = PHASE_REFUSER,
	};

	if (b->count == b->max) {
		log_error("no room for another channel");
		close(fd);
		return;
	}
	b->channels[b->count] = (struct channel){
	    .phase = first[grant->kind], .upstream = grant->upstream};
	b->polls[1 + b->count] = (struct pollfd){.fd = fd, .events = POLLIN};
	b->count++;
}

/* The descriptor that came with a grant, or -1. */
static int
grant_descriptor(struct msghdr *message)
{
	struct cmsghdr *header = CMSG_FIRSTHDR(message);
	int fd;

	if (header == NULL || header->cmsg_level != SOL_SOCKET ||
	    header->cmsg_type != SCM_RIGHTS ||
	    header->cmsg_len != CMSG_LEN(sizeof(int)))
		return -1;
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

/* Another broker has taken over. A worker that belongs to this one may still
 * get a client: who may log in is then as in the policy now in force. */
static void
control_closed(struct broker *b)
{
	descriptor_close(&b->control);
	b->polls[0].fd = -1;
	secrets_renew(b->secrets, b->settings);
}

/* False: nothing is left to read. */
static bool
control_serve(struct broker *b)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} ancillary;
	struct broker_grant grant;
	struct iovec part = {.iov_base = &grant, .iov_len = sizeof(grant)};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1,
	    .msg_control = ancillary.bytes,
	    .msg_controllen = sizeof(ancillary.bytes)};
	ssize_t n = recvmsg(
	    b->control, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	int fd;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		control_closed(b);
		return false;
	}
	fd = grant_descriptor(&message);
	if (fd >= 0 && n == (ssize_t)sizeof(grant))
		channel_add(b, &grant, fd);
	else if (fd >= 0)
		close(fd);
	return true;
}

/* One turn: every channel that has something to say is heard once. Master
 * comes first: what it did before a channel spoke is known when it does. */
static void
turn_serve(struct broker *b)
{
	size_t i = b->count;
	bool has_more = b->polls[0].revents != 0;

	while (has_more)
		has_more = control_serve(b);
	/* backwards: closing one moves the last, heard or new, into it */
	while (i-- > 0) {
		if (b->polls[1 + i].revents != 0 &&
		    !channel_serve(b, &b->channels[i], b->polls[1 + i].fd))
			channel_close(b, i);
	}
}

static bool
broker_init(struct broker *b, const struct master *m, int control)
{
	*b = (struct broker){.settings = m->settings,
	    .control = control,
	    .max = m->board->slot_count + m->settings->upstream_count + 8};
	b->channels = calloc(b->max, sizeof(*b->channels));
	b->polls = calloc(b->max + 1, sizeof(*b->polls));
	if (b->channels == NULL || b->polls == NULL)
		return false;
	b->polls[0] = (struct pollfd){.fd = control, .events = POLLIN};
	b->secrets = secrets_load(m->settings);
	b->signer = signer_load(m->settings, m->tls);
	return b->secrets != NULL && b->signer != NULL;
}

int
broker_main(const struct master *m, int control)
{
	struct broker b;
	bool is_loaded;

	/* it ends when nobody needs it; a service manager's SIGTERM to
	 * everybody must not take it from sessions that are still draining */
	signal(SIGTERM, SIG_IGN);
	is_loaded = broker_init(&b, m, control);
	spawn_drop(m);
	if (!is_loaded)
		return EXIT_FAILURE;
	while (b.control >= 0 || b.count > 0) {
		if (poll(b.polls, 1 + b.count, -1) > 0)
			turn_serve(&b);
		else if (errno != EINTR)
			break;
	}
	secrets_wipe(b.secrets);
	signer_wipe(b.signer);
	OPENSSL_cleanse(b.channels, b.max * sizeof(*b.channels));
	return EXIT_SUCCESS;
}
