// Replaces what a run says about its owner by stable stand-ins, so that the trace can be shared.
#pragma once

#include <memory>
#include <string>

#include "slowtrace/events.hpp"

namespace slowtrace::trace {

// A sink that passes every event on with host names, addresses, paths, arguments and thread names replaced by keyed
// hashes: equal things stay equal, within a run and between runs redacted with the same key, and nothing can be
// guessed back without it. Kinds stay readable: "pipe:[7]", ports, loopback addresses, system directories' roles.
// An empty key: one of this call's own, drawn at random and kept nowhere. `next` must outlive the result.
std::unique_ptr<EventSink> redact(EventSink& next, std::string key);

}  // namespace slowtrace::trace
