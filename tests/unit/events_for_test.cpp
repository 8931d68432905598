// Random messages by reflection: a new field or kind of event is covered without a line here.
#include "events_for_test.hpp"

#include <algorithm>

namespace slowtrace::test {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

std::string RandomMessages::text(bool ascii) {
    std::string text(random_() % 20, ' ');
    for (char& c : text) c = static_cast<char>(ascii ? ' ' + random_() % 95 : random_());
    return text;
}

void RandomMessages::set(Message& message, const FieldDescriptor* field) {
    const Reflection* to = message.GetReflection();
    const bool many = field->is_repeated();
    switch (field->cpp_type()) {
        case FieldDescriptor::CPPTYPE_INT32: {
            const auto value = static_cast<std::int32_t>(number());
            many ? to->AddInt32(&message, field, value) : to->SetInt32(&message, field, value);
            break;
        }
        case FieldDescriptor::CPPTYPE_INT64: {
            const auto value = static_cast<std::int64_t>(number());
            many ? to->AddInt64(&message, field, value) : to->SetInt64(&message, field, value);
            break;
        }
        case FieldDescriptor::CPPTYPE_UINT32: {
            const auto value = static_cast<std::uint32_t>(number());
            many ? to->AddUInt32(&message, field, value) : to->SetUInt32(&message, field, value);
            break;
        }
        case FieldDescriptor::CPPTYPE_UINT64:
            many ? to->AddUInt64(&message, field, number()) : to->SetUInt64(&message, field, number());
            break;
        case FieldDescriptor::CPPTYPE_BOOL:
            to->SetBool(&message, field, random_() % 2 == 1);
            break;
        case FieldDescriptor::CPPTYPE_ENUM:
            to->SetEnum(&message, field,
                        field->enum_type()->value(static_cast<int>(random_() % field->enum_type()->value_count())));
            break;
        case FieldDescriptor::CPPTYPE_STRING: {
            const std::string value = text(field->type() == FieldDescriptor::TYPE_STRING);
            many ? to->AddString(&message, field, value) : to->SetString(&message, field, value);
            break;
        }
        case FieldDescriptor::CPPTYPE_MESSAGE:
            fill(many ? *to->AddMessage(&message, field) : *to->MutableMessage(&message, field));
            break;
        default:
            throw std::logic_error("no random value for " + field->full_name());
    }
}

void RandomMessages::fill(Message& message) {
    const auto* type = message.GetDescriptor();
    for (int i = 0; i < type->field_count(); ++i) {
        const FieldDescriptor* field = type->field(i);
        if (field->real_containing_oneof() != nullptr || field->full_name().ends_with("Captured.path_id")) continue;
        for (std::uint64_t n = random_() % (field->is_repeated() ? 4 : 2); n > 0; --n) set(message, field);
    }
    for (int i = 0; i < type->real_oneof_decl_count(); ++i) {
        const auto* choice = type->oneof_decl(i);
        set(message, choice->field(static_cast<int>(random_() % choice->field_count())));
    }
}

model::Syscall RandomMessages::call() {
    model::Syscall call;
    fill(call);
    while (call.arguments_size() < 6) call.add_arguments(number());
    return call;
}

std::vector<model::Event> RandomMessages::one_of_each_kind() {
    std::vector<model::Event> events;
    const auto* kinds = model::Event::descriptor()->oneof_decl(0);
    for (int i = 0; i < kinds->field_count(); ++i) {
        if (kinds->field(i)->number() == model::Event::kEnd) continue;
        set(events.emplace_back(), kinds->field(i));
    }
    std::shuffle(events.begin(), events.end(), random_);
    return events;
}

}  // namespace slowtrace::test
