// Racing connects: several addresses of one name tried at once or in quick succession, the first to answer is used
// and the others are given up (Happy Eyeballs, RFC 8305). To have lost is no failure.
//
// Who is given up right after another has won, has lost: the program had no other reason. Some programs race one at
// a time: they give an address a moment, close it and try the next (Node's autoSelectFamily). What is told of such an
// attempt is held back until it is known how the next one goes.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "resolve/notices.hpp"
#include "slowtrace/resolved.hpp"

namespace slowtrace::resolve {

class Races {
   public:
    explicit Races(Notices& notices) : notices_(notices) {}

    // One runner: an attempt of `connection`, begun by `thread` at `from_ns`.
    struct Runner {
        const Connection& connection;
        ThreadId thread{};
        std::int64_t from_ns = 0;
    };
    void began(const Runner& runner);
    // It was connected, or has ended otherwise for reasons of its own.
    void won(const Runner& runner, std::int64_t time_ns);
    void failed(const Runner& runner);

    // Given up by the program: whether another one had just won.
    bool lost(const Runner& runner, std::int64_t time_ns) const;
    // A connection that was never used is closed: likewise.
    bool lost_unused(const Connection& connection, std::int64_t time_ns) const;

    // Given up with none connected: whether the next attempt must be awaited. Then all that was to be told of it since
    // `first_notice` is kept by hold(), which sets `outcome` when it is told.
    static bool undecided(const Runner& runner, std::int64_t time_ns);
    void hold(const Runner& runner, std::shared_ptr<Connection> connection, std::shared_ptr<AttemptOutcome> outcome,
              std::size_t first_notice, std::int64_t time_ns);
    // Tells of those for which no next attempt has come in time.
    void expire(std::int64_t time_ns);
    // Nothing more comes from this process.
    void give_up(ProcessId process);
    void give_up_all();

   private:
    struct Lane {  // what two runners of one race have in common, and what they have not
        ProcessId process{};
        std::string host, address;
        std::uint16_t port = 0;
    };
    static Lane lane_of(const Connection& connection);
    static bool rivals(const Lane& one, const Lane& other);

    struct Winner {
        std::uint64_t connection = 0;
        Lane lane;
        std::int64_t from_ns = 0, to_ns = 0;
    };
    struct Held {
        Lane lane;
        ThreadId thread{};
        std::int64_t time_ns = 0;  // when it was given up
        bool followed = false;     // by an attempt that goes on
        std::shared_ptr<Connection> connection;
        std::shared_ptr<AttemptOutcome> outcome;
        Notices::Batch notices;
    };
    template <typename Predicate>
    void release(Predicate chosen, bool lost);

    Notices& notices_;
    std::deque<Winner> winners_;  // the last few
    std::deque<Held> held_;
};

}  // namespace slowtrace::resolve
