// A connect from the call to the moment the program learned how it went, however it learns it.
#include "resolve/connect_attempts.hpp"

#include <poll.h>

#include <cerrno>

#include "resolve/connection_life.hpp"

namespace slowtrace::resolve {

namespace {

AttemptOutcome outcome_of(int error) {
    switch (error) {
        case 0:
            return AttemptOutcome::connected;
        case ECONNREFUSED:
            return AttemptOutcome::refused;
        case ETIMEDOUT:
            return AttemptOutcome::timed_out;
        case EHOSTUNREACH:
        case ENETUNREACH:
            return AttemptOutcome::unreachable;
        case ECONNRESET:
            return AttemptOutcome::reset;
        default:
            return AttemptOutcome::failed;
    }
}

// Errors of send and recv that say how a pending connect went, rather than "not yet".
bool decides(int error) {
    switch (error) {
        case ECONNREFUSED:
        case ETIMEDOUT:
        case EHOSTUNREACH:
        case ENETUNREACH:
        case ECONNRESET:
        case EPIPE:
            return true;
        default:
            return false;
    }
}

}  // namespace

void ConnectAttempts::connect_ended(TrackedFile& file, const model::Syscall& call, int error) {
    bool was_pending = file.socket->attempt.has_value();
    if (!was_pending && error == EISCONN) return;
    if (!was_pending) begin(file, call);
    if (call.ending() != model::Syscall::RETURNED) return conclude(file, AttemptOutcome::unfinished, 0, call.exit_ns());
    // connect(2): interrupted, a connect goes on by itself; a UNIX one gives up (unix_stream_connect).
    bool goes_on = error == EINPROGRESS || error == EALREADY ||
                   (error == EINTR && file.connection->transport != Transport::unix_socket);
    if (goes_on) return stay_pending(file, call, error);
    conclude(file, error == EISCONN ? 0 : error, call.exit_ns());
}

void ConnectAttempts::begin(TrackedFile& file, const model::Syscall& call) {
    file.socket->attempt = PendingAttempt{ThreadId{call.thread()}, call.entry_ns(), {}, false, {}, {}};
    file.connection->state = ConnectionState::connecting;
}

void ConnectAttempts::stay_pending(TrackedFile& file, const model::Syscall& call, int error) {
    // socket(7): a blocking connect that ran out of SO_SNDTIMEO says EINPROGRESS. A quick one was non-blocking,
    // made so by a call that was not recorded.
    constexpr std::uint64_t shortest_timeout_ns = 10'000'000;
    auto entry_ns = static_cast<std::uint64_t>(call.entry_ns()), exit_ns = static_cast<std::uint64_t>(call.exit_ns());
    bool waited = call.exit_ns() > call.entry_ns() && exit_ns - entry_ns >= shortest_timeout_ns;
    if (error == EINPROGRESS && !file.nonblocking && waited) file.socket->attempt->waited_out_ns = call.exit_ns();
}

void ConnectAttempts::ready(TrackedFile& file, std::uint32_t bits, bool certain, std::int64_t time_ns) {
    PendingAttempt& attempt = *file.socket->attempt;
    attempt.waited_out_ns.reset();
    if ((bits & (POLLERR | POLLHUP)) != 0) {
        if (!attempt.error_ns) attempt.error_ns = time_ns;
    } else if ((bits & (POLLIN | POLLOUT)) != 0 && !attempt.ready_ns) {
        attempt.ready_ns = time_ns;
        attempt.ready_is_success = certain;
    }
}

void ConnectAttempts::waited_out(TrackedFile& file, std::int64_t time_ns) {
    PendingAttempt& attempt = *file.socket->attempt;
    if (!attempt.ready_ns && !attempt.error_ns) attempt.waited_out_ns = time_ns;
}

void ConnectAttempts::error_read(TrackedFile& file, int error, std::int64_t time_ns) {
    if (!file.socket->attempt) return;
    // No error yet is no news after a wait in vain.
    if (error == 0 && file.socket->attempt->waited_out_ns) return;
    conclude(file, error, time_ns);
}

void ConnectAttempts::used(TrackedFile& file, int error, std::int64_t time_ns) {
    if (!file.socket->attempt) return;
    if (error == 0) {
        conclude(file, 0, file.socket->attempt->ready_ns.value_or(time_ns));
    } else if (decides(error)) {
        conclude(file, error, time_ns);
    }
}

void ConnectAttempts::gone(TrackedFile& file, Closing closing, std::int64_t time_ns) {
    if (!file.socket->attempt) return;
    const PendingAttempt attempt = *file.socket->attempt;
    if (attempt.error_ns) return conclude(file, AttemptOutcome::failed, 0, *attempt.error_ns);
    if (attempt.ready_ns && attempt.ready_is_success) return conclude(file, 0, *attempt.ready_ns);
    if (attempt.waited_out_ns) return conclude(file, AttemptOutcome::timed_out, 0, *attempt.waited_out_ns);
    conclude(file, closing == Closing::closed ? AttemptOutcome::abandoned : AttemptOutcome::unfinished, 0, time_ns);
}

void ConnectAttempts::conclude(TrackedFile& file, int error, std::int64_t time_ns) {
    conclude(file, outcome_of(error), error, time_ns);
}

void ConnectAttempts::conclude(TrackedFile& file, AttemptOutcome outcome, int error, std::int64_t time_ns) {
    const PendingAttempt& attempt = *file.socket->attempt;
    Connection& connection = *file.connection;
    if (outcome == AttemptOutcome::connected) {
        connection.state = ConnectionState::connected;
        connection.connected_ns = time_ns;
    } else {
        connection.state = ConnectionState::failed;
    }
    if (file.socket->life) file.socket->life->connected(attempt.from_ns, time_ns);
    notices_.attempt({.connection = nullptr,
                      .thread = attempt.thread,
                      .from_ns = attempt.from_ns,
                      .to_ns = time_ns,
                      .outcome = outcome,
                      .error = error},
                     file.connection);
    file.socket->attempt.reset();
}

}  // namespace slowtrace::resolve
