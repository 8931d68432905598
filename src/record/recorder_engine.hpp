// The classic engine: every stop of every tracee handled, from the command's exec to its end, or from the moment it was
// attached to until it is let go.
#pragma once

#include <map>
#include <optional>
#include <set>

#include "record/blocked_call.hpp"
#include "record/calibration.hpp"
#include "record/call_recorder.hpp"
#include "record/launch.hpp"
#include "record/signal_relay.hpp"
#include "record/wake_timer.hpp"
#include "slowtrace/recorder.hpp"

namespace slowtrace::record {

class Engine {
   public:
    Engine(const RecordOptions& options, EventSink& sink);
    RecordOutcome run();

   private:
    // engine.cpp: the loop, and what each kind of stop means.
    RecordOutcome run_command();
    void follow();
    void after_waking();
    bool out_of_time() const;
    std::int64_t wake_period_ns() const;
    bool attaching() const { return !options_.attach.empty(); }
    void collect(std::vector<WaitReport>& batch);
    void handle(WaitReport& report);
    void handle_stop(Tracee& tracee, StoppedTracee stopped);
    void on_syscall(Tracee& tracee, StoppedTracee stopped);
    void on_signal(Tracee& tracee, StoppedTracee stopped);
    void on_group_stop(Tracee& tracee, StoppedTracee stopped);
    void on_event_stop(Tracee& tracee, StoppedTracee stopped);
    void go_on(Tracee& tracee, StoppedTracee stopped, int signal = 0);
    void follow_terminal_stop();
    void after_the_command();
    SyscallStop settled_result(Tracee& tracee, StoppedTracee& stopped, SyscallStop stop);
    bool came_twice(const siginfo_t& information, std::int64_t time_ns);

    // attach.cpp
    struct SeizedThread {
        pid_t tid = 0;
        bool stopped = false;  // by job control
    };
    struct Seized {
        pid_t pid = 0;
        std::uint32_t audit_architecture = 0;
        std::vector<SeizedThread> threads;  // in the order /proc lists them: the leader first
    };
    RecordOutcome run_attached();
    void trace_attached();
    void attach_to_all();
    struct SeizingPass {
        bool complete = true;   // every thread is ours
        bool progress = false;  // one more than before is
        bool leader_ended = false;
        int error = 0;
    };
    std::string seize_process(pid_t pid, std::vector<Seized>& seized);
    SeizingPass seize_threads(Seized& process);
    static void forget_replaced(Seized& process);
    void handle_pending();
    void tell_start(std::int64_t start_ns, const std::vector<Seized>& seized);
    bool attached_ended() const;
    bool may_part();
    void part_from_stopped();
    void part_from(StoppedTracee stopped);
    void tell_partings();

    // unstopped.cpp
    void look_first(Tracee& tracee, const Seized& process, const SeizedThread& thread, std::int64_t start_ns);
    void look_again();
    bool stop_if_possible(Tracee& tracee);
    void tell_missed_calls(const Tracee& tracee, std::int64_t time_ns);
    void settle(Tracee& tracee, StoppedTracee& stopped);
    std::optional<std::int64_t> interrupted_result(StoppedTracee& stopped, const SyscallStop& position,
                                                   const std::optional<SyscallStop>& found);
    void ask_to_stop(pid_t tid);

    // moments.cpp
    void tell_moment(Tracee& tracee, model::Moment::Reason reason, std::int64_t now, bool last);
    void tell_long_waits();
    void tell_all_threads();

    // births_and_deaths.cpp
    void on_birth(Tracee& parent, StoppedTracee stopped);
    void claim(Tracee& parent, pid_t child, std::int64_t time_ns);
    void adopt_orphans();
    void adopt(StoppedTracee stopped);
    void on_exec(Tracee& tracee, StoppedTracee stopped);
    void tell_program(const Tracee& tracee, std::int64_t time_ns, pid_t former_tid, bool setuid_ignored);
    void on_exit(Tracee& tracee, StoppedTracee stopped);
    bool is_last_of_process(const Tracee& tracee);
    void on_death(const DeadTracee& dead);
    void tell_birth(const Tracee& tracee, model::ThreadBirth& birth);
    void tell_death(Tracee& tracee, model::ThreadDeath& death);
    void end_job_stop(Tracee& tracee, std::int64_t time_ns);
    Tracee* any_of_process(pid_t pid);
    bool somebody_is_creating();
    bool last_of_its_table(const Tracee& tracee);

    // run_frame.cpp: how a recording begins and ends.
    void start_run(Tracee& root, std::int64_t exec_ns);
    void begin_run(std::int64_t start_ns, const std::vector<Seized>& attached);
    void end_run();
    void let_go_of_all();
    void let_go(Tracee& tracee, StoppedTracee stopped);
    bool stop_at_exit_instead(Tracee& tracee, const SyscallStop& stop);
    void tell_parting(Tracee& tracee, std::int64_t time_ns);

    const RecordOptions& options_;
    EventSink& sink_;
    CallRecorder calls_;
    TraceeTable tracees_;
    Wait wait_;
    SignalRelay relay_;
    Calibration calibration_;
    model::Event event_;                        // reused
    std::map<pid_t, StoppedTracee> unclaimed_;  // stopped newborns whose creator has not told of them yet
    std::set<pid_t> stillborn_;                 // newborns that died before their creator told of them
    std::set<pid_t> processes_;                 // pids alive
    pid_t root_ = 0;                            // the command, or the one process attached to
    bool filtered_ = false;
    bool started_ = false;
    bool death_seen_ = false;
    bool letting_go_ = false;
    bool let_go_by_request_ = false;
    bool told_waiting_ = false;
    WakeTimer* timer_ = nullptr;
    std::set<pid_t> attached_;   // processes attached to, dead ones included
    std::set<pid_t> unstopped_;  // tids with Tracee::unstopped
    std::set<pid_t> awaited_;    // tids that were asked to stop and have not yet
    std::int64_t ending_since_ns_ = 0;
    std::int64_t start_ns_ = 0;
    std::int64_t long_waits_told_ns_ = 0;
    std::int64_t look_due_ns_ = 0;  // when to look at the unstopped threads again
    struct {
        int number = 0;
        bool ours = false;  // passed on by us
        std::int64_t time_ns = 0;
    } last_end_signal_;       // the command's last signal
    std::set<pid_t> let_go_;  // tids no longer ours
    std::optional<int> root_status_;
    std::int64_t end_ns_ = 0;
    std::uint64_t stops_ = 0;
    std::uint32_t left_running_ = 0;
    std::int64_t cpu_at_start_ns_ = 0;
};

}  // namespace slowtrace::record
