/*
 * log.h - Sallyport's own operational log: syslog(3)'s protocol, but never
 * waiting for a syslog daemon that has stopped reading.
 *
 * In the foreground it goes to standard error as well.  Keeps errno.  Audit
 * records do not come here: audit.h.
 */
#ifndef SALLYPORT_LOG_H
#define SALLYPORT_LOG_H

#include <stdbool.h>

/* `role` is the process's name in each line ("master", "worker" …); static. */
void log_init(const char *role, bool to_stderr);
void log_role(const char *role);

/* From now on ask `open` for a socket to the log, in place of opening one: a
 * confined process opens nothing itself.  It returns a connected one, which
 * becomes ours, or -1. */
void log_set_opener(int (*open)(void *context), void *context);

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...)
    __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
