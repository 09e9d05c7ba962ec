# Sallyport. `make` builds, `make check` runs the unit tests, `make san` and
# `make check-san` the same with ASan and UBSan, `make fuzz` the fuzzers for a
# short while. V=1 shows commands.

PREFIX  ?= /usr
SYSCONF ?= /etc
DATADIR ?= $(PREFIX)/share/sallyport
MANDIR  ?= $(PREFIX)/share/man
LIBEXECDIR ?= $(PREFIX)/libexec/sallyport
BUILD   ?= build

CFLAGS  ?= -O2 -g
WARN    := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Werror
HARDEN  := -fstack-protector-strong -fPIE
CPPFLAGS += -I. -D_GNU_SOURCE -DDATADIR='"$(DATADIR)"' -DSYSCONF='"$(SYSCONF)"' \
	-DLIBEXECDIR='"$(LIBEXECDIR)"'
ALL_CFLAGS := -std=gnu11 $(WARN) $(HARDEN) $(CFLAGS)
LDFLAGS += -pie -Wl,-z,relro,-z,now
LIBS    := -lyaml -llmdb -lpcre2-8 -ljansson -lidn -lssl -lcrypto

# make san: the same targets in a folder of their own
SANFLAGS := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=undefined

common  := $(wildcard common/*.c)
master  := $(wildcard master/*.c)
command := $(wildcard master/command/*.c)
verifier := $(wildcard master/verifier/*.c) \
	$(patsubst %,master/%.c,errand confine confine_roles capability)
pam     := $(wildcard master/pam/*.c)
ifdef HOLE
common  += tests/hole/hole.c
CPPFLAGS += -DSALLYPORT_HOLE
endif
worker  := $(wildcard worker/*.c worker/*/*.c worker/*/*/*.c)
units   := $(wildcard tests/unit/test_*.c)
fuzzers := $(wildcard tests/fuzz/fuzz_*.c)

objects  = $(patsubst %.c,$(BUILD)/%.o,$(1))
programs := $(BUILD)/sallyportd $(BUILD)/sallyport $(BUILD)/sallyport-verifier \
	$(BUILD)/sallyport-pam

ifneq ($(V),1)
Q := @
say = @printf '  %-7s %s\n' $(1) $(2)
endif

all: $(programs)

$(BUILD)/sallyportd: $(call objects,$(common) $(master) $(worker))
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ -lseccomp $(LIBS)

$(BUILD)/sallyport: $(call objects,$(common) $(command))
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

# librhonabwy reads tokens; it brings much with it, which nothing else links.
$(BUILD)/tests/unit/test_token $(BUILD)/tests/fuzz/fuzz_token: \
	LIBS += -lrhonabwy

$(BUILD)/tests/unit/test_confine: LIBS += -lseccomp

$(BUILD)/sallyport-verifier: $(call objects,$(common) $(verifier))
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ -lrhonabwy -lseccomp \
		$(LIBS)

# PAM's modules are others' code: they get a process without ours.
$(BUILD)/sallyport-pam: $(call objects,$(pam))
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ -lpam

$(BUILD)/%.o: %.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# Where the programs look for their files is compiled into some of them.
paths := $(DATADIR) $(SYSCONF) $(LIBEXECDIR)

$(BUILD)/paths: FORCE
	@mkdir -p $(@D)
	@echo '$(paths)' | cmp -s - $@ || echo '$(paths)' >$@

$(call objects,$(shell grep -lE 'DATADIR|SYSCONF|LIBEXECDIR' $(common) $(master) \
	$(command))): $(BUILD)/paths

FORCE:

# What the characters of legacy encodings are: this machine's iconv knows.
encodings := $(shell sed -nE \
	's/^ *(EXACT|DOUBTFUL).("[^"]*"), "([^"]*)".*/\3/p' common/encoding.c)
CPPFLAGS += -DENCODING_DATA='"$(BUILD)/encodings.bin"'

$(BUILD)/encoding_tables: scripts/encoding_tables.c common/encoding_data.h
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -I. -D_GNU_SOURCE -std=gnu11 $(WARN) -O2 -o $@ $<

$(BUILD)/encodings.bin: $(BUILD)/encoding_tables common/encoding.c
	$(call say,TABLES,$@)
	$(Q)$< $(encodings) >$@

$(BUILD)/common/encoding_data.o: $(BUILD)/encodings.bin

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

# A build that a client can take over, for tests/e2e/test_sandbox.py alone.
hole:
	$(Q)$(MAKE) --no-print-directory BUILD=$(BUILD)/hole/build HOLE=1 all
	@touch $(BUILD)/hole/build/HOLE

# clang's libFuzzer; FUZZ_RUNS executions each
FUZZ_RUNS ?= 20000
fuzz: $(patsubst %.c,$(BUILD)/%,$(fuzzers))
	$(Q)scripts/run-fuzz $(FUZZ_RUNS) $^

$(BUILD)/tests/fuzz/%: tests/fuzz/%.c $$(call links,tests/fuzz/$$*.c) \
		| $(BUILD)/encodings.bin
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
	@! test -e $(BUILD)/HOLE || \
		{ echo "$(BUILD) has a deliberate hole: not installed"; exit 1; }
	install -D -m 755 $(BUILD)/sallyportd $(DESTDIR)$(PREFIX)/sbin/sallyportd
	install -D -m 755 $(BUILD)/sallyport $(DESTDIR)$(PREFIX)/bin/sallyport
	for program in verifier pam; do \
		install -D -m 755 $(BUILD)/sallyport-$$program \
		$(DESTDIR)$(LIBEXECDIR)/sallyport-$$program || exit 1; done
	install -d $(DESTDIR)$(DATADIR)
	cp -R policies/. $(DESTDIR)$(DATADIR)/
	for page in $(wildcard master/*.[1-8]); do \
		install -D -m 644 $$page \
		$(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/} || exit 1; done

clean:
	rm -rf $(BUILD)

.PHONY: all FORCE unit check san check-san hole fuzz oracle tokens trees bench install \
	clean
.DELETE_ON_ERROR:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
