// Descriptors the recorder looked up because no recorded call had opened them.
#pragma once

#include "resolve/run_state.hpp"

namespace slowtrace::resolve {

void bind_seen(RunState& run, ThreadState& thread, const model::DescriptorBinding& binding);

}  // namespace slowtrace::resolve
