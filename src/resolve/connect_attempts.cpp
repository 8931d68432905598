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

Races::Runner runner(const TrackedFile& file) {
    return {*file.connection, file.socket->attempt->thread, file.socket->attempt->from_ns};
}

}  // namespace

void ConnectAttempts::connect_ended(TrackedFile& file, const model::Syscall& call, int error) {
    bool was_pending = file.socket->attempt.has_value();
    if (!was_pending && error == EISCONN) return;
    if (!was_pending) begin(file, ThreadId{call.thread()}, call.entry_ns());
    if (call.ending() != model::Syscall::RETURNED) return conclude(file, AttemptOutcome::unfinished, 0, call.exit_ns());
    // connect(2): interrupted, a connect goes on by itself; a UNIX one gives up (unix_stream_connect).
    bool goes_on = error == EINPROGRESS || error == EALREADY ||
                   (error == EINTR && file.connection->transport != Transport::unix_socket);
    if (goes_on) return stay_pending(file, call, error);
    conclude(file, error == EISCONN ? 0 : error, call.exit_ns());
}

void ConnectAttempts::begin(TrackedFile& file, ThreadId thread, std::int64_t from_ns) {
    file.socket->attempt = PendingAttempt{thread, from_ns, {}, false, {}, {}};
    file.connection->state = ConnectionState::connecting;
    races_.began(runner(file));
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

std::shared_ptr<AttemptOutcome> ConnectAttempts::gone(TrackedFile& file, Closing closing, std::int64_t time_ns) {
    Connection& connection = *file.connection;
    if (!file.socket->attempt) {
        if (closing == Closing::closed && races_.lost_unused(connection, time_ns)) connection.lost_race = true;
        return nullptr;
    }
    const PendingAttempt attempt = *file.socket->attempt;
    const auto conclude_as = [&](AttemptOutcome outcome, std::int64_t at_ns) {
        conclude(file, outcome, 0, at_ns);
        return nullptr;
    };
    if (attempt.error_ns) return conclude_as(AttemptOutcome::failed, *attempt.error_ns);
    if (attempt.ready_ns && attempt.ready_is_success) {
        conclude_as(AttemptOutcome::connected, *attempt.ready_ns);
        if (closing == Closing::closed && races_.lost_unused(connection, time_ns)) connection.lost_race = true;
        return nullptr;
    }
    if (closing == Closing::closed && races_.lost(runner(file), time_ns)) {
        connection.lost_race = true;
        return conclude_as(AttemptOutcome::lost_race, time_ns);
    }
    const bool timed_out = attempt.waited_out_ns.has_value();
    const std::int64_t to_ns = attempt.waited_out_ns.value_or(time_ns);
    if (closing != Closing::closed)
        return conclude_as(timed_out ? AttemptOutcome::timed_out : AttemptOutcome::unfinished, to_ns);
    const AttemptOutcome outcome = timed_out ? AttemptOutcome::timed_out : AttemptOutcome::abandoned;
    if (!Races::undecided(runner(file), time_ns)) return conclude_as(outcome, to_ns);
    auto later = std::make_shared<AttemptOutcome>(outcome);
    tell(file, outcome, 0, to_ns, later);
    return later;
}

void ConnectAttempts::conclude(TrackedFile& file, int error, std::int64_t time_ns) {
    conclude(file, outcome_of(error), error, time_ns);
}

void ConnectAttempts::conclude(TrackedFile& file, AttemptOutcome outcome, int error, std::int64_t time_ns) {
    if (outcome == AttemptOutcome::connected)
        races_.won(runner(file), time_ns);
    else
        races_.failed(runner(file));
    tell(file, outcome, error, time_ns);
}

void ConnectAttempts::tell(TrackedFile& file, AttemptOutcome outcome, int error, std::int64_t time_ns,
                           std::shared_ptr<const AttemptOutcome> later) {
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
                     file.connection, std::move(later));
    file.socket->attempt.reset();
}

}  // namespace slowtrace::resolve
