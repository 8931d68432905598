// What the kernel itself says of a program's sockets, asked when it is cheap or never again possible: TCP_INFO before
// a connection is closed, the process at the other end when a local one is made.
#pragma once

#include "record/listeners.hpp"
#include "record/tracee.hpp"
#include "slowtrace/events.hpp"

namespace slowtrace::record {

class SocketWitness {
   public:
    // Without `names` nobody searches for who listens on a port.
    SocketWitness(EventSink& sink, bool names) : sink_(sink), names_(names) {}

    // A call is about to begin: a TcpReport for each TCP connection it will close (close, dup2 and dup3 over one,
    // close_range; of many, the first 64). With copies of the descriptor elsewhere each close reports.
    void before(const Tracee& tracee);
    // The thread dies, and its descriptors with it: the same for those still open.
    void table_ends(const Tracee& tracee, std::int64_t time_ns);
    // A call has ended: a PeerProcess for a UNIX socket that was connected or accepted, and for a TCP or UDP socket
    // connected to a loopback address: who listens there. descriptor_effects must have seen the call.
    void after(const Tracee& tracee, const OpenCall& open);
    // A connection nobody saw being made: its PeerProcess, where it is local.
    void looked_up(const Tracee& tracee, const model::DescriptorBinding& binding, std::int64_t time_ns);

   private:
    void report_closing(const Tracee& tracee, int fd, std::int64_t time_ns);
    void tell_credentials(const Tracee& tracee, int fd, bool listener, std::int64_t time_ns);
    void note_listener(const Tracee& tracee, int fd);
    void tell_listener(const Tracee& tracee, int fd, const model::SocketAddress& to, std::int64_t time_ns);
    void tell(const Tracee& tracee, int fd, const LocalProcess& process, bool listener, std::int64_t time_ns);

    EventSink& sink_;
    bool names_;
    Listeners listeners_;
    model::Event event_;  // reused
};

// 127.0.0.0/8, ::1 (RFC 4291 §2.5.3), and the former mapped into IPv6.
bool is_loopback(const std::string& ip);

}  // namespace slowtrace::record
