/*
 * main.c - the verifier starts, and answers.
 *
 * One rule: nothing that somebody signed is looked at before there is
 * nothing left to be gained by taking this process over.
 */
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/config.h"
#include "common/log.h"
#include "common/sandbox.h"
#include "master/errand.h"
#include "master/verifier/certificate.h"
#include "master/verifier/entries.h"
#include "master/verifier/token.h"
#include "master/verifier/verifier.h"

struct verifier {
	struct tokens *tokens;
};

static enum outcome_result
token_serve(struct verifier *v, const struct errand *e, struct text parcel,
    struct outcome *out)
{
	(void)e;
	return token_check(v->tokens, parcel, time(NULL), out);
}

static enum outcome_result
certificate_serve(struct verifier *v, const struct errand *e,
    struct text parcel, struct outcome *out)
{
	(void)v;
	return certificate_check(e, parcel, out);
}

typedef enum outcome_result (*answer)(struct verifier *,
    const struct errand *, struct text, struct outcome *);

static const answer answers[ERRAND_KINDS] = {
    [ERRAND_TOKEN] = token_serve,
    [ERRAND_CERTIFICATE] = certificate_serve,
};

static void
errand_serve(struct verifier *v, const struct errand *e, struct text parcel,
    struct outcome *out)
{
	memset(out, 0, sizeof(*out));
	out->serial = e->serial;
	out->kind = e->kind;
	if (e->kind < ERRAND_KINDS && answers[e->kind] != NULL) {
		out->result = answers[e->kind](v, e, parcel, out);
		return;
	}
	out->result = OUTCOME_FAILED;
	snprintf(out->reason, sizeof(out->reason),
	    "errands of kind %u are not the verifier's", e->kind);
}

/* Until there is something to read or room to write. */
static void
channel_wait(short event)
{
	struct pollfd channel = {.fd = VERIFIER_CHANNEL, .events = event};

	(void)poll(&channel, 1, -1);
}

static enum err
answer_send(const struct outcome *out)
{
	enum err e;

	while ((e = outcome_send(VERIFIER_CHANNEL, out, -1)) ==
	    ERR_INTERRUPTED)
		channel_wait(POLLOUT);
	return e;
}

/* Until the channel is closed. */
static int
serve(struct verifier *v)
{
	static uint8_t parcel[ERRAND_PARCEL_MAX];
	static struct outcome out;
	struct errand errand;
	size_t len;
	enum err e;
	int fd;

	for (;;) {
		e = errand_receive(
		    VERIFIER_CHANNEL, &errand, parcel, &len, &fd);
		if (e == ERR_CLOSED || e == ERR_SYSTEM)
			return e == ERR_CLOSED ? EXIT_SUCCESS : EXIT_FAILURE;
		if (e == ERR_INTERRUPTED)
			channel_wait(POLLIN);
		if (e != ERR_NONE)
			continue;
		if (fd >= 0)
			close(fd);
		errand_serve(v, &errand, (struct text){(char *)parcel, len},
		    &out);
		explicit_bzero(parcel, len);
		e = answer_send(&out);
		if (e != ERR_NONE)
			return e == ERR_CLOSED ? EXIT_SUCCESS : EXIT_FAILURE;
	}
}

/* What is not right with an issuer's keys is that issuer's loss alone, and
 * so with certificates. */
static enum err
verifier_load(struct verifier *v, const char *file)
{
	struct arena *a = arena_new(0);
	struct diagnostics *d = a == NULL ? NULL : diagnostics_new(a);
	static struct settings settings;
	static struct identities ids;
	char reason[TLS_REASON_MAX];
	size_t i;
	enum err e = d == NULL ? ERR_MEMORY
			       : settings_load(file, a, d, &settings);

	if (e == ERR_NONE)
		e = entries_read(settings.identities, a, &ids);
	if (e == ERR_NONE)
		e = tokens_load(&settings, &ids, a, d, &v->tokens);
	if (e == ERR_NONE && certificate_load(&settings, reason) != ERR_NONE)
		log_error("%s: no certificate proves anything", reason);
	for (i = 0; d != NULL && i < diagnostics_count(d); i++)
		log_error("%s", diagnostics_line(d, i));
	return e;
}

static bool
channel_is_there(void)
{
	socklen_t len = sizeof(int);
	int type = 0;

	return getsockopt(VERIFIER_CHANNEL, SOL_SOCKET, SO_TYPE, &type,
		   &len) == 0 &&
	    type == SOCK_SEQPACKET;
}

int
main(int argc, char **argv)
{
	struct verifier v = {NULL};
	enum err e;

	if (argc != 2 || !channel_is_there()) {
		fprintf(stderr, "sallyport-verifier: sallyportd starts this "
				"program; it is of no use by itself\n");
		return 2;
	}
	log_init("verifier", true);
	signal(SIGPIPE, SIG_IGN);
	/* exec has made it open again to others of its account, and a child
	 * will read password verifiers */
	if (sandbox_quieten() != ERR_NONE) {
		log_error("cannot keep others of its account out: %m");
		return EXIT_FAILURE;
	}
	/* the secret of its hash tables: once, while it may be read */
	json_object_seed(0);
	e = verifier_load(&v, argv[1]);
	if (e == ERR_NONE)
		e = verifier_confine();
	if (e != ERR_NONE) {
		log_error("cannot start: %s", err_text(e));
		_exit(EXIT_FAILURE);
	}
	/* what it has lives as long as it does */
	_exit(serve(&v));
}
