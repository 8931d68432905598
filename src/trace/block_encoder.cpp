// Events → one block. The path of a call without captured arguments allocates nothing.
#include "trace/block_encoder.hpp"

#include "trace/event_time.hpp"
#include "trace/format.hpp"

namespace slowtrace::trace {
namespace {

// About what a call's columns take: only used to decide when a block is full.
constexpr std::size_t column_bytes = 20;
constexpr int argument_count = 6;

bool has_details(const model::Syscall& call) {
    return call.captured_size() != 0 || call.pieces_size() != 0 || call.ending() != model::Syscall::RETURNED ||
           call.began_before() || call.arguments_size() != argument_count;
}

}  // namespace

BlockEncoder::BlockEncoder() : calls_(*block_.mutable_calls()) {
    arguments_ = {calls_.mutable_argument_0(), calls_.mutable_argument_1(), calls_.mutable_argument_2(),
                  calls_.mutable_argument_3(), calls_.mutable_argument_4(), calls_.mutable_argument_5()};
    clear();
}

void BlockEncoder::clear() {
    // Not block_.Clear(): that would free `calls_`.
    calls_.Clear();
    block_.clear_details();
    block_.clear_events();
    block_.clear_paths();
    path_ids_.clear();
    calls_in_block_ = events_in_block_ = next_detailed_ = calls_at_event_ = 0;
    listed_bytes_ = 0;
    first_time_ns_ = 0;
}

bool BlockEncoder::full() const {
    return calls_in_block_ >= block_calls || calls_in_block_ * column_bytes + listed_bytes_ >= block_bytes ||
           (first_time_ns_ != 0 && last_time_ns_ - first_time_ns_ >= block_span_ns);
}

void BlockEncoder::note_time(std::int64_t time_ns) {
    if (time_ns <= 0) return;
    if (first_time_ns_ == 0) first_time_ns_ = time_ns;
    last_time_ns_ = std::max(last_time_ns_, time_ns);
}

void BlockEncoder::add(const model::Event& event) {
    model::PlacedEvent* placed = block_.add_events();
    placed->set_calls(calls_in_block_ - calls_at_event_);
    *placed->mutable_event() = event;
    calls_at_event_ = calls_in_block_;
    ++events_in_block_;
    listed_bytes_ += event.ByteSizeLong();
    note_time(event_time_ns(event));
}

void BlockEncoder::add(const model::Syscall& call) {
    if (calls_in_block_ == 0) {
        calls_.set_base_ns(call.entry_ns());
        history_.start(call.entry_ns());
    }
    add_columns(call);
    if (has_details(call)) add_details(call);
    ++calls_in_block_;
    note_time(call.exit_ns());
}

void BlockEncoder::add_columns(const model::Syscall& call) {
    const std::uint64_t kind = std::uint64_t{call.number()} * 8 + (static_cast<std::uint32_t>(call.abi()) & 7);
    const auto entry = static_cast<std::uint64_t>(call.entry_ns());
    const auto exit = static_cast<std::uint64_t>(call.exit_ns());
    const auto result = static_cast<std::uint64_t>(call.result());
    std::uint64_t& latest_exit = history_.exit_of(call.thread());
    CallHistory::Values& before = history_.of_kind(kind);

    calls_.add_thread(std::int64_t{call.thread()} - history_.thread());
    calls_.add_kind(kind);
    calls_.add_gap(difference(entry, latest_exit));
    calls_.add_duration(exit - entry);
    for (int i = 0; i < argument_count; ++i) {
        const std::uint64_t value = i < call.arguments_size() ? call.arguments(i) : 0;
        arguments_[i]->Add(difference(value, before.arguments[i]));
        before.arguments[i] = value;
    }
    calls_.add_result(difference(result, before.result));
    calls_.add_instruction_pointer(difference(call.instruction_pointer(), before.instruction_pointer));
    calls_.add_queue_delay(call.queue_delay_ns());

    history_.thread() = call.thread();
    latest_exit = exit;
    before.result = result;
    before.instruction_pointer = call.instruction_pointer();
}

void BlockEncoder::add_details(const model::Syscall& call) {
    model::CallDetails* details = block_.add_details();
    details->set_skipped(calls_in_block_ - next_detailed_);
    next_detailed_ = calls_in_block_ + 1;
    details->set_ending(call.ending());
    details->set_began_before(call.began_before());
    *details->mutable_pieces() = call.pieces();
    details->set_missing_arguments(call.arguments_size() < argument_count ? argument_count - call.arguments_size() : 0);
    for (const model::Captured& captured : call.captured()) {
        model::Captured* kept = details->add_captured();
        if (captured.has_path()) {
            kept->set_argument(captured.argument());
            kept->set_truncated(captured.truncated());
            kept->set_path_id(path_id(captured.path()));
        } else {
            *kept = captured;
            kept->clear_path_id();
        }
    }
    listed_bytes_ += details->ByteSizeLong() + 2;
}

std::uint32_t BlockEncoder::path_id(const std::string& path) {
    const auto [found, added] = path_ids_.try_emplace(path, static_cast<std::uint32_t>(block_.paths_size() + 1));
    if (added) {
        *block_.add_paths() = path;
        listed_bytes_ += path.size() + 2;
    }
    return found->second;
}

}  // namespace slowtrace::trace
