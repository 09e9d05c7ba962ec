/*
 * pg_wire.h - PostgreSQL's messages as bytes: pure parsing and building.
 *
 * Nothing here does I/O or knows policy.  Texts borrow from the message.
 * Source: PostgreSQL documentation, chapter 55.7, "Message Formats".
 */
#ifndef SALLYPORT_PG_WIRE_H
#define SALLYPORT_PG_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/err.h"
#include "common/text.h"
#include "common/wire.h"

enum {
	PG_STARTUP_MIN = 8,
	PG_STARTUP_MAX = 10000, /* as MAX_STARTUP_PACKET_LENGTH */
	PG_STARTUP_SETTINGS_MAX = 128,
	PG_HEADER = 5,	      /* type byte and length */
	PG_FIELDS_MAX = 1664, /* MaxTupleAttributeNumber */
	PG_PARAMETERS_MAX = 65535,
	PG_PROTOCOL_3_0 = 3 << 16,
	PG_PROTOCOL_3_2 = 3 << 16 | 2, /* the newest */
	PG_CANCEL_KEY_MIN = 4,	       /* of all clients before 3.2 */
	PG_CANCEL_KEY_MAX = 256,
	PG_CODE_CANCEL = 1234 << 16 | 5678,
	PG_CODE_SSL = 1234 << 16 | 5679,
	PG_CODE_GSSENC = 1234 << 16 | 5680,
};

/* --- what a client sends -------------------------------------------------- */

struct pg_setting {
	struct text name, value;
};

struct pg_startup {
	uint32_t code; /* protocol version, or one of PG_CODE_* */
	int32_t cancel_pid;
	struct text cancel_key; /* PG_CANCEL_KEY_MIN to _MAX bytes */
	struct text user, database, options, replication;
	struct pg_setting settings[PG_STARTUP_SETTINGS_MAX]; /* all others */
	size_t setting_count;
	struct text unknown_options[PG_STARTUP_SETTINGS_MAX]; /* _pq_.* */
	size_t unknown_option_count;
};

/* The packet without its length word. */
enum err pg_parse_startup(struct wire w, struct pg_startup *out) MUST_CHECK;

/* One `-c name=value` (or --name=value) of startup `options` at a time:
 * `rest` advances. ERR_NOT_FOUND at the end, ERR_UNSUPPORTED for any other
 * switch. Unescaped text is in the arena. */
enum err pg_next_option(
    struct text *rest, struct arena *a, struct pg_setting *out) MUST_CHECK;

struct pg_parse { /* 'P' */
	struct text name, sql;
	uint16_t type_count;
};
enum err pg_parse_parse(struct wire w, struct pg_parse *out) MUST_CHECK;

struct pg_bind { /* 'B' */
	struct text portal, statement;
	uint16_t format_count;	/* of results */
	const uint8_t *formats; /* format_count 16-bit words, borrowed */
	struct text values;	/* the parameter part, for digests */
};
enum err pg_parse_bind(struct wire w, struct pg_bind *out) MUST_CHECK;
/* Is result column `i` sent in binary? */
bool pg_bind_is_binary(const uint8_t *formats, uint16_t format_count, size_t i);

struct pg_execute { /* 'E' */
	struct text portal;
	int32_t row_limit;
};
enum err pg_parse_execute(struct wire w, struct pg_execute *out) MUST_CHECK;

struct pg_target { /* 'D' and 'C': a statement ('S') or portal ('P') */
	char kind;
	struct text name;
};
enum err pg_parse_target(struct wire w, struct pg_target *out) MUST_CHECK;

struct pg_call { /* 'F', a function call */
	uint32_t function; /* OID */
	uint16_t format_count, argument_count;
	bool has_odd_formats; /* others than text and binary */
	bool is_binary;	      /* the result is to be */
	struct text values;   /* the arguments, spelt as in Bind */
};
enum err pg_parse_call(struct wire w, struct pg_call *out) MUST_CHECK;

struct pg_sasl_initial {
	struct text mechanism, response;
	bool has_response;
};
enum err pg_parse_sasl_initial(
    struct wire w, struct pg_sasl_initial *out) MUST_CHECK;

/* --- what a server sends -------------------------------------------------- */

struct pg_field { /* of RowDescription */
	struct text name;
	uint32_t table;	 /* OID; 0: no origin */
	uint16_t column; /* attnum; 0: none or whole row */
	uint32_t type;
	bool is_binary;
};
/* Calls `each` for every field; anything but ERR_NONE from it ends. */
enum err pg_parse_row_description(struct wire w,
    enum err (*each)(void *context, size_t i, const struct pg_field *field),
    void *context, size_t *count_out) MUST_CHECK;

struct pg_error { /* ErrorResponse and NoticeResponse, by field letter */
	struct text severity, sqlstate, message, detail, hint;
	struct text context;	   /* W: the code it happened in */
	struct text schema, table; /* of the object it is about */
	struct text file;	   /* F: of the server's source */
	bool has_position;	   /* in the client's own text */
	bool is_inner;		   /* it is about a text the client never sent */
};
enum err pg_parse_error(struct wire w, struct pg_error *out) MUST_CHECK;

struct pg_parameter { /* ParameterStatus */
	struct text name, value;
};
enum err pg_parse_parameter(struct wire w, struct pg_parameter *out) MUST_CHECK;

/* Is this the body of a message of that type, to its last byte (pg_check.c)?
 * Rows, CopyData and unknown types are not looked at. */
enum err pg_check_answer(char type, struct wire body) MUST_CHECK;

/* The number at the end of a command tag ("UPDATE 5"); 0 when none. */
uint64_t pg_tag_count(struct text tag);

/* --- what Sallyport says itself (pg_put.c) -------------------------------- */

/* Begin a message of this type; returns where its length stands, for
 * pg_message_end(). */
size_t pg_message_begin(struct buffer *b, char type);
void pg_message_end(struct buffer *b, size_t at);

struct pg_complaint {
	const char *severity; /* ERROR, FATAL, NOTICE, WARNING */
	const char *sqlstate;
	struct text message, detail, hint; /* len 0: left out */
};
/* ErrorResponse ('E') or NoticeResponse ('N'). */
void pg_put_complaint(
    struct buffer *b, char type, const struct pg_complaint *c);

/* A message without a body: Sync, Flush, ParseComplete … */
void pg_put_empty(struct buffer *b, char type);
void pg_put_query(struct buffer *b, struct text sql);
/* A statement without parameters; a portal of the same name bound to it, all
 * results in one format; either ('S', 'P') closed. */
void pg_put_parse(struct buffer *b, struct text name, struct text sql);
void pg_put_bind(struct buffer *b, struct text name, bool is_binary);
void pg_put_close(struct buffer *b, char kind, struct text name);
void pg_put_describe_portal(struct buffer *b, struct text portal);
void pg_put_execute_all(struct buffer *b, struct text portal);
void pg_put_ready(struct buffer *b, char status);

/* A name as SQL quotes it. */
void pg_put_name(struct buffer *b, struct text name);

/* --- what a complaint may tell (pg_scrub.c) ------------------------------- */

/* Was it worded, or its values read, by code that the client's statement does
 * not show: a function's, a trigger's, a foreign key's? */
bool pg_error_is_foreign(const struct pg_error *e);

/* Did the server stumble over the client's own words, before it read a row? */
bool pg_error_is_of_text(const struct pg_error *e);

/* The name in the `i`-th pair of double quotes of a text; len 0: there are not
 * so many. False: its quotes are not in pairs. */
bool pg_quoted_name(struct text message, size_t i, struct text *out);

/* An ErrorResponse or NoticeResponse of the server written again without
 * what could quote values: MESSAGE with quoted parts blanked, or withheld when
 * its words may not be the server's; DETAIL, HINT, WHERE, internal query left
 * out; SQLSTATE, position, names of schema, table, column, type and constraint
 * kept, unless a function may have made them up. An error about the client's own
 * words, before anything ran, keeps those that are in `typed`, its text; len 0:
 * none. */
enum err pg_put_scrubbed(struct buffer *b, char type, struct wire body,
    struct text typed) MUST_CHECK;

#endif
