// Of all that passes on the system bus, the calls of ResolveHostname and their answers.
//
// Before the messages come lines of text, each way ("Authentication Protocol" of the D-Bus specification): the
// client's end with BEGIN, the server's where a message begins.
#include "wire/resolved_bus.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "wire/bus_message.hpp"
#include "wire/host_name.hpp"
#include "wire/lookups.hpp"
#include "wire/message_interpreter.hpp"

namespace slowtrace::wire {
namespace {

constexpr std::size_t max_calls_open = 64;
// A program that has made so many other calls is on the bus for something else.
constexpr int max_other_messages = 256;

std::uint32_t error_code(std::string_view error) {
    struct Known {
        std::string_view error;
        std::uint32_t code;
    };
    constexpr std::array<Known, 3> known{{{"org.freedesktop.resolve1.NoSuchRR", no_error},
                                          {"org.freedesktop.resolve1.DnsError.NXDOMAIN", no_such_name},
                                          {"org.freedesktop.resolve1.DnsError.REFUSED", refused}}};
    const auto found = std::ranges::find(known, error, &Known::error);
    return found == known.end() ? server_failure : found->code;
}

// The arguments "isit": interface, name, family, flags.
Lookup read_question(const BusMessage& call, Octets message) {
    BusReader body(message, call.little_endian, call.body_at);
    body.number(4);
    Lookup lookup;
    lookup.name = checked_host_name(body.text()).value_or("");
    lookup.type = record_type(static_cast<std::int32_t>(body.number(4)));
    lookup.id = static_cast<std::uint32_t>(call.serial);
    if (call.signature != "isit" || body.cut()) lookup.name.clear();
    return lookup;
}

// The results "a(iiay)st": interface, family and octets of each address; the canonical name; flags.
LookupAnswer read_results(const BusMessage& reply, Octets message) {
    BusReader body(message, reply.little_endian, reply.body_at);
    LookupAnswer answer;
    const std::uint64_t size = body.number(4);
    body.align(8);
    const std::uint64_t end = body.at() + size;
    while (body.at() < end && !body.cut()) {
        body.align(8);
        body.number(4);
        body.number(4);
        answer.addresses.emplace_back(text_of(body.take(body.number(4))));
    }
    answer.canonical_name = body.text();
    return body.cut() ? LookupAnswer{server_failure, {}, {}} : answer;
}

class ResolvedBus : public MessageInterpreter {
   protected:
    std::size_t needed(Flow flow, Octets pending) const override {
        if (!in_messages(flow, pending))
            return static_cast<std::size_t>(std::ranges::find(pending, '\n') - pending.begin()) + 1;
        if (pending.size() < bus_header_size) return bus_header_size;
        return static_cast<std::size_t>(bus_message_size(pending).value_or(bus_header_size));
    }
    bool may_pass_over(Flow flow, Octets pending) const override {
        return in_messages(flow, pending) && pending.size() >= bus_header_size && bus_message_size(pending);
    }
    void read(Flow flow, Octets message, std::vector<model::Event>& facts) override {
        if (!in_messages(flow, message)) {
            begun_ = begun_ || (flow == Flow::sent && text_of(message) == "BEGIN\r\n");
            return;
        }
        const auto read = read_bus_message(message);
        if (!read) return settle();
        flow == Flow::sent ? read_call(*read, message, facts) : read_reply(*read, message, facts);
    }

   private:
    // No line of the server's begins with the letter of a byte order.
    bool in_messages(Flow flow, Octets pending) const {
        if (flow == Flow::sent) return begun_;
        return !pending.empty() && (pending[0] == 'l' || pending[0] == 'B');
    }
    void read_call(const BusMessage& call, Octets message, std::vector<model::Event>& facts) {
        const bool asks = call.type == bus_call && call.interface == "org.freedesktop.resolve1.Manager" &&
                          call.member == "ResolveHostname";
        if (!asks || !call.reply_expected) {
            if (++others_ > max_other_messages && open_.empty()) settle();
            return;
        }
        if (open_.size() >= max_calls_open) return settle();
        others_ = 0;
        open_.push_back(read_question(call, message));
        tell_question(open_.back(), model::DnsMessage::RESOLVED_DBUS, facts);
    }
    void read_reply(const BusMessage& reply, Octets message, std::vector<model::Event>& facts) {
        if (reply.type != bus_return && reply.type != bus_error) return;
        const auto asked = std::ranges::find(open_, reply.reply_serial, &Lookup::id);
        if (asked == open_.end()) return;
        LookupAnswer answer;
        if (reply.type == bus_error)
            answer.code = error_code(reply.error_name);
        else
            answer = read_results(reply, message);
        tell_answer(*asked, answer, model::DnsMessage::RESOLVED_DBUS, facts);
        open_.erase(asked);
    }
    bool begun_ = false;        // the client's messages
    std::vector<Lookup> open_;  // calls whose replies are yet to come
    int others_ = 0;            // messages sent since the last lookup
};

}  // namespace

std::unique_ptr<Interpreter> interpret_resolved_bus() {
    return std::make_unique<ResolvedBus>();
}

}  // namespace slowtrace::wire
