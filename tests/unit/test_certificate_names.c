/* links: master/verifier/certificate_names.c common/certificate_name.c common/slot.c common/wire.c common/text.c common/arena.c common/err.c */
/*
 * Names: as identities.yaml has them, and as certificates do.
 */
#include "master/verifier/certificate_names.h"

#include "common/certificate_name.h"
#include "tests/unit/authority.h"
#include "tests/unit/suite.h"

/* --- identities.yaml's ---------------------------------------------------- */

static const struct {
	const char *entry, *spelled;
} good[] = {
    {"cn:nightly", "cn:nightly"},
    {"cn:Nightly Sync", "cn:Nightly Sync"},
    {"cn:spiffe://a/b", "cn:spiffe://a/b"},
    {"cn:J\xc3\xbcrgen", "cn:J\xc3\xbcrgen"},
    {"dns:sync.example", "dns:sync.example"},
    {"dns:Sync.EXAMPLE", "dns:sync.example"},
    {"dns:a", "dns:a"},
    {"dns:_x.a-b.example", "dns:_x.a-b.example"},
    {"email:sync@shop.example", "email:sync@shop.example"},
    {"email:Sync.Job@Shop.EXAMPLE", "email:Sync.Job@shop.example"},
    {"uri:https://shop.example/X?y#z", "uri:https://shop.example/X?y#z"},
    {"uri:urn:uuid:1", "uri:urn:uuid:1"},
    {"uri:spiffe://shop.example/x", "uri:spiffe://shop.example/x"},
    {"spiffe://shop.example/x", "uri:spiffe://shop.example/x"},
    {"spiffe://shop_1.example/a/B.c/d-e_f",
	"uri:spiffe://shop_1.example/a/B.c/d-e_f"},
    {"spiffe://a/...", "uri:spiffe://a/..."},
};

static const char *const bad[] = {
    "",
    "nightly",
    "https://shop.example/x",
    "CN:nightly",
    "CN=nightly",
    "cn:",
    "cn:a\nb",
    "cn:a\x7f",
    "cn:\xff",
    "dns:",
    "dns:*.example",
    "dns:*",
    "dns:a..b",
    "dns:.a",
    "dns:a.",
    "dns:-a",
    "dns:a-",
    "dns:a b",
    "dns:a/b",
    "dns:b\xc3\xbc.example",
    "dns:0123456789012345678901234567890123456789012345678901234567890123.a",
    "email:",
    "email:sync",
    "email:@a",
    "email:a@",
    "email:a@b@c",
    "email:\"a b\"@c",
    "email:a b@c",
    "email:a@*.c",
    "email:A <a@b>",
    "uri:",
    "uri:a",
    "uri:a b:c",
    "uri:h:\x7f",
    "uri:h:\xc3\xbc",
    "spiffe:",
    "spiffe:/",
    "spiffe://",
    "spiffe://a",
    "spiffe://a/",
    "spiffe:///b",
    "spiffe://a//b",
    "spiffe://a/b/",
    "spiffe://a/./b",
    "spiffe://a/../b",
    "spiffe://a/b?c",
    "spiffe://a/b#c",
    "spiffe://a/b%20c",
    "spiffe://a/b:c",
    "spiffe://a/*",
    "spiffe://A/b",
    "spiffe://a:1/b",
    "spiffe://a@b/c",
    "spiffe://[::1]/c",
    "SPIFFE://a/b",
    "Spiffe://a/b",
    "uri:SPIFFE://a/b",
    "uri:spiffe:a/b",
    "uri:spiffe:/a/b",
};

START_TEST(entry_has_one_spelling)
{
	char spelled[CERTIFICATE_NAME_MAX];
	const char *wrong =
	    certificate_name_read(text_of(good[_i].entry), spelled);

	ck_assert_msg(wrong == NULL, "%s: %s", good[_i].entry, wrong);
	ck_assert_str_eq(spelled, good[_i].spelled);
}
END_TEST

START_TEST(entry_that_is_no_name_is_refused)
{
	char spelled[CERTIFICATE_NAME_MAX];

	ck_assert_msg(
	    certificate_name_read(text_of(bad[_i]), spelled) != NULL, "%s",
	    bad[_i]);
}
END_TEST

START_TEST(entry_may_be_just_so_long)
{
	char entry[CERTIFICATE_URI_MAX + 2] = "spiffe://a/";
	char spelled[CERTIFICATE_NAME_MAX];
	size_t len = strlen(entry);

	memset(entry + len, 'x', sizeof(entry) - 1 - len);
	ck_assert_ptr_nonnull(certificate_name_read(
	    (struct text){entry, CERTIFICATE_URI_MAX + 1}, spelled));
	ck_assert_ptr_null(certificate_name_read(
	    (struct text){entry, CERTIFICATE_URI_MAX}, spelled));
	ck_assert_uint_eq(strlen(spelled), CERTIFICATE_URI_MAX + 4);
}
END_TEST

START_TEST(names_meet_when_one_is_the_same)
{
	const struct text wanted[] = {TEXT("cn:a"), TEXT("dns:b")};
	const struct {
		struct text has;
		bool meets;
	} table[] = {
	    {{"cn:a\0", 5}, true},
	    {{"uri:x\0dns:b\0", 12}, true},
	    {{"cn:b\0dns:a\0", 11}, false},
	    {{"cn:aa\0", 6}, false},
	    {{"cn:\0a\0", 6}, false},
	    {{"cn:a", 4}, false}, /* not terminated */
	    {{"", 0}, false},
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		ck_assert_int_eq(
		    certificate_names_meet(wanted, 2, table[i].has),
		    table[i].meets);
	ck_assert(!certificate_names_meet(NULL, 0, table[0].has));
}
END_TEST

/* --- certificates' -------------------------------------------------------- */

/* The names of a certificate with spaces between, or what is wrong. */
static const char *
names_of(X509 *x)
{
	static struct certificate_facts facts;
	const char *wrong;
	size_t i;

	memset(&facts, 'x', sizeof(facts));
	wrong = certificate_facts_read(x, &facts);
	if (wrong != NULL)
		return wrong;
	for (i = 0; i + 1 < facts.names_len; i++) {
		if (facts.names[i] == '\0')
			facts.names[i] = '|';
	}
	return facts.names;
}

static const struct {
	const char *cn, *names, *want;
} shown[] = {
    {"nightly", NULL, "cn:nightly"},
    {"Nightly Sync", NULL, "cn:Nightly Sync"},
    {NULL, "DNS:A.example", "dns:a.example"},
    {"x", "DNS:a.example,DNS:b.example", "cn:x|dns:a.example|dns:b.example"},
    {NULL, "email:Me@Shop.Example", "email:Me@shop.example"},
    {NULL, "URI:https://a/B", "uri:https://a/B"},
    {NULL, "URI:https://a/b,URI:https://a/c",
	"uri:https://a/b|uri:https://a/c"},
    {NULL, "URI:spiffe://a/b,DNS:c", "uri:spiffe://a/b|dns:c"},
    {"x", "IP:127.0.0.1,RID:1.2.3", "cn:x"},
    /* what is no name is passed over … */
    {"x", "DNS:*.example", "cn:x"},
    {"x", "DNS:a..b", "cn:x"},
    {"x", "email:not a mailbox", "cn:x"},
    {"x", "URI:relative", "cn:x"},
    {NULL, "DNS:*.example", "there is no name in the certificate"},
    {NULL, NULL, "there is no name in the certificate"},
    {NULL, "IP:127.0.0.1", "there is no name in the certificate"},
    /* … but not what can be read in two ways */
    {NULL, "DNS:a,DNS:a", "a name is in the certificate twice"},
    {NULL, "DNS:a,DNS:A", "a name is in the certificate twice"},
    {NULL, "URI:spiffe://a/b,URI:spiffe://a/b",
	"a name is in the certificate twice"},
    {NULL, "URI:spiffe://a/b,URI:spiffe://a/c",
	"there is another URI beside a SPIFFE ID in the certificate"},
    {NULL, "URI:spiffe://a/b,URI:https://a/c",
	"there is another URI beside a SPIFFE ID in the certificate"},
    {NULL, "URI:spiffe://a/b,URI:relative",
	"there is another URI beside a SPIFFE ID in the certificate"},
    {"x", "URI:spiffe://a",
	"the SPIFFE ID in the certificate is badly formed"},
    {"x", "URI:spiffe://A/b",
	"the SPIFFE ID in the certificate is badly formed"},
    {"x", "URI:SPIFFE://a/b",
	"the SPIFFE ID in the certificate is badly formed"},
    {"x", "URI:spiffe://a/b?c",
	"the SPIFFE ID in the certificate is badly formed"},
    {"x", "URI:spiffe://a/../b",
	"the SPIFFE ID in the certificate is badly formed"},
};

START_TEST(certificate_has_the_names_in_it)
{
	struct holder h = certificate_issue(
	    &(struct order){.name = shown[_i].cn, .names = shown[_i].names},
	    NULL);

	ck_assert_str_eq(names_of(h.x), shown[_i].want);
	holder_free(&h);
}
END_TEST

START_TEST(second_common_name_leaves_none)
{
	struct holder h = certificate_draft(
	    &(struct order){.name = "alice", .names = "DNS:a"}, NULL);

	name_set_cn(h.x, "bob");
	certificate_sign(h.x, &h, NULL);
	ck_assert_str_eq(names_of(h.x), "dns:a");
	holder_free(&h);
}
END_TEST

/* A subjectAltName that nobody can write as text. */
static void
alternative_add(X509 *x, int type, struct text value)
{
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_IA5STRING *string = ASN1_IA5STRING_new();

	ck_assert(names != NULL && name != NULL && string != NULL);
	ASN1_STRING_set(string, value.at, (int)value.len);
	GENERAL_NAME_set0_value(name, type, string);
	sk_GENERAL_NAME_push(names, name);
	ck_assert_int_eq(X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0,
			     X509V3_ADD_APPEND),
	    1);
	GENERAL_NAMES_free(names);
}

START_TEST(zero_byte_in_a_name_proves_nobody)
{
	static const struct {
		int type;
		struct text value;
	} table[] = {
	    {GEN_DNS, {"a.example\0.b", 12}},
	    {GEN_DNS, {"a.example\0", 10}},
	    {GEN_EMAIL, {"a@b\0.c", 6}},
	    {GEN_URI, {"spiffe://a/b\0c", 14}},
	    {GEN_URI, {"\0spiffe://a/b", 13}},
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct holder h =
		    certificate_draft(&(struct order){.name = "x"}, NULL);

		alternative_add(h.x, table[i].type, table[i].value);
		certificate_sign(h.x, &h, NULL);
		ck_assert_str_eq(names_of(h.x),
		    "a name in the certificate has a zero byte in it");
		holder_free(&h);
	}
}
END_TEST

START_TEST(second_list_of_names_proves_nobody)
{
	struct holder h =
	    certificate_draft(&(struct order){.name = "x"}, NULL);

	alternative_add(h.x, GEN_DNS, TEXT("a"));
	alternative_add(h.x, GEN_DNS, TEXT("b"));
	certificate_sign(h.x, &h, NULL);
	ck_assert_str_eq(names_of(h.x), "the certificate is broken");
	holder_free(&h);
}
END_TEST

START_TEST(common_name_of_another_encoding_is_none)
{
	static const int types[] = {V_ASN1_BMPSTRING, V_ASN1_T61STRING};
	size_t i;

	for (i = 0; i < 2; i++) {
		struct holder h = certificate_draft(
		    &(struct order){.names = "DNS:a"}, NULL);

		X509_NAME_add_entry_by_txt(X509_get_subject_name(h.x), "CN",
		    types[i], (const unsigned char *)"root", 4, -1, 0);
		certificate_sign(h.x, &h, NULL);
		ck_assert_str_eq(names_of(h.x), "dns:a");
		holder_free(&h);
	}
}
END_TEST

/* `count` DNS names, with a common name or without. */
static const char *
names_of_many(unsigned count)
{
	char all[ERRAND_NAMES_MAX * 16] = "";
	struct holder h;
	const char *names;
	unsigned i;

	for (i = 0; i < count; i++)
		snprintf(all + strlen(all), sizeof(all) - strlen(all),
		    "%sDNS:a%u", i == 0 ? "" : ",", i);
	h = certificate_issue(&(struct order){.names = all}, NULL);
	names = names_of(h.x);
	holder_free(&h);
	return names;
}

START_TEST(too_many_names_prove_nobody)
{
	ck_assert_str_eq(names_of_many(ERRAND_NAMES_MAX + 1),
	    "there are too many names in the certificate");
	ck_assert_int_eq(
	    strncmp(names_of_many(ERRAND_NAMES_MAX), "dns:a0|", 7), 0);
}
END_TEST

START_TEST(names_that_are_too_long_together_prove_nobody)
{
	struct holder h =
	    certificate_draft(&(struct order){.name = "x"}, NULL);
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	char uri[2000];
	int i;

	memset(uri, 'x', sizeof(uri));
	memcpy(uri, "h:", 2);
	for (i = 0; i < 6; i++) {
		GENERAL_NAME *name = GENERAL_NAME_new();
		ASN1_IA5STRING *string = ASN1_IA5STRING_new();

		uri[2] = (char)('a' + i);
		ASN1_STRING_set(string, uri, sizeof(uri));
		GENERAL_NAME_set0_value(name, GEN_URI, string);
		sk_GENERAL_NAME_push(names, name);
	}
	X509_add1_ext_i2d(
	    h.x, NID_subject_alt_name, names, 0, X509V3_ADD_APPEND);
	GENERAL_NAMES_free(names);
	certificate_sign(h.x, &h, NULL);
	ck_assert_str_eq(
	    names_of(h.x), "there are too many names in the certificate");
	holder_free(&h);
}
END_TEST

START_TEST(long_subject_is_cut)
{
	struct holder h =
	    certificate_draft(&(struct order){.name = "x"}, NULL);
	struct certificate_facts facts;
	char unit[64];
	int i;

	memset(unit, 'u', sizeof(unit));
	for (i = 0; i < 20; i++)
		X509_NAME_add_entry_by_txt(X509_get_subject_name(h.x), "OU",
		    MBSTRING_ASC, (unsigned char *)unit, sizeof(unit), -1, 0);
	certificate_sign(h.x, &h, NULL);
	ck_assert_ptr_null(certificate_facts_read(h.x, &facts));
	ck_assert_uint_eq(strlen(facts.subject), sizeof(facts.subject) - 1);
	holder_free(&h);
}
END_TEST

#define LENGTH(table) ((int)(sizeof(table) / sizeof((table)[0])))

int
main(void)
{
	Suite *s = suite_create("certificate_names");
	TCase *c = tcase_create("certificate_names");

	tcase_add_loop_test(c, entry_has_one_spelling, 0, LENGTH(good));
	tcase_add_loop_test(
	    c, entry_that_is_no_name_is_refused, 0, LENGTH(bad));
	tcase_add_test(c, entry_may_be_just_so_long);
	tcase_add_test(c, names_meet_when_one_is_the_same);
	tcase_add_loop_test(
	    c, certificate_has_the_names_in_it, 0, LENGTH(shown));
	tcase_add_test(c, second_common_name_leaves_none);
	tcase_add_test(c, zero_byte_in_a_name_proves_nobody);
	tcase_add_test(c, second_list_of_names_proves_nobody);
	tcase_add_test(c, common_name_of_another_encoding_is_none);
	tcase_add_test(c, too_many_names_prove_nobody);
	tcase_add_test(c, names_that_are_too_long_together_prove_nobody);
	tcase_add_test(c, long_subject_is_cut);
	suite_add_tcase(s, c);
	return suite_run(s);
}
