// Turns entry and exit stops into Syscall events.
#include "record/call_recorder.hpp"

#include <linux/sched.h>
#include <signal.h>
#include <sys/prctl.h>

#include <algorithm>

#include "record/capture.hpp"
#include "record/descriptor_effects.hpp"
#include "record/descriptor_lookup.hpp"
#include "record/epoll_list.hpp"
#include "record/multiplexed_call.hpp"
#include "record/proc.hpp"

namespace slowtrace::record {

namespace {

using model::Call;
using model::Shape;

// include/linux/errno.h: never seen by a program, only by its tracer.
constexpr int restart_sys = 512, restart_no_interrupt = 513, restart_no_handler = 514, restart_block = 516;
constexpr std::int64_t interrupted_result = -4;  // -EINTR
constexpr std::int64_t late_stamp_ns = 20'000;   // a delay below this is the stop's own cost
constexpr std::size_t nesting_limit = 64;        // handlers within handlers

int restart_code_of(std::int64_t result) {
    const auto code = static_cast<int>(-result);
    return code == restart_sys || code == restart_no_interrupt || code == restart_no_handler || code == restart_block
               ? code
               : 0;
}

bool is_sigreturn(Call call) {
    return call == Call::rt_sigreturn || call == Call::sigreturn;
}

bool same_arguments(const SyscallStop& stop, const model::Syscall& call) {
    for (int at = 0; at < 6; ++at)
        if (stop.arguments[at] != call.arguments(at)) return false;
    return true;
}

model::Abi tracee_abi(const SyscallStop& stop) {
    const Architecture* architecture = find_architecture(stop.audit_architecture, stop.number);
    return architecture ? architecture->abi : model::ABI_UNKNOWN;
}

std::string link_of(pid_t tid, int fd) {
    return read_link("/proc/" + std::to_string(tid) + "/fd/" + std::to_string(fd)).value_or("");
}

// userfaultfd(2): the call, or the ioctl USERFAULTFD_IOC_NEW on /dev/userfaultfd.
bool opens_userfaultfd(const OpenCall& open) {
    constexpr std::uint64_t userfaultfd_ioc_new = 0xAA00;  // include/uapi/linux/userfaultfd.h
    return open.row->call == Call::userfaultfd ||
           (open.row->call == Call::ioctl && open.call.arguments(1) == userfaultfd_ioc_new);
}

void add_piece(OpenCall& open) {
    auto& piece = *open.call.add_pieces();
    piece.set_from_ns(open.piece_entry_ns);
    piece.set_to_ns(open.piece_exit_ns);
}

}  // namespace

void CallRecorder::select(const model::SyscallSelection* selection) {
    selection_ = selection;
    for (const Call call : {Call::close, Call::dup, Call::dup2, Call::dup3, Call::fcntl, Call::openat, Call::open,
                            Call::socket, Call::pipe2, Call::close_range})
        if (!selection->includes(call)) descriptors_change_unseen_ = true;
}

// Reading a page that userfaultfd(2) serves would wait for a thread that waits for us.
ProcessMemory CallRecorder::memory_of(const Tracee& tracee) const {
    return ProcessMemory(unreadable_.contains(tracee.pid) ? 0 : tracee.tid);
}

void CallRecorder::met(pid_t pid, pid_t tid) {
    const auto serves_pages = [tid](int fd) { return link_of(tid, fd) == "anon_inode:[userfaultfd]"; };
    if (std::ranges::any_of(open_descriptors(tid), serves_pages)) unreadable_.insert(pid);
}

void CallRecorder::begin(Tracee& tracee, const SyscallStop& stop) {
    const Architecture* architecture = find_architecture(stop.audit_architecture, stop.number);
    if (!tracee.interrupted.empty()) {
        if (resume_interrupted(tracee, stop, architecture)) return;
        drop_jumped_over(tracee, stop);
        for (OpenCall& one : tracee.interrupted) one.handler_ran = true;
    }
    start(tracee, stop, architecture);
}

void CallRecorder::found(Tracee& tracee, const SyscallStop& stop, std::int64_t time_ns) {
    start(tracee, stop, find_architecture(stop.audit_architecture, stop.number));
    tracee.open.call.set_began_before(true);
    tracee.open.call.set_entry_ns(time_ns);
    tracee.open.piece_entry_ns = time_ns;
}

void CallRecorder::start(Tracee& tracee, const SyscallStop& stop, const Architecture* architecture) {
    OpenCall& open = tracee.open;
    model::Syscall& call = open.call;
    call.Clear();
    open.architecture = architecture;
    open.instruction_pointer = stop.instruction_pointer;
    open.stack_pointer = stop.stack_pointer;
    open.handler_ran = open.restarts = false;
    open.restart_code = 0;
    SyscallStop unfolded = stop;
    ProcessMemory memory = memory_of(tracee);
    if (architecture) unfold_socketcall(*architecture, memory, unfolded);
    const auto number =
        static_cast<std::uint32_t>(unfolded.number & ~(architecture ? architecture->number_tag : std::uint64_t{0}));
    call.set_thread(index(tracee.thread));
    call.set_abi(architecture ? architecture->abi : model::ABI_UNKNOWN);
    call.set_number(number);
    call.set_instruction_pointer(stop.instruction_pointer);
    call.mutable_arguments()->Resize(6, 0);
    std::copy(std::begin(unfolded.arguments), std::end(unfolded.arguments), call.mutable_arguments()->mutable_data());
    open.row = &model::syscall_row(call.abi(), number);
    tracee.in_call = true;
    if (!architecture) return;
    capture_at_entry(*open.row, *architecture, memory, call);
    explain_descriptors(tracee);
    witness_.before(tracee);
}

void CallRecorder::end(Tracee& tracee, const SyscallStop& stop, std::int64_t stamp_ns, std::int64_t delay_ns) {
    if (!tracee.in_call) return;
    tracee.in_call = false;
    OpenCall& open = tracee.open;
    open.piece_exit_ns = stamp_ns;
    if (const int code = restart_code_of(stop.result)) {
        open.restart_code = code;
        add_piece(open);
        if (tracee.interrupted.size() == nesting_limit) {
            finish_interrupted(tracee, tracee.interrupted.front());
            tracee.interrupted.erase(tracee.interrupted.begin());
        }
        tracee.interrupted.push_back(std::move(open));
        open = OpenCall{};
        return;
    }
    open.call.set_exit_ns(stamp_ns);
    open.call.set_result(stop.result);
    // A stop cannot have waited for us longer than the call has lasted.
    delay_ns = std::min(delay_ns, stamp_ns - open.piece_entry_ns);
    if (delay_ns > late_stamp_ns) {
        open.call.set_queue_delay_ns(static_cast<std::uint64_t>(delay_ns));
        ++late_stamps_;
        late_ns_ += delay_ns;
    }
    if (open.call.pieces_size() > 0) add_piece(open);
    if (open.architecture) {
        ProcessMemory memory = memory_of(tracee);
        capture_at_exit(*open.row, *open.architecture, memory, open.call);
        follow_sockets(tracee, open);
        if (interpret_) hosts_.after(tracee, open);
        if (open.row->call == Call::prctl && open.call.arguments(0) == PR_SET_NAME) tell_renaming(tracee);
        if (open.row->call == Call::sigaltstack) note_alternate_stack(tracee, memory);
        if (stop.result >= 0 && opens_userfaultfd(open)) unreadable_.insert(tracee.pid);
        if (stop.result > 0 && (open.row->call == Call::clone || open.row->call == Call::clone3)) tell_escape(tracee);
    }
    deliver(tracee, open);
    if (is_sigreturn(open.row->call) && !tracee.interrupted.empty()) settle_after_handler(tracee, stop);
}

// The same instruction with the same arguments on the same stack, or restart_syscall in its place.
bool CallRecorder::resume_interrupted(Tracee& tracee, const SyscallStop& stop, const Architecture* architecture) {
    OpenCall& top = tracee.interrupted.back();
    if (architecture != top.architecture || !architecture) return false;
    const bool same_place =
        stop.instruction_pointer == top.instruction_pointer && stop.stack_pointer == top.stack_pointer;
    const bool by_restart_call = top.restart_code == restart_block &&
                                 (stop.number & ~architecture->number_tag) == architecture->restart_syscall &&
                                 same_place;
    SyscallStop unfolded = stop;
    ProcessMemory memory = memory_of(tracee);
    unfold_socketcall(*architecture, memory, unfolded);
    const bool by_itself = same_place && (unfolded.number & ~architecture->number_tag) == top.call.number() &&
                           same_arguments(unfolded, top.call);
    if (!by_restart_call && !by_itself) return false;
    if (top.handler_ran && !top.restarts) {
        // The handler jumped out (siglongjmp), and the program makes the same call again.
        finish_interrupted(tracee, top);
        tracee.interrupted.pop_back();
        return false;
    }
    top.handler_ran = top.restarts = false;
    tracee.open = std::move(top);
    tracee.interrupted.pop_back();
    tracee.in_call = true;
    return true;
}

// rt_sigreturn has restored the interrupted context: back onto the instruction means restart, behind it EINTR.
void CallRecorder::settle_after_handler(Tracee& tracee, const SyscallStop& stop) {
    OpenCall& top = tracee.interrupted.back();
    if (stop.stack_pointer != top.stack_pointer || !top.architecture) return;
    const auto instruction = static_cast<std::uint64_t>(top.architecture->instruction_bytes);
    if (stop.instruction_pointer + instruction == top.instruction_pointer) top.restarts = true;
    if (stop.instruction_pointer != top.instruction_pointer) return;
    finish_interrupted(tracee, top);
    tracee.interrupted.pop_back();
}

// A call made from further up the stack than an interrupted one means that a handler jumped out of it.
void CallRecorder::drop_jumped_over(Tracee& tracee, const SyscallStop& stop) {
    if (is_sigreturn(model::syscall_row(tracee_abi(stop), static_cast<std::uint32_t>(stop.number)).call)) return;
    // A handler on an alternate stack may run above what it interrupted.
    if (stop.stack_pointer - tracee.alternate_stack < tracee.alternate_stack_bytes) return;
    while (!tracee.interrupted.empty() && stop.stack_pointer > tracee.interrupted.back().stack_pointer) {
        // Far away is another stack the program switched to by itself.
        constexpr std::uint64_t near_bytes = 8 << 20;
        if (stop.stack_pointer - tracee.interrupted.back().stack_pointer > near_bytes) return;
        finish_interrupted(tracee, tracee.interrupted.back());
        tracee.interrupted.pop_back();
    }
}

void CallRecorder::finish_interrupted(Tracee& tracee, OpenCall& open) {
    open.call.set_exit_ns(open.piece_exit_ns);
    open.call.set_result(interrupted_result);
    if (open.call.pieces_size() < 2) open.call.clear_pieces();
    // A connect goes on without its caller.
    if (open.architecture && open.row->call == Call::connect) follow_sockets(tracee, open);
    deliver(tracee, open);
}

void CallRecorder::abandon(Tracee& tracee, model::Syscall::Ending ending, std::int64_t time_ns) {
    if (tracee.in_call) {
        OpenCall& open = tracee.open;
        tracee.in_call = false;
        open.call.set_exit_ns(time_ns);
        open.call.set_ending(ending);
        open.piece_exit_ns = time_ns;
        if (open.call.pieces_size() > 0) add_piece(open);
        deliver(tracee, open);
    }
    deliver_interrupted(tracee, ending);
}

void CallRecorder::end_program(Tracee& tracee, std::int64_t) {
    deliver_interrupted(tracee, model::Syscall::EXECED);
    tracee.alternate_stack = tracee.alternate_stack_bytes = 0;
    unreadable_.erase(tracee.pid);
}

void CallRecorder::deliver_interrupted(Tracee& tracee, model::Syscall::Ending ending) {
    while (!tracee.interrupted.empty()) {
        OpenCall& open = tracee.interrupted.back();
        open.call.set_exit_ns(open.piece_exit_ns);
        open.call.set_ending(ending);
        if (open.call.pieces_size() < 2) open.call.clear_pieces();
        deliver(tracee, open);
        tracee.interrupted.pop_back();
    }
}

void CallRecorder::follow_sockets(Tracee& tracee, const OpenCall& open) {
    ProcessMemory memory = memory_of(tracee);
    apply_descriptor_effects(tracee, open);
    tap_.after(tracee, memory, open);
    witness_.after(tracee, open);
}

void CallRecorder::explain_descriptors(Tracee& tracee) {
    constexpr int lookups_a_call = 64;  // a poll of thousands of unknown numbers must not stall the program
    const OpenCall& open = tracee.open;
    lookups_left_ = lookups_a_call;
    for (std::size_t at = 0; at < 6; ++at) {
        const Shape shape = open.row->arguments[at].shape;
        if (shape == Shape::none) break;
        if (shape == Shape::descriptor || shape == Shape::directory)
            explain_descriptor(tracee, static_cast<int>(open.call.arguments(static_cast<int>(at))));
    }
    for (const model::Captured& captured : open.call.captured()) {
        for (const auto& member : captured.poll().members()) explain_descriptor(tracee, member.fd());
        for (const int fd : captured.descriptors().wanted()) explain_descriptor(tracee, fd);
        for (const auto& message : captured.messages().messages())
            for (const int fd : message.passed_descriptors()) explain_descriptor(tracee, fd);
    }
}

void CallRecorder::explain_descriptor(Tracee& tracee, int fd) {
    if (fd < 0 || (tracee.descriptors->known(fd) && !descriptors_change_unseen_) || lookups_left_-- <= 0) return;
    if (descriptors_change_unseen_ && tracee.descriptors->still_is(fd, link_of(tracee.tid, fd))) return;
    auto binding = look_up_descriptor(tracee.pid, tracee.tid, fd);
    if (!binding) return;
    const model::Socket& socket = binding->socket();
    const SocketKind kind = socket_kind(socket.family(), socket.type(), socket.protocol());
    tracee.descriptors->opened(fd, kind);
    if (kind == SocketKind::stream && socket.connected()) tracee.descriptors->marked_connection(fd);
    tap_.looked_up(*tracee.descriptors, *binding);
    if (descriptors_change_unseen_) tracee.descriptors->remember(fd, binding->target());
    explain_interests(tracee, *binding);
    binding->set_thread(index(tracee.thread));
    binding->set_time_ns(now_ns());
    *event_.mutable_binding() = *binding;
    sink_.event(event_);
    witness_.looked_up(tracee, *binding, binding->time_ns());
}

// Nobody has seen the epoll_ctl calls that made the list.
void CallRecorder::explain_interests(Tracee& tracee, model::DescriptorBinding& epoll) {
    constexpr std::size_t interests_told = 256;
    if (epoll.target() != "anon_inode:[eventpoll]") return;
    for (auto& interest : read_epoll_list(tracee.tid, epoll.fd(), interests_told)) {
        explain_descriptor(tracee, interest.fd());
        *epoll.add_interests() = std::move(interest);
    }
}

void CallRecorder::note_alternate_stack(Tracee& tracee, RemoteMemory& memory) {
    const model::Syscall& call = tracee.open.call;
    if (call.result() != 0 || call.arguments(0) == 0 || tracee.open.architecture->pointer_bytes != 8) return;
    struct {
        std::uint64_t address;
        std::int64_t flags;
        std::uint64_t bytes;
    } stack;
    if (memory.read({call.arguments(0)}, std::as_writable_bytes(std::span(&stack, 1))) != sizeof stack) return;
    tracee.alternate_stack = stack.address;
    tracee.alternate_stack_bytes = stack.flags & SS_DISABLE ? 0 : stack.bytes;
}

void CallRecorder::tell_escape(Tracee& tracee) {
    const model::Syscall& call = tracee.open.call;
    std::uint64_t flags = tracee.open.row->call == Call::clone ? call.arguments(0) : 0;
    for (const model::Captured& captured : call.captured())
        if (captured.has_clone()) flags = captured.clone().flags();
    if (!(flags & CLONE_UNTRACED)) return;
    auto& escape = *event_.mutable_escape();
    escape.Clear();
    escape.set_thread(index(tracee.thread));
    escape.set_time_ns(call.exit_ns());
    escape.set_pid(static_cast<std::int32_t>(call.result()));
    sink_.event(event_);
}

void CallRecorder::tell_renaming(Tracee& tracee) {
    const auto name = read_comm(tracee.tid);
    if (!name || *name == tracee.name) return;
    tracee.name = *name;
    auto& renamed = *event_.mutable_name();
    renamed.set_thread(index(tracee.thread));
    renamed.set_time_ns(tracee.open.call.exit_ns());
    renamed.set_name(*name);
    sink_.event(event_);
}

void CallRecorder::deliver(Tracee& tracee, const OpenCall& open) {
    if (selection_) {
        const bool wanted =
            open.row->call == Call::unknown ? selection_->includes_unknown() : selection_->includes(open.row->call);
        if (!wanted) return;
    }
    ++calls_;
    tracee.waits.ended(*open.row, open.call);
    sink_.syscall(open.call);
}

}  // namespace slowtrace::record
