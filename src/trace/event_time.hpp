// When an event of any kind happened.
#pragma once

#include <cstdint>

#include "model/trace.pb.h"

namespace slowtrace::trace {

// Its `time_ns`, or 0 for the kinds that have none.
std::int64_t event_time_ns(const model::Event& event);

}  // namespace slowtrace::trace
