// What becomes of every text of the schema when a run is redacted: the table.
#include "trace/redaction_rules.hpp"

#include <algorithm>
#include <iterator>

namespace slowtrace::trace {

namespace {

constexpr std::string_view package = "slowtrace.model.";

// Every string and bytes field an Event can hold stands here (tests/unit/redaction_test.cpp); other fields where
// their number tells who somebody is.
constexpr FieldRule rules[] = {
    {"Run.argv", RedactionRule::arguments},
    {"Run.cwd", RedactionRule::path},
    {"Run.kernel", RedactionRule::keep, "the kernel's release: what calls do and cost depends on it"},
    {"Run.machine", RedactionRule::keep, "the kind of processor"},
    {"Run.engine", RedactionRule::keep, "slowtrace's own word"},
    {"Run.slowtrace_version", RedactionRule::keep, "slowtrace's own word"},
    {"Run.selection", RedactionRule::keep,
     "names of system calls and nothing else, or it would not have been accepted"},
    {"ThreadBirth.name", RedactionRule::path},
    {"Exec.path", RedactionRule::path},
    {"Exec.argv", RedactionRule::arguments},
    {"ThreadName.name", RedactionRule::path},
    {"Captured.path", RedactionRule::path},
    {"SocketAddress.ip", RedactionRule::address},
    {"SocketAddress.path", RedactionRule::path},
    {"Strings.values", RedactionRule::arguments},
    {"DescriptorBinding.target", RedactionRule::path},
    {"DnsMessage.Question.name", RedactionRule::host},
    {"DnsMessage.Answer.name", RedactionRule::host},
    {"DnsMessage.Answer.ip", RedactionRule::address},
    {"DnsMessage.Answer.target", RedactionRule::host},
    {"NameClaim.name", RedactionRule::host},
    {"TlsRecord.protocols", RedactionRule::token},
    {"HttpRequest.method", RedactionRule::token},
    {"PeerProcess.uid", RedactionRule::drop, "a user's number may be a person's"},
    {"PeerProcess.name", RedactionRule::path},
    {"Moment.state", RedactionRule::keep, "the scheduler's letter"},
    {"HostsFile.Entry.ip", RedactionRule::address},
    {"HostsFile.Entry.names", RedactionRule::host},
    {"ReverseName.ip", RedactionRule::address},
    {"ReverseName.name", RedactionRule::host},
    {"Loss.reason", RedactionRule::keep, "slowtrace's own sentence, with the C library's word for an error"},
};

}  // namespace

std::span<const FieldRule> field_rules() {
    return rules;
}

const FieldRule* find_field_rule(std::string_view full_name) {
    if (!full_name.starts_with(package)) return nullptr;
    const auto* found = std::find_if(std::begin(rules), std::end(rules), [&](const FieldRule& rule) {
        return rule.field == full_name.substr(package.size());
    });
    return found == std::end(rules) ? nullptr : found;
}

}  // namespace slowtrace::trace
