// One block → events. Nothing in it is believed: lists must agree with one another before any is followed.
#include "trace/block_decoder.hpp"

#include <algorithm>

#include "trace/event_time.hpp"

namespace slowtrace::trace {
namespace {

constexpr std::uint32_t argument_count = 6;

bool columns_agree(const model::SyscallColumns& calls) {
    const int sizes[] = {calls.kind_size(),       calls.gap_size(),         calls.duration_size(),
                         calls.argument_0_size(), calls.argument_1_size(),  calls.argument_2_size(),
                         calls.argument_3_size(), calls.argument_4_size(),  calls.argument_5_size(),
                         calls.result_size(),     calls.queue_delay_size(), calls.instruction_pointer_size()};
    return std::all_of(std::begin(sizes), std::end(sizes), [&](int size) { return size == calls.thread_size(); });
}

// Adds a stored difference to the value before, keeps and returns the sum.
std::uint64_t advance(std::uint64_t& value, std::int64_t by) {
    return value += static_cast<std::uint64_t>(by);
}

}  // namespace

std::string_view BlockDecoder::parse(std::string_view raw) {
    if (!block_.ParseFromArray(raw.data(), static_cast<int>(raw.size()))) return "a block is not in the schema's form";
    return check();
}

std::string_view BlockDecoder::check() const {
    if (!columns_agree(block_.calls())) return "the columns of a block differ in length";
    const auto calls = static_cast<std::uint64_t>(block_.calls().thread_size());
    std::uint64_t next = 0;
    for (const model::CallDetails& details : block_.details()) {
        next += std::uint64_t{details.skipped()} + 1;
        if (next > calls) return "details of a call that does not exist";
        if (details.missing_arguments() > argument_count) return "a call lacks more than six arguments";
        for (const model::Captured& captured : details.captured())
            if (captured.path_id() > static_cast<std::uint64_t>(block_.paths_size())) return "a path is missing";
    }
    std::uint64_t before = 0;
    for (const model::PlacedEvent& placed : block_.events()) {
        before += placed.calls();
        if (before > calls) return "an event stands outside its block";
        if (placed.event().has_syscall()) return "a call stands among the events";
    }
    return {};
}

void BlockDecoder::deliver(EventSink& sink) {
    history_.start(block_.calls().base_ns());
    const int calls = block_.calls().thread_size();
    int detail = 0, event = 0;
    std::int64_t next_detailed = -1, next_event = 0;
    const auto step_detail = [&] {
        next_detailed = detail < block_.details_size() ? next_detailed + 1 + block_.details(detail).skipped() : calls;
    };
    const auto step_event = [&] {
        next_event = event < block_.events_size() ? next_event + block_.events(event).calls() : calls + 1;
    };
    step_detail();
    step_event();
    for (int index = 0; index <= calls; ++index) {
        while (next_event == index) {
            deliver_event(block_.events(event++).event(), sink);
            step_event();
        }
        if (index == calls) break;
        restore_columns(index);
        if (next_detailed != index) {
            sink.syscall(call_);
            continue;
        }
        restore_details(*block_.mutable_details(detail++));
        sink.syscall(call_);
        call_.Clear();
        step_detail();
    }
}

void BlockDecoder::deliver_event(const model::Event& event, EventSink& sink) {
    last_time_ns_ = std::max(last_time_ns_, event_time_ns(event));
    sink.event(event);
}

void BlockDecoder::restore_columns(int index) {
    const model::SyscallColumns& calls = block_.calls();
    history_.thread() += static_cast<std::uint32_t>(calls.thread(index));
    std::uint64_t& latest_exit = history_.exit_of(history_.thread());
    const std::uint64_t kind = calls.kind(index);
    CallHistory::Values& before = history_.of_kind(kind);
    const std::uint64_t entry = advance(latest_exit, calls.gap(index));
    latest_exit = entry + calls.duration(index);

    call_.set_thread(history_.thread());
    call_.set_abi(static_cast<model::Abi>(kind & 7));
    call_.set_number(static_cast<std::uint32_t>(kind >> 3));
    call_.set_entry_ns(static_cast<std::int64_t>(entry));
    call_.set_exit_ns(static_cast<std::int64_t>(latest_exit));
    const std::int64_t changes[] = {calls.argument_0(index), calls.argument_1(index), calls.argument_2(index),
                                    calls.argument_3(index), calls.argument_4(index), calls.argument_5(index)};
    call_.mutable_arguments()->Resize(argument_count, 0);
    for (std::uint32_t i = 0; i < argument_count; ++i)
        call_.set_arguments(static_cast<int>(i), advance(before.arguments[i], changes[i]));
    call_.set_result(static_cast<std::int64_t>(advance(before.result, calls.result(index))));
    call_.set_instruction_pointer(advance(before.instruction_pointer, calls.instruction_pointer(index)));
    call_.set_queue_delay_ns(calls.queue_delay(index));
    last_time_ns_ = std::max(last_time_ns_, call_.exit_ns());
}

void BlockDecoder::restore_details(model::CallDetails& details) {
    call_.set_ending(details.ending());
    call_.set_began_before(details.began_before());
    call_.mutable_pieces()->Swap(details.mutable_pieces());
    call_.mutable_captured()->Swap(details.mutable_captured());
    for (model::Captured& captured : *call_.mutable_captured()) {
        if (captured.path_id() == 0) continue;
        captured.set_path(block_.paths(static_cast<int>(captured.path_id()) - 1));
        captured.clear_path_id();
    }
    call_.mutable_arguments()->Truncate(static_cast<int>(argument_count - details.missing_arguments()));
}

}  // namespace slowtrace::trace
