// From stops to system calls: pairs entries with exits, merges restarted calls, and collects what stood behind
// the arguments.
//
// Restarts (signal(7)). A signal makes a blocked call return one of the kernel's ERESTART codes, which only a
// tracer sees. Then either no handler runs, and the call is entered again (with restart_syscall(2) or its own
// number); or a handler runs first, makes calls of its own, and its rt_sigreturn(2) goes back either to the
// instruction itself (restart) or behind it (EINTR). The two are told apart by the instruction pointer that
// rt_sigreturn restores. A handler that jumps out (siglongjmp) leaves the stack above the interrupted call.
#pragma once

#include <set>

#include "record/hosts_witness.hpp"
#include "record/payload_tap.hpp"
#include "record/remote_memory.hpp"
#include "record/socket_witness.hpp"
#include "record/tracee.hpp"
#include "slowtrace/events.hpp"
#include "slowtrace/syscall_selection.hpp"

namespace slowtrace::record {

class CallRecorder {
   public:
    // With `interpret`, names are read out of what passes on sockets and out of the hosts file
    // (RecordOptions::interpret).
    CallRecorder(EventSink& sink, bool interpret)
        : sink_(sink),
          interpret_(interpret),
          tap_(sink, interpret ? interpreter_for : nullptr),
          witness_(sink, interpret),
          hosts_(sink) {}
    // Calls outside the selection are followed (a restart needs its rt_sigreturn) but not delivered.
    void select(const model::SyscallSelection* selection);
    // exec ends the interrupted calls of the program before, and its memory with them.
    void end_program(Tracee& tracee, std::int64_t time_ns);

    // What is known of a process whose earlier calls nobody has seen: to be called before the first other one.
    void met(pid_t pid, pid_t tid);

    // The thread entered a call. The entry stamp is taken by entered(), last thing before it is resumed.
    void begin(Tracee& tracee, const SyscallStop& stop);
    void entered(Tracee& tracee) {
        tracee.open.piece_entry_ns = now_ns();
        if (tracee.open.call.entry_ns() == 0) tracee.open.call.set_entry_ns(tracee.open.piece_entry_ns);
    }
    // The thread was in this call already when recording it began; it is known to have been from `time_ns` on.
    void found(Tracee& tracee, const SyscallStop& stop, std::int64_t time_ns);
    // The thread left the call it was in. Exits without an entry (a new child's return from fork) are ignored.
    void end(Tracee& tracee, const SyscallStop& stop, std::int64_t stamp_ns, std::int64_t delay_ns);
    // Has the events tell what `fd` means, should they not yet.
    void explain(Tracee& tracee, int fd) {
        lookups_left_ = 1;
        explain_descriptor(tracee, fd);
    }
    // No exit will come: what is open ends at `time_ns`, unfinished.
    void abandon(Tracee& tracee, model::Syscall::Ending ending, std::int64_t time_ns);

    // The last thread of its file table is about to end, by itself or with its process.
    void end_table(const Tracee& tracee, std::int64_t time_ns) { witness_.table_ends(tracee, time_ns); }

    std::uint64_t calls() const { return calls_; }
    std::uint64_t late_stamps() const { return late_stamps_; }
    std::int64_t late_ns() const { return late_ns_; }

   private:
    bool resume_interrupted(Tracee& tracee, const SyscallStop& stop, const Architecture* architecture);
    void note_alternate_stack(Tracee& tracee, RemoteMemory& memory);
    void tell_escape(Tracee& tracee);
    void drop_jumped_over(Tracee& tracee, const SyscallStop& stop);
    void settle_after_handler(Tracee& tracee, const SyscallStop& stop);
    void finish_interrupted(Tracee& tracee, OpenCall& open);
    void follow_sockets(Tracee& tracee, const OpenCall& open);
    void start(Tracee& tracee, const SyscallStop& stop, const Architecture* architecture);
    ProcessMemory memory_of(const Tracee& tracee) const;
    void deliver_interrupted(Tracee& tracee, model::Syscall::Ending ending);
    void explain_descriptors(Tracee& tracee);
    void explain_descriptor(Tracee& tracee, int fd);
    void explain_interests(Tracee& tracee, model::DescriptorBinding& epoll);
    void tell_renaming(Tracee& tracee);
    void deliver(Tracee& tracee, const OpenCall& open);

    EventSink& sink_;
    bool interpret_;
    PayloadTap tap_;
    SocketWitness witness_;
    HostsWitness hosts_;
    const model::SyscallSelection* selection_ = nullptr;
    bool descriptors_change_unseen_ = false;  // the selection leaves out calls that open or close
    std::set<pid_t> unreadable_;              // processes whose memory may make its reader wait (userfaultfd(2))
    int lookups_left_ = 0;                    // for the call in hand
    model::Event event_;                      // reused
    std::uint64_t calls_ = 0, late_stamps_ = 0;
    std::int64_t late_ns_ = 0;
};

}  // namespace slowtrace::record
