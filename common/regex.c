/*
 * regex.c - PCRE2 behind ceilings.
 *
 * The one rule: any result of PCRE2 but "match" and "no match" is ERR_REGEX.
 * The only file that includes pcre2.h.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>

#include "common/regex.h"

struct pattern {
	pcre2_code *code;
	bool is_jit; /* compiled to machine code */
	size_t group_count;
	const char *names[PATTERN_GROUPS_MAX + 1]; /* into code */
};

/* What a match under way needs: one for the whole process, which does one
 * thing at a time; there from the first pattern to the last. */
static struct {
	size_t users;
	pcre2_match_data *match;
	pcre2_match_context *context;
	pcre2_jit_stack *stack;
} scratch;

static bool is_interpreted; /* what is new */

void
pattern_interpret(void)
{
	is_interpreted = true;
}

static const uint32_t compile_options =
    PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_DUPNAMES;

static const char *
compile_message(int code, size_t offset, struct arena *messages)
{
	PCRE2_UCHAR words[160];
	const char *message = NULL;

	if (pcre2_get_error_message(code, words, sizeof(words)) > 0)
		message = arena_printf(
		    messages, "%s at offset %zu", (char *)words, offset);
	return message != NULL ? message : "the pattern does not compile";
}

/* The name table is PCRE2's: per entry two bytes of group number, the name,
 * a NUL. */
static void
pattern_read_names(struct pattern *p)
{
	uint32_t count = 0, size = 0, i;
	PCRE2_SPTR table = NULL;

	pcre2_pattern_info(p->code, PCRE2_INFO_NAMECOUNT, &count);
	pcre2_pattern_info(p->code, PCRE2_INFO_NAMEENTRYSIZE, &size);
	pcre2_pattern_info(p->code, PCRE2_INFO_NAMETABLE, &table);
	for (i = 0; i < count; i++) {
		PCRE2_SPTR entry = table + (size_t)i * size;
		size_t group = (size_t)entry[0] << 8 | entry[1];

		if (group <= PATTERN_GROUPS_MAX)
			p->names[group] = (const char *)entry + 2;
	}
}

static void
scratch_release(void)
{
	if (--scratch.users > 0)
		return;
	pcre2_jit_stack_free(scratch.stack);
	pcre2_match_context_free(scratch.context);
	pcre2_match_data_free(scratch.match);
	scratch.stack = NULL;
	scratch.context = NULL;
	scratch.match = NULL;
}

static enum err
scratch_take(void)
{
	if (scratch.users++ > 0)
		return ERR_NONE;
	scratch.match = pcre2_match_data_create(PATTERN_GROUPS_MAX + 1, NULL);
	scratch.context = pcre2_match_context_create(NULL);
	scratch.stack =
	    pcre2_jit_stack_create(32 * 1024, PATTERN_STACK_MAX, NULL);
	if (scratch.match == NULL || scratch.context == NULL ||
	    scratch.stack == NULL) {
		scratch_release();
		return ERR_MEMORY;
	}
	pcre2_set_match_limit(scratch.context, PATTERN_MATCH_LIMIT);
	pcre2_set_depth_limit(scratch.context, PATTERN_DEPTH_LIMIT);
	pcre2_set_heap_limit(scratch.context, PATTERN_HEAP_LIMIT);
	pcre2_jit_stack_assign(scratch.context, NULL, scratch.stack);
	return ERR_NONE;
}

static enum err
pattern_compile(struct pattern *p, struct text source, struct arena *messages,
    const char **message_out)
{
	int code = 0;
	PCRE2_SIZE offset = 0;
	uint32_t groups = 0;

	if (source.len > PATTERN_LEN_MAX) {
		*message_out = "the pattern is too long";
		return ERR_INVALID;
	}
	p->code = pcre2_compile((PCRE2_SPTR)(source.len ? source.at : ""),
	    source.len, compile_options, &code, &offset, NULL);
	if (p->code == NULL) {
		*message_out = compile_message(code, offset, messages);
		return ERR_INVALID;
	}
	pcre2_pattern_info(p->code, PCRE2_INFO_CAPTURECOUNT, &groups);
	if (groups > PATTERN_GROUPS_MAX) {
		*message_out = "the pattern has too many groups; use (?: )";
		return ERR_INVALID;
	}
	p->group_count = groups;
	pattern_read_names(p);
	/* Where code may not be made at run time this fails, and the
	 * interpreter does the same work under the same ceilings. */
	p->is_jit = !is_interpreted &&
	    pcre2_jit_compile(p->code, PCRE2_JIT_COMPLETE) == 0;
	return ERR_NONE;
}

enum err
pattern_new(struct text source, struct arena *messages, struct pattern **out,
    const char **message_out)
{
	struct pattern *p = calloc(1, sizeof(*p));
	enum err e;

	*out = NULL;
	*message_out = NULL;
	if (p == NULL)
		return ERR_MEMORY;
	if (scratch_take() != ERR_NONE) {
		free(p);
		return ERR_MEMORY;
	}
	e = pattern_compile(p, source, messages, message_out);
	if (e != ERR_NONE) {
		pattern_free(p);
		return e;
	}
	*out = p;
	return ERR_NONE;
}

void
pattern_free(struct pattern *p)
{
	if (p == NULL)
		return;
	pcre2_code_free(p->code);
	free(p);
	scratch_release();
}

static enum err
pattern_run(const struct pattern *p, struct text subject, size_t from,
    bool *found_out)
{
	int result;

	*found_out = false;
	if (from > subject.len)
		return ERR_NONE;
	/* pcre2_match() would look for the machine code itself, after checks
	 * of arguments that have no need of them */
	result = (p->is_jit ? pcre2_jit_match : pcre2_match)(p->code,
	    (PCRE2_SPTR)(subject.len ? subject.at : ""), subject.len, from, 0,
	    scratch.match, scratch.context);
	if (result == PCRE2_ERROR_NOMATCH)
		return ERR_NONE;
	/* 0 would be a match with more groups than there is room for, which
	 * pattern_compile() rules out. */
	if (result <= 0)
		return ERR_REGEX;
	*found_out = true;
	return ERR_NONE;
}

enum err
pattern_matches(const struct pattern *p, struct text subject, bool *matches_out)
{
	return pattern_run(p, subject, 0, matches_out);
}

static struct text
span(struct text subject, PCRE2_SIZE start, PCRE2_SIZE end)
{
	/* \K in a look-ahead can put a start after its end */
	if (start == PCRE2_UNSET || end == PCRE2_UNSET || start > end ||
	    end > subject.len)
		return (struct text){NULL, 0};
	return (struct text){(subject.len ? subject.at : "") + start,
	    end - start};
}

enum err
pattern_find(const struct pattern *p, struct text subject, size_t from,
    struct match *match_out, bool *found_out)
{
	enum err e = pattern_run(p, subject, from, found_out);
	const PCRE2_SIZE *ends;
	size_t i;

	if (e != ERR_NONE || !*found_out)
		return e;
	ends = pcre2_get_ovector_pointer(scratch.match);
	for (i = 0; i <= p->group_count; i++)
		match_out->groups[i] =
		    span(subject, ends[2 * i], ends[2 * i + 1]);
	return ERR_NONE;
}

size_t
pattern_group_count(const struct pattern *p)
{
	return p->group_count;
}

const char *
pattern_group_name(const struct pattern *p, size_t group)
{
	return group <= PATTERN_GROUPS_MAX ? p->names[group] : NULL;
}
