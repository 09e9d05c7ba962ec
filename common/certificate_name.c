/*
 * certificate_name.c - one spelling for each name in a certificate.
 *
 * The rule: what is not plainly a name of its kind is none; nothing is mended
 * but the case of what is compared without regard to case.
 */
#include "common/certificate_name.h"

#include "common/wire.h"

enum {
	CN_MAX = 255,
	DNS_MAX = 253,	 /* RFC 1035, without the root's dot */
	LABEL_MAX = 63,
	EMAIL_MAX = 254, /* RFC 5321 */
	TRUST_DOMAIN_MAX = 255,
};

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static bool
is_made_of(struct text t, const char *letters)
{
	size_t i;

	for (i = 0; i < t.len; i++) {
		if (t.at[i] == '\0' || strchr(letters, t.at[i]) == NULL)
			return false;
	}
	return true;
}

static bool
has_control(struct text t)
{
	size_t i;

	for (i = 0; i < t.len; i++) {
		unsigned char c = (unsigned char)t.at[i];

		if (c < ' ' || c == 0x7f)
			return true;
	}
	return false;
}

/* What stands before the first `separator`, taken off `rest`, as is that. The
 * last piece is all there is, and leaves a rest without bytes (at NULL). */
static struct text
piece_take(struct text *rest, char separator)
{
	const char *at = memchr(rest->at, separator, rest->len);
	struct text piece = *rest;

	if (at == NULL) {
		*rest = (struct text){NULL, 0};
		return piece;
	}
	piece.len = (size_t)(at - rest->at);
	*rest = (struct text){at + 1, rest->len - piece.len - 1};
	return piece;
}

/* --- the kinds ------------------------------------------------------------ */

static bool
is_common_name(struct text t)
{
	return t.len >= 1 && t.len <= CN_MAX && !has_control(t) &&
	    text_is_utf8(t);
}

static bool
is_dns_name(struct text t)
{
	struct text rest = t, label;

	if (t.len < 1 || t.len > DNS_MAX)
		return false;
	while (rest.at != NULL) {
		label = piece_take(&rest, '.');
		if (label.len < 1 || label.len > LABEL_MAX ||
		    label.at[0] == '-' || label.at[label.len - 1] == '-' ||
		    !is_made_of(label, LOWER UPPER DIGITS "-_"))
			return false;
	}
	return true;
}

/* Mailboxes that need quotes are none here: they have several spellings. */
static bool
is_mailbox(struct text t)
{
	struct text rest = t, local;

	if (t.len > EMAIL_MAX || memchr(t.at, '@', t.len) == NULL)
		return false;
	local = piece_take(&rest, '@');
	return local.len >= 1 &&
	    is_made_of(
		local, LOWER UPPER DIGITS ".!#$%&'*+-/=?^_`{|}~") &&
	    is_dns_name(rest);
}

/* SPIFFE-ID, 2: a trust domain and a path; not the trust domain's own ID,
 * which no workload has. */
static bool
is_spiffe_id(struct text t)
{
	struct text rest = {t.at + 9, t.len - 9}, piece; /* spiffe:// */

	if (memchr(rest.at, '/', rest.len) == NULL)
		return false;
	piece = piece_take(&rest, '/');
	if (piece.len < 1 || piece.len > TRUST_DOMAIN_MAX ||
	    !is_made_of(piece, LOWER DIGITS ".-_"))
		return false;
	while (rest.at != NULL) {
		piece = piece_take(&rest, '/');
		if (piece.len < 1 || text_is(piece, TEXT(".")) ||
		    text_is(piece, TEXT("..")) ||
		    !is_made_of(piece, LOWER UPPER DIGITS ".-_"))
			return false;
	}
	return true;
}

bool
certificate_uri_is_spiffe(struct text uri)
{
	struct text scheme = {uri.at, uri.len < 7 ? uri.len : 7};

	return text_is_folded(scheme, TEXT("spiffe:"));
}

static bool
is_uri(struct text t)
{
	size_t i;

	if (t.len < 3 || t.len > CERTIFICATE_URI_MAX ||
	    memchr(t.at, ':', t.len) == NULL)
		return false;
	for (i = 0; i < t.len; i++) {
		unsigned char c = (unsigned char)t.at[i];

		if (c <= ' ' || c >= 0x7f)
			return false;
	}
	if (!certificate_uri_is_spiffe(t))
		return true;
	return text_starts(t, TEXT("spiffe://")) && is_spiffe_id(t);
}

static const struct kind {
	struct text prefix;
	bool (*is_name)(struct text value);
	const char *wrong;
	/* compared without regard to case from behind this on; '\0': all of
	 * it, ' ': none of it */
	char folds_behind;
} kinds[CERTIFICATE_KINDS] = {
    [CERTIFICATE_CN] = {{"cn:", 3}, is_common_name,
	"a common name has 1 to 255 bytes and no control characters", ' '},
    [CERTIFICATE_DNS] = {{"dns:", 4}, is_dns_name,
	"not a DNS name (wildcards are none)", '\0'},
    [CERTIFICATE_EMAIL] = {{"email:", 6}, is_mailbox,
	"not a mailbox like sync@shop.example", '@'},
    [CERTIFICATE_URI] = {{"uri:", 4}, is_uri,
	"not a URI; a SPIFFE ID is spiffe://, a trust domain in lower case and "
	"a path, and nothing else",
	' '},
};

/* --- spelling ------------------------------------------------------------- */

static void
fold(char *at, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (at[i] >= 'A' && at[i] <= 'Z')
			at[i] = (char)(at[i] - 'A' + 'a');
	}
}

bool
certificate_name_spell(enum certificate_name_kind kind, struct text value,
    char out[CERTIFICATE_NAME_MAX])
{
	const struct kind *k = &kinds[kind];
	size_t len = k->prefix.len, at = 0;

	if (value.len > CERTIFICATE_URI_MAX || !k->is_name(value))
		return false;
	memcpy(out, k->prefix.at, len);
	memcpy(out + len, value.at, value.len);
	out[len + value.len] = '\0';
	if (k->folds_behind == '@')
		at = (size_t)((const char *)memchr(value.at, '@', value.len) -
		    value.at);
	if (k->folds_behind != ' ')
		fold(out + len + at, value.len - at);
	return true;
}

const char *
certificate_name_read(struct text entry, char out[CERTIFICATE_NAME_MAX])
{
	enum certificate_name_kind i;

	if (certificate_uri_is_spiffe(entry))
		return certificate_name_spell(CERTIFICATE_URI, entry, out)
		    ? NULL
		    : kinds[CERTIFICATE_URI].wrong;
	for (i = 0; i < CERTIFICATE_KINDS; i++) {
		struct text prefix = kinds[i].prefix, value;

		if (!text_starts(entry, prefix))
			continue;
		value = (struct text){
		    entry.at + prefix.len, entry.len - prefix.len};
		return certificate_name_spell(i, value, out) ? NULL
							     : kinds[i].wrong;
	}
	return "a certificate's name begins with spiffe://, uri:, dns:, email: "
	       "or cn:";
}

bool
certificate_names_meet(
    const struct text *wanted, size_t count, struct text has)
{
	struct wire w = wire_of(has.at, has.len);
	struct text name;
	size_t i;

	while (w.left > 0) {
		name = wire_cstring(&w);
		for (i = 0; i < count && !w.bad; i++) {
			if (text_is(wanted[i], name))
				return true;
		}
	}
	return false;
}
