# bigfusion. `make help` lists the targets. A program is every .c in its folder plus libcommon.a: a new file needs no edit.
VERSION := 0.1.0

CC ?= gcc
BUILD ?= build
# one spelling: the dependencies that a build leaves name its targets
override BUILD := $(patsubst $(CURDIR)/%,%,$(abspath $(BUILD)))
PYTHON ?= /usr/bin/python3
OPTIMISE ?= -O2 -g
SANITIZE ?=

PACKAGES := rdkafka libcurl hiredis yyjson inih libmicrohttpd libcrypto jansson sqlite3
# rediss:// where hiredis can do TLS: Debian trixie, not bookworm
ifeq ($(shell pkg-config --exists hiredis_ssl libssl && echo yes),yes)
PACKAGES += hiredis_ssl libssl
CPPFLAGS += -DBIGFUSION_REDIS_TLS
endif
CPPFLAGS += -D_GNU_SOURCE -DBIGFUSION_VERSION='"$(VERSION)"' -Icommon -I$(BUILD)/generated $(shell pkg-config --cflags $(PACKAGES))

# What makes a fault in a program harder to use for an attack; tests/e2e/test_binaries.py looks for it in the programs.
takes = $(shell printf '\043include <stdio.h>\n' | $(CC) -O2 -Werror $(1) -x c -c -o /dev/null - 2>/dev/null && echo '$(1)')
HARDENING := -fPIE -fstack-protector-strong $(call takes,-fstack-clash-protection) $(call takes,-fcf-protection) \
	$(call takes,-mbranch-protection=standard)
# FORTIFY works in optimised code only; the sanitizers check more themselves, and it would hide calls from them.
ifeq ($(strip $(SANITIZE)),)
ifneq ($(filter -O1 -O2 -O3 -Os -Ofast,$(OPTIMISE)),)
HARDENING += -U_FORTIFY_SOURCE $(or $(call takes,-D_FORTIFY_SOURCE=3),-D_FORTIFY_SOURCE=2)
endif
endif
CFLAGS += -std=c11 $(OPTIMISE) -Wall -Wextra -Werror -Wshadow -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes \
	$(HARDENING) -fno-omit-frame-pointer $(SANITIZE) -pthread
LDFLAGS += $(SANITIZE) -pthread -pie -Wl,--as-needed -Wl,-z,relro,-z,now,-z,noexecstack
LDLIBS += $(shell pkg-config --libs $(PACKAGES)) -lm

# program = its folder
PROGRAMS := \
	bigfusion-poller=services/poller bigfusion-filter=services/filter bigfusion-mapper=services/mapper \
	bigfusion-pusher=services/pusher bigfusion-console=services/console bigfusion=services/inspector bigfusion-sandbox=services/sandbox \
	bigfusion-devbroker=tests/devbroker bench-passthrough=tests/bench/passthrough bench-stage=tests/bench/stage bench-http=tests/bench/http \
	bench-generate=tests/bench/generate ledger-calls=tests/ledger/calls kafka-places=tests/places \
	console-canned=tests/console
PROGRAMS := $(foreach p,$(PROGRAMS),$(if $(wildcard $(lastword $(subst =, ,$(p)))/*.c),$(p)))
BINARIES := $(foreach p,$(PROGRAMS),$(BUILD)/bin/$(firstword $(subst =, ,$(p))))

COMMON_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(wildcard common/*/*.c))
# A service's own files, all but main.c, for the unit tests: its pure functions are tested as they are linked.
# The sandbox stands apart: it shares no code with the services and may use the same names.
SANDBOX_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(filter-out %/main.c,$(wildcard services/sandbox/*.c services/sandbox/*/*.c)))
SERVICE_OBJECTS := $(filter-out $(SANDBOX_OBJECTS),$(patsubst %.c,$(BUILD)/%.o,$(filter-out %/main.c,$(wildcard services/*/*.c services/*/*/*.c))))
UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/test_*.c)) \
	$(patsubst tests/fuzz/%.c,$(BUILD)/unit/test_%,$(wildcard tests/fuzz/fuzz_*.c))

.PHONY: all
all: $(BINARIES) $(BUILD)/bin/bench-index ## build every program into build/bin

PREFIX ?= /usr/local
INSTALLED := $(foreach p,$(PROGRAMS),$(if $(findstring =services/,$(p)),$(BUILD)/bin/$(firstword $(subst =, ,$(p)))))

.PHONY: install
install: $(INSTALLED) man completion ## programs, man page, completion, deploy/bigfusion.conf below PREFIX (PREFIX=/usr/local, DESTDIR=)
	install -d $(addprefix $(DESTDIR)$(PREFIX)/,bin share/doc/bigfusion share/man/man1) $(DESTDIR)$(BASH_COMPLETION) $(DESTDIR)$(ZSH_COMPLETION)
	install -m 755 $(INSTALLED) $(DESTDIR)$(PREFIX)/bin
	install -m 644 deploy/bigfusion.conf $(DESTDIR)$(PREFIX)/share/doc/bigfusion
	install -m 644 $(BUILD)/out/bigfusion.1 $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 $(BUILD)/out/bigfusion.bash $(DESTDIR)$(BASH_COMPLETION)/bigfusion
	install -m 644 $(BUILD)/out/bigfusion.zsh $(DESTDIR)$(ZSH_COMPLETION)/_bigfusion

# where the shells look for it
BASH_COMPLETION ?= $(PREFIX)/share/bash-completion/completions
ZSH_COMPLETION ?= $(PREFIX)/share/zsh/site-functions

.PHONY: man completion
man: $(BUILD)/out/bigfusion.1 ## the man page of `bigfusion`, build/out/bigfusion.1

completion: $(BUILD)/out/bigfusion.bash $(BUILD)/out/bigfusion.zsh

$(BUILD)/out/bigfusion.1: $(BUILD)/bin/bigfusion
	@mkdir -p $(@D)
	$< help --man >$@.new
	mv $@.new $@

$(BUILD)/out/bigfusion.%: $(BUILD)/bin/bigfusion
	@mkdir -p $(@D)
	$< completion $* >$@.new
	mv $@.new $@

.PHONY: programs install-systemd deb deb-test
programs: $(INSTALLED)

SYSTEMD := $(DESTDIR)$(PREFIX)/lib
install-systemd: ## systemd units, the user bigfusion and the folder of its secrets, below PREFIX/lib (docs/packages.md)
	install -d $(SYSTEMD)/systemd/system/bigfusion-.service.d $(SYSTEMD)/sysusers.d $(SYSTEMD)/tmpfiles.d
	install -m 644 deploy/systemd/*.service deploy/systemd/*.target $(SYSTEMD)/systemd/system
	install -m 644 deploy/systemd/bigfusion-.service.d/*.conf $(SYSTEMD)/systemd/system/bigfusion-.service.d
	install -m 644 deploy/systemd/bigfusion.sysusers $(SYSTEMD)/sysusers.d/bigfusion.conf
	install -m 644 deploy/systemd/bigfusion.tmpfiles $(SYSTEMD)/tmpfiles.d/bigfusion.conf

deb: ## a package for Debian trixie, in build/deb; built in a system of its own (as root) where this machine is another
	deploy/deb.sh $(VERSION) $(BUILD)/deb

deb-test: deb kafka ## as root: install, configure, start, upgrade and remove the package in a clean Debian trixie
	tests/package/run.sh $(BUILD)/deb/bigfusion_$(VERSION)-1_$$(dpkg --print-architecture).deb

.PHONY: deps
deps: ## install what building and the demo need (Debian packages)
	deploy/install-deps.sh build

.PHONY: unit-build unit layers e2e test
unit-build: $(UNIT_TESTS)

unit: unit-build ## unit tests: no broker, about a second
	BUILD=$(BUILD) $(PYTHON) tests/run.py unit

layers: unit-build ## who may include whom, and no two modules that need each other
	$(PYTHON) tests/layers.py $(BUILD)

e2e: all kafka ## end-to-end tests: the real binaries against Kafka, Redis and the sandbox (ARGS: for pytest)
	BUILD=$(BUILD) $(PYTHON) tests/run.py e2e -- $(ARGS)

test: test-deps ## everything: unit and end-to-end tests; ends with "N passed, N failed"
	$(MAKE) all unit-build kafka
	BUILD=$(BUILD) $(PYTHON) tests/run.py

.PHONY: test-deps kafka
test-deps:
	deploy/install-deps.sh build test kafka console

kafka: ## fetch a real Apache Kafka for the tests (once)
	tests/kafka/run.sh fetch

.PHONY: console-test
console-test: ## the console's server, page (in Debian's Chromium) and API; screenshots in build/out (ARGS: for pytest)
	deploy/install-deps.sh build test kafka console
	$(MAKE) -s -j2 all
	BUILD=$(BUILD) $(PYTHON) -m pytest -q -p no:cacheprovider tests/console $(ARGS)

.PHONY: demo dev bench bench-calls bench-products bench-rebuild bench-index bench-scale bench-stores bench-backfill conformance
demo: deps ## 500 orders through the whole pipeline in a minute (ARGS=--keep leaves it running)
	$(MAKE) -s -j2 all
	BUILD=$(BUILD) $(PYTHON) tests/demo.py $(ARGS)

dev: test-deps ## a native stack in the foreground; a service is restarted when its binary changes
	$(MAKE) -j2 all kafka
	BUILD=$(BUILD) $(PYTHON) tests/dev.py $(ARGS)

bench: test-deps ## filter, mapper and pusher against the limits of the same run
	$(MAKE) -j2 all kafka
	BUILD=$(BUILD) $(PYTHON) tests/bench/bench.py $(ARGS)
	BUILD=$(BUILD) $(PYTHON) tests/bench/calls.py

bench-products: test-deps ## a catalogue of 1,000 products with variants: changes within one sweep, no call for the rest
	$(MAKE) -j2 all
	BUILD=$(BUILD) $(PYTHON) tests/bench/products.py $(ARGS)

bench-calls: test-deps ## calls to the account for each order: returning customers, and a mixed run
	$(MAKE) -j2 all
	BUILD=$(BUILD) $(PYTHON) tests/bench/calls.py $(ARGS)

bench-rebuild: test-deps ## a lost ledger filled in from 1,000,000 fates and 100,000 waiting records: time and memory
	$(MAKE) -j2 all kafka
	BUILD=$(BUILD) $(PYTHON) tests/bench/rebuild.py $(ARGS)

bench-index: test-deps ## the console's index of 2,000,000 orders: time to rebuild, memory, size, look-ups, cost when idle
	$(MAKE) -j2 all kafka
	BUILD=$(BUILD) $(PYTHON) tests/bench/index.py $(ARGS)

bench-scale: test-deps ## 1, 2, 4 and 8 pushers beside a slow account: throughput and order (ARGS=--restart, ARGS="--stores 1000")
	$(MAKE) -j2 all kafka
	BUILD=$(BUILD) $(PYTHON) tests/bench/scale.py $(ARGS)

bench-stores: test-deps ## 50 stores into 5 accounts: what a dead store and one with ten times the load cost the others, in paired runs
	$(MAKE) -j2 all kafka
	BUILD=$(BUILD) $(PYTHON) tests/bench/stores.py $(ARGS)

bench-backfill: test-deps ## what a backfill of 20,000 orders costs live orders: their p99 with and without it, in paired runs
	$(MAKE) -j2 all kafka
	BUILD=$(BUILD) $(PYTHON) tests/bench/backfill.py $(ARGS)

conformance: ## every kind of request, of all lanes, through a validating proxy of the vendors' API documents
	deploy/install-deps.sh build test kafka conformance
	$(MAKE) -j2 all
	BUILD=$(BUILD) $(PYTHON) tests/conformance/conformance.py $(ARGS)

.PHONY: trixie
trixie: ## on Debian trixie, as root: build, unit tests, orders with Kafka and Redis over TLS with logins
	tests/trixie/run.sh

.PHONY: requirements security stack-test
requirements: all kafka ## every row of docs/requirements.md and docs/decisions.md: its tests and their results (ROWS="R8 D2")
	BUILD=$(BUILD) $(PYTHON) tests/requirements/requirements.py $(ROWS)

security: all unit-build kafka ## attacks that must not succeed, by number; ends with "security: attacks=N held=N" (docs/security.md)
	BUILD=$(BUILD) $(PYTHON) tests/security.py

stack-test: ## docker-compose.yml on a Docker engine, as root: 5,000 orders through scaling, restarts, kills, down and up
	deploy/install-deps.sh kafka compose stack
	tests/kafka/run.sh fetch
	$(PYTHON) tests/stacktest/stacktest.py $(ARGS)

.PHONY: quota
quota: deps ## 1, 4 and 16 pushers on one credential: what of the account's limits they use, and no 429 (ARGS=--kafka)
	$(MAKE) -s -j2 all
	BUILD=$(BUILD) $(PYTHON) tests/quota.py $(ARGS)

.PHONY: payloads
payloads: test-deps ## every member of a valid payload in every wrong type, through the real pusher
	$(MAKE) -s -j2 all
	BUILD=$(BUILD) $(PYTHON) tests/payloads.py $(ARGS)

.PHONY: fuzz fuzz-build
fuzz-build: $(patsubst tests/fuzz/fuzz_%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))

fuzz: ## libFuzzer over every parser of outside data, SECONDS (60) each, two at a time (TARGET=payload: one of them)
	deploy/install-deps.sh build fuzz
	$(MAKE) -s -j2 CC=clang BUILD=$(BUILD)/fuzzing OPTIMISE="-O1 -g" \
		SANITIZE="-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all" fuzz-build
	$(PYTHON) tests/fuzz/fuzz.py --build $(BUILD)/fuzzing --seconds $(or $(SECONDS),60) $(if $(TARGET),--target $(TARGET))

.PHONY: money
money: deps ## 10,000 orders of every shape and currency, and 27 real ones, through the mapper and its judge (ARGS="--orders 600")
	$(MAKE) -s -j2 all
	BUILD=$(BUILD) $(PYTHON) tests/money.py $(ARGS)

.PHONY: chaos chaos-full soak crash-build
crash-build: test-deps
	CPPFLAGS=-DBIGFUSION_CRASH_POINTS $(MAKE) -j2 BUILD=$(BUILD)/crash all kafka
	$(MAKE) -j2 BUILD=$(BUILD)/crash-asan SANITIZE="-fsanitize=address,undefined -fno-sanitize-recover=all" OPTIMISE="-O1 -g" all

chaos: crash-build ## every fault of docs/testing-faults.md in its short form (ROW=12 SEED=7: one of them)
	BUILD=$(BUILD)/crash $(PYTHON) tests/chaos/chaos.py $(if $(ROW),--row $(ROW)) $(if $(SEED),--seed $(SEED)) $(ARGS)

chaos-full: crash-build ## the same with the full figures, without a limit of time
	BUILD=$(BUILD)/crash $(PYTHON) tests/chaos/chaos.py --full $(if $(ROW),--row $(ROW)) $(if $(SEED),--seed $(SEED)) $(ARGS)

soak: crash-build ## ten times the usual rate for MINUTES (10): memory flat, lag bounded
	BUILD=$(BUILD)/crash $(PYTHON) tests/chaos/chaos.py --row soak --minutes $(or $(MINUTES),10) $(if $(SEED),--seed $(SEED)) $(ARGS)

.PHONY: why-test stuck-test load-test retry-test
why-test: test-deps ## 10,000 orders in every state: `why` is asked for each, an independent judge compares (ARGS="--orders 600")
	$(MAKE) -s -j2 all kafka
	BUILD=$(BUILD) $(PYTHON) tests/why/why.py $(ARGS)

stuck-test: test-deps ## `stuck --older 5m` against the judge's list: the mapper stopped, payloads held (ARGS=--wait)
	$(MAKE) -s -j2 all kafka
	BUILD=$(BUILD) $(PYTHON) tests/why/stuck.py $(ARGS)

load-test: test-deps ## what requests and slow connections to the console and /metrics cost the deliveries, in paired runs
	$(MAKE) -s -j2 all kafka
	BUILD=$(BUILD) $(PYTHON) tests/why/load.py $(ARGS)

retry-test: test-deps ## 5,000 dead orders sent again, the command killed half-way: each is made once, no 429
	$(MAKE) -s -j2 all kafka
	BUILD=$(BUILD) $(PYTHON) tests/why/retry.py $(ARGS)

FORMATTED := $(wildcard common/*/*.[ch] services/*/*.[ch] services/*/*/*.[ch] tests/unit/*.[ch] tests/fuzz/*.[ch] tests/devbroker/*.[ch] tests/bench/*/*.[ch] tests/ledger/*/*.[ch] tests/places/*.[ch] tests/console/*.[ch])

.PHONY: format format-check lint lint-c compilers asan check compose-check kubernetes-check monitoring-check
format: ## lay out the C code
	clang-format -i $(FORMATTED)

format-check:
	clang-format --dry-run --Werror $(FORMATTED)

lint: lint-c compose-check kubernetes-check monitoring-check ## cppcheck over all C code; docker-compose.yml, deploy/kubernetes and deploy/monitoring are well-formed

lint-c:
	cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
		--suppress=missingIncludeSystem --library=posix -D_GNU_SOURCE -DBIGFUSION_VERSION='""' -Icommon \
		-j 2 common services tests/unit tests/fuzz tests/devbroker tests/bench tests/ledger tests/places tests/console

compilers: ## every program and unit test without a warning under gcc and clang
	$(MAKE) CC=gcc BUILD=$(BUILD)/gcc all unit-build
	$(MAKE) CC=clang BUILD=$(BUILD)/clang all unit-build

# Some tests run make themselves; with other options than these it would compile everything again.
SANITIZED := SANITIZE="-fsanitize=address,undefined -fno-sanitize-recover=all" OPTIMISE="-O1 -g"
asan: test-deps ## all tests under the address and undefined-behaviour sanitizers
	$(MAKE) BUILD=$(BUILD)/asan $(SANITIZED) all unit-build kafka
	BUILD=$(BUILD)/asan $(SANITIZED) UBSAN_OPTIONS=print_stacktrace=1 $(PYTHON) tests/run.py

check: ## format, lint, layers, both compilers, sanitizers
	deploy/install-deps.sh build test lint kafka console
	$(MAKE) format-check lint compilers layers
	$(MAKE) asan

compose-check: ## docker-compose 1.29 and 2 accept docker-compose.yml
	deploy/install-deps.sh compose
	deploy/check-compose.sh

kubernetes-check: ## deploy/kubernetes against the schemas of Kubernetes
	deploy/install-deps.sh kubernetes
	BUILD=$(BUILD) $(PYTHON) deploy/check_kubernetes.py

PROMTOOL := $(or $(BIGFUSION_TOOLS),/usr/local/lib/bigfusion-tools)/promtool
monitoring-check: ## promtool checks deploy/monitoring and tries the rules of its alerts
	deploy/install-deps.sh monitoring
	$(PROMTOOL) check config deploy/monitoring/prometheus.yml
	$(PROMTOOL) test rules tests/monitoring/alerts_test.yml

.PHONY: sbom
sbom: ## what is in the image: package, version, architecture, source package (build it first: docker compose build)
	docker run --rm bigfusion:$(VERSION) cat /usr/share/bigfusion/packages.tsv

.PHONY: digests
digests: ## which digest the registry has for each image that docker-compose.yml and deploy/Dockerfile name
	@sed -n 's/^ *image: *\(\$${[A-Z_]*:-\)\{0,1\}\([a-z/]*:[^@} ]*\).*/\2/p; s/^ARG BASE=\([^@]*\).*/\1/p' \
		docker-compose.yml deploy/Dockerfile | grep -v '^bigfusion' | sort -u | while read -r name; do \
		echo "$$name@$$(docker buildx imagetools inspect "$$name" --format '{{.Manifest.Digest}}')" || exit 1; done

compile_commands.json: ## for editors and clang-tidy
	$(MAKE) --always-make --dry-run BUILD=$(BUILD) all unit-build | $(PYTHON) deploy/compile_commands.py > $@

.PHONY: clean
clean: ## remove build output (a fetched Kafka too)
	rm -rf $(BUILD)

.PHONY: help
help: ## this list
	@grep -hE '^[a-z0-9_.-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

# Everything is compiled again when the compiler or its options change.
FLAGS := $(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS)
.PHONY: FORCE
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(FLAGS))' | cmp -s - $@ || printf '%s\n' '$(subst ','\'',$(FLAGS))' >$@

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/libcommon.a: $(COMMON_OBJECTS)
	@rm -f $@
	ar rcs $@ $^

# The canned console is the console's server in front of other answers.
console-canned_OBJECTS := $(patsubst %,$(BUILD)/services/console/%.o,serve guard lanes request routes files)

define program_rule
$(BUILD)/bin/$(1): $(patsubst %.c,$(BUILD)/%.o,$(wildcard $(2)/*.c $(2)/*/*.c)) $($(1)_OBJECTS) $(BUILD)/libcommon.a
	@mkdir -p $$(@D)
	$$(CC) $$(LDFLAGS) -o $$@ $$^ $$(LDLIBS)
endef
$(foreach p,$(PROGRAMS),$(eval $(call program_rule,$(firstword $(subst =, ,$(p))),$(lastword $(subst =, ,$(p))))))

# Lua scripts become C string headers, so that a program is one file and cannot meet another version's scripts.
$(BUILD)/generated/%.lua.h: common/%.lua
	@mkdir -p $(@D)
	xxd -i < $< | sed '$$ s/$$/, 0x00/' > $@
$(BUILD)/common/infusionsoft/quota.o: $(BUILD)/generated/infusionsoft/quota.lua.h
$(BUILD)/common/ledger/scripts.o: $(patsubst common/%,$(BUILD)/generated/%.h,$(wildcard common/ledger/*.lua))

# The sandbox serves the vendor's sample orders byte for byte; they are compiled in.
$(BUILD)/generated/seed_orders.json.h: services/sandbox/seed_orders.json
	@mkdir -p $(@D)
	xxd -i < $< | sed '$$ s/$$/, 0x00/' > $@
$(BUILD)/services/sandbox/world.o: $(BUILD)/generated/seed_orders.json.h

# The console's page is compiled in as well, with the charts of Debian's libjs-chart.js.
CHART_JS := /usr/share/javascript/chart.js/chart.min.js
CONSOLE_FILES := $(patsubst services/console/page/%,$(BUILD)/generated/console/%.h,$(wildcard services/console/page/*))
$(BUILD)/generated/console/%.h: services/console/page/%
	@mkdir -p $(@D)
	xxd -i < $< > $@
$(BUILD)/generated/console/chart.min.js.h: $(CHART_JS)
	@mkdir -p $(@D)
	xxd -i < $< > $@
$(BUILD)/services/console/files.o: $(CONSOLE_FILES) $(BUILD)/generated/console/chart.min.js.h

$(BUILD)/services/sandbox/%.o: CPPFLAGS += -Iservices/sandbox

$(BUILD)/libsandbox.a: $(SANDBOX_OBJECTS)
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/unit/test_sandbox_%: tests/unit/test_sandbox_%.c $(BUILD)/libsandbox.a $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -Iservices/sandbox $(CFLAGS) -MMD -MP $(LDFLAGS) -o $@ $< $(BUILD)/libsandbox.a $(BUILD)/libcommon.a $(LDLIBS) -lcmocka

# A unit test is linked with every service's objects (except mains) and libcommon.
$(BUILD)/libservices.a: $(SERVICE_OBJECTS)
	@rm -f $@
	ar rcs $@ $^

# The bench of the index is linked with the console's index as it is.
BENCH_INDEX_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/bench/index/*.c))
$(BUILD)/bin/bench-index: $(BENCH_INDEX_OBJECTS) $(BUILD)/libservices.a $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# A fuzz target test_fuzz_X runs its corpus again; with libFuzzer (`make fuzz`) it looks for more.
FUZZ_OBJECTS := $(BUILD)/tests/fuzz/mutate.o
$(BUILD)/unit/test_fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/tests/fuzz/replay.o $(FUZZ_OBJECTS) $(BUILD)/libservices.a $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcmocka

$(BUILD)/fuzz/%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/tests/fuzz/libfuzzer.o $(FUZZ_OBJECTS) $(BUILD)/libservices.a $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LDLIBS)

$(BUILD)/unit/%: tests/unit/%.c $(BUILD)/libservices.a $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP $(LDFLAGS) -o $@ $< $(BUILD)/libservices.a $(BUILD)/libcommon.a $(LDLIBS) -lcmocka

-include $(shell find $(BUILD) -type f -name '*.d' 2>/dev/null)
