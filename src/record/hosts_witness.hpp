// What the hosts file said to a program that opened it (hosts(5)).
#pragma once

#include <map>
#include <string>

#include "record/tracee.hpp"
#include "slowtrace/events.hpp"

namespace slowtrace::record {

class HostsWitness {
   public:
    explicit HostsWitness(EventSink& sink) : sink_(sink) {}

    // After a call: a HostsFile when it opened /etc/hosts. The very file it opened is read, whatever its root or mount
    // namespace. To one process each state of the file is told once: resolvers open it for every name.
    void after(const Tracee& tracee, const OpenCall& open);

   private:
    EventSink& sink_;
    std::map<ProcessId, std::string> told_;  // identity and time of the file each process has been told of
};

}  // namespace slowtrace::record
