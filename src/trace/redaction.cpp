// Replaces what a run says about its owner: walks every message by reflection and does what the field's rule says.
#include "slowtrace/redaction.hpp"

#include <sys/random.h>

#include <unordered_map>
#include <utility>
#include <vector>

#include "slowtrace/error.hpp"
#include "trace/redaction_rules.hpp"
#include "trace/redaction_stand_ins.hpp"

namespace slowtrace::trace {

namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

std::string random_key() {
    std::string key(32, '\0');
    // Up to 256 octets come whole, see getrandom(2).
    if (getrandom(key.data(), key.size(), 0) != static_cast<ssize_t>(key.size()))
        throw Error("the kernel gives no random numbers: give a key, --redact=KEY");
    return key;
}

// What is to be done to messages of one type: fields with a rule, and fields to look into.
struct Step {
    const FieldDescriptor* field;
    RedactionRule rule;  // of no meaning for a message
};
using Plan = std::vector<Step>;

bool is_text(const FieldDescriptor& field) {
    return field.cpp_type() == FieldDescriptor::CPPTYPE_STRING;
}

Plan make_plan(const Descriptor& type) {
    Plan plan;
    for (int i = 0; i < type.field_count(); ++i) {
        const FieldDescriptor* field = type.field(i);
        const FieldRule* row = find_field_rule(std::string(field->full_name()));
        if (field->message_type() != nullptr)
            plan.push_back({field, RedactionRule::keep});
        else if (row == nullptr && is_text(*field))
            plan.push_back({field, RedactionRule::drop});  // nobody has decided: rather nothing than too much
        else if (row != nullptr && row->rule != RedactionRule::keep)
            plan.push_back({field, row->rule});
    }
    return plan;
}

class Redactor : public EventSink {
   public:
    Redactor(EventSink& next, std::string key) : next_(next), stand_ins_(key.empty() ? random_key() : std::move(key)) {}

    void event(const model::Event& event) override {
        if (event.has_syscall()) return syscall(event.syscall());
        event_ = event;
        event_.DiscardUnknownFields();
        if (event_.has_run()) event_.mutable_run()->set_redacted(true);
        redact(event_);
        next_.event(event_);
    }

    void syscall(const model::Syscall& call) override {
        call_ = call;
        call_.DiscardUnknownFields();
        redact(call_);
        next_.syscall(call_);
    }

   private:
    void redact(Message& message) {
        const Reflection& access = *message.GetReflection();
        for (const Step& step : plan_of(*message.GetDescriptor())) {
            const FieldDescriptor* field = step.field;
            if (field->is_repeated() ? access.FieldSize(message, field) == 0 : !access.HasField(message, field))
                continue;
            if (field->message_type() != nullptr)
                redact_messages(message, field);
            else if (step.rule == RedactionRule::drop)
                access.ClearField(&message, field);
            else
                replace(message, step);
        }
    }

    void redact_messages(Message& parent, const FieldDescriptor* field) {
        const Reflection& access = *parent.GetReflection();
        if (!field->is_repeated()) return redact(*access.MutableMessage(&parent, field));
        for (int i = 0; i < access.FieldSize(parent, field); ++i)
            redact(*access.MutableRepeatedMessage(&parent, field, i));
    }

    void replace(Message& message, const Step& step) {
        const Reflection& access = *message.GetReflection();
        const FieldDescriptor* field = step.field;
        if (!field->is_repeated())
            return access.SetString(&message, field, stand_in(step.rule, access.GetString(message, field), 0));
        for (int i = 0; i < access.FieldSize(message, field); ++i)
            access.SetRepeatedString(&message, field, i,
                                     stand_in(step.rule, access.GetRepeatedString(message, field, i), i));
    }

    std::string stand_in(RedactionRule rule, const std::string& text, int index) {
        switch (rule) {
            case RedactionRule::host:
                return stand_ins_.host(text);
            case RedactionRule::address:
                return stand_ins_.address(text);
            case RedactionRule::path:
                return stand_ins_.path(text);
            case RedactionRule::arguments:  // the first word is the program
                return index == 0 ? stand_ins_.path(text) : stand_ins_.argument(text);
            case RedactionRule::token:
                return stand_ins_.token(text);
            case RedactionRule::keep:
                return text;
            case RedactionRule::drop:
                break;
        }
        return {};
    }

    const Plan& plan_of(const Descriptor& type) {
        auto known = plans_.find(&type);
        if (known == plans_.end()) known = plans_.emplace(&type, make_plan(type)).first;
        return known->second;  // stays where it is when others are added
    }

    EventSink& next_;
    StandIns stand_ins_;
    std::unordered_map<const Descriptor*, Plan> plans_;
    model::Event event_;   // reused
    model::Syscall call_;  // reused
};

}  // namespace

std::unique_ptr<EventSink> redact(EventSink& next, std::string key) {
    return std::make_unique<Redactor>(next, std::move(key));
}

}  // namespace slowtrace::trace
