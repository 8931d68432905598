// Questions put to DNS servers and name services, matched with the answers that came back on the same socket.
#include "resolve/dns_exchanges.hpp"

#include <algorithm>

#include "resolve/name_services.hpp"
#include "resolve/process_table.hpp"

namespace slowtrace::resolve {

namespace {

constexpr std::size_t questions_kept = 4096;  // in flight on one socket

DnsExchange exchange_of(const PendingQuestion& question, std::int64_t time_ns) {
    DnsExchange exchange;
    exchange.process = question.process->process.id;
    exchange.thread = question.thread;
    exchange.server = question.server;
    exchange.name = question.name;
    exchange.type = question.type;
    exchange.carrier = question.carrier;
    exchange.asked_ns = question.asked_ns;
    exchange.answered_ns = time_ns;
    return exchange;
}

bool answers(const model::DnsMessage& response, const PendingQuestion& question) {
    if (response.id() != question.id) return false;
    if (response.questions().empty()) return true;  // some servers leave it out of an error
    return response.questions(0).type() == question.type && same_name(response.questions(0).name(), question.name);
}

}  // namespace

void DnsExchanges::asked(TrackedFile& file, const model::DnsMessage& query, const ThreadState& thread,
                         const Endpoint& server) {
    for (const auto& question : query.questions()) {
        std::vector<PendingQuestion>& pending = file.socket->questions;
        auto again = std::find_if(pending.begin(), pending.end(), [&](const PendingQuestion& old) {
            return old.type == question.type() && same_name(old.name, question.name());
        });
        if (again == pending.end() && pending.size() == questions_kept) again = pending.begin();
        if (again != pending.end()) {
            give_up(*again, query.time_ns());
            pending.erase(again);
        }
        pending.push_back({thread.process, thread.thread.id, server, question.name(), question.type(), query.id(),
                           query.carrier(), query.time_ns()});
        file.connection->question = question.name();
        lookups_.asked(thread.process->process.id, question.name(), question.type(), query.time_ns());
    }
    if (query.questions_size() > 0) serve(file, query.carrier());
}

void DnsExchanges::serve(TrackedFile& file, model::DnsMessage::Carrier carrier) {
    if (carrier == model::DnsMessage::DNS) return;
    file.connection->name_service = name_service_of(carrier);
    if (served_ == file.connection) served_ = nullptr;
}

void DnsExchanges::call_told() {
    if (served_ == nullptr) return;
    served_->name_service.clear();
    served_ = nullptr;
}

void DnsExchanges::answered(TrackedFile* file, const model::DnsMessage& response, const ThreadState& thread) {
    const Resolution resolution = follow_answers(response);
    std::shared_ptr<Lookup> lookup;
    if (!response.questions().empty())
        lookup = lookups_.answered(thread.process->process.id, response.questions(0).name(),
                                   response.questions(0).type(), response.time_ns());
    names_.learn(response, resolution, *thread.process, std::move(lookup));
    if (file == nullptr) return;
    std::vector<PendingQuestion>& pending = file->socket->questions;
    auto question = std::find_if(pending.begin(), pending.end(),
                                 [&](const PendingQuestion& one) { return answers(response, one); });
    if (question == pending.end()) return;
    DnsExchange exchange = exchange_of(*question, response.time_ns());
    exchange.answered = true;
    exchange.response_code = response.response_code();
    exchange.addresses = resolution.addresses();
    exchange.canonical_name = resolution.canonical_name;
    notices_.exchange(std::move(exchange));
    pending.erase(question);
    if (response.carrier() == model::DnsMessage::RESOLVED_DBUS && pending.empty()) served_ = file->connection;
}

void DnsExchanges::gone(TrackedFile& file, std::int64_t time_ns) {
    for (const PendingQuestion& question : file.socket->questions) give_up(question, time_ns);
    file.socket->questions.clear();
}

void DnsExchanges::give_up(const PendingQuestion& question, std::int64_t time_ns) {
    notices_.exchange(exchange_of(question, time_ns));
}

}  // namespace slowtrace::resolve
