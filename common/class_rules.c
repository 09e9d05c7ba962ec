/*
 * class_rules.c - what the keys of the class rules mean (class_rules.h).
 *
 * The one rule: nothing unknown is skipped. A group name without a role, a
 * word that is no operation: the file is refused.
 */
#include "common/class_file.h"
#include "common/vocab.h"

static const char *const role_names[ROLE_MAX] = {
    [ROLE_READ] = "read",
    [ROLE_WRITE] = "write",
    [ROLE_CTE] = "cte",
    [ROLE_ALIAS] = "alias",
    [ROLE_FUNCTION] = "function",
    [ROLE_SUBJECT] = "subject",
    [ROLE_VALUE] = "value",
};

static const struct {
	const char *name;
	unsigned effect;
} effects[] = {
    {"claims", EFFECT_CLAIMS},
    {"needs-where", EFFECT_NEEDS_WHERE},
    {"has-where", EFFECT_HAS_WHERE},
    {"trivial-where", EFFECT_TRIVIAL_WHERE},
    {"reads-only", EFFECT_READS_ONLY},
    {"executes", EFFECT_EXECUTES},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static enum err
take_flagged_word(struct class_file *f, const struct node *n, void *context)
{
	struct word *word = words_put(f->rules->words, n->text);

	if (word == NULL)
		return ERR_MEMORY;
	word->flags |= *(const unsigned *)context;
	return ERR_NONE;
}

static enum err
flag_words(struct class_file *f, const struct node *n, unsigned flags)
{
	return class_file_words(f, n, take_flagged_word, &flags);
}

static enum err
take_reserved(struct class_file *f, const struct node *n, void *context)
{
	(void)context;
	return flag_words(
	    f, n, WORD_KEYWORD | WORD_RESERVED | WORD_CONSTRUCT);
}

static enum err
take_construct(struct class_file *f, const struct node *n, void *context)
{
	(void)context;
	return flag_words(f, n, WORD_KEYWORD | WORD_CONSTRUCT);
}

static enum err
take_other(struct class_file *f, const struct node *n, void *context)
{
	(void)context;
	return flag_words(f, n, WORD_KEYWORD);
}

static enum err
take_keywords(struct class_file *f, const struct node *n, void *context)
{
	static const struct class_key keys[] = {
	    {"reserved", take_reserved},
	    {"construct", take_construct},
	    {"other", take_other},
	};

	return class_file_keys(f, n, keys, COUNT(keys), context);
}

static enum err
take_clean(struct class_file *f, const struct node *n, void *context)
{
	(void)context;
	return flag_words(f, n, WORD_CLEAN);
}

static enum err
take_opaque(struct class_file *f, const struct node *n, void *context)
{
	(void)context;
	return flag_words(f, n, WORD_OPAQUE);
}

static enum err
take_escaping(struct class_file *f, const struct node *n, void *context)
{
	(void)context;
	return flag_words(f, n, WORD_OPAQUE | WORD_ESCAPING);
}

static enum err
take_harmless(struct class_file *f, const struct node *n, void *context)
{
	(void)context;
	return flag_words(f, n, WORD_EFFECT);
}

static enum err
take_extensions(struct class_file *f, const struct node *n, void *context)
{
	(void)context;
	return flag_words(f, n, WORD_EXTENSION);
}

static enum err
take_total_always(struct class_file *f, const struct node *n, void *context)
{
	(void)context;
	return flag_words(f, n, WORD_TOTAL_ALWAYS);
}

static enum err
take_total_first(struct class_file *f, const struct node *n, void *context)
{
	(void)context;
	return flag_words(f, n, WORD_TOTAL_FIRST);
}

static enum err
take_total_last(struct class_file *f, const struct node *n, void *context)
{
	(void)context;
	return flag_words(f, n, WORD_TOTAL_LAST);
}

static enum err
take_total_plain(struct class_file *f, const struct node *n, void *context)
{
	(void)context;
	return flag_words(f, n, WORD_TOTAL_PLAIN);
}

static enum err
take_total(struct class_file *f, const struct node *n, void *context)
{
	static const struct class_key keys[] = {
	    {"always", take_total_always},
	    {"first", take_total_first},
	    {"last", take_total_last},
	    {"plain", take_total_plain},
	};

	return class_file_keys(f, n, keys, COUNT(keys), context);
}

static enum err
take_queries(struct class_file *f, const struct node *n, void *context)
{
	(void)context;
	return flag_words(f, n, WORD_QUERY);
}

static enum err
take_define(struct class_file *f, const struct node *n, void *context)
{
	(void)context;
	if (n->kind != NODE_MAP)
		return class_file_unwanted(f, n, "a mapping is wanted here");
	f->define = n;
	return ERR_NONE;
}

static enum err
take_query(struct class_file *f, const struct node *n, void *context)
{
	(void)context;
	return class_file_pattern(f, n, &f->rules->query);
}

static enum err
take_inner(struct class_file *f, const struct node *n, void *context)
{
	enum err e = class_file_pattern(f, n, &f->rules->inner);
	size_t i;

	(void)context;
	if (e != ERR_NONE)
		return e;
	for (i = 1; i <= pattern_group_count(f->rules->inner); i++) {
		const char *name = pattern_group_name(f->rules->inner, i);

		if (text_is(text_of(name), TEXT("query")))
			f->rules->query_group = i;
	}
	return f->rules->query_group != 0
	    ? ERR_NONE
	    : class_file_unwanted(f, n, "inner needs a group named query");
}

/* The same pattern, to match only where the search begins. It has no
 * alternatives but in groups. */
static enum err
anchor(struct class_file *f, struct text source, struct pattern **pattern)
{
	const char *at = arena_printf(
	    f->tree, "\\G%.*s", (int)source.len, source.at);
	const char *why;

	pattern_free(*pattern);
	*pattern = NULL;
	if (at == NULL)
		return ERR_MEMORY;
	return pattern_new(text_of(at), f->messages, pattern, &why);
}

/* It is only tried where it can match: at one of its first words. */
static enum err
take_clause(struct class_file *f, const struct node *n, void *context)
{
	enum err e = class_file_pattern(f, n, &f->rules->clause);
	struct text words[FIRST_WORDS_MAX], source = f->pattern;
	struct word *word;
	size_t count, i;

	(void)context;
	if (e != ERR_NONE)
		return e;
	count = need_first_words(source, words);
	for (i = 0; i < count; i++) {
		word = words_put(f->rules->words, words[i]);
		if (word == NULL)
			return ERR_MEMORY;
		word->flags |= WORD_CLAUSE;
	}
	return count > 0
	    ? anchor(f, source, &f->rules->clause)
	    : class_file_unwanted(f, n,
		  "clause must be ${B} and then (?:word ...|word ...)${E}");
}

static enum err
take_name(struct class_file *f, const struct node *n, void *context)
{
	struct class_rule *rule = context;
	struct text t = n->text;

	rule->name = arena_copy(f->rules->arena, t.at, t.len);
	return rule->name == NULL ? ERR_MEMORY : ERR_NONE;
}

static enum err
take_first_word(struct class_file *f, const struct node *n, void *context)
{
	return words_add_rule(f->rules->words, n->text, context);
}

static enum err
take_first(struct class_file *f, const struct node *n, void *context)
{
	return class_file_words(f, n, take_first_word, context);
}

static enum err
take_pattern(struct class_file *f, const struct node *n, void *context)
{
	struct class_rule *rule = context;
	enum err e = class_file_pattern(f, n, &rule->pattern);
	size_t i, role;

	if (e != ERR_NONE)
		return e;
	for (i = 1; i <= pattern_group_count(rule->pattern); i++) {
		struct text name =
		    text_of(pattern_group_name(rule->pattern, i));

		/* _name: for the pattern's own use */
		if (name.len == 0 || name.at[0] == '_')
			continue;
		for (role = ROLE_NONE + 1; role < ROLE_MAX; role++) {
			if (text_is(name, text_of(role_names[role])))
				break;
		}
		if (role == ROLE_MAX)
			return class_file_complain(f, n,
			    "a group's name says nothing:", name);
		rule->roles[i] = (unsigned char)role;
	}
	return ERR_NONE;
}

static enum err
take_operation(struct class_file *f, const struct node *n, void *context)
{
	struct class_rule *rule = context;
	uint64_t set = operation_set(n->text);

	/* a group of operations has no place in a rule */
	if (set == 0 || (set & (set - 1)) != 0)
		return class_file_complain(
		    f, n, "unknown operation", n->text);
	rule->operations |= set;
	return ERR_NONE;
}

static enum err
take_operations(struct class_file *f, const struct node *n, void *context)
{
	return class_file_words(f, n, take_operation, context);
}

static enum err
take_trait(struct class_file *f, const struct node *n, void *context)
{
	struct class_rule *rule = context;
	uint64_t bit = trait_bit(n->text);

	if (bit == 0)
		return class_file_complain(
		    f, n, "unknown trait", n->text);
	rule->traits |= bit;
	return ERR_NONE;
}

static enum err
take_traits(struct class_file *f, const struct node *n, void *context)
{
	return class_file_words(f, n, take_trait, context);
}

static enum err
take_effect(struct class_file *f, const struct node *n, void *context)
{
	struct class_rule *rule = context;
	size_t i;

	for (i = 0; i < COUNT(effects); i++) {
		if (text_is(n->text, text_of(effects[i].name))) {
			rule->effects |= effects[i].effect;
			return ERR_NONE;
		}
	}
	return class_file_complain(f, n, "unknown effect", n->text);
}

static enum err
take_effects(struct class_file *f, const struct node *n, void *context)
{
	return class_file_words(f, n, take_effect, context);
}

static enum err
take_subject(struct class_file *f, const struct node *n, void *context)
{
	struct class_rule *rule = context;
	struct text t = n->text;

	rule->subject.at = arena_copy(f->rules->arena, t.at, t.len);
	rule->subject.len = t.len;
	return rule->subject.at == NULL ? ERR_MEMORY : ERR_NONE;
}

static enum err
take_flag(struct class_file *f, const struct node *n, bool *flag)
{
	if (!text_is(n->text, TEXT("true")))
		return class_file_unwanted(
		    f, n, "only `true` makes sense here");
	*flag = true;
	return ERR_NONE;
}

static enum err
take_each(struct class_file *f, const struct node *n, void *context)
{
	return take_flag(f, n, &((struct class_rule *)context)->each);
}

static enum err
take_more(struct class_file *f, const struct node *n, void *context)
{
	return take_flag(f, n, &((struct class_rule *)context)->more);
}

static enum err
take_root(struct class_file *f, const struct node *n, void *context)
{
	return take_flag(f, n, &((struct class_rule *)context)->root);
}

static enum err
take_begins(struct class_file *f, const struct node *n, void *context)
{
	struct class_rule *rule = context;

	if (text_is(n->text, TEXT("false"))) {
		rule->goes_on = true;
		return ERR_NONE;
	}
	return take_flag(f, n, &rule->begins);
}

static const struct class_key rule_keys[] = {
    {"name", take_name},
    {"first", take_first},
    {"pattern", take_pattern},
    {"operations", take_operations},
    {"traits", take_traits},
    {"effects", take_effects},
    {"subject", take_subject},
    {"each", take_each},
    {"more", take_more},
    {"root", take_root},
    {"begins", take_begins},
};

/* Does a match that catches nothing mean nothing? */
static bool
only_catches(const struct class_rule *rule)
{
	return rule->more && rule->operations == 0 && rule->traits == 0 &&
	       rule->effects == 0 && rule->subject.len == 0;
}

static enum err
take_rule(struct class_file *f, const struct node *n, struct class_rule *rule)
{
	enum err e;

	f->pattern = (struct text){NULL, 0};
	e = class_file_keys(f, n, rule_keys, COUNT(rule_keys), rule);
	if (e == ERR_NONE)
		need_of(f->pattern, only_catches(rule), &rule->need);
	return e == ERR_NONE && rule->name == NULL
	    ? class_file_unwanted(f, n, "a rule without a name")
	    : e;
}

static enum err
take_rules(struct class_file *f, const struct node *n, void *context)
{
	struct class_rules *r = f->rules;
	enum err e = ERR_NONE;
	size_t i;

	(void)context;
	if (n->kind != NODE_LIST || r->rules != NULL)
		return class_file_unwanted(
		    f, n, "one list of rules is wanted here");
	r->rules = arena_array(r->arena, n->count, sizeof(*r->rules));
	if (r->rules == NULL)
		return ERR_MEMORY;
	for (i = 0; e == ERR_NONE && i < n->count; i++) {
		r->rule_count = i + 1;
		e = take_rule(f, n->items[i], &r->rules[i]);
	}
	return e;
}

static enum err
check_complete(struct class_file *f, const char *file)
{
	struct node start = {.file = file, .line = 1, .column = 1};
	struct class_rules *r = f->rules;

	r->otherwise = words_find(r->words, TEXT("*"), text_hash(TEXT("*")));
	if (r->query == NULL || r->inner == NULL || r->clause == NULL ||
	    r->rules == NULL || r->otherwise == NULL)
		return class_file_unwanted(f, &start,
		    "query, inner, clause, rules and a rule for \"*\" are "
		    "all needed");
	return ERR_NONE;
}

enum err
class_rules_load(const char *classes_file, struct text classes_yaml,
    const char *functions_file, struct text functions_yaml,
    struct arena *messages, struct class_rules *out, const char **message_out)
{
	static const struct class_key class_keys[] = {
	    {"keywords", take_keywords},
	    {"define", take_define},
	    {"queries", take_queries},
	    {"query", take_query},
	    {"inner", take_inner},
	    {"clause", take_clause},
	    {"rules", take_rules},
	};
	static const struct class_key function_keys[] = {
	    {"clean", take_clean},
	    {"opaque", take_opaque},
	    {"escaping", take_escaping},
	    {"effects", take_harmless},
	    {"extensions", take_extensions},
	    {"total", take_total},
	};
	struct class_file f = {.rules = out,
	    .tree = arena_new(0),
	    .messages = messages,
	    .message_out = message_out};
	enum err e;

	*out = (struct class_rules){0};
	*message_out = NULL;
	out->words = words_new();
	out->arena = arena_new(0);
	e = out->words == NULL || out->arena == NULL || f.tree == NULL
	    ? ERR_MEMORY
	    : class_file_load(&f, functions_file, functions_yaml,
		  function_keys, COUNT(function_keys));
	if (e == ERR_NONE)
		e = class_file_load(&f, classes_file, classes_yaml,
		    class_keys, COUNT(class_keys));
	if (e == ERR_NONE)
		e = check_complete(&f, classes_file);
	arena_free(f.tree);
	return e;
}

void
class_rules_free(struct class_rules *r)
{
	size_t i;

	for (i = 0; i < r->rule_count; i++)
		pattern_free(r->rules[i].pattern);
	pattern_free(r->query);
	pattern_free(r->inner);
	pattern_free(r->clause);
	words_free(r->words);
	arena_free(r->arena);
}
