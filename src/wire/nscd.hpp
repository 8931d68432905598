// The name service cache daemon's clients (glibc, nscd/nscd-client.h, version 2 of its interface).
#pragma once

#include "slowtrace/stream_facts.hpp"

namespace slowtrace::wire {

std::unique_ptr<Interpreter> interpret_nscd();

}  // namespace slowtrace::wire
