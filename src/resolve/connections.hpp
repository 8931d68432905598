// A socket's life: made, given a peer and its name, used, gone.
#pragma once

#include <cstdint>

#include "resolve/name_book.hpp"
#include "resolve/notices.hpp"
#include "resolve/process_table.hpp"
#include "resolve/tracked_file.hpp"

namespace slowtrace::resolve {

class Connections {
   public:
    Connections(ResolvedSink& sink, Notices& notices, const NameBook& names)
        : sink_(sink), notices_(notices), names_(names) {}

    // Turns a file into a socket.
    void make(TrackedFile& file, int family, int type, int protocol, ProcessId process, std::int64_t time_ns);
    // The other end is known (again): names it and tells of the connection once.
    void set_peer(TrackedFile& file, const model::SocketAddress& address, const ProcessState& process,
                  std::int64_t time_ns);
    // It said so itself. A target told as an address has the name the program knew for it.
    void set_name(TrackedFile& file, const NameClaim& told, const ProcessState& process, std::int64_t time_ns);
    // The program begins to use what its questions found: their time is this connection's, unless another's already.
    void use_lookup(TrackedFile& file, std::int64_t time_ns);
    void set_local(TrackedFile& file, const model::SocketAddress& address, const ProcessState& process,
                   std::int64_t time_ns);
    // connection_opened, once.
    void announce(TrackedFile& file, std::int64_t time_ns);

   private:
    void apply(TrackedFile& file, const Naming& naming);

    ResolvedSink& sink_;
    Notices& notices_;
    const NameBook& names_;
    std::uint64_t next_id_ = 0;
    std::string key_;  // reused
};

}  // namespace slowtrace::resolve
