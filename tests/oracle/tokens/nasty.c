/*
 * nasty.c - the texts, and the snippets that a mutant gets.
 */
#include <string.h>

#include "tests/oracle/tokens/nasty.h"

const char *const nasty_texts[] = {
    /* comments */
    "select 1 -- x\n+ 2", "select 1 -- x\r+ 2", "select 1 --", "--",
    "select /* a /* b */ c */ 1", "select 1 /*/ x */ + 2 /**/ + 3 /***/",
    "select 1 /* -- */ + 2 -- */\n + 3", "/*/*/*", "/* * / */ select 1",
    "select 4/*+*/*5", "select 1 */* x */ 2", "select 1 +-- x\n 2",
    "select '/*' , 1 */ 2", "select /**/ /* ' */ 'a' /* ' */",
    "select \"/*\" from \"--\"", "select $$/*$$ /* $$ */",
    "select 1/**//2", "select 1 //* x */ 2", "select a/*b", "select 1 */",
    /* strings and their continuation */
    "select 'a''b', '', ''''", "select 'a'\n'b'", "select 'a' 'b'",
    "select 'a' -- c\n 'b'", "select 'a'\n--c\n'b'", "select 'a' -- c",
    "select 'a' /* c\n */ 'b'", "select 'a'\n/* c */ 'b'",
    "select 'a'\r'b'", "select 'a'\f\n\t 'b'", "select 'a'\n-'b'",
    "select 'a'\n--'b'\n'c'", "select 'a'\n''b'", "select 'a'\n-- '\n'b'",
    "select e'a'\n'\\'b'", "select 'a'\ne'b'", "select b'1'\n'0'",
    "select x'1F'\n'a'", "select x'1''2'", "select b'\\'", "select n'a'\n'b'",
    "select n 'a'", "select N'a', nchar 'a'", "select 'a\\'", "select 'a\\''",
    "select $$a$$\n'b'", "select 'a'\n$$b$$", "select u&'a'\n'\\0062'",
    /* E'' */
    "select e'\\'', e'\\\\', e'\\\\\\''", "select e'\\b\\f\\n\\r\\t\\v\\q'",
    "select e'\\1\\12\\123\\1234\\8'", "select e'\\x4\\x41\\x411\\xg'",
    "select e'\\u0041\\U00000041'", "select e'\\uD83D\\uDE00'",
    "select e'\\uD83D'", "select e'\\uDE00'", "select e'\\uD83Dx'",
    "select e'\\uD83D\\n'", "select e'\\u004'", "select e'\\U0011FFFF'",
    "select e'\\0'", "select e'\\000'", "select e'\\400'", "select e'\\x00'",
    "select e'\\u0000'", "select e'\\xc3\\xa9'", "select e'\\303\\251'",
    "select e'\\xff'", "select e'\\xc3' 'x'", "select e'\\xc3'\n'\\xa9'",
    "select e'\\\xc3\xa9'", "select e'\\\n'", "select e'\\", "select E'a''b'",
    /* U& */
    "select u&'\\0061\\+000062'", "select U&\"d\\0061ta\"",
    "select u&'!0061' uescape '!'", "select u&\"!0061\" UESCAPE '!'",
    "select u&'!0061' -- c\n uescape -- d\n '!'",
    "select u&'!0061' /* c */ uescape '!'", "select u&'!' uescape '!'",
    "select u&'!0061'uescape'!'", "select u&'!0061' uescape '!'\n'x'",
    "select u&'!0061' uescape e'!'", "select u&'!0061' uescape $$!$$",
    "select u&'a' uescape", "select u&'a' uescape 'ab'",
    "select u&'a' uescape ''''", "select u&'a' uescape '+'",
    "select u&'a' uescape 'A'", "select u&'a' uescape ' '",
    "select u&'a' uescape '\v'", "select u&'\\D83D\\DE00'",
    "select u&'\\D83D'", "select u&'\\\\'", "select u&'\\00'",
    "select u&'\\+11FFFF'", "select u&'\\0000'", "select u & 'a'",
    "select u&a", "select u&1", "select u&$$a$$", "select u&\"\"",
    "select u&\"a\"\"b\"", "select uescape from uescape",
    "select u&'a' uescapes", "select u&'a' \"uescape\" '!'",
    "select xu&'a'", "select u&u&'a'",
    /* dollars */
    "select $$a$b$$", "select $a$ $$ $b$ $a$", "select $a$ $a $a$",
    "select $$ $a$$", "select $a$$$a$", "select $1$$a$$", "select a$$b$$",
    "select $\xc3\xa9$ x $\xc3\xa9$", "select $1a$ x", "select $a", "$",
    "select $$", "select $_$$_$", "select $A$ $a$ $A$", "select $a1$b$a1$",
    "select $1, $23, $0, $00001", "select $1abc", "select $1$2",
    /* numbers */
    "select 1, 1.5, .5, 1., 1e5, 1.e5, .5e-5, 1e+5", "select 1..2",
    "select 1...5", "select 1.5..2", "select 1.5.6", "select 1.e", "select 1e",
    "select 1e+", "select 1e+x", "select 123abc", "select 1_000", "select 1_",
    "select 1__0", "select _1", "select 1._5", "select 1.5_0", "select 1e1_0",
    "select 0x1F, 0X_1f, 0o17, 0b101", "select 0x", "select 0x_", "select 0xg",
    "select 0b12", "select 0o8", "select 0x1F.5", "select 0x1F..5",
    "select 1_0..2", "select 1_0.5", "select 0_1", "select 1e'a'",
    "select 1u&'a'", "select 1b'1'", "select 1x'1'", "select 1n'a'",
    "select 1e5$$a$$", "select 0x1F$$a$$", "select 1$$a$$", "select 1.a",
    "select 1\xc3\xa9", "select 00x1", "select 1e5e5", "select a[1:2]",
    "select 99999999999999999999", "select 1--2\n", "select 1.*2",
    /* operators */
    "select a+-1, a=-1, a<-1, a@-1, a-+1", "select a<>b, a!=b, a<=b, a=>b",
    "select a::int, a:=b, a:::b, a::::b, :a, : a", "select @-1, !!1, ~-1, #-#",
    "select 1 <=- 2, 1 =+ 2, 1 *- 2, 1 %- 2, 1 ^- 2", "select a ?| b, a ?- b",
    "select a !=-- x\n b", "select a <>/* */ b", "select a|/*x*/b",
    "select 1 - - 1, 1 -+- 1, 1 +++ 1", "select a operator(pg_catalog.+) b",
    "select `a`, a # b, a & b, a && b, a ||/ b, |/ 4", "select a->'b'->>'c'",
    "select +++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++",
    "select ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~",
    "select ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~",
    /* names and white space */
    "select \"a\"\"b\", \"A\", A, \xc3\x84, a$1, _a", "select \"\"", "select \"a",
    "select\ta\n,\rb\f,c", "select\va", "select\xc2\xa0" "a", "\xef\xbb\xbf" "select 1",
    "select \xe2\x80\xa8 a", "select a\x01" "b", "select a\\b", "select {a}",
    "select aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xc3\xa9",
    NULL,
};

static const char *const snippets[] = {"'", "''", "\"", "\"\"", "$$", "$a$",
    "$", "--", "/*", "*/", "\n", "\r", "\f", "\v", " ", "\t", "\\", "\\'",
    "\\\\", "E'", "e'\\", "u&'", "U&\"", " UESCAPE '!'", "uescape", "n'", "b'",
    "x'", "'\n'", "'\n--\n'", "' '", "\\u0041", "\\uD83D\\uDE00", "\\xc3\\xa9",
    "\\x", "\\1", "\\v", "\\0041", "\\+000041", "0x1F", "1_000", "1e5", "1e",
    "..", ".", "1.", ".5", "$1", "$1a", "+", "-", "*", "/", "<", ">", "=", "!",
    "@", "#", "%", "^", "&", "|", "`", "~", "::", ":=", ":", ";", ",", "(",
    ")", "[", "]", "a", "_", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
    "\xef\xbb\xbf", "0", "b0", "o1", "x", "e", "-- x\n", "/* x */"};

uint32_t
nasty_random(uint64_t *seed, uint32_t below)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return (uint32_t)(*seed >> 33) % below;
}

struct text_made {
	char *at;
	size_t len;
};

static void
put(struct text_made *m, size_t where, const char *bytes, size_t len)
{
	if (m->len + len >= NASTY_MAX)
		return;
	memmove(m->at + where + len, m->at + where, m->len - where);
	memcpy(m->at + where, bytes, len);
	m->len += len;
}

static void
leave_out(struct text_made *m, size_t where, size_t len)
{
	if (len > m->len - where)
		len = m->len - where;
	memmove(m->at + where, m->at + where + len, m->len - where - len);
	m->len -= len;
}

static void
change(uint64_t *seed, struct text_made *m, const char *other)
{
	size_t where = nasty_random(seed, (uint32_t)m->len + 1);
	size_t other_len = strlen(other), from, len;
	const char *snippet;
	char copy[16];

	switch (nasty_random(seed, 8)) {
	case 0:
		leave_out(m, where, 1 + nasty_random(seed, 4));
		break;
	case 1: /* double a part */
		len = m->len - where < sizeof(copy) ? m->len - where
						    : sizeof(copy);
		memcpy(copy, m->at + where, len);
		put(m, where, copy, len);
		break;
	case 2: /* splice */
		from = nasty_random(seed, (uint32_t)other_len + 1);
		len = nasty_random(seed, 40);
		if (len > other_len - from)
			len = other_len - from;
		put(m, where, other + from, len);
		break;
	default:
		snippet = snippets[nasty_random(
		    seed, sizeof(snippets) / sizeof(snippets[0]))];
		put(m, where, snippet, strlen(snippet));
	}
}

void
nasty_make(uint64_t *seed, const char *one, const char *other, char *made)
{
	struct text_made m = {.at = made, .len = strlen(one)};
	uint32_t changes = 1 + nasty_random(seed, 4);

	if (m.len > NASTY_MAX / 2)
		m.len = NASTY_MAX / 2;
	memcpy(m.at, one, m.len);
	while (changes-- > 0)
		change(seed, &m, other);
	m.at[m.len] = '\0';
}
