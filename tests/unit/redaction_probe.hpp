// What the tests of redaction share: events, their texts, and what is decided about each.
#pragma once

#include <arpa/inet.h>

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "catch.hpp"
#include "events_for_test.hpp"
#include "slowtrace/redaction.hpp"
#include "slowtrace/trace_file.hpp"
#include "trace/redaction_rules.hpp"

namespace slowtrace::test {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using trace::RedactionRule;
using Events = std::vector<model::Event>;

inline Events redacted(const Events& events, const std::string& key = "key") {
    test::KeepAll kept;
    test::play(events, *trace::redact(kept, key));
    return kept.events;
}

inline bool is_text(const FieldDescriptor* field) {
    return field->cpp_type() == FieldDescriptor::CPPTYPE_STRING;
}

// Changes every text inside.
inline void change_texts(Message& message,
                         const std::function<std::string(const std::string&, const FieldDescriptor*)>& change) {
    const auto* access = message.GetReflection();
    std::vector<const FieldDescriptor*> fields;
    access->ListFields(message, &fields);
    for (const FieldDescriptor* field : fields)
        for (int i = 0; i < (field->is_repeated() ? access->FieldSize(message, field) : 1); ++i) {
            if (field->message_type() != nullptr)
                change_texts(field->is_repeated() ? *access->MutableRepeatedMessage(&message, field, i)
                                                  : *access->MutableMessage(&message, field),
                             change);
            else if (is_text(field) && field->is_repeated())
                access->SetRepeatedString(&message, field, i,
                                          change(access->GetRepeatedString(message, field, i), field));
            else if (is_text(field))
                access->SetString(&message, field, change(access->GetString(message, field), field));
        }
}

inline RedactionRule rule_of(const FieldDescriptor* field) {
    const trace::FieldRule* row = trace::find_field_rule(std::string(field->full_name()));
    INFO(field->full_name() << " has no row in src/trace/redaction_rules.cpp: decide what becomes of it");
    REQUIRE(row != nullptr);
    return row->rule;
}

inline Events events_of(const std::filesystem::path& path) {
    test::KeepAll kept;
    trace::open_trace(path.string())->replay(kept);
    return kept.events;
}

// Octets of an address as text.
inline std::string shown(const std::string& octets) {
    char text[INET6_ADDRSTRLEN] = "";
    inet_ntop(octets.size() == 4 ? AF_INET : AF_INET6, octets.data(), text, sizeof text);
    return text;
}

inline std::string octets_of(const char* text) {
    std::string octets(std::string_view(text).find(':') == std::string_view::npos ? 4 : 16, '\0');
    REQUIRE(inet_pton(octets.size() == 4 ? AF_INET : AF_INET6, text, octets.data()) == 1);
    return octets;
}

}  // namespace slowtrace::test
