/*
 * json.h - writing one JSON object into a fixed buffer, fast.
 *
 * For audit records, which are written on every statement: no allocation, a
 * sticky overflow.  (What reads JSON uses jansson.)
 */
#ifndef SALLYPORT_JSON_H
#define SALLYPORT_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "common/text.h"

struct json {
	char *at;	 /* the buffer */
	size_t size;
	size_t len;	 /* bytes written; never > size */
	bool overflowed; /* sticky; what is there is then no valid JSON */
	bool comma;	 /* a value was written at this level */
};

void json_init(struct json *j, char *buffer, size_t size);
/* Members of the open object; key is ours, written as it is. */
void json_text(struct json *j, const char *key, struct text value);
void json_cstring(struct json *j, const char *key, const char *value);
void json_number(struct json *j, const char *key, int64_t value);
void json_bool(struct json *j, const char *key, bool value);
void json_texts(struct json *j, const char *key, const struct text *values,
    size_t count);
/* Objects and arrays: key NULL inside an array or at the top. */
void json_open(struct json *j, const char *key, char bracket); /* '{' '[' */
void json_close(struct json *j, char bracket);		       /* '}' ']' */
/* A bare element of an open array. */
void json_element(struct json *j, struct text value);
/* Bytes that are JSON or not, verbatim. */
void json_raw(struct json *j, struct text bytes);

#endif
