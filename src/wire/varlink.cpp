// Calls and replies are JSON objects, each ended by a zero octet; replies come in the order of the calls.
#include "wire/varlink.hpp"

#include <algorithm>
#include <deque>
#include <nlohmann/json.hpp>

#include "wire/host_name.hpp"
#include "wire/lookups.hpp"
#include "wire/message_interpreter.hpp"

namespace slowtrace::wire {
namespace {

using Json = nlohmann::json;

constexpr std::size_t max_calls_open = 64;

// A member, or null where there is none or `object` is no object.
const Json& member(const Json& object, const char* name) {
    static const Json none;
    if (!object.is_object()) return none;
    const auto found = object.find(name);
    return found == object.end() ? none : *found;
}

std::string text(const Json& value) {
    return value.is_string() ? value.get<std::string>() : std::string();
}

std::int64_t number(const Json& value) {
    return value.is_number_integer() ? value.get<std::int64_t>() : 0;
}

// An address as an array of its octets; empty where it is none.
std::string address(const Json& octets) {
    constexpr std::size_t most = 16;
    std::string address;
    if (!octets.is_array() || octets.size() > most) return {};
    for (const Json& octet : octets) {
        if (!octet.is_number_integer() || number(octet) < 0 || number(octet) > 255) return {};
        address += static_cast<char>(number(octet));
    }
    return address;
}

std::uint32_t error_code(const std::string& error, const Json& parameters) {
    constexpr std::uint32_t mask = 0xfff;  // extended ones are of 12 bits, RFC 6891 §6.1.3
    if (error == "io.systemd.Resolve.NoSuchResourceRecord") return no_error;
    if (error != "io.systemd.Resolve.DNSError") return server_failure;
    return static_cast<std::uint32_t>(number(member(parameters, "rcode"))) & mask;
}

class ResolvedVarlink : public MessageInterpreter {
   protected:
    std::size_t needed(Flow, Octets pending) const override {
        return static_cast<std::size_t>(std::ranges::find(pending, 0) - pending.begin()) + 1;
    }
    void read(Flow flow, Octets message, std::vector<model::Event>& facts) override {
        const Json json = Json::parse(text_of(message.first(message.size() - 1)), nullptr, false);
        if (!json.is_object()) return settle();
        flow == Flow::sent ? read_call(json, facts) : read_reply(json, facts);
    }

   private:
    void read_call(const Json& call, std::vector<model::Event>& facts) {
        if (member(call, "oneway") == true) return;
        if (open_.size() >= max_calls_open) return settle();
        Lookup lookup;
        if (member(call, "method") == "io.systemd.Resolve.ResolveHostname") {
            const Json& parameters = member(call, "parameters");
            lookup.name = checked_host_name(text(member(parameters, "name"))).value_or("");
            lookup.type = record_type(number(member(parameters, "family")));
            lookup.id = ++lookups_;
            tell_question(lookup, model::DnsMessage::RESOLVED_VARLINK, facts);
        }
        open_.push_back(std::move(lookup));
    }
    void read_reply(const Json& reply, std::vector<model::Event>& facts) {
        if (open_.empty()) return settle();
        const Lookup lookup = open_.front();
        if (member(reply, "continues") != true) open_.pop_front();
        LookupAnswer answer;
        const Json& parameters = member(reply, "parameters");
        if (const Json& error = member(reply, "error"); error.is_string()) {
            answer.code = error_code(text(error), parameters);
        } else {
            answer.canonical_name = text(member(parameters, "name"));
            const Json& addresses = member(parameters, "addresses");
            if (addresses.is_array())
                for (const Json& entry : addresses) answer.addresses.push_back(address(member(entry, "address")));
        }
        tell_answer(lookup, answer, model::DnsMessage::RESOLVED_VARLINK, facts);
    }
    std::deque<Lookup> open_;  // calls whose replies are yet to come
    std::uint32_t lookups_ = 0;
};

}  // namespace

std::unique_ptr<Interpreter> interpret_resolved_varlink() {
    return std::make_unique<ResolvedVarlink>();
}

}  // namespace slowtrace::wire
