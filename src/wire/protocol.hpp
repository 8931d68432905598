// One protocol spoken on a stream, as the interpreter of streams drives it.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "slowtrace/stream_facts.hpp"
#include "wire/octets.hpp"

namespace slowtrace::wire {

// Where the facts of one transfer go: each with the direction it was told in.
class Facts {
   public:
    Facts(Flow flow, std::vector<model::Event>& events) : flow_(flow), events_(events) {}

    // The same for what was told in the other direction, understood only now.
    Facts told(Flow flow) const { return {flow, events_}; }

    // A claim whose name was checked already (wire/host_name.hpp).
    void name(model::NameClaim::Source source, std::string_view name, std::uint32_t port);
    void tls(model::TlsRecord record) { *add().mutable_tls() = std::move(record); }
    void request(std::string_view method, std::uint32_t version);
    void response(std::uint32_t status, std::uint32_t version);
    void proxy(std::uint32_t status, bool granted);

   private:
    model::StreamFact& add();
    Flow flow_;
    std::vector<model::Event>& events_;
};

class Protocol {
   public:
    virtual ~Protocol() = default;
    // As Interpreter::wanted.
    virtual std::size_t wanted(Flow flow) const = 0;
    // The stream's next octets that way. Returns how many are this protocol's own: fewer than given only when it has
    // opened a tunnel, and what follows is another protocol's.
    virtual std::size_t take(Flow flow, Octets octets, Facts& facts) = 0;
    // The stream's next octets that way were not read.
    virtual void skip(Flow flow, std::uint64_t size, Facts& facts) = 0;
    virtual bool settled() const = 0;
    // The two ends agreed: from here on the stream is another protocol's (a proxy's tunnel).
    virtual bool tunnel_open() const { return false; }
};

// Whether a stream's first octets are a protocol's: `maybe` asks for more of them.
enum class Match { no, maybe, yes };

}  // namespace slowtrace::wire
