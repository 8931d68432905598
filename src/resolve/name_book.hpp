// Address → the host name the program asked for: from DNS answers, hosts files, and reverse lookups, in this order.
//
// An answer is looked for among those the asking process itself received, then its ancestors', then anyone's
// in the run; the most recent wins. Hosts files are kept once each, however many processes read them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "slowtrace/resolved.hpp"

namespace slowtrace::resolve {

struct ProcessState;

struct Resolution {
    std::vector<std::string> addresses;  // in the order of the answers
    std::string canonical_name;          // the end of the CNAME chain, empty when it is the question's name
};

// DNS names are equal whatever their case (RFC 4343).
bool same_name(const std::string& one, const std::string& other);

// What a response says about its first question's name.
Resolution follow_answers(const model::DnsMessage& response);

class NameBook {
   public:
    void learn(const model::DnsMessage& response, const Resolution& resolution, ProcessId process);
    void learn(const model::HostsFile& hosts, ProcessId process);
    void learn(const model::ReverseName& name);

    // Fills host, evidence and canonical_name of an endpoint that has an address.
    void name(Endpoint& endpoint, const ProcessState& asking) const;

   private:
    struct Answer {
        ProcessId process{};
        std::string host, canonical_name;
    };
    using Hosts = std::unordered_map<std::string, std::string>;

    const Answer* find_answer(const std::string& address, const ProcessState& asking) const;
    const std::string* find_in_hosts(const std::string& address, const ProcessState& asking) const;

    std::unordered_map<std::string, std::vector<Answer>> answers_;  // most recent last
    std::vector<std::shared_ptr<const Hosts>> hosts_files_;         // distinct ones, most recent last
    std::unordered_map<std::uint32_t, std::shared_ptr<const Hosts>> read_by_;
    std::unordered_map<std::string, std::string> reverse_names_;
};

}  // namespace slowtrace::resolve
