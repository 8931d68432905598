# Builds, checks and shows slowtrace. `make demo` and `make check` install what is missing first.
#
#   make            the binary, build/slowtrace          make bench    cost as ratios, against other tracers
#   make demo       the main job on a built-in scenario  make fuzz     libFuzzer on every parser (FUZZ_SECONDS=60)
#   make demo-proxy, make demo-parallel                  a slow link and a cache; downloads one by one and together
#   make check      every test (SANITIZE=1: ASan+UBSan)  make format   clang-format in place
#   make readme     the README's report from a real run  make golden   the expected outputs of fixtures/traces anew
#   make install PREFIX=/usr/local
CXX := $(if $(filter default,$(origin CXX)),g++,$(CXX))
CC := $(if $(filter default,$(origin CC)),gcc,$(CC))
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 60

BUILD_PACKAGES := g++ make pkg-config protobuf-compiler libprotobuf-dev libzstd-dev zlib1g-dev libc-ares-dev libcli11-dev nlohmann-json3-dev libssl-dev
DEMO_PACKAGES := python3 python3-pip nginx-light dnsmasq-base iproute2 util-linux bash
CHECK_PACKAGES := catch2 clang-format strace git procps curl openssl ?tinyproxy-bin
# "?": wanted, but the tests that use it are skipped where it cannot be had.
VIEWER_PACKAGES := ?chromium ?fonts-dejavu-core ?golang-1.19-src ?nodejs ?npm ?gcc-multilib
FUZZ_PACKAGES := clang ?libclang-rt-14-dev
BENCH_PACKAGES := strace python3

VARIANT := $(if $(SANITIZE),sanitize,release)
BUILD ?= build/$(VARIANT)

# -isystem: generated code is not ours to warn about.
CPPFLAGS += -Iinclude -Isrc -isystem $(BUILD)/generated -D_FILE_OFFSET_BITS=64
WARNINGS := -Wall -Wextra -Werror
OPTIMIZE := $(if $(SANITIZE),-O1,-O2)
CXXFLAGS += -std=c++20 $(OPTIMIZE) -g $(WARNINGS) -MMD -MP
ifdef SANITIZE
# g++ 12 sees uninitialised members inside its own <regex> when sanitizing.
CXXFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer $(if $(findstring clang,$(CXX)),,-Wno-maybe-uninitialized)
LDFLAGS += -fsanitize=address,undefined
endif
LDLIBS += -lprotobuf -lzstd -lcares -lz -lcrypto -lpthread

LIBRARY_OBJECTS := $(patsubst %.cpp,$(BUILD)/%.o,$(filter-out src/cli/main.cpp,$(sort $(shell find src -name '*.cpp')))) \
	$(BUILD)/generated/model/trace.pb.o
# The tests themselves are compiled fast rather than run fast.
UNIT_OBJECTS := $(patsubst %.cpp,$(BUILD)/%.o,$(sort $(wildcard tests/unit/*.cpp)))
PROGRAM_SOURCES := $(wildcard fixtures/programs/*.c)
PROGRAMS := $(patsubst fixtures/programs/%.c,$(BUILD)/programs/%,$(PROGRAM_SOURCES))
FORMATTED := $(shell find src include tests fixtures -name '*.cpp' -o -name '*.hpp' -o -name '*.c' -o -name '*.h')

.PHONY: all demo demo-proxy demo-parallel check unit programs bench fuzz format golden readme install clean build-packages
.DELETE_ON_ERROR:
.SECONDARY:

all: build-packages
	@$(MAKE) --no-print-directory build/slowtrace

build-packages:
	@.ci/install-packages $(BUILD_PACKAGES)

build/slowtrace: $(BUILD)/slowtrace
	@ln -sf $(VARIANT)/slowtrace $@

$(BUILD)/slowtrace: $(BUILD)/src/cli/main.o $(BUILD)/libslowtrace.a
	$(CXX) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/libslowtrace.a: $(LIBRARY_OBJECTS)
	@rm -f $@
	@echo "ar $@"
	@$(AR) rcs $@ $^

$(BUILD)/generated/model/trace.pb.h $(BUILD)/generated/model/trace.pb.cc &: src/model/trace.proto
	@mkdir -p $(BUILD)/generated
	protoc --proto_path=src --cpp_out=$(BUILD)/generated $<

$(BUILD)/generated/model/trace.pb.o: $(BUILD)/generated/model/trace.pb.cc
	@echo "c++ $@"
	@$(CXX) $(CPPFLAGS) $(filter-out $(WARNINGS),$(CXXFLAGS)) -c -o $@ $<

# The schema's header costs every file that includes it a second: g++ reads it compiled. Once for the library and once
# for the tests, whose optimization differs (GCC manual, "Using Precompiled Headers").
SCHEMA := $(BUILD)/generated/model/trace.pb.h
ifeq ($(findstring ccache,$(CXX))$(findstring clang,$(CXX)),)
COMPILED_SCHEMA := $(SCHEMA).gch/library $(SCHEMA).gch/tests
READ_SCHEMA := -include model/trace.pb.h
endif
$(SCHEMA).gch/tests: OPTIMIZE := -O0
$(SCHEMA).gch/%: $(SCHEMA)
	@mkdir -p $(@D)
	@echo "c++ $@"
	@$(CXX) $(CPPFLAGS) $(filter-out $(WARNINGS) -MMD -MP,$(CXXFLAGS)) -x c++-header -o $@ $<

# -MMD leaves out what -isystem found: the schema's header must be named.
$(BUILD)/%.o: %.cpp $(SCHEMA) $(COMPILED_SCHEMA)
	@mkdir -p $(@D)
	@echo "c++ $<"
	@$(CXX) $(CPPFLAGS) $(CXXFLAGS) $(READ_SCHEMA) -c -o $@ $<

# Catch2 3 is a library, Catch2 2 a header: pkg-config knows.
$(BUILD)/unit: $(UNIT_OBJECTS) $(BUILD)/libslowtrace.a
	$(CXX) $(LDFLAGS) -o $@ $^ $(LDLIBS) $(shell pkg-config --libs-only-l catch2 2>/dev/null)

$(UNIT_OBJECTS): OPTIMIZE := -O0

unit: $(BUILD)/unit
	$(BUILD)/unit

# Programs whose every wait is known: as a user's compiler would build them, never sanitized.
$(BUILD)/programs/%: fixtures/programs/%.c fixtures/programs/state.h
	@mkdir -p $(@D)
	@$(CC) -std=gnu17 -O1 -g $(WARNINGS) -pthread -o $@ $<

programs: $(PROGRAMS)

demo:
	@.ci/install-packages $(BUILD_PACKAGES) $(DEMO_PACKAGES)
	@$(MAKE) --no-print-directory build/slowtrace
	python3 fixtures/scenarios/pip/scenario.py run --slowtrace build/slowtrace --output build/demo

demo-proxy demo-parallel: demo-%:
	@.ci/install-packages $(BUILD_PACKAGES) $(DEMO_PACKAGES)
	@$(MAKE) --no-print-directory build/slowtrace
	python3 fixtures/scenarios/$*/scenario.py run --slowtrace build/slowtrace --output build/demo

check:
	@.ci/install-packages $(BUILD_PACKAGES) $(DEMO_PACKAGES) $(CHECK_PACKAGES) $(VIEWER_PACKAGES)
	@$(MAKE) --no-print-directory $(BUILD)/slowtrace $(BUILD)/unit programs
	@$(if $(SANITIZE),:,tests/browser/install.sh || true)
	@BUILD=$(BUILD) SANITIZE=$(SANITIZE) tests/check

bench:
	@.ci/install-packages $(BUILD_PACKAGES) $(BENCH_PACKAGES)
	@$(MAKE) --no-print-directory $(BUILD)/slowtrace $(BUILD)/bench/bare_ptrace $(BUILD)/bench/syscall_threads $(BUILD)/bench/exchanges
	python3 tests/bench/bench.py --binary $(BUILD)/slowtrace --bare $(BUILD)/bench/bare_ptrace --threads $(BUILD)/bench/syscall_threads --exchanges $(BUILD)/bench/exchanges

$(BUILD)/bench/bare_ptrace: tests/bench/bare_ptrace.cpp
	@mkdir -p $(@D)
	$(CXX) -std=c++20 -O2 $(WARNINGS) -o $@ $<
$(BUILD)/bench/%: tests/bench/%.c
	@mkdir -p $(@D)
	$(CC) -O2 $(WARNINGS) -pthread -o $@ $<

fuzz:
	@.ci/install-packages $(BUILD_PACKAGES) $(FUZZ_PACKAGES)
	tests/fuzz/run $(FUZZ_SECONDS)

format:
	@.ci/install-packages clang-format
	clang-format -i $(FORMATTED)

golden: $(BUILD)/unit
	SLOWTRACE_REGENERATE=1 $(BUILD)/unit '[golden]'

readme: build/slowtrace
	python3 tests/readme.py --slowtrace build/slowtrace

install: $(BUILD)/slowtrace
	install -D -m 755 $(BUILD)/slowtrace $(DESTDIR)$(PREFIX)/bin/slowtrace
	install -D -m 644 LICENSE $(DESTDIR)$(PREFIX)/share/doc/slowtrace/LICENSE

clean:
	rm -rf build

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
