# Sallyport. `make` builds, `make check` runs the unit tests, `make san` and
# `make check-san` the same with ASan and UBSan, `make fuzz` the fuzzers for a
# short while. V=1 shows commands.

PREFIX  ?= /usr
SYSCONF ?= /etc
DATADIR ?= $(PREFIX)/share/sallyport
MANDIR  ?= $(PREFIX)/share/man
BUILD   ?= build

CFLAGS  ?= -O2 -g
WARN    := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Werror
HARDEN  := -fstack-protector-strong -fPIE
CPPFLAGS += -I. -D_GNU_SOURCE -DDATADIR='"$(DATADIR)"' -DSYSCONF='"$(SYSCONF)"'
ALL_CFLAGS := -std=gnu11 $(WARN) $(HARDEN) $(CFLAGS)
LDFLAGS += -pie -Wl,-z,relro,-z,now
LIBS    := -lyaml -llmdb -lpcre2-8 -ljansson -lssl -lcrypto

# make san: the same targets in a folder of their own
SANFLAGS := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=undefined

common  := $(wildcard common/*.c)
master  := $(wildcard master/*.c)
command := $(wildcard master/command/*.c)
worker  := $(wildcard worker/*.c worker/*/*.c worker/*/*/*.c)
units   := $(wildcard tests/unit/test_*.c)
fuzzers := $(wildcard tests/fuzz/fuzz_*.c)

objects  = $(patsubst %.c,$(BUILD)/%.o,$(1))
programs := $(BUILD)/sallyportd $(BUILD)/sallyport

ifneq ($(V),1)
Q := @
say = @printf '  %-7s %s\n' $(1) $(2)
endif

all: $(programs)

$(BUILD)/sallyportd: $(call objects,$(common) $(master) $(worker))
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/sallyport: $(call objects,$(common) $(command))
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/%.o: %.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# Where the programs look for their files is compiled into some of them.
paths := $(DATADIR) $(SYSCONF)

$(BUILD)/paths: FORCE
	@mkdir -p $(@D)
	@echo '$(paths)' | cmp -s - $@ || echo '$(paths)' >$@

$(call objects,$(shell grep -lE 'DATADIR|SYSCONF' $(common) $(master) \
	$(command))): $(BUILD)/paths

FORCE:

# A unit test names the modules it links in its first line:
#     /* links: common/arena.c common/text.c */
links = $(shell sed -n '1s,^/\* links: \(.*\) \*/$$,\1,p' $(1))

.SECONDARY: # objects are kept
.SECONDEXPANSION:
$(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o \
		$$(addprefix $(BUILD)/,$$(subst .c,.o,$$(call links,tests/unit/$$*.c)))
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ -lcheck -lsubunit -lm -lrt \
		-lpthread $(LIBS)

unit-programs := $(patsubst %.c,$(BUILD)/%,$(units))

unit: $(unit-programs)

check: all unit
	$(Q)scripts/run-unit $(unit-programs)

san:
	$(Q)$(MAKE) --no-print-directory BUILD=$(BUILD)/san \
		CFLAGS="$(SANFLAGS)" HARDEN= all unit

check-san: san
	$(Q)UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 \
		CK_TIMEOUT_MULTIPLIER=10 scripts/run-unit \
		$(patsubst %.c,$(BUILD)/san/%,$(units))

# clang's libFuzzer; FUZZ_RUNS executions each
FUZZ_RUNS ?= 20000
fuzz: $(patsubst %.c,$(BUILD)/%,$(fuzzers))
	$(Q)scripts/run-fuzz $(FUZZ_RUNS) $^

$(BUILD)/tests/fuzz/%: tests/fuzz/%.c $$(call links,tests/fuzz/$$*.c)
	$(call say,FUZZ,$@)
	@mkdir -p $(@D)
	$(Q)clang $(CPPFLAGS) -std=gnu11 -g -O1 \
		-fsanitize=fuzzer,address,undefined -o $@ $^ $(LIBS)

# What a decision costs, beside PostgreSQL's parser (libpg-query-dev).
$(BUILD)/tests/bench/classify: $(call objects,$(common) $(worker) \
		$(patsubst %,tests/bench/%.c,classify parser texts world))
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ -lpg_query $(LIBS)

# The classifier against PostgreSQL's own parser: see tests/oracle/oracle.c.
$(BUILD)/tests/oracle/oracle: $(call objects,$(common) \
		$(patsubst %,tests/oracle/%.c,oracle compare mutate parsed \
		report spell truth truth_tables))
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ -lpg_query -lz $(LIBS)

oracle: $(BUILD)/tests/oracle/oracle
	$(Q)$< $(FLAGS) policies $(wildcard tests/oracle/corpus/*.sql) $(CORPUS)

# The lexer against its scanner: see tests/oracle/tokens/tokens.c.
$(BUILD)/tests/oracle/tokens/tokens: $(call objects,\
		$(wildcard common/lexer*.c) common/arena.c common/text.c \
		$(wildcard tests/oracle/tokens/*.c))
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ -lpg_query -ljansson -lz

tokens: $(BUILD)/tests/oracle/tokens/tokens
	$(Q)$< $(FLAGS) $(CORPUS)

# The query parser against its parser: see tests/oracle/trees/trees.c.
$(BUILD)/tests/oracle/trees/trees: $(call objects,\
		$(wildcard common/query*.c common/lexer*.c) common/arena.c \
		common/text.c tests/unit/query_dump.c \
		$(wildcard tests/oracle/trees/*.c))
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ -lpg_query -ljansson -lz

trees: $(BUILD)/tests/oracle/trees/trees
	$(Q)$< -n 20000 $(FLAGS) $(wildcard tests/oracle/corpus/*.sql) $(CORPUS)

bench:
	scripts/bench

install: all
	install -D -m 755 $(BUILD)/sallyportd $(DESTDIR)$(PREFIX)/sbin/sallyportd
	install -D -m 755 $(BUILD)/sallyport $(DESTDIR)$(PREFIX)/bin/sallyport
	install -d $(DESTDIR)$(DATADIR)
	cp -R policies/. $(DESTDIR)$(DATADIR)/
	for page in $(wildcard master/*.[1-8]); do \
		install -D -m 644 $$page \
		$(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/} || exit 1; done

clean:
	rm -rf $(BUILD)

.PHONY: all FORCE unit check san check-san fuzz oracle tokens trees bench install \
	clean
.DELETE_ON_ERROR:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
