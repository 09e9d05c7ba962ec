/*
 * class_rules.c - reading the class rules (see class_rules.h).
 *
 * The one rule: nothing unknown is skipped. An unknown key, a group name
 * without a role, a word that is no operation: the file is refused.
 */
#include <stdlib.h>
#include <yaml.h>

#include "common/class_rules.h"
#include "common/vocab.h"

enum {
	PATTERN_EXPANDED_MAX = PATTERN_LEN_MAX,
	MACROS_MAX = 1000 /* replaced in one pattern */
};

struct loader {
	struct class_rules *rules;
	yaml_document_t document;
	const char *file;
	yaml_node_t *define; /* the mapping of macros, or NULL */
	struct arena *messages;
	const char **message_out;
};

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
complain(struct loader *l, const yaml_mark_t *mark, const char *what,
    struct text word)
{
	*l->message_out = arena_printf(l->messages, "%s:%zu:%zu: %s%s%.*s",
	    l->file, mark->line + 1, mark->column + 1, what,
	    word.len ? " " : "", (int)word.len, word.len ? word.at : "");
	return *l->message_out == NULL ? ERR_MEMORY : ERR_INVALID;
}

static enum err
complain_node(struct loader *l, const yaml_node_t *n, const char *what)
{
	return complain(l, &n->start_mark, what, (struct text){0});
}

static yaml_node_t *
node_at(struct loader *l, int index)
{
	return yaml_document_get_node(&l->document, index);
}

static struct text
node_text(const yaml_node_t *n)
{
	if (n->type != YAML_SCALAR_NODE)
		return (struct text){0};
	return (struct text){
	    (const char *)n->data.scalar.value, n->data.scalar.length};
}

/* A scalar's text, or that of a list of scalars in a row. */
static enum err
joined_text(struct loader *l, const yaml_node_t *n, struct text *out)
{
	char *joined = NULL;
	size_t len = 0;
	yaml_node_item_t *item;
	int pass;

	*out = node_text(n);
	if (n->type != YAML_SEQUENCE_NODE)
		return ERR_NONE;
	for (pass = 0; pass < 2; pass++) {
		len = 0;
		for (item = n->data.sequence.items.start;
		     item < n->data.sequence.items.top; item++) {
			struct text part = node_text(node_at(l, *item));

			if (part.len > 0 && joined != NULL)
				memcpy(joined + len, part.at, part.len);
			len += part.len;
		}
		if (pass == 0)
			joined = arena_alloc(l->rules->arena, len);
		if (joined == NULL)
			return ERR_MEMORY;
	}
	*out = (struct text){joined, len};
	return ERR_NONE;
}

/* Call `take` for each scalar of a list, or for the one scalar. */
static enum err
each_word(struct loader *l, yaml_node_t *n,
    enum err (*take)(struct loader *, yaml_node_t *, void *), void *context)
{
	enum err e = ERR_NONE;
	yaml_node_item_t *item;

	if (n->type == YAML_SCALAR_NODE)
		return take(l, n, context);
	if (n->type != YAML_SEQUENCE_NODE)
		return complain_node(l, n, "a word or a list is wanted here");
	for (item = n->data.sequence.items.start;
	     e == ERR_NONE && item < n->data.sequence.items.top; item++) {
		yaml_node_t *word = node_at(l, *item);

		if (word->type != YAML_SCALAR_NODE)
			return complain_node(l, word, "a word is wanted here");
		e = take(l, word, context);
	}
	return e;
}

struct key {
	const char *name;
	enum err (*take)(struct loader *, yaml_node_t *value, void *context);
};

/* Hand each value of a mapping to the taker of its key. */
static enum err
each_key(struct loader *l, yaml_node_t *n, const struct key *keys,
    size_t key_count, void *context)
{
	enum err e = ERR_NONE;
	yaml_node_pair_t *pair;

	if (n->type != YAML_MAPPING_NODE)
		return complain_node(l, n, "a mapping is wanted here");
	for (pair = n->data.mapping.pairs.start;
	     e == ERR_NONE && pair < n->data.mapping.pairs.top; pair++) {
		yaml_node_t *key = node_at(l, pair->key);
		struct text name = node_text(key);
		size_t i;

		for (i = 0; i < key_count; i++) {
			if (text_is(name, text_of(keys[i].name)))
				break;
		}
		if (i == key_count)
			return complain(
			    l, &key->start_mark, "unknown key", name);
		e = keys[i].take(l, node_at(l, pair->value), context);
	}
	return e;
}

static enum err
take_flagged_word(struct loader *l, yaml_node_t *n, void *context)
{
	struct word *word = words_put(l->rules->words, node_text(n));

	if (word == NULL)
		return ERR_MEMORY;
	word->flags |= *(const unsigned *)context;
	return ERR_NONE;
}

static enum err
flag_words(struct loader *l, yaml_node_t *n, unsigned flags)
{
	return each_word(l, n, take_flagged_word, &flags);
}

static enum err
take_reserved(struct loader *l, yaml_node_t *n, void *context)
{
	(void)context;
	return flag_words(
	    l, n, WORD_KEYWORD | WORD_RESERVED | WORD_CONSTRUCT);
}

static enum err
take_construct(struct loader *l, yaml_node_t *n, void *context)
{
	(void)context;
	return flag_words(l, n, WORD_KEYWORD | WORD_CONSTRUCT);
}

static enum err
take_other(struct loader *l, yaml_node_t *n, void *context)
{
	(void)context;
	return flag_words(l, n, WORD_KEYWORD);
}

static enum err
take_keywords(struct loader *l, yaml_node_t *n, void *context)
{
	static const struct key keys[] = {
	    {"reserved", take_reserved},
	    {"construct", take_construct},
	    {"other", take_other},
	};

	return each_key(l, n, keys, COUNT(keys), context);
}

static enum err
take_clean(struct loader *l, yaml_node_t *n, void *context)
{
	(void)context;
	return flag_words(l, n, WORD_CLEAN);
}

static enum err
take_opaque(struct loader *l, yaml_node_t *n, void *context)
{
	(void)context;
	return flag_words(l, n, WORD_OPAQUE);
}

static enum err
take_queries(struct loader *l, yaml_node_t *n, void *context)
{
	(void)context;
	return flag_words(l, n, WORD_QUERY);
}

static enum err
take_define(struct loader *l, yaml_node_t *n, void *context)
{
	(void)context;
	if (n->type != YAML_MAPPING_NODE)
		return complain_node(l, n, "a mapping is wanted here");
	l->define = n;
	return ERR_NONE;
}

static enum err
find_macro(struct loader *l, yaml_node_t *n, struct text name,
    struct text *out)
{
	yaml_node_pair_t *pair;

	for (pair = l->define == NULL ? NULL
				      : l->define->data.mapping.pairs.start;
	     pair != NULL && pair < l->define->data.mapping.pairs.top; pair++) {
		if (text_is(node_text(node_at(l, pair->key)), name))
			return joined_text(l, node_at(l, pair->value), out);
	}
	return complain(l, &n->start_mark, "unknown macro", name);
}

/* Replace the first ${NAME}. */
static enum err
expand_once(struct loader *l, yaml_node_t *n, struct text *t, bool *did_out)
{
	const char *at = memmem(t->at, t->len, "${", 2), *end;
	size_t before, after;
	struct text name, with;
	char *made;
	enum err e;

	*did_out = at != NULL;
	if (at == NULL)
		return ERR_NONE;
	before = (size_t)(at - t->at);
	end = memchr(at, '}', t->len - before);
	if (end == NULL)
		return complain_node(l, n, "${ without }");
	name = (struct text){at + 2, (size_t)(end - at) - 2};
	e = find_macro(l, n, name, &with);
	if (e != ERR_NONE)
		return e;
	after = t->len - before - name.len - 3;
	if (before + with.len + after > PATTERN_EXPANDED_MAX)
		return complain_node(l, n, "the pattern is too long");
	made = arena_alloc(l->rules->arena, before + with.len + after);
	if (made == NULL)
		return ERR_MEMORY;
	memcpy(made, t->at, before);
	memcpy(made + before, with.at, with.len);
	memcpy(made + before + with.len, end + 1, after);
	*t = (struct text){made, before + with.len + after};
	return ERR_NONE;
}

static enum err
compile(struct loader *l, yaml_node_t *n, struct pattern **out)
{
	struct text t;
	const char *why = NULL;
	bool again = true;
	size_t rounds = 0;
	enum err e = joined_text(l, n, &t);

	if (e == ERR_NONE && (t.len == 0 || *out != NULL))
		return complain_node(l, n, "one pattern is wanted here");
	while (e == ERR_NONE && again && rounds++ < MACROS_MAX)
		e = expand_once(l, n, &t, &again);
	if (e == ERR_NONE && again)
		return complain_node(l, n, "macros without end");
	if (e == ERR_NONE)
		e = pattern_new(t, l->messages, out, &why);
	if (e == ERR_INVALID && why != NULL)
		return complain(l, &n->start_mark, "pattern:", text_of(why));
	return e;
}

static enum err
take_query(struct loader *l, yaml_node_t *n, void *context)
{
	(void)context;
	return compile(l, n, &l->rules->query);
}

static enum err
take_inner(struct loader *l, yaml_node_t *n, void *context)
{
	enum err e = compile(l, n, &l->rules->inner);
	size_t i;

	(void)context;
	if (e != ERR_NONE)
		return e;
	for (i = 1; i <= pattern_group_count(l->rules->inner); i++) {
		const char *name = pattern_group_name(l->rules->inner, i);

		if (text_is(text_of(name), TEXT("query")))
			l->rules->query_group = i;
	}
	return l->rules->query_group != 0
	    ? ERR_NONE
	    : complain_node(l, n, "inner needs a group named query");
}

static enum err
take_clause(struct loader *l, yaml_node_t *n, void *context)
{
	(void)context;
	return compile(l, n, &l->rules->clause);
}

static enum err
take_name(struct loader *l, yaml_node_t *n, void *context)
{
	struct class_rule *rule = context;
	struct text t = node_text(n);

	rule->name = arena_copy(l->rules->arena, t.at, t.len);
	return rule->name == NULL ? ERR_MEMORY : ERR_NONE;
}

static enum err
take_first_word(struct loader *l, yaml_node_t *n, void *context)
{
	return words_add_rule(l->rules->words, node_text(n), context);
}

static enum err
take_first(struct loader *l, yaml_node_t *n, void *context)
{
	return each_word(l, n, take_first_word, context);
}

static enum err
take_pattern(struct loader *l, yaml_node_t *n, void *context)
{
	struct class_rule *rule = context;
	enum err e = compile(l, n, &rule->pattern);
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
			return complain(l, &n->start_mark,
			    "a group's name says nothing:", name);
		rule->roles[i] = (unsigned char)role;
	}
	return ERR_NONE;
}

static enum err
take_operation(struct loader *l, yaml_node_t *n, void *context)
{
	struct class_rule *rule = context;
	uint64_t set = operation_set(node_text(n));

	/* a group of operations has no place in a rule */
	if (set == 0 || (set & (set - 1)) != 0)
		return complain(
		    l, &n->start_mark, "unknown operation", node_text(n));
	rule->operations |= set;
	return ERR_NONE;
}

static enum err
take_operations(struct loader *l, yaml_node_t *n, void *context)
{
	return each_word(l, n, take_operation, context);
}

static enum err
take_trait(struct loader *l, yaml_node_t *n, void *context)
{
	struct class_rule *rule = context;
	uint64_t bit = trait_bit(node_text(n));

	if (bit == 0)
		return complain(
		    l, &n->start_mark, "unknown trait", node_text(n));
	rule->traits |= bit;
	return ERR_NONE;
}

static enum err
take_traits(struct loader *l, yaml_node_t *n, void *context)
{
	return each_word(l, n, take_trait, context);
}

static enum err
take_effect(struct loader *l, yaml_node_t *n, void *context)
{
	struct class_rule *rule = context;
	size_t i;

	for (i = 0; i < COUNT(effects); i++) {
		if (text_is(node_text(n), text_of(effects[i].name))) {
			rule->effects |= effects[i].effect;
			return ERR_NONE;
		}
	}
	return complain(l, &n->start_mark, "unknown effect", node_text(n));
}

static enum err
take_effects(struct loader *l, yaml_node_t *n, void *context)
{
	return each_word(l, n, take_effect, context);
}

static enum err
take_subject(struct loader *l, yaml_node_t *n, void *context)
{
	struct class_rule *rule = context;
	struct text t = node_text(n);

	rule->subject.at = arena_copy(l->rules->arena, t.at, t.len);
	rule->subject.len = t.len;
	return rule->subject.at == NULL ? ERR_MEMORY : ERR_NONE;
}

static enum err
take_flag(struct loader *l, yaml_node_t *n, bool *flag)
{
	if (!text_is(node_text(n), TEXT("true")))
		return complain_node(l, n, "only `true` makes sense here");
	*flag = true;
	return ERR_NONE;
}

static enum err
take_each(struct loader *l, yaml_node_t *n, void *context)
{
	return take_flag(l, n, &((struct class_rule *)context)->each);
}

static enum err
take_more(struct loader *l, yaml_node_t *n, void *context)
{
	return take_flag(l, n, &((struct class_rule *)context)->more);
}

static enum err
take_root(struct loader *l, yaml_node_t *n, void *context)
{
	return take_flag(l, n, &((struct class_rule *)context)->root);
}

static enum err
take_begins(struct loader *l, yaml_node_t *n, void *context)
{
	struct class_rule *rule = context;

	if (text_is(node_text(n), TEXT("false"))) {
		rule->goes_on = true;
		return ERR_NONE;
	}
	return take_flag(l, n, &rule->begins);
}

static const struct key rule_keys[] = {
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

static enum err
take_rules(struct loader *l, yaml_node_t *n, void *context)
{
	enum err e = ERR_NONE;
	size_t count, i;

	(void)context;
	if (n->type != YAML_SEQUENCE_NODE || l->rules->rules != NULL)
		return complain_node(l, n, "one list of rules is wanted here");
	count = (size_t)(n->data.sequence.items.top -
	    n->data.sequence.items.start);
	l->rules->rules = arena_array(
	    l->rules->arena, count, sizeof(*l->rules->rules));
	if (l->rules->rules == NULL)
		return ERR_MEMORY;
	for (i = 0; e == ERR_NONE && i < count; i++) {
		yaml_node_t *node =
		    node_at(l, n->data.sequence.items.start[i]);
		struct class_rule *rule = &l->rules->rules[i];

		l->rules->rule_count = i + 1;
		e = each_key(l, node, rule_keys, COUNT(rule_keys), rule);
		if (e == ERR_NONE && rule->name == NULL)
			e = complain_node(l, node, "a rule without a name");
	}
	return e;
}

/* Parse one file and hand its keys out. */
static enum err
load(struct loader *l, struct text yaml, const struct key *keys, size_t count)
{
	yaml_parser_t parser;
	yaml_node_t *root;
	enum err e;

	if (!yaml_parser_initialize(&parser))
		return ERR_MEMORY;
	yaml_parser_set_input_string(
	    &parser, (const unsigned char *)yaml.at, yaml.len);
	if (!yaml_parser_load(&parser, &l->document)) {
		e = complain(l, &parser.problem_mark,
		    parser.problem ? parser.problem : "out of memory",
		    (struct text){0});
		yaml_parser_delete(&parser);
		return e;
	}
	root = yaml_document_get_root_node(&l->document);
	l->define = NULL;
	if (root == NULL)
		e = complain(l, &parser.mark, "an empty file",
		    (struct text){0});
	else
		e = each_key(l, root, keys, count, NULL);
	yaml_document_delete(&l->document);
	yaml_parser_delete(&parser);
	return e;
}

static enum err
check_complete(struct loader *l)
{
	static const yaml_mark_t start = {0};
	struct class_rules *r = l->rules;

	r->otherwise = words_find(r->words, TEXT("*"), text_hash(TEXT("*")));
	if (r->query == NULL || r->inner == NULL || r->clause == NULL ||
	    r->rules == NULL || r->otherwise == NULL)
		return complain(l, &start,
		    "query, inner, clause, rules and a rule for \"*\" are "
		    "all needed",
		    (struct text){0});
	return ERR_NONE;
}

enum err
class_rules_load(const char *classes_file, struct text classes_yaml,
    const char *functions_file, struct text functions_yaml,
    struct arena *messages, struct class_rules *out, const char **message_out)
{
	static const struct key class_keys[] = {
	    {"keywords", take_keywords},
	    {"define", take_define},
	    {"queries", take_queries},
	    {"query", take_query},
	    {"inner", take_inner},
	    {"clause", take_clause},
	    {"rules", take_rules},
	};
	static const struct key function_keys[] = {
	    {"clean", take_clean},
	    {"opaque", take_opaque},
	};
	struct loader l = {.rules = out,
	    .file = functions_file,
	    .messages = messages,
	    .message_out = message_out};
	enum err e;

	*out = (struct class_rules){0};
	*message_out = NULL;
	out->words = words_new();
	out->arena = arena_new(0);
	if (out->words == NULL || out->arena == NULL)
		return ERR_MEMORY;
	e = load(&l, functions_yaml, function_keys, COUNT(function_keys));
	l.file = classes_file;
	if (e == ERR_NONE)
		e = load(&l, classes_yaml, class_keys, COUNT(class_keys));
	if (e == ERR_NONE)
		e = check_complete(&l);
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
