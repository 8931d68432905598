# Builds, checks and shows slowtrace. `make demo` and `make check` install what is missing first.
#
#   make            the binary, build/slowtrace        make bench    ratios against other tracers
#   make demo       the main job on a built-in scenario make format   clang-format in place
#   make check      every test (SANITIZE=1: ASan+UBSan) make install PREFIX=/usr/local
CXX ?= g++
PREFIX ?= /usr/local
ifeq ($(origin CXX),default)
CXX := g++
endif

VARIANT := $(if $(SANITIZE),sanitize,$(notdir $(lastword $(CXX))))
BUILD ?= build/$(VARIANT)

# -isystem: third-party headers are not ours to warn about.
CPPFLAGS += -Iinclude -Isrc -isystem $(BUILD)/generated -D_FILE_OFFSET_BITS=64
CXXFLAGS += -std=c++20 -O2 -g -Wall -Wextra -Werror -MMD -MP
ifdef SANITIZE
CXXFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
LDFLAGS += -fsanitize=address,undefined
endif
LDLIBS += -lprotobuf -lzstd -lcares -lz -lpthread

SOURCES := $(sort $(shell find src -name '*.cpp'))
PROTO_OBJECT := $(BUILD)/generated/model/trace.pb.o
LIBRARY_OBJECTS := $(patsubst %.cpp,$(BUILD)/%.o,$(filter-out src/cli/main.cpp,$(SOURCES))) $(PROTO_OBJECT)
UNIT_OBJECTS := $(patsubst %.cpp,$(BUILD)/%.o,$(sort $(wildcard tests/unit/*.cpp)))
PROGRAMS := $(patsubst fixtures/programs/%,$(BUILD)/programs/%,$(basename $(wildcard fixtures/programs/*.c fixtures/programs/*.cpp)))
FUZZERS := $(patsubst tests/fuzz/%.cpp,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/*.cpp))

.PHONY: all demo check unit programs bench fuzz format install clean dependencies
.DELETE_ON_ERROR:
.SECONDARY:

all: $(BUILD)/slowtrace

$(BUILD)/slowtrace: $(BUILD)/src/cli/main.o $(BUILD)/libslowtrace.a
	$(CXX) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/libslowtrace.a: $(LIBRARY_OBJECTS)
	rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/generated/model/trace.pb.h $(BUILD)/generated/model/trace.pb.cc &: src/model/trace.proto
	@mkdir -p $(BUILD)/generated
	protoc --proto_path=src --cpp_out=$(BUILD)/generated $<

$(PROTO_OBJECT): $(BUILD)/generated/model/trace.pb.cc
	$(CXX) $(CPPFLAGS) $(filter-out -Wall -Wextra -Werror,$(CXXFLAGS)) -c -o $@ $<

$(BUILD)/%.o: %.cpp | $(BUILD)/generated/model/trace.pb.h
	@mkdir -p $(@D)
	$(CXX) $(CPPFLAGS) $(CXXFLAGS) -c -o $@ $<

$(BUILD)/unit: $(UNIT_OBJECTS) $(BUILD)/libslowtrace.a
	$(CXX) $(LDFLAGS) -o $@ $^ $(LDLIBS)

unit: $(BUILD)/unit
	$(BUILD)/unit

# Programs whose every wait is known; plain C or C++, no sanitizer, as a user's would be.
$(BUILD)/programs/%: fixtures/programs/%.c
	@mkdir -p $(@D)
	$(CC) -O1 -g -Wall -Wextra -Werror -pthread -o $@ $<
$(BUILD)/programs/%: fixtures/programs/%.cpp
	@mkdir -p $(@D)
	$(CXX) -std=c++20 -O1 -g -Wall -Wextra -Werror -pthread -o $@ $<

programs: $(PROGRAMS)

clean:
	rm -rf build

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
