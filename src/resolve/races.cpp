// Racing connects: who has lost to whom.
#include "resolve/races.hpp"

#include <algorithm>

#include "resolve/answers.hpp"

namespace slowtrace::resolve {

namespace {

constexpr std::size_t winners_kept = 64, most_held = 64;

// A winner is known and the others closed in one turn of the event loop; traced, that takes longer.
constexpr std::uint64_t closing_ns = 250'000'000;
// Of one at a time: how long an address is given (Node: 250 ms, 500 ms since version 24), and how soon the next is
// tried. What was waited for longer has timed out.
constexpr std::uint64_t longest_turn_ns = 600'000'000, shortest_break_ns = 50'000'000;

std::uint64_t between(std::int64_t from_ns, std::int64_t to_ns) {
    return to_ns < from_ns ? 0 : static_cast<std::uint64_t>(to_ns) - static_cast<std::uint64_t>(from_ns);
}

bool is_ipv6(const std::string& address) {
    return address.find(':') != std::string::npos;
}

}  // namespace

Races::Lane Races::lane_of(const Connection& connection) {
    return {connection.process, connection.peer.host, connection.peer.address, connection.peer.port};
}

bool Races::rivals(const Lane& one, const Lane& other) {
    if (one.process != other.process || one.port != other.port || one.address == other.address) return false;
    // Without a name, only the usual pair is believed: one address of each family.
    if (one.host.empty()) return other.host.empty() && is_ipv6(one.address) != is_ipv6(other.address);
    return same_name(one.host, other.host);
}

template <typename Predicate>
void Races::release(Predicate chosen, bool lost) {
    for (auto one = held_.begin(); one != held_.end();) {
        if (!chosen(*one)) {
            ++one;
            continue;
        }
        if (lost) {
            *one->outcome = AttemptOutcome::lost_race;
            one->connection->lost_race = true;
        }
        notices_.put_back(std::move(one->notices));
        one = held_.erase(one);
    }
}

void Races::began(const Runner& runner) {
    if (held_.empty()) return;
    const Lane lane = lane_of(runner.connection);
    for (Held& one : held_)
        if (one.thread == runner.thread && rivals(one.lane, lane) &&
            between(one.time_ns, runner.from_ns) <= shortest_break_ns)
            one.followed = true;
}

void Races::won(const Runner& runner, std::int64_t time_ns) {
    Lane lane = lane_of(runner.connection);
    release([&](const Held& one) { return one.followed && one.thread == runner.thread && rivals(one.lane, lane); },
            true);
    if (winners_.size() == winners_kept) winners_.pop_front();
    winners_.push_back({runner.connection.id, std::move(lane), runner.from_ns, time_ns});
}

void Races::failed(const Runner& runner) {
    if (held_.empty()) return;
    const Lane lane = lane_of(runner.connection);
    release([&](const Held& one) { return one.followed && one.thread == runner.thread && rivals(one.lane, lane); },
            false);
}

bool Races::lost(const Runner& runner, std::int64_t time_ns) const {
    const Lane lane = lane_of(runner.connection);
    return std::any_of(winners_.begin(), winners_.end(), [&](const Winner& winner) {
        return rivals(winner.lane, lane) && winner.from_ns <= time_ns && winner.to_ns >= runner.from_ns &&
               between(winner.to_ns, time_ns) <= closing_ns;
    });
}

bool Races::lost_unused(const Connection& connection, std::int64_t time_ns) const {
    const bool used = connection.bytes_sent != 0 || connection.bytes_received != 0;
    if (used || connection.accepted || !connection.connected_ns) return false;
    if (between(*connection.connected_ns, time_ns) > closing_ns) return false;
    auto own = std::find_if(winners_.begin(), winners_.end(),
                            [&](const Winner& winner) { return winner.connection == connection.id; });
    if (own == winners_.end()) return false;
    return std::any_of(winners_.begin(), winners_.end(), [&](const Winner& winner) {
        return rivals(winner.lane, own->lane) && winner.from_ns <= own->to_ns && winner.to_ns >= own->from_ns;
    });
}

bool Races::undecided(const Runner& runner, std::int64_t time_ns) {
    return !runner.connection.peer.host.empty() && between(runner.from_ns, time_ns) <= longest_turn_ns;
}

void Races::hold(const Runner& runner, std::shared_ptr<Connection> connection, std::shared_ptr<AttemptOutcome> outcome,
                 std::size_t first_notice, std::int64_t time_ns) {
    if (held_.size() == most_held) {
        notices_.put_back(std::move(held_.front().notices));
        held_.pop_front();
    }
    // Those that waited for this one go on waiting for the next.
    const Lane lane = lane_of(runner.connection);
    for (Held& one : held_)
        if (one.followed && one.thread == runner.thread && rivals(one.lane, lane)) {
            one.followed = false;
            one.time_ns = time_ns;
        }
    held_.push_back({lane, runner.thread, time_ns, false, std::move(connection), std::move(outcome),
                     notices_.take_from(first_notice)});
}

void Races::expire(std::int64_t time_ns) {
    if (held_.empty()) return;
    release([&](const Held& one) { return !one.followed && between(one.time_ns, time_ns) > shortest_break_ns; }, false);
}

void Races::give_up(ProcessId process) {
    release([&](const Held& one) { return one.lane.process == process; }, false);
}

void Races::give_up_all() {
    release([](const Held&) { return true; }, false);
}

}  // namespace slowtrace::resolve
