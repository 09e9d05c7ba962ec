/*
 * chain.c - books and the chains in them.
 *
 * One rule: a chain's number is given once.  The count is in memory that
 * master shares with brokers alone, as an old broker may linger beside the
 * new one; the book's number is in a file, so that a life that is missing in
 * the records leaves a hole among the books.
 */
#include "master/chain.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/log.h"

enum { BOOK_DIGITS_MAX = 18 };

struct chain_count {
	atomic_uint_fast64_t given;
};

/* What the child that has seen the audit key tells. */
struct beginning {
	uint64_t book;
	uint8_t key[AUDIT_KEY_LEN];
};

/* --- the book's number ---------------------------------------------------- */

/* The last book's number; 0: there is no such file. */
static enum err
book_read(const char *path, uint64_t *out)
{
	char text[BOOK_DIGITS_MAX + 2] = "", *end;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t n;

	*out = 0;
	if (fd < 0)
		return errno == ENOENT ? ERR_NONE : ERR_SYSTEM;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n < 0)
		return ERR_SYSTEM;
	if (text[0] < '1' || text[0] > '9')
		return ERR_MALFORMED;
	*out = strtoull(text, &end, 10);
	return strcmp(end, "\n") == 0 ? ERR_NONE : ERR_MALFORMED;
}

static bool
book_fill(int fd, uint64_t book)
{
	return dprintf(fd, "%llu\n", (unsigned long long)book) > 0 &&
	    fsync(fd) == 0;
}

/* It is on the disk, or there is none. */
static enum err
book_write(const char *path, uint64_t book)
{
	char fresh[PATH_MAX];
	bool is_written;
	int fd;

	if ((size_t)snprintf(fresh, sizeof(fresh), "%s.new", path) >=
	    sizeof(fresh))
		return ERR_TOO_LONG;
	unlink(fresh); /* of somebody who died at this */
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	    0600);
	if (fd < 0)
		return ERR_SYSTEM;
	is_written = book_fill(fd, book);
	if (close(fd) != 0)
		is_written = false;
	return is_written && rename(fresh, path) == 0 ? ERR_NONE : ERR_SYSTEM;
}

/* The next number. The first is the time, so that a lost folder does not bring
 * old numbers back. */
static enum err
book_take(const struct settings *s, uint64_t *out)
{
	char path[PATH_MAX];
	uint64_t last;
	enum err e;

	if ((size_t)snprintf(path, sizeof(path), "%s/audit-book", s->state) >=
	    sizeof(path))
		return ERR_TOO_LONG;
	e = book_read(path, &last);
	*out = last == 0 ? (uint64_t)time(NULL) : last + 1;
	if (e == ERR_NONE)
		e = book_write(path, *out);
	if (e != ERR_NONE)
		log_error("%s: %s: %m: no audit chain", path, err_text(e));
	return e;
}

/* --- master's own --------------------------------------------------------- */

static enum err
master_key(const struct audit_key *key, uint64_t book,
    uint8_t out[AUDIT_KEY_LEN])
{
	char id[AUDIT_CHAIN_ID_MAX];

	audit_chain_name(book, 0, AUDIT_OF_MASTER, id);
	return audit_chain_derive(
	    key, text_of(audit_node()), text_of(id), TEXT(""), out);
}

static enum err
beginning_make(const struct master *m, struct beginning *out)
{
	struct audit_key key;
	char reason[512];
	enum err e = audit_key_read(
	    m->settings->audit_key_file, &key, reason, sizeof(reason));

	if (e != ERR_NONE) {
		log_error("audit.key_file: %s", reason);
		return e;
	}
	e = account_become(&m->account);
	if (e == ERR_NONE)
		e = book_take(m->settings, &out->book);
	if (e == ERR_NONE)
		e = master_key(&key, out->book, out->key);
	explicit_bzero(&key, sizeof(key));
	return e;
}

static void
child_run(const struct master *m, int pipe)
{
	struct beginning b = {0};
	bool is_told = beginning_make(m, &b) == ERR_NONE &&
	    write(pipe, &b, sizeof(b)) == (ssize_t)sizeof(b);

	explicit_bzero(&b, sizeof(b));
	_exit(is_told ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* What the child says; false: nothing. */
static bool
beginning_ask(const struct master *m, struct beginning *out)
{
	int ends[2];
	ssize_t n;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return false;
	pid = fork();
	if (pid == 0)
		child_run(m, ends[1]);
	close(ends[1]);
	do
		n = read(ends[0], out, sizeof(*out));
	while (n < 0 && errno == EINTR);
	close(ends[0]);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return n == (ssize_t)sizeof(*out);
}

enum err
chain_start(struct master *m)
{
	struct beginning b = {0};
	char id[AUDIT_CHAIN_ID_MAX];

	if (m->settings->audit_key_file == NULL)
		return ERR_NONE;
	m->chains = mmap(NULL, sizeof(*m->chains), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (m->chains == MAP_FAILED)
		m->chains = NULL;
	if (m->chains == NULL || !beginning_ask(m, &b)) {
		log_error("the audit chain cannot begin: not starting");
		return ERR_REFUSED;
	}
	m->book = b.book;
	audit_chain_name(b.book, 0, AUDIT_OF_MASTER, id);
	audit_chain_begin(&m->chain, id, b.key);
	explicit_bzero(&b, sizeof(b));
	return ERR_NONE;
}

/* --- others' -------------------------------------------------------------- */

enum err
chain_grant(const struct master *m, const struct audit_key *key,
    enum audit_writer writer, struct text session, struct audit_chain *out)
{
	char id[AUDIT_CHAIN_ID_MAX];
	uint8_t first[AUDIT_KEY_LEN];
	enum err e;

	if (m->chains == NULL || key->len == 0)
		return ERR_UNSUPPORTED;
	audit_chain_name(m->book, atomic_fetch_add(&m->chains->given, 1) + 1,
	    writer, id);
	e = audit_chain_derive(
	    key, text_of(audit_node()), text_of(id), session, first);
	if (e == ERR_NONE)
		audit_chain_begin(out, id, first);
	explicit_bzero(first, sizeof(first));
	return e;
}

uint64_t
chain_count(const struct master *m)
{
	return m->chains == NULL ? 0 : atomic_load(&m->chains->given);
}

void
chain_leave(struct master *m, bool is_broker)
{
	audit_chain_wipe(&m->chain);
	if (is_broker || m->chains == NULL)
		return;
	munmap(m->chains, sizeof(*m->chains));
	m->chains = NULL;
}
