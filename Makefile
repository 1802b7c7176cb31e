# bigfusion. `make help` lists the targets. A program is every .c in its folder plus libcommon.a: a new file needs no edit.
VERSION := 0.1.0

CC ?= gcc
BUILD ?= build
PYTHON ?= /usr/bin/python3
OPTIMISE ?= -O2 -g
SANITIZE ?=

PACKAGES := rdkafka libcurl hiredis yyjson inih libmicrohttpd libcrypto jansson
CPPFLAGS += -D_GNU_SOURCE -DBIGFUSION_VERSION='"$(VERSION)"' -Icommon -I$(BUILD)/generated $(shell pkg-config --cflags $(PACKAGES))
CFLAGS += -std=c11 $(OPTIMISE) -Wall -Wextra -Werror -Wshadow -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes \
	-fstack-protector-strong -fno-omit-frame-pointer $(SANITIZE) -pthread
LDFLAGS += $(SANITIZE) -pthread -Wl,--as-needed
LDLIBS += $(shell pkg-config --libs $(PACKAGES)) -lm

# program = its folder
PROGRAMS := \
	bigfusion-poller=services/poller bigfusion-filter=services/filter bigfusion-mapper=services/mapper \
	bigfusion-pusher=services/pusher bigfusion=services/inspector bigfusion-sandbox=services/sandbox \
	bigfusion-devbroker=tests/devbroker bench-passthrough=tests/bench/passthrough bench-http=tests/bench/http \
	bench-generate=tests/bench/generate
PROGRAMS := $(foreach p,$(PROGRAMS),$(if $(wildcard $(lastword $(subst =, ,$(p)))/*.c),$(p)))
BINARIES := $(foreach p,$(PROGRAMS),$(BUILD)/bin/$(firstword $(subst =, ,$(p))))

COMMON_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(wildcard common/*.c))
# A service's own files, all but main.c, for the unit tests: its pure functions are tested as they are linked.
SERVICE_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(filter-out %/main.c,$(wildcard services/*/*.c)))
UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/test_*.c))

.PHONY: all
all: $(BINARIES) ## build every program into build/bin

.PHONY: help
help: ## this list
	@grep -hE '^[a-z_.-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/libcommon.a: $(COMMON_OBJECTS)
	@rm -f $@
	ar rcs $@ $^

define program_rule
$(BUILD)/bin/$(1): $(patsubst %.c,$(BUILD)/%.o,$(wildcard $(2)/*.c)) $(BUILD)/libcommon.a
	@mkdir -p $$(@D)
	$$(CC) $$(LDFLAGS) -o $$@ $$^ $$(LDLIBS)
endef
$(foreach p,$(PROGRAMS),$(eval $(call program_rule,$(firstword $(subst =, ,$(p))),$(lastword $(subst =, ,$(p))))))

# Lua scripts become C string headers, so that a program is one file and cannot meet another version's scripts.
$(BUILD)/generated/%.lua.h: common/%.lua
	@mkdir -p $(@D)
	xxd -i < $< | sed '$$ s/$$/, 0x00/' > $@

# A unit test test_X.c is linked with every service's objects (except mains) and libcommon.
$(BUILD)/libservices.a: $(SERVICE_OBJECTS)
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/unit/%: tests/unit/%.c $(BUILD)/libservices.a $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP $(LDFLAGS) -o $@ $< $(BUILD)/libservices.a $(BUILD)/libcommon.a $(LDLIBS) -lcmocka

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
