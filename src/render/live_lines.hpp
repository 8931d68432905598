// What --live and SIGUSR1 say while the command runs: one line for a call that lasts, one when it has ended, and a
// table of all threads when asked.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "analyze/run_causes.hpp"
#include "model/wait_series.hpp"
#include "slowtrace/resolved.hpp"

namespace slowtrace::render {

// Waits for traced children, and of event loops with nothing to do, are not told as long waits: the children are.
class LiveLines : public resolve::ResolvedSink {
   public:
    // `say` gets whole lines, each with its newline, to be written at once.
    explicit LiveLines(std::function<void(const std::string&)> say) : say_(std::move(say)) {}

    void run(const model::Run& run) override { start_ns_ = run.start_ns(); }
    void process_started(const resolve::Process& process) override;
    void process_ended(const resolve::Process& process) override;
    void thread_ended(const resolve::Thread& thread) override;
    void signal(const resolve::Thread& thread, const model::Signal& signal) override;
    void call(const resolve::ResolvedCall& call) override;
    void moment(const resolve::Thread& thread, const resolve::Process& process, const resolve::ResolvedCall* call,
                const model::Moment& moment) override;

   private:
    struct Told {
        std::int64_t entry_ns = 0, since_ns = 0;  // the call's, and that of the first of the same in a row
        std::string who, words;
        bool at_least = false;
    };
    void tell_end(const Told& told, std::int64_t lasted_ns, const std::string& outcome);
    std::string duration_text(const resolve::ResolvedCall& call) const;
    void tell_long_wait(const resolve::ResolvedCall& call, const model::Moment& moment);
    void add_to_table(const resolve::Thread& thread, const resolve::Process& process, const resolve::ResolvedCall* call,
                      const model::Moment& moment);
    void tell_table(std::int64_t time_ns);
    // "connecting to extra.example.org:80", made visible.
    std::string words(const analyze::Cause& cause) const;
    bool is_noise(const resolve::ResolvedCall& call, const analyze::Cause& cause) const;

    std::function<void(const std::string&)> say_;
    analyze::RunCauses causes_;
    std::int64_t start_ns_ = 0;
    std::unordered_map<std::uint32_t, Told> told_;  // by thread: the wait that was told
    std::unordered_map<std::uint32_t, model::WaitSeries> waits_;
    std::unordered_map<std::uint32_t, std::uint64_t> children_;  // by process: traced children alive
    std::vector<std::vector<std::string>> table_;                // the answer to SIGUSR1, so far
};

}  // namespace slowtrace::render
