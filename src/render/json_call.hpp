// One system call as the members of a slice: name, category, decoded arguments, what it waited for.
#pragma once

#include "render/json_timeline.hpp"
#include "slowtrace/resolved.hpp"

namespace slowtrace::render {

// A call whose end nobody saw: it has no exit time, its slice ends with its thread.
bool has_no_end(const model::Syscall& call);

void describe_call(JsonBody& body, const resolve::ResolvedCall& call);

}  // namespace slowtrace::render
