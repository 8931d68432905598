// The classic engine: every stop of every tracee handled, from the command's exec to its end.
#pragma once

#include <map>
#include <optional>
#include <set>

#include "record/calibration.hpp"
#include "record/call_recorder.hpp"
#include "record/launch.hpp"
#include "record/signal_relay.hpp"
#include "slowtrace/recorder.hpp"

namespace slowtrace::record {

class Engine {
   public:
    Engine(const RecordOptions& options, EventSink& sink);
    RecordOutcome run();

   private:
    // engine.cpp: the loop, and what each kind of stop means.
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

    // births_and_deaths.cpp
    void on_birth(Tracee& parent, StoppedTracee stopped);
    void claim(Tracee& parent, pid_t child, std::int64_t time_ns);
    void adopt_orphans();
    void adopt(StoppedTracee stopped);
    void on_exec(Tracee& tracee, StoppedTracee stopped);
    void on_exit(Tracee& tracee, StoppedTracee stopped);
    void on_death(const DeadTracee& dead);
    void tell_birth(const Tracee& tracee, model::ThreadBirth& birth);
    void tell_death(Tracee& tracee, model::ThreadDeath& death);
    void end_job_stop(Tracee& tracee, std::int64_t time_ns);
    Tracee* any_of_process(pid_t pid);
    bool somebody_is_creating();
    bool last_of_its_table(const Tracee& tracee);

    // run_frame.cpp: how a recording begins and ends.
    void start_run(Tracee& root, std::int64_t exec_ns);
    void end_run();
    void let_go_of_all();
    void let_go(Tracee& tracee, StoppedTracee stopped);

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
    pid_t root_ = 0;
    bool filtered_ = false;
    bool started_ = false;
    bool death_seen_ = false;
    bool letting_go_ = false;
    bool told_waiting_ = false;
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
