// How far a TLS handshake is, from record headers alone (RFC 8446 §5.1, RFC 5246 §6.2.1).
//
// It begins with the client hello. Under TLS 1.3 it ends with the client's Finished, which is the first application
// data the client sends once the server has answered (what it sends before is early data). Under TLS 1.2 it ends when
// both sides' Finished have passed (the handshake record after change_cipher_spec), or with the first application data
// the client sends before that (false start, RFC 7918).
#pragma once

#include <cstdint>

#include "model/trace.pb.h"
#include "resolve/tls_prelude.hpp"

namespace slowtrace::resolve {

class TlsProgress {
   public:
    enum class Stage : std::uint8_t { none, negotiating, over };
    enum class Side : std::uint8_t { client, server };

    // A record header in the octets of the transfer that is told next.
    void record(Side side, const model::TlsRecord& record);

    // What a transfer of that many octets was.
    struct Part {
        bool begins = false;          // the handshake begins with it
        bool ends = false;            // …ends with it
        bool ended_before = false;    // …had ended before it: it is the first application data
        std::uint64_t handshake = 0;  // octets that were still handshake; the rest is application data
        std::uint64_t prelude = 0;    // of the rest, the first octets: what the server says before it answers…
        bool tickets = false;         // …for certain, however short the answer
    };
    Part transfer(Side side, std::uint64_t bytes);

    Stage stage() const { return stage_; }
    std::uint32_t version() const { return version_; }
    // HTTP/2 may be spoken: it was not left out of what was offered (RFC 7301), or chosen.
    bool may_multiplex() const { return may_multiplex_; }

   private:
    struct Flow {
        bool cipher_changed = false, finished = false;
        std::int64_t unread = 0;  // octets of the records told so far that have not passed yet
    };
    Flow& flow(Side side) { return flows_[static_cast<std::size_t>(side)]; }
    void hello(Side side, const model::TlsRecord& record);
    void application_data(std::uint32_t length);
    Part negotiate(std::uint64_t bytes) const;

    Stage stage_ = Stage::none;
    Flow flows_[2];
    std::uint32_t version_ = 0;
    bool may_multiplex_ = true;
    bool begins_ = false;  // with the next transfer
    std::uint64_t server_bytes_ = 0;
    // Application data of the client in the next transfer: how many octets, and of them behind the first record.
    std::uint64_t application_ = 0, behind_first_ = 0;
    bool first_is_finished_ = false;  // by its length
    TlsPrelude prelude_;
};

}  // namespace slowtrace::resolve
