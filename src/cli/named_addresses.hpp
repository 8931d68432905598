// --resolve: collects the addresses a run gave no name for, and adds their reverse names when the command has ended.
#pragma once

#include <set>
#include <string>

#include "slowtrace/events.hpp"
#include "slowtrace/resolved.hpp"

namespace slowtrace::cli {

// Passes every event on, and follows the run live to see which peers stay without a name.
class NamedAddresses : public EventSink, private resolve::ResolvedSink {
   public:
    explicit NamedAddresses(EventSink& next) : next_(next), resolver_(*this) {}
    void event(const model::Event& event) override;
    void syscall(const model::Syscall& call) override;
    // Reverse lookups, in parallel, with a time limit; what they find follows the run as ReverseName events.
    void look_up_the_rest();

   private:
    void connection_opened(const resolve::Connection& connection, std::int64_t time_ns) override;

    EventSink& next_;
    resolve::Resolver resolver_;
    std::set<std::string> unnamed_;  // 4 or 16 octets each
};

}  // namespace slowtrace::cli
