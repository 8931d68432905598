// What a DNS response says: which addresses belong to which host.
#include "resolve/answers.hpp"

#include <algorithm>

#include "resolve/endpoints.hpp"

namespace slowtrace::resolve {

namespace {

// Resource record types (IANA).
constexpr std::uint32_t type_cname = 5, type_srv = 33, type_svcb = 64, type_https = 65;

char lower(char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

bool is_service_binding(std::uint32_t type) {
    return type == type_svcb || type == type_https;
}

// RFC 9460 §2.3: "_8443._https.api.example.com" is about api.example.com.
std::string without_prefixes(std::string name) {
    while (name.starts_with('_') && name.find('.') != std::string::npos) name.erase(0, name.find('.') + 1);
    return name;
}

// From the question's name along the aliases. A chain is no longer than the number of its links; a loop ends there.
const std::string& end_of_chain(const model::DnsMessage& response, const std::string& asked) {
    const std::string* end = &asked;
    for (int links = 0; links < response.answers_size(); ++links) {
        auto link = std::find_if(response.answers().begin(), response.answers().end(), [&](const auto& answer) {
            return answer.type() == type_cname && same_name(answer.name(), *end);
        });
        if (link == response.answers().end()) break;
        end = &link->target();
    }
    return *end;
}

// Which host an address record named `owner` is for; empty for a stranger's.
std::string host_of(const model::DnsMessage& response, const std::string& owner, const std::string& end,
                    const std::string& asked) {
    if (same_name(owner, end)) return asked;
    for (const auto& answer : response.answers()) {
        if (!same_name(answer.name(), end) || !same_name(answer.target(), owner)) continue;
        if (answer.type() == type_srv) return owner;
        if (is_service_binding(answer.type())) return asked;
    }
    return {};
}

}  // namespace

bool same_name(const std::string& one, const std::string& other) {
    return one.size() == other.size() &&
           std::equal(one.begin(), one.end(), other.begin(), [](char a, char b) { return lower(a) == lower(b); });
}

std::string lower_name(std::string name) {
    std::transform(name.begin(), name.end(), name.begin(), lower);
    return name;
}

std::vector<std::string> Resolution::addresses() const {
    std::vector<std::string> found;
    for (const Located& one : located) found.push_back(one.address);
    return found;
}

Resolution follow_answers(const model::DnsMessage& response) {
    Resolution resolution;
    if (response.questions().empty()) return resolution;
    const model::DnsMessage::Question& question = response.questions(0);
    const std::string& end = end_of_chain(response, question.name());
    const std::string asked = is_service_binding(question.type()) ? without_prefixes(question.name()) : question.name();
    // A name service tells what it found for the name it was asked for, under whichever name it goes there.
    const bool trusted = response.carrier() != model::DnsMessage::DNS;
    if (!same_name(end, question.name())) resolution.canonical_name = end;
    for (const auto& answer : response.answers()) {
        if (answer.ip().empty()) continue;
        std::string host = trusted ? asked : host_of(response, answer.name(), end, asked);
        std::string address = address_text(answer.ip());
        if (host.empty() || address.empty()) continue;
        if (trusted && resolution.canonical_name.empty() && !same_name(answer.name(), asked))
            resolution.canonical_name = answer.name();
        resolution.located.push_back({std::move(address), std::move(host)});
    }
    return resolution;
}

}  // namespace slowtrace::resolve
