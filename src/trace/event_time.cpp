// When an event happened, read by the field's name so that a new kind of event needs no row here.
#include "trace/event_time.hpp"

namespace slowtrace::trace {

std::int64_t event_time_ns(const model::Event& event) {
    const google::protobuf::Reflection* reflection = event.GetReflection();
    const google::protobuf::FieldDescriptor* kind =
        reflection->GetOneofFieldDescriptor(event, model::Event::descriptor()->oneof_decl(0));
    if (kind == nullptr) return 0;
    const google::protobuf::FieldDescriptor* time = kind->message_type()->FindFieldByName("time_ns");
    if (time == nullptr) return 0;
    const google::protobuf::Message& body = reflection->GetMessage(event, kind);
    return body.GetReflection()->GetInt64(body, time);
}

}  // namespace slowtrace::trace
