// Sinks and random events for the trace file's tests.
#pragma once

#include <google/protobuf/util/message_differencer.h>

#include <random>
#include <string>
#include <vector>

#include "slowtrace/events.hpp"

namespace slowtrace::test {

// Keeps everything it is given, calls wrapped in their Event.
class KeepAll : public EventSink {
   public:
    void event(const model::Event& event) override { events.push_back(event); }
    void syscall(const model::Syscall& call) override {
        events.emplace_back();
        *events.back().mutable_syscall() = call;
    }
    std::vector<model::Event> events;
};

inline void play(const std::vector<model::Event>& events, EventSink& sink) {
    for (const model::Event& event : events) {
        if (event.has_syscall())
            sink.syscall(event.syscall());
        else
            sink.event(event);
    }
}

inline bool same(const google::protobuf::Message& a, const google::protobuf::Message& b) {
    return google::protobuf::util::MessageDifferencer::Equals(a, b);
}

inline bool same(const std::vector<model::Event>& a, const std::vector<model::Event>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](auto& x, auto& y) { return same(x, y); });
}

// Fills messages with random values; every field and every kind of a oneof comes up in turn.
class RandomMessages {
   public:
    explicit RandomMessages(unsigned seed) : random_(seed) {}

    std::uint64_t number() {
        // Small, large and negative values: widths differ.
        return random_() >> (random_() % 64);
    }
    void fill(google::protobuf::Message& message);
    // One event of each kind but `end`, in random order, each filled; Syscalls have six arguments.
    std::vector<model::Event> one_of_each_kind();
    model::Syscall call();

   private:
    std::string text(bool ascii);
    void set(google::protobuf::Message& message, const google::protobuf::FieldDescriptor* field);

    std::mt19937_64 random_;
};

}  // namespace slowtrace::test
