/*
 * check.h - `sallyportd -t`.
 */
#ifndef SALLYPORT_CHECK_H
#define SALLYPORT_CHECK_H

/* Load everything `file` leads to, examples included. Every error is a line
 * on standard error; a summary on standard output when there is none. The
 * exit status: 0 or 1. */
int check_configuration(const char *file);

#endif
