// Writes the machine-readable timeline.
#include "render/timeline_tsv.hpp"

#include "render/text.hpp"
#include "slowtrace/causes.hpp"

namespace slowtrace::render {

void TsvTimeline::run(const model::Run&) {
    out_ << "thread\ttid\tpid\tcall\tentry_ns\texit_ns\tresult\tending\tdescriptors\tcause\tsubject\tpieces\n";
}

void TsvTimeline::call(const resolve::ResolvedCall& resolved) {
    const model::Syscall& call = resolved.call;
    const bool returned = call.ending() == model::Syscall::RETURNED;
    out_ << index(resolved.thread.id) << '\t' << resolved.thread.tid << '\t' << resolved.process.pid << '\t'
         << model::syscall_name(call.abi(), call.number()) << '\t' << call.entry_ns() << '\t' << call.exit_ns() << '\t'
         << (returned ? std::to_string(call.result()) : "?") << '\t' << model::Syscall::Ending_Name(call.ending())
         << '\t';
    bool first = true;
    for (const resolve::ResolvedDescriptor& descriptor : resolved.descriptors) {
        if (descriptor.argument < 0) continue;
        out_ << (first ? "" : ",") << descriptor.argument << '=' << descriptor.number;
        first = false;
    }
    if (first) out_ << '-';
    if (analyze::time_in_call(call) >= analyze::shortest_wait_ns) {
        const analyze::Cause cause = analyze::cause_of(resolved);
        out_ << '\t' << analyze::name(cause.kind) << '\t' << (cause.subject.empty() ? "-" : visible(cause.subject));
    } else {
        out_ << "\t-\t-";
    }
    out_ << '\t' << call.pieces_size() << '\n';
}

}  // namespace slowtrace::render
