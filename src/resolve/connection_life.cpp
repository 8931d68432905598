// A connection's life in phases: which stretch each call belongs to.
#include "resolve/connection_life.hpp"

#include <algorithm>

namespace slowtrace::resolve {

namespace {

constexpr std::size_t most_held = 32;
// RFC 1928 §3 and RFC 1929 §2: what a SOCKS server answers before it is told the target.
constexpr std::uint64_t longest_negotiation = 4;

// Under TLS, 1.2 or 1.3, 22 to 29 octets are the record's own. Nothing but an alert (2 octets), a key update (5) or
// an empty HTTP/2 frame (9) remains below this; a request line alone is longer.
constexpr std::uint64_t no_request = 32;
// HTTP/2 (RFC 9113 §6): WINDOW_UPDATE is 13 octets, PING 17, and clients send up to two at once.
constexpr std::uint64_t shortest_request = 64;
constexpr std::uint64_t shortest_http2_request = 32;
// A client acknowledges while it reads; the next request comes when it has read all and thought of it.
constexpr std::uint64_t pause_ns = 10'000'000;
constexpr std::uint16_t quic_port = 443;

bool is_quic(const Connection& connection) {
    return connection.transport == Transport::udp &&
           (connection.peer.evidence == NameEvidence::quic_sni || connection.peer.port == quic_port);
}

}  // namespace

Life::Life(std::shared_ptr<Connection> connection, Notices& notices)
    : connection_(std::move(connection)), notices_(notices) {}

void Life::begin(std::int64_t time_ns) {
    if (begun_) return;
    begun_ = true;
    cursor_ns_ = time_ns;
}

// What was moved before there was a peer to tell of is no stretch's; it is kept, without time.
void Life::start(bool sent, const Passage& passage) {
    if (begun_) return;
    begin(passage.from_ns);
    const std::uint64_t before = connection_->bytes_sent + connection_->bytes_received;
    if (before == passage.bytes) return;
    enter(Phase::idle);
    stretch_.bytes_sent = connection_->bytes_sent;
    stretch_.bytes_received = connection_->bytes_received;
    (sent ? stretch_.bytes_sent : stretch_.bytes_received) -= passage.bytes;
}

void Life::connected(std::int64_t from_ns, std::int64_t to_ns) {
    begin(from_ns);
    spend(Phase::idle, from_ns);
    spend(Phase::connect, to_ns);
}

void Life::tls_record(bool sent, const model::TlsRecord& record) {
    tls_.record(asks(sent) ? TlsProgress::Side::client : TlsProgress::Side::server, record);
    connection_->tls_version = tls_.version();
}

void Life::asks_for_tunnel() {
    tunnelling_ = true;
    tunnel_answering_ = false;
    // SOCKS negotiates before it says so.
    if (holding_ && exchange_ > 0) forget_exchanges();
}

void Life::forget_exchanges() {
    merge_held(Phase::connect, 1);
    exchange_ = connection_->requests = 0;
    connection_->first_request_ns.reset();
    connection_->first_byte_ns.reset();
    last_ = Last::none;
    answered_bytes_ = 0;
}

void Life::passed(bool sent, const Passage& passage) {
    if (passage.bytes == 0) return;
    start(sent, passage);
    std::uint64_t rest = passage.bytes;
    if (negotiated(sent, passage, rest)) return;
    if (tunnelling_ && asks(sent) && tunnel_answering_) tunnelling_ = false;  // the answer was not understood
    if (tunnelling_) {
        spend(Phase::connect, passage.to_ns);
        enter(Phase::connect);
        count(sent, rest);
        tunnel_answering_ = !asks(sent);
        if (tunnel_ends_) tunnelling_ = tunnel_ends_ = false;
        return;
    }
    Passage left = passage;
    left.bytes = rest;
    if (asks(sent)) return requested(sent, left);
    if (std::exchange(interim_, false) && last_ == Last::request) return encouraged(sent, left);
    answered(sent, left);
}

// The handshake's part of a transfer. True: there is no other; else `rest` is what remains.
bool Life::negotiated(bool sent, const Passage& passage, std::uint64_t& rest) {
    const auto stage = tls_.stage();
    const TlsProgress::Part part =
        tls_.transfer(asks(sent) ? TlsProgress::Side::client : TlsProgress::Side::server, passage.bytes);
    if (part.begins) begin_tls(passage);
    if (stage == TlsProgress::Stage::none && !part.begins) return false;
    if (part.ended_before) {
        spend(Phase::tls, passage.from_ns);
        connection_->tls_to_ns = passage.from_ns;
        return false;
    }
    const bool tail = stage == TlsProgress::Stage::over;
    if (!tail || part.handshake > 0) {
        spend(Phase::tls, passage.to_ns);
        enter(Phase::tls);
        count(sent, part.handshake);
    }
    if (part.ends) connection_->tls_to_ns = passage.to_ns;
    rest -= part.handshake;
    if (tail && rest > 0 && !asks(sent) && !asked_since_tls_) {
        // Tickets, before anything was asked for.
        spend(Phase::idle, passage.to_ns);
        enter(Phase::idle);
        count(sent, rest);
        rest = 0;
    } else if (part.prelude > 0 && last_ == Last::request) {
        hold({passage.from_ns, passage.to_ns, part.prelude, passage.blocked}, part.tickets);
        rest -= part.prelude;
    }
    return rest == 0;
}

// The request is still unanswered; unless nothing else comes, for then this was the answer.
void Life::hold(const Passage& passage, bool tickets) {
    const std::int64_t first_ns = passage.blocked ? passage.to_ns : passage.from_ns;
    spend(Phase::first_byte, first_ns);
    connection_->last_direction = Direction::sent;
    if (prelude_.bytes == 0) prelude_.from_ns = first_ns;
    prelude_.to_ns = passage.to_ns;
    prelude_.bytes += passage.bytes;
    if (tickets) pass_over_prelude();
}

void Life::pass_over_prelude() {
    const Passage passed = std::exchange(prelude_, {});
    waited_behind_prelude_ = false;
    if (passed.bytes == 0) return;
    enter(Phase::first_byte);
    count(connection_->accepted, passed.bytes);
}

void Life::settle_prelude() {
    // Who waits for more has not been answered.
    if (waited_behind_prelude_) return pass_over_prelude();
    const Passage answer = std::exchange(prelude_, {});
    if (answer.bytes == 0) return;
    connection_->last_direction = Direction::received;
    answered(connection_->accepted, answer);
}

void Life::begin_tls(const Passage& passage) {
    tunnelling_ = tunnel_ends_ = false;
    const bool split = holding_ && exchange_ > 0 && last_ == Last::request;
    std::int64_t from_ns = passage.from_ns;
    if (split) {
        // The first part of the hello was taken for a request.
        if (connection_->first_request_ns && exchange_ == 1) from_ns = *connection_->first_request_ns;
        merge_held(Phase::tls, exchange_);
        connection_->requests = --exchange_;
        if (exchange_ == 0) connection_->first_request_ns.reset();
    } else {
        spend(last_ == Last::request ? Phase::first_byte : Phase::idle, passage.from_ns);
    }
    connection_->tls_from_ns = from_ns;
    last_ = Last::none;
}

void Life::begin_exchange(std::int64_t time_ns) {
    spend(Phase::idle, time_ns);
    waited_ns_ = 0;
    connection_->requests = ++exchange_;
    if (!connection_->first_request_ns) connection_->first_request_ns = std::max(time_ns, cursor_ns_);
}

bool Life::acknowledges(const Passage& passage) const {
    if (last_ != Last::answer && prelude_.bytes == 0) return false;
    if (is_quic(*connection_)) return true;
    if (http2_) return passage.bytes < shortest_http2_request;
    if (tls_.stage() != TlsProgress::Stage::over) return false;
    if (passage.bytes < no_request) return true;
    const std::int64_t heard_ns = std::max(answered_ns_, prelude_.to_ns);
    const bool paused = passage.from_ns > heard_ns &&
                        static_cast<std::uint64_t>(passage.from_ns) - static_cast<std::uint64_t>(heard_ns) > pause_ns;
    return tls_.may_multiplex() && !paused && passage.bytes < shortest_request;
}

void Life::requested(bool sent, const Passage& passage) {
    // Octets without time: what it acknowledges goes on, or has ended already.
    if (acknowledges(passage)) {
        if (!open_) enter(last_ == Last::answer ? Phase::transfer : Phase::first_byte);
        return count(sent, passage.bytes);
    }
    settle_prelude();
    if (over_) {
        spend(Phase::idle, passage.to_ns);
        enter(Phase::idle);
        return count(sent, passage.bytes);
    }
    // A server that blocks in the call waits there for a request to come.
    if (last_ != Last::request) begin_exchange(!sent && passage.blocked ? passage.to_ns : passage.from_ns);
    last_ = Last::request;
    asked_since_tls_ = true;
    spend(Phase::request, passage.to_ns);
    enter(Phase::request);
    count(sent, passage.bytes);
}

// An interim response: the request is still unanswered.
void Life::encouraged(bool sent, const Passage& passage) {
    spend(Phase::first_byte, passage.to_ns);
    enter(Phase::first_byte);
    count(sent, passage.bytes);
    connection_->last_direction = Direction::sent;
}

void Life::answered(bool sent, const Passage& passage) {
    pass_over_prelude();
    const std::int64_t first_ns = passage.blocked ? passage.to_ns : passage.from_ns;
    if (last_ == Last::request) {
        spend(Phase::first_byte, first_ns);
        if (!connection_->first_byte_ns) connection_->first_byte_ns = std::max(first_ns, cursor_ns_);
    } else if (last_ == Last::none || over_) {
        spend(Phase::idle, first_ns);
    }
    last_ = Last::answer;
    waited_ns_ = 0;
    spend(Phase::transfer, passage.to_ns);
    enter(Phase::transfer);
    count(sent, passage.bytes);
    answered_ns_ = passage.to_ns;
    answered_bytes_ += passage.bytes;
    if (exchange_ > 1 || answered_bytes_ > longest_negotiation) tell();
}

void Life::waited(const Passage& passage) {
    // What an accepted connection waits for is the next request.
    if (!begun_ || over_ || connection_->accepted || tunnelling_) return;
    if (tls_.stage() == TlsProgress::Stage::negotiating) return;
    if (prelude_.bytes > 0)
        waited_behind_prelude_ = true;
    else if (last_ == Last::request)
        spend(Phase::first_byte, passage.to_ns);
    // Whether more of the answer was waited for, what comes next tells.
    if (last_ == Last::answer) waited_ns_ = passage.to_ns;
}

// Somebody else's messages may be waited for all day on a local bus; from a host, it is the rest of an answer.
void Life::spend_waits() {
    if (last_ == Last::answer && connection_->transport != Transport::unix_socket)
        spend(Phase::transfer, std::max(waited_ns_, cursor_ns_));
}

void Life::ended(bool sending, const Passage& passage) {
    if (!begun_ || over_) return;
    // A client that has said all still wants its answer (shutdown(2)).
    if (connection_->accepted && !sending && last_ == Last::request) return;
    settle_prelude();
    if (!asks(sending) && passage.blocked) waited(passage);
    spend_waits();
    if (last_ == Last::request) spend(asks(sending) ? Phase::request : Phase::first_byte, passage.to_ns);
    if (tls_.stage() == TlsProgress::Stage::negotiating) spend(Phase::tls, passage.to_ns);
    over_ = true;
    last_ = Last::none;
}

void Life::peer_changes() {
    if (!begun_) return;
    settle_prelude();
    shut();
    tell();
    holding_ = exchange_ == 0;
}

void Life::target_changes() {
    if (!holding_) shut();
}

void Life::close(std::int64_t time_ns) {
    if (begun_) {
        settle_prelude();
        spend_waits();
        Phase rest = last_ == Last::request ? Phase::first_byte : Phase::idle;
        if (tunnelling_) rest = Phase::connect;
        if (!over_ && tls_.stage() == TlsProgress::Stage::negotiating) rest = Phase::tls;
        spend(over_ ? Phase::idle : rest, time_ns);
        shut();
    }
    tell();
}

void Life::enter(Phase phase) {
    const bool in_exchange = phase == Phase::request || phase == Phase::first_byte || phase == Phase::transfer;
    const std::uint64_t exchange = in_exchange ? exchange_ : 0;
    if (open_ && stretch_.phase == phase && stretch_.exchange == exchange) return;
    shut();
    open_ = true;
    stretch_ = {phase, cursor_ns_, cursor_ns_, 0, 0, exchange, {}};
}

void Life::spend(Phase phase, std::int64_t to_ns) {
    if (to_ns <= cursor_ns_) return;
    enter(phase);
    cursor_ns_ = to_ns;
}

void Life::count(bool sent, std::uint64_t bytes) {
    (sent ? stretch_.bytes_sent : stretch_.bytes_received) += bytes;
}

void Life::shut() {
    if (!open_) return;
    open_ = false;
    stretch_.to_ns = cursor_ns_;
    held_.push_back(std::move(stretch_));
    if (!holding_ || held_.size() >= most_held) tell();
}

void Life::tell() {
    holding_ = false;
    for (PhaseStretch& stretch : held_) {
        stretch.peer = connection_->peer;
        notices_.phase(connection_, std::move(stretch));
    }
    held_.clear();
}

// What has been told of exchanges from this one on was something else.
void Life::merge_held(Phase phase, std::uint64_t from_exchange) {
    if (open_) {
        open_ = false;
        stretch_.to_ns = cursor_ns_;
        held_.push_back(stretch_);
    }
    auto first = std::find_if(held_.begin(), held_.end(),
                              [&](const PhaseStretch& one) { return one.exchange >= from_exchange; });
    if (first == held_.end()) return;
    PhaseStretch merged{phase, first->from_ns, first->from_ns, 0, 0, 0, {}};
    for (auto one = first; one != held_.end(); ++one) {
        merged.bytes_sent += one->bytes_sent;
        merged.bytes_received += one->bytes_received;
    }
    held_.erase(first, held_.end());
    stretch_ = merged;
    open_ = true;
}

}  // namespace slowtrace::resolve
