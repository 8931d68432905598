// DNS messages on their way through a call, turned into facts before the program can overwrite them.
#pragma once

#include "record/remote_memory.hpp"
#include "record/tracee.hpp"
#include "slowtrace/events.hpp"

namespace slowtrace::record {

// After a successful call on a descriptor that carries DNS (its peer is port 53): delivers a DnsMessage for each
// message in the bytes that went through. The bytes themselves are forgotten here.
void tap_dns(Tracee& tracee, RemoteMemory& memory, const OpenCall& open, EventSink& sink);

}  // namespace slowtrace::record
