// What becomes of every text of the schema when a run is redacted: a table, one row a field.
#pragma once

#include <span>
#include <string_view>

namespace slowtrace::trace {

enum class RedactionRule {
    keep,       // as it is; the row says why that tells nothing
    drop,       // the field is cleared
    host,       // StandIns::host
    address,    // StandIns::address
    path,       // StandIns::path; also names of threads, which are file names of programs
    arguments,  // the first as a path, the others StandIns::argument
    token,      // StandIns::token
};

struct FieldRule {
    std::string_view field;  // as protobuf names it, without the package: "DnsMessage.Answer.ip"
    RedactionRule rule;
    std::string_view why = {};
};

std::span<const FieldRule> field_rules();

// The rule of a field by its full name ("slowtrace.model.Run.cwd"); nullptr when nobody has decided on it.
const FieldRule* find_field_rule(std::string_view full_name);

}  // namespace slowtrace::trace
