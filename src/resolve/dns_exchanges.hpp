// Questions put to DNS servers, matched with the answers that came back on the same socket.
#pragma once

#include "resolve/name_book.hpp"
#include "resolve/notices.hpp"
#include "resolve/tracked_file.hpp"

namespace slowtrace::resolve {

struct ThreadState;

class DnsExchanges {
   public:
    explicit DnsExchanges(Notices& notices) : notices_(notices) {}

    void asked(TrackedFile& socket, const model::DnsMessage& query, const ThreadState& thread, const Endpoint& server);
    void answered(TrackedFile& socket, const model::DnsMessage& response, const Resolution& resolution);
    // The socket has gone: what was asked on it stays unanswered.
    void gone(TrackedFile& socket, std::int64_t time_ns);

   private:
    void give_up(const PendingQuestion& question, std::int64_t time_ns);

    Notices& notices_;
};

}  // namespace slowtrace::resolve
