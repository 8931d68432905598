// A run whose reverse names come first, so that every connection can be shown with them.
//
// --resolve looks addresses up after the command has ended: the trace has the answers at its end, where a reader
// that goes through it once would learn them too late.
#pragma once

#include <functional>
#include <memory>

#include "slowtrace/events.hpp"

namespace slowtrace::resolve {

using OpenRun = std::function<std::unique_ptr<EventSource>()>;

// Plays the run that `open` yields with its ReverseName events right behind its Run event. Runs that never asked for
// reverse names (Run.reverse_names) are played as they are, in one pass.
std::unique_ptr<EventSource> names_first(OpenRun open);

}  // namespace slowtrace::resolve
