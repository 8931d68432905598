// Which protocol a stream speaks, by its client's first octets; inside a proxy's tunnel the question is asked anew.
#include <array>

#include "wire/http1.hpp"
#include "wire/http2.hpp"
#include "wire/protocol.hpp"
#include "wire/socks.hpp"
#include "wire/tls.hpp"

namespace slowtrace::wire {
namespace {

constexpr std::size_t first_look = 4'096;
constexpr std::size_t max_opening = 64;  // no protocol needs more to be told apart
constexpr int max_tunnels = 4;           // one inside the other

struct Known {
    Match (*match)(Octets opening);
    std::unique_ptr<Protocol> (*make)();
};
// The first that may be it decides, or waits for more octets.
constexpr std::array<Known, 5> protocols{{{match_tls, make_tls},
                                          {match_http2, make_http2},
                                          {match_socks5, make_socks5},
                                          {match_socks4, make_socks4},
                                          {match_http1, make_http1}}};

class StreamInterpreter : public Interpreter {
   public:
    std::size_t wanted(Flow flow) const override {
        if (settled()) return 0;
        if (protocol_) return protocol_->wanted(flow);
        // Whatever a server says first, it is the client's first octets that tell.
        return flow == Flow::sent ? first_look : 0;
    }
    void feed(Flow flow, Octets octets, std::uint64_t size, std::vector<model::Event>& events) override {
        octets = octets.first(static_cast<std::size_t>(std::min<std::uint64_t>(octets.size(), size)));
        Facts facts(flow, events);
        take(flow, octets, facts);
        if (size > octets.size()) skip(flow, size - octets.size(), facts);
    }
    bool settled() const override { return unknown_ || (protocol_ && protocol_->settled()); }

   private:
    void take(Flow flow, Octets octets, Facts& facts);
    void skip(Flow flow, std::uint64_t size, Facts& facts) {
        if (settled()) return;
        if (protocol_)
            protocol_->skip(flow, size, facts);
        else
            unknown_ = flow == Flow::sent;
    }
    void choose();

    std::unique_ptr<Protocol> protocol_;  // null while undecided
    std::vector<std::uint8_t> opening_;   // what was sent until then
    bool unknown_ = false;                // none of ours, for ever
    int tunnels_ = 0;
};

void StreamInterpreter::take(Flow flow, Octets octets, Facts& facts) {
    std::vector<std::uint8_t> opening;
    while (!octets.empty() && !settled()) {
        if (!protocol_) {
            if (flow == Flow::received) return;
            opening_.insert(opening_.end(), octets.begin(), octets.end());
            choose();
            if (!protocol_) return;
            opening = std::exchange(opening_, {});
            octets = opening;
        }
        octets = octets.subspan(protocol_->take(flow, octets, facts));
        if (!protocol_->tunnel_open()) continue;
        protocol_.reset();
        unknown_ = ++tunnels_ > max_tunnels;
    }
}

void StreamInterpreter::choose() {
    for (const Known& known : protocols) {
        const Match match = known.match(opening_);
        if (match == Match::no) continue;
        if (match == Match::yes)
            protocol_ = known.make();
        else
            unknown_ = opening_.size() > max_opening;
        return;
    }
    unknown_ = true;
}

}  // namespace

std::unique_ptr<Interpreter> interpret_stream() {
    return std::make_unique<StreamInterpreter>();
}

}  // namespace slowtrace::wire
