/* links: common/file_trust.c common/text.c */
/* Whose files are believed: owners, modes, folders, links. */
#include "common/file_trust.h"

#include <check.h>
#include <errno.h>
#include <pwd.h>
#include <sys/xattr.h>

#include "tests/unit/scratch.h"
#include "tests/unit/suite.h"

enum {
	NOBODY = 65534,
	WORKERS = 40001, /* no account of this machine, as is the next */
	WORKERS_GROUP = 40002,
	STRANGER = 40003,
};

static struct distrust why;

/* Workers with an account of their own, as if root had started Sallyport. */
static struct trust
separate(void)
{
	return (struct trust){.starter = getuid(), .is_separate = true,
	    .workers = WORKERS, .groups = {WORKERS_GROUP}, .group_count = 1};
}

static struct trust
shared(void)
{
	return (struct trust){.starter = getuid(), .workers = getuid()};
}

static enum err
check(struct trust t, const char *path, enum trust_kind kind)
{
	return trust_check(&t, path, kind, &why);
}

static void
has_reason(const char *part)
{
	ck_assert_msg(strstr(why.reason, part) != NULL, "%s", why.reason);
}

static const char *
file(const char *name, mode_t mode)
{
	const char *path = scratch_write(name, "x");

	ck_assert_int_eq(chmod(path, mode), 0);
	return path;
}

static const char *
folder(const char *name, mode_t mode)
{
	const char *path = scratch_path(name);

	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(chmod(path, mode), 0);
	return path;
}

/* {kind, mode, is it believed, what is said} of something of our own, whose
 * group is nobody's private one */
static const struct {
	enum trust_kind kind;
	mode_t mode;
	bool is_fine;
	const char *want;
} modes[] = {
    {TRUST_FILE, 0600, true, ""},
    {TRUST_FILE, 0644, true, ""},
    {TRUST_FILE, 0444, true, ""},
    {TRUST_FILE, 0000, true, ""},
    {TRUST_FILE, 04755, true, ""},
    {TRUST_FILE, 0646, false, "others may write to it"},
    {TRUST_FILE, 0602, false, "chmod o-w"},
    {TRUST_FILE, 0664, false, "its group may write to it"},
    {TRUST_FILE, 0620, false, "chmod g-w"},
    {TRUST_FILE, 01666, false, "others may write to it"},
    {TRUST_SECRET, 0600, true, ""},
    {TRUST_SECRET, 0400, true, ""},
    {TRUST_SECRET, 0604, false, "must not be readable by others"},
    {TRUST_SECRET, 0640, false, "its group may read it"},
    {TRUST_SECRET, 0602, false, "others may write to it"},
    {TRUST_SECRET, 0620, false, "its group may write to it"},
    {TRUST_FOLDER, 0700, true, ""},
    {TRUST_FOLDER, 0755, true, ""},
    {TRUST_FOLDER, 0775, false, "its group may write to it"},
    {TRUST_FOLDER, 0757, false, "others may write to it"},
    /* what is put there next may be anybody's */
    {TRUST_FOLDER, 01777, false, "others may write to it"},
    {TRUST_STATE, 0700, true, ""},
    {TRUST_STATE, 0500, true, ""},
    {TRUST_STATE, 0710, false, "chmod 700"},
    {TRUST_STATE, 0701, false, "chmod 700"},
    {TRUST_STATE, 0755, false, "chmod 700"},
};

/* A group that is none's alone: nobody's, if we may give things away. */
static void
give_to_common_group(const char *path)
{
	if (getuid() == 0)
		ck_assert_int_eq(chown(path, 0, STRANGER), 0);
}

START_TEST(mode_says_who_else_may_change_it)
{
	bool is_folder = modes[_i].kind == TRUST_FOLDER ||
	    modes[_i].kind == TRUST_STATE;
	const char *path = is_folder ? folder("it", 0700) : file("it", 0600);
	enum err e;

	if (getuid() != 0 && (modes[_i].mode & 070) != 0)
		return; /* the group may be a private one */
	give_to_common_group(path);
	ck_assert_int_eq(chmod(path, modes[_i].mode), 0);
	e = check(shared(), path, modes[_i].kind);
	ck_assert_int_eq(e, modes[_i].is_fine ? ERR_NONE : ERR_REFUSED);
	has_reason(modes[_i].want);
	if (!modes[_i].is_fine)
		has_reason(path);
	ck_assert(why.folder == 0);
	ck_assert_int_eq(chmod(path, 0700), 0);
}
END_TEST

START_TEST(kind_of_thing_is_looked_at)
{
	const char *path = scratch_path("pipe");

	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(check(shared(), path, TRUST_FILE), ERR_REFUSED);
	has_reason("not a regular file");
	ck_assert_int_eq(check(shared(), path, TRUST_FOLDER), ERR_REFUSED);
	has_reason("not a folder");
	ck_assert_int_eq(
	    check(shared(), folder("d", 0700), TRUST_SECRET), ERR_REFUSED);
	ck_assert_int_eq(
	    check(shared(), file("f", 0600), TRUST_STATE), ERR_REFUSED);
	ck_assert_int_eq(check(shared(), "relative", TRUST_FILE), ERR_REFUSED);
	ck_assert_int_eq(check(shared(), "", TRUST_FILE), ERR_REFUSED);
	ck_assert_int_eq(check(shared(), "/", TRUST_FOLDER), ERR_NONE);
}
END_TEST

START_TEST(what_is_not_there_is_told_by_others)
{
	const char *path = scratch_path("none");

	ck_assert_int_eq(check(shared(), path, TRUST_FILE), ERR_SYSTEM);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_str_eq(why.reason, "");
}
END_TEST

START_TEST(folder_on_the_way_that_others_may_write_to_is_to_blame)
{
	const char *path;

	folder("open", 0777);
	folder("open/d", 0700);
	path = file("open/d/f", 0600);
	ck_assert_int_eq(check(shared(), path, TRUST_FILE), ERR_REFUSED);
	has_reason("others may write to it");
	has_reason(scratch_path("open"));
	ck_assert(why.folder != 0);
	/* even for what is not there yet */
	ck_assert_int_eq(check(shared(), scratch_path("open/d/none"),
			     TRUST_FILE), ERR_REFUSED);
	/* where nobody can take anything away: like /tmp */
	ck_assert_int_eq(chmod(scratch_path("open"), 01777), 0);
	ck_assert_int_eq(check(shared(), path, TRUST_FILE), ERR_NONE);
	ck_assert_int_eq(chmod(scratch_path("open/d"), 0777), 0);
	ck_assert_int_eq(check(shared(), path, TRUST_FILE), ERR_REFUSED);
}
END_TEST

START_TEST(dots_and_slashes_mean_what_they_mean_to_the_kernel)
{
	char path[512];

	folder("open", 0777);
	folder("closed", 0700);
	file("closed/f", 0600);
	snprintf(path, sizeof(path), "%s//closed/./../closed//f",
	    scratch_folder);
	ck_assert_int_eq(check(shared(), path, TRUST_FILE), ERR_NONE);
	snprintf(path, sizeof(path), "/..%s/open/../closed/f",
	    scratch_folder);
	ck_assert_int_eq(check(shared(), path, TRUST_FILE), ERR_REFUSED);
	has_reason("/open: others may write to it");
}
END_TEST

START_TEST(links_are_followed_and_where_they_stand_counts)
{
	folder("open", 0777);
	folder("closed", 0700);
	file("closed/f", 0600);
	file("closed/public", 0666);
	file("open/f", 0600);
	ck_assert_int_eq(
	    symlink("../closed/f", scratch_path("open/in")), 0);
	ck_assert_int_eq(
	    symlink("../open/f", scratch_path("closed/out")), 0);
	ck_assert_int_eq(symlink("f", scratch_path("closed/fine")), 0);
	ck_assert_int_eq(symlink("fine", scratch_path("closed/again")), 0);
	ck_assert_int_eq(symlink("public", scratch_path("closed/p")), 0);
	ck_assert_int_eq(
	    symlink(scratch_path("closed"), scratch_path("short")), 0);
	ck_assert_int_eq(symlink("loop", scratch_path("loop")), 0);

	ck_assert_int_eq(check(shared(), scratch_path("closed/again"),
			     TRUST_SECRET), ERR_NONE);
	ck_assert_int_eq(check(shared(), scratch_path("short/fine"),
			     TRUST_SECRET), ERR_NONE);
	ck_assert_int_eq(check(shared(), scratch_path("short"),
			     TRUST_STATE), ERR_NONE);
	ck_assert_int_eq(check(shared(), scratch_path("open/in"),
			     TRUST_FILE), ERR_REFUSED);
	ck_assert_int_eq(check(shared(), scratch_path("closed/out"),
			     TRUST_FILE), ERR_REFUSED);
	has_reason("/open: others may write to it");
	ck_assert_int_eq(check(shared(), scratch_path("closed/p"),
			     TRUST_FILE), ERR_REFUSED);
	has_reason("/closed/public: others may write to it");
	ck_assert_int_eq(
	    check(shared(), scratch_path("loop"), TRUST_FILE), ERR_REFUSED);
	has_reason("symbolic links");
}
END_TEST

START_TEST(paths_that_are_too_long_are_not_believed)
{
	static char path[3 * 4096];
	size_t len = strlen(scratch_folder);

	memcpy(path, scratch_folder, len);
	memset(path + len, '/', sizeof(path) - len - 1);
	ck_assert_int_eq(check(shared(), path, TRUST_FOLDER), ERR_REFUSED);
	memset(path + len + 1, 'a', 4090 - len);
	path[4091] = '\0';
	ck_assert_int_ne(check(shared(), path, TRUST_FOLDER), ERR_NONE);
}
END_TEST

START_TEST(folder_of_a_socket_is_looked_at)
{
	struct trust t = shared();

	folder("open", 01777);
	folder("closed", 0755);
	ck_assert_int_eq(
	    trust_check_folder_of(&t, scratch_path("closed/s"), &why),
	    ERR_NONE);
	ck_assert_int_eq(
	    trust_check_folder_of(&t, scratch_path("open/s"), &why),
	    ERR_REFUSED);
	ck_assert_int_eq(trust_check_folder_of(&t, "/s", &why), ERR_NONE);
	ck_assert_int_eq(
	    trust_check_folder_of(&t, "relative", &why), ERR_REFUSED);
}
END_TEST

/* --- what takes root ------------------------------------------------------ */

/* {owner, group, mode, kind, believed with workers apart, and without} */
static const struct {
	uid_t owner;
	gid_t group;
	mode_t mode;
	enum trust_kind kind;
	bool if_separate, if_shared;
} owned[] = {
    {0, 0, 0644, TRUST_FILE, true, true},
    {STRANGER, 0, 0644, TRUST_FILE, false, false},
    {STRANGER, 0, 0444, TRUST_FILE, false, false},
    {WORKERS, 0, 0444, TRUST_FILE, false, false},
    {WORKERS, 0, 0600, TRUST_SECRET, false, false},
    {WORKERS, 0, 0700, TRUST_STATE, true, false},
    {0, 0, 0700, TRUST_STATE, false, true},
    {STRANGER, 0, 0700, TRUST_STATE, false, false},
    {WORKERS, WORKERS_GROUP, 0750, TRUST_STATE, false, false},
    /* root's own group has nobody else in it */
    {0, 0, 0664, TRUST_FILE, true, true},
    {0, 0, 0640, TRUST_SECRET, true, true},
    {0, STRANGER, 0640, TRUST_SECRET, false, false},
    {0, WORKERS_GROUP, 0640, TRUST_SECRET, true, false},
    {0, WORKERS_GROUP, 0660, TRUST_SECRET, false, false},
    {0, WORKERS_GROUP, 0664, TRUST_FILE, false, false},
    {0, WORKERS_GROUP, 0775, TRUST_FOLDER, false, false},
    {WORKERS, WORKERS_GROUP, 0755, TRUST_FOLDER, false, false},
};

START_TEST(owner_and_group_say_who_may_change_it)
{
	bool is_folder = owned[_i].kind == TRUST_FOLDER ||
	    owned[_i].kind == TRUST_STATE;
	const char *path = is_folder ? folder("it", 0700) : file("it", 0600);

	if (getuid() != 0)
		return;
	ck_assert_int_eq(chown(path, owned[_i].owner, owned[_i].group), 0);
	ck_assert_int_eq(chmod(path, owned[_i].mode), 0);
	ck_assert_int_eq(check(separate(), path, owned[_i].kind),
	    owned[_i].if_separate ? ERR_NONE : ERR_REFUSED);
	ck_assert_int_eq(check(shared(), path, owned[_i].kind),
	    owned[_i].if_shared ? ERR_NONE : ERR_REFUSED);
}
END_TEST

START_TEST(owner_of_a_folder_on_the_way_counts)
{
	const char *path;

	if (getuid() != 0)
		return;
	folder("theirs", 0755);
	path = file("theirs/f", 0644);
	ck_assert_int_eq(chown(scratch_path("theirs"), WORKERS, 0), 0);
	ck_assert_int_eq(check(separate(), path, TRUST_FILE), ERR_REFUSED);
	has_reason("belongs to the account that workers run as");
	ck_assert_int_eq(check(shared(), path, TRUST_FILE), ERR_REFUSED);
	has_reason("belongs to somebody else");
	/* sticky keeps others out of it, not its owner */
	ck_assert_int_eq(chmod(scratch_path("theirs"), 01777), 0);
	ck_assert_int_eq(check(shared(), path, TRUST_FILE), ERR_REFUSED);
}
END_TEST

START_TEST(link_of_a_stranger_is_not_followed)
{
	if (getuid() != 0)
		return;
	folder("tmp", 01777);
	file("f", 0600);
	ck_assert_int_eq(symlink("../f", scratch_path("tmp/link")), 0);
	ck_assert_int_eq(check(shared(), scratch_path("tmp/link"),
			     TRUST_FILE), ERR_NONE);
	ck_assert_int_eq(
	    lchown(scratch_path("tmp/link"), STRANGER, STRANGER), 0);
	ck_assert_int_eq(check(shared(), scratch_path("tmp/link"),
			     TRUST_FILE), ERR_REFUSED);
}
END_TEST

START_TEST(file_of_a_stranger_in_a_sticky_folder_is_not_believed)
{
	const char *path;

	if (getuid() != 0)
		return;
	folder("tmp", 01777);
	path = file("tmp/f", 0644);
	ck_assert_int_eq(check(shared(), path, TRUST_FILE), ERR_NONE);
	ck_assert_int_eq(chown(path, STRANGER, STRANGER), 0);
	ck_assert_int_eq(check(shared(), path, TRUST_FILE), ERR_REFUSED);
}
END_TEST

/* With an access list the group's bits are the most anybody on it gets. */
START_TEST(access_list_makes_group_permissions_everybodys)
{
	/* version 2; user rw-, user 40003 rw-, group ---, mask rw-, other */
	static const unsigned char list[] = {2, 0, 0, 0,
	    1, 0, 6, 0, 255, 255, 255, 255,
	    2, 0, 6, 0, 0x43, 0x9c, 0, 0,
	    4, 0, 0, 0, 255, 255, 255, 255,
	    16, 0, 6, 0, 255, 255, 255, 255,
	    32, 0, 0, 0, 255, 255, 255, 255};
	const char *path = file("it", 0600);

	if (getuid() != 0 ||
	    setxattr(path, "system.posix_acl_access", list, sizeof(list),
		0) != 0)
		return; /* a file system without them */
	ck_assert_int_eq(check(shared(), path, TRUST_FILE), ERR_REFUSED);
	has_reason("its group may write to it");
}
END_TEST

/* --- accounts ------------------------------------------------------------- */

START_TEST(accounts_are_found)
{
	const struct passwd *self = getpwuid(getuid());
	struct trust t;

	ck_assert_int_eq(trust_find(getuid(), NULL, &t), ERR_NONE);
	ck_assert(!t.is_separate && t.workers == getuid());
	ck_assert_int_eq(
	    trust_find(0, "no-such-account-here", &t), ERR_NOT_FOUND);
	if (self != NULL) {
		ck_assert_int_eq(
		    trust_find(getuid(), self->pw_name, &t), ERR_NONE);
		ck_assert(!t.is_separate);
	}
	ck_assert_int_eq(trust_find(0, "nobody", &t), ERR_NONE);
	ck_assert(t.is_separate && t.workers == NOBODY);
	ck_assert_uint_ge(t.group_count, 1);
}
END_TEST

int
main(void)
{
	TCase *cases = tcase_create("file_trust");
	Suite *suite = suite_create("file_trust");

	tcase_add_checked_fixture(cases, scratch_make, scratch_remove);
	tcase_add_loop_test(cases, mode_says_who_else_may_change_it, 0,
	    (int)(sizeof(modes) / sizeof(*modes)));
	tcase_add_test(cases, kind_of_thing_is_looked_at);
	tcase_add_test(cases, what_is_not_there_is_told_by_others);
	tcase_add_test(
	    cases, folder_on_the_way_that_others_may_write_to_is_to_blame);
	tcase_add_test(
	    cases, dots_and_slashes_mean_what_they_mean_to_the_kernel);
	tcase_add_test(
	    cases, links_are_followed_and_where_they_stand_counts);
	tcase_add_test(cases, paths_that_are_too_long_are_not_believed);
	tcase_add_test(cases, folder_of_a_socket_is_looked_at);
	tcase_add_loop_test(cases, owner_and_group_say_who_may_change_it, 0,
	    (int)(sizeof(owned) / sizeof(*owned)));
	tcase_add_test(cases, owner_of_a_folder_on_the_way_counts);
	tcase_add_test(cases, link_of_a_stranger_is_not_followed);
	tcase_add_test(
	    cases, file_of_a_stranger_in_a_sticky_folder_is_not_believed);
	tcase_add_test(cases, access_list_makes_group_permissions_everybodys);
	tcase_add_test(cases, accounts_are_found);
	suite_add_tcase(suite, cases);
	return suite_run(suite);
}
