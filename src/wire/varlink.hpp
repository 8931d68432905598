// systemd-resolved's varlink clients (https://varlink.org; systemd's io.systemd.Resolve interface).
#pragma once

#include "slowtrace/stream_facts.hpp"

namespace slowtrace::wire {

std::unique_ptr<Interpreter> interpret_resolved_varlink();

}  // namespace slowtrace::wire
