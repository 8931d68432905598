// A connection's life in phases: connect, tls, request, first byte, transfer, idle.
//
// Known from the calls on it and, where they were told, its TLS record headers. Each call ends the quiet stretch
// before it, and what that stretch was follows from what happened at its two ends; so phases are disjoint and without
// gaps by construction, also when several threads use the connection, and the same whether the program blocks in the
// call or polls before it. Every octet the calls moved is in exactly one stretch.
//
// An exchange begins when the side that asks (the client: the program itself, or the peer of an accepted connection)
// sends after having been answered, or for the first time. On an accepted connection roles are therefore swapped:
// `request` is what comes in, `first_byte` the time the program takes to answer. What no exchange is:
// - the handshake, and what the server sends between it and the first request (session tickets);
// - asking a proxy for a tunnel: that is part of `connect`;
// - what a client sends while it is answered under TLS, HTTP/2 or in datagrams: acknowledgements. Under TLS nothing
//   below 32 octets is a request (an alert, a PING), and below 64 octets only after a pause, or when HTTP/2 was not
//   offered; in datagrams of QUIC nothing is. So requests made in parallel on one connection (pipelining,
//   HTTP/2, HTTP/3) are counted as one, and very small ones may be.
// Session tickets and HTTP/2's settings that come after the first request do not answer it (TlsPrelude), nor do interim
// responses (RFC 9110 §15.2). What looks like them is the answer after all where nothing else comes before the next
// request or the end and the program did not wait for more. A server that sends no ticket and then the head of its
// answer in a record of its own has that head taken for one, until the next record.
//
// The end of the input or a reset ends the answer: what follows is idle. Of the quiet before it, what the program
// spent in a blocking call or in poll(2) or select(2) for this connection belongs to the answer; epoll(7) watches idle
// connections, too, and says nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "resolve/notices.hpp"
#include "resolve/tls_progress.hpp"
#include "slowtrace/resolved.hpp"

namespace slowtrace::resolve {

// What one call did on the connection. `blocked`: it waited itself, rather than a poll before it.
struct Passage {
    std::int64_t from_ns = 0, to_ns = 0;
    std::uint64_t bytes = 0;
    bool blocked = false;
};

class Life {
   public:
    Life(std::shared_ptr<Connection> connection, Notices& notices);

    // An accepted connection's life begins so; every other one's with the first thing told below.
    void begin(std::int64_t time_ns);
    // An attempt to connect has ended, well or not.
    void connected(std::int64_t from_ns, std::int64_t to_ns);

    // Facts about the transfer that is told next.
    void tls_record(bool sent, const model::TlsRecord& record);
    void asks_for_tunnel();
    void tunnel_answered() { tunnel_ends_ = true; }
    void speaks_http2() { http2_ = true; }
    // The last one in the transfer counts.
    void response(bool interim) { interim_ = interim; }

    // The connection's totals must contain it already.
    void sent(const Passage& passage) { passed(true, passage); }
    void received(const Passage& passage) { passed(false, passage); }
    // A wait for octets from this connection has ended, whatever it found.
    void waited(const Passage& passage);
    // The peer has ended the connection, which a call in this direction has noticed.
    void ended(bool sending, const Passage& passage);
    // The peer is about to be another one…
    void peer_changes();
    // …or the one a proxy carries this to.
    void target_changes();
    // The last: everything is told.
    void close(std::int64_t time_ns);

   private:
    enum class Last : std::uint8_t { none, request, answer };

    bool asks(bool sent) const { return sent != connection_->accepted; }
    void passed(bool sent, const Passage& passage);
    void start(bool sent, const Passage& passage);
    bool negotiated(bool sent, const Passage& passage, std::uint64_t& rest);
    void begin_tls(const Passage& passage);
    void requested(bool sent, const Passage& passage);
    void answered(bool sent, const Passage& passage);
    void encouraged(bool sent, const Passage& passage);
    bool acknowledges(const Passage& passage) const;
    void hold(const Passage& passage, bool tickets);
    void pass_over_prelude();
    void settle_prelude();
    void spend_waits();
    void begin_exchange(std::int64_t time_ns);
    void forget_exchanges();

    // Builds stretches: time up to an instant, octets, both in this phase.
    void enter(Phase phase);
    void spend(Phase phase, std::int64_t to_ns);
    void count(bool sent, std::uint64_t bytes);
    void shut();
    void tell();
    void merge_held(Phase phase, std::uint64_t from_exchange);

    std::shared_ptr<Connection> connection_;
    Notices& notices_;
    TlsProgress tls_;
    bool begun_ = false, over_ = false;  // over: the peer has ended it
    bool tunnelling_ = false, tunnel_ends_ = false, tunnel_answering_ = false;
    bool http2_ = false;
    bool interim_ = false;  // the next transfer holds an interim response, and not the final one
    Last last_ = Last::none;
    bool asked_since_tls_ = false;
    std::uint64_t exchange_ = 0;
    std::int64_t cursor_ns_ = 0;    // stretches reach up to here
    std::int64_t answered_ns_ = 0;  // the last octet of an answer
    std::uint64_t answered_bytes_ = 0;
    std::int64_t waited_ns_ = 0;  // the end of the last wait since, in vain or for the end
    // What may be a TLS server's prelude or the answer to the first request, not counted in a stretch yet.
    Passage prelude_;
    bool waited_behind_prelude_ = false;
    bool open_ = false;
    PhaseStretch stretch_;            // the one that ends at the cursor, when open
    std::vector<PhaseStretch> held_;  // until it is known with whom: the first exchange may name the peer
    bool holding_ = true;
};

}  // namespace slowtrace::resolve
