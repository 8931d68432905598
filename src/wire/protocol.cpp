// Facts as events.
#include "wire/protocol.hpp"

namespace slowtrace::wire {

model::StreamFact& Facts::add() {
    model::StreamFact& fact = *events_.emplace_back().mutable_stream();
    fact.set_sent(flow_ == Flow::sent);
    return fact;
}

void Facts::name(model::NameClaim::Source source, std::string_view name, std::uint32_t port) {
    model::NameClaim& claim = *add().mutable_name();
    claim.set_source(source);
    claim.set_name(std::string(name));
    claim.set_port(port);
}

void Facts::request(std::string_view method, std::uint32_t version) {
    model::HttpRequest& request = *add().mutable_request();
    request.set_method(std::string(method));
    request.set_version(version);
}

void Facts::response(std::uint32_t status, std::uint32_t version) {
    model::HttpResponse& response = *add().mutable_response();
    response.set_status(status);
    response.set_version(version);
}

void Facts::proxy(std::uint32_t status, bool granted) {
    model::ProxyAnswer& answer = *add().mutable_proxy();
    answer.set_status(status);
    answer.set_granted(granted);
}

}  // namespace slowtrace::wire
