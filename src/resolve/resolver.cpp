// The Resolver: each event to the part of the run's state it changes, then to the sink.
#include <sched.h>

#include <algorithm>
#include <array>
#include <limits>

#include "resolve/call_context.hpp"
#include "resolve/connection_facts.hpp"
#include "resolve/moments.hpp"
#include "resolve/seen_descriptors.hpp"

namespace slowtrace::resolve {

namespace {

using DescriptorMask = std::uint8_t;  // bit i: argument i is a descriptor

std::vector<DescriptorMask> collect_masks() {
    std::vector<DescriptorMask> masks(static_cast<std::size_t>(model::Call::count), 0);
    for (const model::SyscallRow& row : model::all_syscalls())
        for (std::size_t i = 0; i < row.arguments.size(); ++i)
            if (row.arguments[i].shape == model::Shape::descriptor || row.arguments[i].shape == model::Shape::directory)
                masks[static_cast<std::size_t>(row.call)] |= static_cast<DescriptorMask>(1u << i);
    return masks;
}

}  // namespace

class Resolver::Implementation {
   public:
    explicit Implementation(ResolvedSink& sink) : run_(sink), sink_(sink) {}

    void event(const model::Event& event);
    void syscall(const model::Syscall& call);
    void finish();

   private:
    void birth(const model::ThreadBirth& birth);
    std::shared_ptr<FileTable> table_for(const model::ThreadBirth& birth, const ProcessTable::Born& born);
    void exec(const model::Exec& exec);
    void rename(const model::ThreadName& name);
    void death(const model::ThreadDeath& death);
    void process_exit(const model::ProcessExit& exit);
    void end_thread(ThreadState& thread, std::int64_t time_ns);
    void end_process(ProcessState& process);
    void dns(const model::DnsMessage& message);
    void call_known(const model::Syscall& call, ThreadState& thread);
    void moment(const model::Moment& moment);
    void resolve_arguments(const model::Syscall& call, const model::SyscallRow& row, ThreadState& thread);

    void seen(std::int64_t time_ns) { last_ns_ = std::max(last_ns_, time_ns); }
    ThreadState* thread(std::uint32_t id) { return run_.processes.find_thread(id); }

    RunState run_;
    ResolvedSink& sink_;
    const std::vector<DescriptorMask> masks_ = collect_masks();
    std::vector<ResolvedDescriptor> descriptors_, watched_;  // reused
    std::int64_t last_ns_ = std::numeric_limits<std::int64_t>::min();
    std::optional<model::RunEnd> end_;
};

void Resolver::Implementation::event(const model::Event& event) {
    switch (event.kind_case()) {
        case model::Event::kRun:
            seen(event.run().start_ns());
            sink_.run(event.run());
            break;
        case model::Event::kBirth:
            birth(event.birth());
            break;
        case model::Event::kExec:
            exec(event.exec());
            break;
        case model::Event::kName:
            rename(event.name());
            break;
        case model::Event::kDeath:
            death(event.death());
            break;
        case model::Event::kProcessExit:
            process_exit(event.process_exit());
            break;
        case model::Event::kSyscall:
            syscall(event.syscall());
            break;
        case model::Event::kSignal:
            seen(event.signal().time_ns());
            if (ThreadState* state = thread(event.signal().thread())) sink_.signal(state->thread, event.signal());
            break;
        case model::Event::kStop:
            seen(event.stop().to_ns());
            if (ThreadState* state = thread(event.stop().thread())) sink_.job_stop(state->thread, event.stop());
            break;
        case model::Event::kBinding:
            seen(event.binding().time_ns());
            if (ThreadState* state = thread(event.binding().thread())) bind_seen(run_, *state, event.binding());
            break;
        case model::Event::kDns:
            dns(event.dns());
            break;
        case model::Event::kHosts:
            if (ThreadState* state = thread(event.hosts().thread()))
                run_.names.learn(event.hosts(), state->process->process.id);
            break;
        case model::Event::kReverseName:
            run_.names.learn(event.reverse_name());
            break;
        case model::Event::kEscape:
            if (ThreadState* state = thread(event.escape().thread())) sink_.escape(state->thread, event.escape());
            break;
        case model::Event::kLoss:
            sink_.loss(event.loss());
            break;
        case model::Event::kEnd:
            seen(event.end().time_ns());
            end_ = event.end();
            break;
        case model::Event::kMoment:
            moment(event.moment());
            break;
        case model::Event::kStream:
            seen(event.stream().time_ns());
            if (ThreadState* state = thread(event.stream().thread())) heard(run_, *state, event.stream());
            break;
        case model::Event::kTcp:
            seen(event.tcp().time_ns());
            if (ThreadState* state = thread(event.tcp().thread())) heard(run_, *state, event.tcp());
            break;
        case model::Event::kPeerProcess:
            seen(event.peer_process().time_ns());
            if (ThreadState* state = thread(event.peer_process().thread())) heard(run_, *state, event.peer_process());
            break;
        case model::Event::KIND_NOT_SET:
            break;
    }
    run_.notices.flush(sink_);
}

void Resolver::Implementation::birth(const model::ThreadBirth& birth) {
    seen(birth.time_ns());
    ProcessTable::Born born = run_.processes.add(birth);
    if (born.thread == nullptr) return;
    born.thread->files = table_for(birth, born);
    if (born.new_process) sink_.process_started(born.thread->process->process);
    sink_.thread_started(born.thread->thread);
}

std::shared_ptr<FileTable> Resolver::Implementation::table_for(const model::ThreadBirth& birth,
                                                               const ProcessTable::Born& born) {
    // Without a word about its creator or flags, a thread shares its process' table, as threads do.
    const ThreadState* model_thread = born.creator;
    if (model_thread == nullptr && !born.new_process)
        for (const ThreadState* sibling : born.thread->process->threads)
            if (sibling != born.thread && sibling->files != nullptr) model_thread = sibling;
    if (model_thread == nullptr || model_thread->files == nullptr) return std::make_shared<FileTable>();
    bool told = birth.clone_flags() != 0 && born.creator != nullptr;
    bool shares = told ? (birth.clone_flags() & CLONE_FILES) != 0 : !born.new_process;
    if (!shares) return run_.copy_of(*model_thread->files);
    model_thread->files->add_user();
    return model_thread->files;
}

void Resolver::Implementation::exec(const model::Exec& exec) {
    seen(exec.time_ns());
    ThreadState* state = thread(exec.thread());
    if (state == nullptr) return;
    Process& process = state->process->process;
    process.executable = exec.path();
    process.arguments.assign(exec.argv().begin(), exec.argv().end());
    process.setuid_ignored = exec.setuid_ignored();
    // execve(2): the caller becomes the leader, under the leader's id.
    for (ThreadState* other : state->process->threads) other->thread.main = other == state;
    state->thread.tid = process.pid;
    run_.unshare(*state);
    if (state->files != nullptr)
        for (int number : state->files->numbers(0, UINT32_MAX))
            if (state->files->find(number)->close_on_exec)
                run_.unbind(*state->files, number, Closing::closed, exec.time_ns());
    sink_.process_executed(process, exec.time_ns());
}

void Resolver::Implementation::rename(const model::ThreadName& name) {
    ThreadState* state = thread(name.thread());
    if (state == nullptr || state->thread.name == name.name()) return;
    state->thread.name = name.name();
    sink_.thread_renamed(state->thread);
}

void Resolver::Implementation::death(const model::ThreadDeath& death) {
    seen(death.time_ns());
    ThreadState* state = thread(death.thread());
    if (state == nullptr || state->ended) return;
    state->thread.death = death.cause();
    if (death.has_schedule()) {
        state->thread.run_ns = death.run_ns();
        state->thread.queued_ns = death.queued_ns();
    }
    end_thread(*state, death.time_ns());
}

void Resolver::Implementation::end_thread(ThreadState& state, std::int64_t time_ns) {
    state.ended = true;
    state.thread.death_ns = time_ns;
    ProcessState& process = *state.process;
    std::erase(process.threads, &state);
    process.last_death_ns = time_ns;
    run_.drop_table(state, time_ns);
    if (process.threads.empty()) run_.races.give_up(process.process.id);
    run_.notices.flush(sink_);
    sink_.thread_ended(state.thread);
    if (process.threads.empty() && process.exit_told) end_process(process);
}

void Resolver::Implementation::process_exit(const model::ProcessExit& exit) {
    seen(exit.time_ns());
    ProcessState* process = run_.processes.find_process(exit.process());
    if (process == nullptr || process->exit_told) return;
    process->exit_told = true;
    process->process.status = exit.status();
    process->process.death_ns = exit.time_ns();
    if (process->parent != nullptr) process->parent->dead_children.push_back(process);
    // Its threads' ends may still be on their way.
    if (process->threads.empty()) end_process(*process);
}

void Resolver::Implementation::end_process(ProcessState& process) {
    if (process.ended) return;
    process.ended = true;
    if (!process.process.death_ns) process.process.death_ns = process.last_death_ns;
    sink_.process_ended(process.process);
}

void Resolver::Implementation::dns(const model::DnsMessage& message) {
    seen(message.time_ns());
    ThreadState* state = thread(message.thread());
    if (state == nullptr) return;
    TrackedFile* socket = socket_at(*state, message.fd(), message.time_ns());
    if (socket != nullptr && message.has_server() && !socket->socket->fixed)
        run_.connections.set_peer(*socket, message.server(), *state->process, message.time_ns());
    if (message.response()) {
        run_.exchanges.answered(socket, message, *state);
    } else if (socket != nullptr) {
        run_.exchanges.asked(*socket, message, *state, socket->connection->peer);
    }
}

void Resolver::Implementation::syscall(const model::Syscall& call) {
    seen(call.exit_ns());
    ThreadState* state = thread(call.thread());
    if (state == nullptr) return;
    run_.races.expire(call.exit_ns());
    call_known(call, *state);
    run_.exchanges.call_told();
    descriptors_.clear();
    watched_.clear();
    run_.notices.flush(sink_);
}

void Resolver::Implementation::resolve_arguments(const model::Syscall& call, const model::SyscallRow& row,
                                                 ThreadState& state) {
    DescriptorMask mask = masks_[static_cast<std::size_t>(row.call)];
    for (int i = 0; mask != 0 && i < call.arguments_size(); ++i, mask >>= 1) {
        int number = static_cast<int>(static_cast<std::uint32_t>(call.arguments(i)));
        if ((mask & 1) != 0 && number >= 0)  // AT_FDCWD is negative, and mmap's "no file"
            descriptors_.push_back(describe(i, number, state.files->at(number, call.entry_ns(), state.thread.id)));
    }
}

void Resolver::Implementation::call_known(const model::Syscall& call, ThreadState& state) {
    const model::SyscallRow& row = model::syscall_row(call.abi(), call.number());
    bool failed = model::failed(call);
    CallContext context{.run = run_,
                        .call = call,
                        .row = row,
                        .thread = state,
                        .succeeded = call.ending() == model::Syscall::RETURNED && !failed,
                        .error = failed ? static_cast<int>(-call.result()) : 0,
                        .descriptors = descriptors_,
                        .watched = watched_};
    // A thread that has ended has no descriptors any more.
    if (state.files != nullptr) {
        resolve_arguments(call, row, state);
        if (Handler handler = handler_of(row.call)) handler(context);
    }
    sink_.call({.call = call,
                .row = row,
                .thread = state.thread,
                .process = state.process->process,
                .descriptors = descriptors_,
                .watched = watched_,
                .child = context.child});
}

void Resolver::Implementation::moment(const model::Moment& moment) {
    seen(moment.time_ns());
    ThreadState* state = thread(moment.thread());
    if (state == nullptr || state->ended) return;
    if (!moment.has_call()) return sink_.moment(state->thread, state->process->process, nullptr, moment);
    const model::SyscallRow& row = model::syscall_row(moment.call().abi(), moment.call().number());
    if (state->files != nullptr) {
        resolve_arguments(moment.call(), row, *state);
        describe_moment(run_, moment, row, *state, descriptors_, watched_);
    }
    const ResolvedCall call{.call = moment.call(),
                            .row = row,
                            .thread = state->thread,
                            .process = state->process->process,
                            .descriptors = descriptors_,
                            .watched = watched_,
                            .child = {}};
    sink_.moment(state->thread, state->process->process, &call, moment);
    descriptors_.clear();
    watched_.clear();
}

void Resolver::Implementation::finish() {
    // By index: nothing is added, but the sink is told in between.
    const std::vector<ThreadState*>& threads = run_.processes.threads();
    for (std::size_t i = 0; i < threads.size(); ++i)
        if (!threads[i]->ended) end_thread(*threads[i], last_ns_);
    for (ProcessState* process : run_.processes.processes()) end_process(*process);
    for (auto queues = std::move(run_.in_flight); auto& [sender, messages] : queues)
        for (auto& files : messages)
            for (const FilePointer& file : files) run_.release(file, Closing::process_gone, last_ns_);
    run_.races.give_up_all();
    run_.notices.flush(sink_);
    if (!end_) {
        end_.emplace();
        end_->set_time_ns(last_ns_);
    }
    sink_.end(*end_);
}

Resolver::Resolver(ResolvedSink& sink) : implementation_(std::make_unique<Implementation>(sink)) {}
Resolver::~Resolver() = default;

void Resolver::event(const model::Event& event) {
    implementation_->event(event);
}

void Resolver::syscall(const model::Syscall& call) {
    implementation_->syscall(call);
}

void Resolver::finish() {
    implementation_->finish();
}

}  // namespace slowtrace::resolve
