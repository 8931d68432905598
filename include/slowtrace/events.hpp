// Where recorded facts flow: every engine and importer fills an EventSink, every reader is an EventSource.
#pragma once

#include "model/trace.pb.h"

namespace slowtrace {

// Receives the facts of one run in the order trace.proto describes. The messages belong to the caller
// and are reused: copy what must outlive the call.
class EventSink {
   public:
    virtual ~EventSink() = default;
    // Everything but system calls.
    virtual void event(const model::Event& event) = 0;
    // System calls are nearly all of a run and come without the Event around them.
    virtual void syscall(const model::Syscall& call) = 0;
};

// A run that can be played, from its Run event to its end, into any sink; repeatedly.
class EventSource {
   public:
    virtual ~EventSource() = default;
    // Throws Error when the run cannot be read at all; a run that merely stops early is played as far
    // as it goes and followed by a Loss event.
    virtual void replay(EventSink& sink) = 0;
};

}  // namespace slowtrace
