/*
 * broker_inner.h - what the files of the broker share.
 *
 *   broker.c           the loop: channels, grants, errands and what comes back
 *   broker_phase.c     what is permitted in which phase, and how often
 *   broker_client.c    who a client is
 *   broker_socket.c    through which listener it came, and from where
 *   broker_upstream.c  logging in to upstreams; signatures; sockets
 *   broker_chain.c     keys for others' audit records
 *   broker_record.c    its own, of what was refused
 *
 * A channel belongs to one worker, who serves one client.  Its phase says
 * what may be asked next.  While an errand of it is out it is in
 * PHASE_WAITING, in which nothing may be.
 */
#ifndef SALLYPORT_BROKER_INNER_H
#define SALLYPORT_BROKER_INNER_H

#include <sys/epoll.h>

#include "common/broker_channel.h"
#include "master/admission.h"
#include "master/broker.h"
#include "master/errand.h"
#include "master/penalty.h"
#include "master/secrets.h"
#include "master/signer.h"
#include "master/trouble.h"

enum phase {
	PHASE_NEW,     /* nobody has said who it is */
	PHASE_SCRAM,   /* a login name was given; its proof is due */
	PHASE_SECRET,  /* the same, and it is a token or password */
	PHASE_PROVED,  /* it is known who it is */
	PHASE_SESSION, /* logged in upstream */
	PHASE_OVER,    /* a wrong proof, or a request out of turn */
	PHASE_CATALOG, /* Sallyport's own, for one upstream */
	PHASE_REFUSER, /* it has many clients, and none gets in */
	PHASE_COMMAND, /* an operator's, which may write one record */
	PHASE_WAITING, /* for what an errand brings */
	PHASES
};

/* Where a SCRAM exchange is. */
struct scram_exchange {
	struct scram_verifier verifier;
	bool is_mock; /* nobody's: no proof is right */
	char server_first[BROKER_FIRST_MAX];
};

struct channel {
	int fd;
	size_t place; /* in the broker's list */
	enum phase phase, before; /* `before` it began to wait */
	uint64_t serial;	  /* of the errand that is out; 0: none */
	uint32_t errand;	  /* … and its kind */
	enum broker_kind asked;	  /* for what … */
	uint64_t question;	  /* … in which of its requests */
	enum broker_channel of;	  /* whose it is, for the record, */
	uint32_t slot;		  /* and of which worker */
	uint16_t counts[BROKER_KINDS]; /* how often each was asked */
	/* what this channel has had signed as a listener */
	uint32_t signature_place; /* which */
	uint32_t signature_len;
	uint8_t signature[BROKER_SIGNATURE_MAX];
	/* of the connection; NULL: nothing is known */
	struct process_facts *process;
	struct certificate_facts *certificate;
	char certificate_wrong[ERRAND_REASON_MAX]; /* "": it is not */
	char process_wrong[ERRAND_REASON_MAX];	   /* "": it is not */
	char login[BROKER_NAME_MAX], source[SLOT_NAME_MAX];
	uint32_t listener; /* through which it came, once `source` is set */
	bool is_charged; /* counted as failed, as long as nobody knows */
	bool was_refused; /* a request out of turn: the next is its last */
	struct admission plan;
	struct scram_exchange scram;
	struct broker_identity *who;   /* PHASE_PROVED and later */
	bool has_upstream;	       /* `index` is set */
	struct login_index index;      /* CATALOG: from the beginning */
};

struct broker {
	const struct master *master;
	const struct settings *settings;
	struct secrets *secrets;
	struct signer *signer;
	struct penalties *penalties; /* shared with brokers before and after */
	struct audit *audit; /* for requests that were refused */
	struct audit_chain chain; /* of its record at hand */
	char recorded[SESSION_ID_LEN + 1]; /* which session that is about */
	const struct scoreboard *board;
	/* each upstream: its catalogue was last asked for SCRAM, so that MD5,
	 * which is easier to guess from, is somebody's wish */
	bool has_scram[UPSTREAMS_MAX];
	uint64_t sink_serial; /* of the errand for a way to the sink; 0: none */
	int sink;	      /* what it has brought, not used so far, or -1 */
	int control; /* -1: master has closed it: another broker is in force */
	int porter, verifier; /* -1: there is none at the moment */
	uint64_t last_serial;
	size_t count, max;
	struct channel **channels;
	int watched; /* epoll: control, porter, verifier, channels … */
	struct epoll_event *events; /* … and room for all of them at once */
	uint8_t parcel[BROKER_PARCEL_MAX]; /* of the request at hand */
};

/* A request and what came with it. Whoever wants the descriptor beyond the
 * call takes it away. */
struct question {
	const struct broker_request *request;
	struct text parcel;
	int fd; /* -1: none */
};

/* A reply and what goes with it. */
struct response {
	struct broker_reply reply;
	const struct broker_identity *who; /* NULL: none */
	int fd; /* -1; else it is closed once it is sent */
};

enum answer {
	ANSWER_NO,    /* reply.reason says why */
	ANSWER_YES,
	ANSWER_LATER, /* when the errand is back */
	ANSWER_NONE,  /* nobody waits for one */
	ANSWER_END,   /* nor is there to be another: the channel is closed */
};

typedef enum answer (*answer_fn)(struct broker *b, struct channel *c,
    const struct question *q, struct response *r);
typedef enum answer (*outcome_fn)(struct broker *b, struct channel *c,
    const struct outcome *o, struct response *r);

struct permission {
	answer_fn answer; /* NULL: not permitted */
	unsigned most;	  /* times in the life of a channel; 0: no limit */
};

/* What is permitted (broker_phase.c). */
extern const struct permission broker_permitted[PHASES][BROKER_KINDS];
/* What to do with what an errand for a request brought; NULL: none does. */
extern const outcome_fn broker_outcomes[BROKER_KINDS];

/* "no", with a reason for the record. */
enum answer broker_no(struct response *r, const char *reason);

/* What the kernel tells of a client's socket. */
struct client_socket {
	uint32_t listener;	    /* index in the settings */
	char source[SLOT_NAME_MAX]; /* client_name() */
};

enum socket_is {
	SOCKET_NOT_CLIENTS, /* it came through no listener of ours */
	SOCKET_GONE,	    /* it did, and nobody is at its other end */
	SOCKET_CLIENTS,	    /* `out` is filled in */
};

enum socket_is client_socket_look(
    const struct master *m, int fd, struct client_socket *out);

/* A request out of turn. */
void broker_record_refusal(
    struct broker *b, const struct channel *c, uint32_t kind);

/* The way to the audit sink, which the porter opens: audit's opener; what is
 * to be done when there is another porter; what a porter has brought (false:
 * it is not that; else `fd` was taken). */
int broker_sink_take(void *context);
void broker_sink_renew(struct broker *b);
bool broker_sink_came(struct broker *b, const struct outcome *o, int fd);

/* Send an errand for this channel; it waits then. */
enum answer broker_send_errand(struct broker *b, struct channel *c,
    struct errand *e, struct text parcel, int fd, struct response *r);

/* The answers. */
#define ANSWER(name)                                                           \
	enum answer name(struct broker *b, struct channel *c,                  \
	    const struct question *q, struct response *r)
#define OUTCOME(name)                                                          \
	enum answer name(struct broker *b, struct channel *c,                  \
	    const struct outcome *o, struct response *r)

ANSWER(client_certificate);
ANSWER(client_process);
ANSWER(client_start);
ANSWER(client_proof);
ANSWER(client_secret);
OUTCOME(certificate_came);
OUTCOME(process_came);
OUTCOME(secret_came);

ANSWER(broker_sign_listener);
ANSWER(broker_connect);
ANSWER(broker_scram);
ANSWER(broker_md5);
ANSWER(broker_sign_upstream);
ANSWER(broker_session);
ANSWER(broker_result);
ANSWER(broker_socket);
ANSWER(broker_chain);
OUTCOME(broker_socket_came);

#endif
