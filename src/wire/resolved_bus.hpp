// systemd-resolved's clients on the system bus (org.freedesktop.resolve1(5)).
#pragma once

#include "slowtrace/stream_facts.hpp"

namespace slowtrace::wire {

std::unique_ptr<Interpreter> interpret_resolved_bus();

}  // namespace slowtrace::wire
