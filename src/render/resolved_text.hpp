// Calls, descriptors and threads as text that names files and hosts; shared by report and timeline.
#pragma once

#include <string>

#include "slowtrace/resolved.hpp"

namespace slowtrace::render {

// `connect(3<extra.example.org:80>, {AF_INET, 203.0.113.9:80}, 16) = -1 EINPROGRESS`
std::string call_line(const resolve::ResolvedCall& call);
// "3<extra.example.org:80>", "4</etc/hosts>", "5" when nothing is known of it.
std::string descriptor_text(const resolve::ResolvedDescriptor& descriptor);
// "pip[4242]"; "pip/worker[4243]" for another thread with a name of its own.
std::string thread_text(const resolve::Process& process, const resolve::Thread& thread);
// Seconds since the run began, six decimals; negative for what began before.
std::string format_offset(std::int64_t time_ns, std::int64_t start_ns);

}  // namespace slowtrace::render
