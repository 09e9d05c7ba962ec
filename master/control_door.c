/*
 * control_door.c - who is let in at the control socket, in master.
 *
 * One rule: whoever connects, as often as they like, takes nothing from
 * anybody else.  Trusts SO_PEERCRED and identities.yaml; reads not a byte.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "master/control.h"
#include "master/spawn.h"

enum { ACCEPTS_PER_TURN = 32 }; /* so that strangers cannot hold master up */

_Static_assert(CONTROL_CHILDREN_MAX <= 32, "places are bits of a word");
_Static_assert(CONTROL_CHILDREN_OF_PEOPLE + 2 * CONTROL_CHILDREN_OF_UID <
	CONTROL_CHILDREN_MAX,
    "root and the daemon's account have places nobody else can take");

/* The control children there are, as one newcomer sees them. */
struct crowd {
	size_t of_uid, of_people; /* those who have been killed do not count */
	uint32_t places;	  /* taken, a bit each */
	struct child *silent; /* the uid's oldest that was told nothing yet */
};

static bool
is_owner(uid_t uid)
{
	return uid == 0 || uid == getuid();
}

static struct crowd
crowd_for(struct master *m, uid_t uid)
{
	uint32_t heard = atomic_load(&m->board->control_heard);
	struct crowd crowd = {.places = 0};
	struct child *child;
	size_t i = 0;

	while ((child = children_next(m->children, CHILD_CONTROL, &i))) {
		uint32_t bit = 1u << child->index;

		crowd.places |= bit;
		if (child->is_killed)
			continue;
		crowd.of_people += !is_owner(child->peer);
		if (child->peer != uid)
			continue;
		crowd.of_uid++;
		if ((heard & bit) == 0 &&
		    (crowd.silent == NULL ||
			child->born_at < crowd.silent->born_at))
			crowd.silent = child;
	}
	return crowd;
}

/* Why it is not let in; NULL: it is. */
static const char *
door_refusal(const struct peer *peer, const struct crowd *crowd)
{
	if (!peer->is_owner && peer->person == NULL)
		return "is nobody in identities.yaml";
	if (crowd->of_uid >= CONTROL_CHILDREN_OF_UID)
		return crowd->silent != NULL
		    ? NULL
		    : "has too many commands under way";
	if (!peer->is_owner && crowd->of_people >= CONTROL_CHILDREN_OF_PEOPLE)
		return "must wait: too many commands are under way";
	return NULL;
}

static void
door_refuse(int fd, uid_t uid, const char *reason)
{
	char reply[160];
	int len = snprintf(reply, sizeof(reply),
	    "{\"ok\":false,\"error\":\"uid %u %s\"}\n", (unsigned)uid, reason);

	/* an empty socket takes it; whoever has filled it will not miss it */
	if (send(fd, reply, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL) != len)
		log_info("control: uid %u %s", (unsigned)uid, reason);
}

static uint32_t
place_free(const struct crowd *crowd)
{
	uint32_t place = 0;

	while (place < CONTROL_CHILDREN_MAX - 1 &&
	    (crowd->places >> place & 1) != 0)
		place++;
	return place;
}

/* What a command may need is opened before its request is read. */
static void
door_provide(struct master *m)
{
	m->audit = audit_new(
	    m->settings->audit_socket, m->settings->audit_facility);
	/* without a record nothing is decided: whoever decides finds out */
	if (m->audit == NULL || audit_connect(m->audit) != ERR_NONE)
		log_warning("control: no way to the audit sink: %m");
	if (m->audit != NULL)
		audit_set_opener(m->audit, spawn_open_nothing, NULL);
	json_object_seed(0); /* jansson would read it from a file later */
}

static void
door_serve(struct master *m, int fd, const struct peer *peer, uint32_t place)
{
	int channel = spawn_command_channel(m);
	struct child *child;
	enum err e;

	atomic_fetch_and(&m->board->control_heard, ~(1u << place));
	e = spawn_fork(m, CHILD_CONTROL, place, &child);
	if (e != ERR_NONE) {
		log_warning("control: cannot serve: %s", err_text(e));
		descriptor_close(&channel);
		return;
	}
	if (child != NULL) {
		child->peer = peer->uid;
		descriptor_close(&channel);
		return;
	}
	m->broker = channel; /* a child's own, where master has another */
	spawn_drop_for_now(m);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	descriptor_close(&m->life[0]);
	door_provide(m);
	spawn_confine(m, CONFINE_CONTROL);
	_exit(control_main(m, fd, peer, place));
}

static void
door_open(struct master *m, int fd, uid_t uid)
{
	struct peer peer = {.uid = uid,
	    .is_owner = is_owner(uid),
	    .person = identity_by_uid(&m->policy->identities, uid)};
	struct crowd crowd = crowd_for(m, uid);
	const char *reason = door_refusal(&peer, &crowd);

	if (reason != NULL) {
		door_refuse(fd, uid, reason);
		return;
	}
	if (crowd.of_uid >= CONTROL_CHILDREN_OF_UID)
		child_signal(crowd.silent, SIGKILL);
	door_serve(m, fd, &peer, place_free(&crowd));
}

void
control_accept(struct master *m)
{
	int turns = ACCEPTS_PER_TURN;

	while (turns-- > 0 &&
	    children_count(m->children, CHILD_CONTROL) <
		CONTROL_CHILDREN_MAX) {
		int fd = accept4(m->control, NULL, NULL, SOCK_CLOEXEC);
		struct ucred peer = {0};
		socklen_t len = sizeof(peer);

		if (fd < 0)
			return;
		if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0)
			door_open(m, fd, peer.uid);
		close(fd);
	}
}
