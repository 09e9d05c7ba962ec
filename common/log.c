/*
 * log.c - operational log lines, one datagram each.
 *
 * One rule: logging never holds anybody up.  libc's syslog() blocks for as
 * long as a stopped daemon leaves its socket full, and master would hang with
 * it; so the same datagram goes out through a socket that may refuse, and
 * lines lost are counted and told with the next one that gets through.
 * Trusts nothing it is given to print: control characters become '?'.
 */
#include "common/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_LEN = 2048 };

static const char log_socket[] = "/dev/log";
static const char *role_name = "sallyport";
static bool is_to_stderr;
static int fd = -1;
static unsigned long lost;
static int (*opener)(void *context); /* NULL: this process may itself */
static void *opener_context;

static void
log_connect(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (opener != NULL) {
		fd = opener(opener_context);
		return;
	}
	_Static_assert(sizeof(log_socket) <= sizeof(address.sun_path),
	    "the path fits");
	memcpy(address.sun_path, log_socket, sizeof(log_socket));
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return;
	close(fd);
	fd = -1;
}

void
log_init(const char *role, bool to_stderr)
{
	role_name = role;
	is_to_stderr = to_stderr;
	tzset(); /* reads a file, which it cannot do for ever */
	if (fd < 0)
		log_connect();
}

void
log_role(const char *role)
{
	role_name = role;
}

void
log_set_opener(int (*open)(void *context), void *context)
{
	opener = open;
	opener_context = context;
}

/* A daemon that was restarted left us a dead socket: try once more. */
static bool
datagram_send(const char *datagram, size_t len)
{
	if (fd >= 0 && send(fd, datagram, len, MSG_NOSIGNAL) == (ssize_t)len)
		return true;
	if (fd >= 0 && (errno == EAGAIN || errno == ENOBUFS))
		return false;
	if (fd >= 0)
		close(fd);
	log_connect();
	return fd >= 0 && send(fd, datagram, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static void
line_to_syslog(int level, const char *line)
{
	char datagram[LINE_MAX_LEN + 128], stamp[32] = "", losses[48] = "";
	time_t now = time(NULL);
	struct tm parts;
	int len;

	if (localtime_r(&now, &parts) != NULL)
		strftime(stamp, sizeof(stamp), "%b %e %H:%M:%S", &parts);
	if (lost > 0)
		snprintf(losses, sizeof(losses), "(%lu lines lost) ", lost);
	len = snprintf(datagram, sizeof(datagram),
	    "<%d>%s sallyportd[%d]: %s: %s%s", LOG_DAEMON | level, stamp,
	    (int)getpid(), role_name, losses, line);
	if (len < 0)
		return;
	if ((size_t)len >= sizeof(datagram))
		len = (int)sizeof(datagram) - 1;
	if (datagram_send(datagram, (size_t)len))
		lost = 0;
	else
		lost++;
}

static void
line_to_stderr(const char *line)
{
	char whole[LINE_MAX_LEN + 64];
	int len = snprintf(whole, sizeof(whole), "sallyportd[%d]: %s: %s\n",
	    (int)getpid(), role_name, line);

	if (len < 0)
		return;
	if ((size_t)len >= sizeof(whole))
		len = (int)sizeof(whole) - 1;
	/* one write, so that lines of many processes do not mix */
	if (write(STDERR_FILENO, whole, (size_t)len) < 0)
		return;
}

static void
log_line(int level, const char *word, const char *format, va_list arguments)
{
	char line[LINE_MAX_LEN];
	size_t start = (size_t)snprintf(line, sizeof(line), "%s", word), i;

	if (vsnprintf(line + start, sizeof(line) - start, format,
		arguments) < 0)
		return;
	for (i = 0; line[i] != '\0'; i++) {
		const unsigned char c = (unsigned char)line[i];

		if (c < 0x20 || c == 0x7f)
			line[i] = '?';
		else if (c == 0xc2 && (line[i + 1] & 0xe0) == 0x80)
			line[i] = line[i + 1] = '?'; /* C1 */
	}
	line_to_syslog(level, line);
	if (is_to_stderr)
		line_to_stderr(line);
}

void
log_error(const char *format, ...)
{
	int kept = errno;
	va_list arguments;

	va_start(arguments, format);
	log_line(LOG_ERR, "error: ", format, arguments);
	va_end(arguments);
	errno = kept;
}

void
log_warning(const char *format, ...)
{
	int kept = errno;
	va_list arguments;

	va_start(arguments, format);
	log_line(LOG_WARNING, "warning: ", format, arguments);
	va_end(arguments);
	errno = kept;
}

void
log_info(const char *format, ...)
{
	int kept = errno;
	va_list arguments;

	va_start(arguments, format);
	log_line(LOG_INFO, "", format, arguments);
	va_end(arguments);
	errno = kept;
}
