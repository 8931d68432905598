// How far a TLS handshake is, from record headers alone.
#include "resolve/tls_progress.hpp"

#include <algorithm>

namespace slowtrace::resolve {

namespace {

// RFC 8446 §5.1, §4.
constexpr std::uint32_t change_cipher_spec = 20, handshake = 22, application = 23;
constexpr std::uint32_t client_hello = 1, server_hello = 2;
constexpr std::uint32_t version_1_3 = 0x0304;
constexpr std::uint64_t header_length = 5;

// No server's flight is longer, certificates included: the records' story was cut short.
constexpr std::uint64_t longest_flight = 256 * 1024;

// A Finished is 4 octets and a hash (§4.4.4), 1 of inner type and the cipher's tag (8 or 16) around it.
bool is_finished_length(std::uint32_t length) {
    constexpr std::uint32_t sha256 = 32, sha384 = 48, framing = 5;
    for (const std::uint32_t hash : {sha256, sha384})
        if (length == hash + framing + 16 || length == hash + framing + 8) return true;
    return false;
}

}  // namespace

void TlsProgress::record(Side side, const model::TlsRecord& record) {
    if (stage_ == Stage::over) {
        if (side == Side::server && record.type() == application) prelude_.record(record.length(), may_multiplex_);
        return;
    }
    const bool starts = side == Side::client && record.type() == handshake && stage_ == Stage::none;
    if (starts) begins_ = true;
    if (stage_ == Stage::none && !begins_) return;
    Flow& own = flow(side);
    own.unread += static_cast<std::int64_t>(header_length + record.length());
    const bool plain = record.handshake_type() == client_hello || record.handshake_type() == server_hello;
    if (plain) hello(side, record);
    if (record.type() == change_cipher_spec) own.cipher_changed = true;
    if (record.type() == handshake && own.cipher_changed && !plain && version_ < version_1_3) own.finished = true;
    if (record.type() == application && side == Side::client && server_bytes_ > 0) application_data(record.length());
}

void TlsProgress::hello(Side side, const model::TlsRecord& record) {
    if (side == Side::server) version_ = record.version();
    // TLS 1.3 hides what the server chose; what was offered bounds it.
    if (side == Side::server && record.protocols().empty()) return;
    may_multiplex_ = std::find(record.protocols().begin(), record.protocols().end(), "h2") != record.protocols().end();
}

void TlsProgress::application_data(std::uint32_t length) {
    if (application_ == 0)
        first_is_finished_ = is_finished_length(length);
    else
        behind_first_ += header_length + length;
    application_ += header_length + length;
}

TlsProgress::Part TlsProgress::transfer(Side side, std::uint64_t bytes) {
    Part part;
    Flow& own = flow(side);
    if (stage_ == Stage::over) {
        // The end of the last flight may be read in another call than its header.
        part.handshake = std::min(bytes, static_cast<std::uint64_t>(std::max<std::int64_t>(own.unread, 0)));
        own.unread -= static_cast<std::int64_t>(part.handshake);
        if (side == Side::server && version_ >= version_1_3) {
            part.prelude = prelude_.transfer(bytes - part.handshake);
            part.tickets = prelude_.certain();
        }
        return part;
    }
    if (begins_) {
        begins_ = false;
        part.begins = true;
        stage_ = Stage::negotiating;
    }
    if (stage_ == Stage::none) return part;
    const bool begins = part.begins;
    part = negotiate(bytes);
    part.begins = begins;
    own.unread -= static_cast<std::int64_t>(bytes);
    if (side == Side::server) server_bytes_ += bytes;
    if (part.ends || part.ended_before) stage_ = Stage::over;
    if (server_bytes_ > longest_flight) {
        part.ends = true;
        stage_ = Stage::over;
    }
    return part;
}

TlsProgress::Part TlsProgress::negotiate(std::uint64_t bytes) const {
    Part part;
    part.handshake = bytes;
    const bool finished = flows_[0].finished && flows_[1].finished;
    if (application_ == 0) {
        part.ends = finished;
    } else if (version_ >= version_1_3 || version_ == 0) {
        part.ends = true;
        if (first_is_finished_) part.handshake = bytes - std::min(bytes, behind_first_);
    } else {
        part.handshake = bytes - std::min(bytes, application_);
        // Together with the client's Finished, or on its own.
        part.ends = part.handshake > 0;
        part.ended_before = part.handshake == 0;
    }
    return part;
}

}  // namespace slowtrace::resolve
