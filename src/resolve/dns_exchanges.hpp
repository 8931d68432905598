// Questions put to DNS servers and name services, matched with the answers that came back on the same socket.
#pragma once

#include "resolve/lookups.hpp"
#include "resolve/name_book.hpp"
#include "resolve/notices.hpp"
#include "resolve/tracked_file.hpp"

namespace slowtrace::resolve {

struct ThreadState;

class DnsExchanges {
   public:
    DnsExchanges(Notices& notices, NameBook& names) : notices_(notices), names_(names) {}

    void asked(TrackedFile& socket, const model::DnsMessage& query, const ThreadState& thread, const Endpoint& server);
    // What it says is learnt in any case. `socket` may be null: where it came from is not known.
    void answered(TrackedFile* socket, const model::DnsMessage& response, const ThreadState& thread);
    // The call that carried the last message has been told.
    void call_told();
    // The socket has gone: what was asked on it stays unanswered.
    void gone(TrackedFile& socket, std::int64_t time_ns);

   private:
    void serve(TrackedFile& socket, model::DnsMessage::Carrier carrier);
    void give_up(const PendingQuestion& question, std::int64_t time_ns);

    Notices& notices_;
    NameBook& names_;
    Lookups lookups_;
    std::shared_ptr<Connection> served_;  // by a bus that has other business, too; its last answer is being read
};

}  // namespace slowtrace::resolve
