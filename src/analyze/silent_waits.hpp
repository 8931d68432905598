// Waits that ran out while nothing came from a connection: for the rest of an answer, or for nothing but the time?
//
// A stalled download and an idle keep-alive connection look the same while they last; what comes next on the connection
// tells. More of the answer: it was waited for. The next request: nothing was owed, the program slept. Until then such
// waits are counted under a cause of their own. A connection that ends without another word leaves it open: what was
// put together for this very wait (poll, select) was waited for; an epoll set watches idle connections as well, and
// both are said.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "analyze/cause_table.hpp"

namespace slowtrace::analyze {

class SilentWaits {
   public:
    // More connections in one wait, or more undecided sets of them, than this: the rules' own word has to do.
    static constexpr std::size_t connections_limit = 64, open_limit = 64;

    // Waits with one outcome.
    struct Settled {
        const std::vector<CauseId>& causes;   // under which they were counted
        const resolve::Connection* answerer;  // for which they waited; null: for none, the program slept
        std::int64_t ns;                      // how long in all
        std::string meanwhile;                // what to say of a sleep that may have been more: "while x:80 was silent"
    };
    using OnSettled = std::function<void(const Settled&)>;

    SilentWaits(CauseTable& causes, OnSettled on_settled) : causes_(causes), on_settled_(std::move(on_settled)) {}

    // The cause to count a wait under until it is settled; nothing when `cause` stands.
    std::optional<CauseId> add(const resolve::ResolvedCall& call, std::int64_t ns, const Cause& cause);
    // To be told of every call and of every connection's end, in order.
    void seen(const resolve::ResolvedCall& call);
    void closed(const resolve::Connection& connection);
    // After the last event.
    void finish();

   private:
    struct Silent {
        std::uint64_t connection, received, sent, requests;  // the connection's id, and its totals meanwhile
    };
    // What waited for the same connections, of which none has said anything since.
    struct Stretch {
        std::vector<Silent> silent;  // by connection
        bool standing;               // an epoll set
        bool alone;                  // it was one connection from the start
        std::int64_t ns;
        std::vector<CauseId> causes;
        bool like(const Stretch& other) const;
    };
    enum class Event : std::uint8_t { none, answered, asked, closed };

    static std::vector<Silent> silent_in(const resolve::ResolvedCall& call);
    static Event since(const Silent& silent, const resolve::Connection& connection);
    void happened(const resolve::Connection& connection, bool closed);
    bool advance(Stretch& stretch, Event event, const resolve::Connection& connection);
    bool joins_another(const Stretch& stretch);

    CauseTable& causes_;
    OnSettled on_settled_;
    std::vector<Stretch> open_;
};

}  // namespace slowtrace::analyze
