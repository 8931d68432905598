// Address → the host name the program asked for: from DNS answers, hosts files, and reverse lookups, in this order.
//
// An answer is looked for among those the asking process itself received, then its ancestors', then those of the
// nearest relatives (its children, its siblings, …), then anyone's in the run; the most recent before the connect
// wins. Hosts files are kept once each, however many processes read them.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "resolve/answers.hpp"
#include "resolve/lookups.hpp"
#include "slowtrace/resolved.hpp"

namespace slowtrace::resolve {

struct ProcessState;

// All that is known about an address' name.
struct Naming {
    std::string host;  // the best
    NameEvidence evidence = NameEvidence::none;
    std::string canonical_name;
    std::vector<NameClaim> claims;   // every kind of evidence, in ascending rank; the best last
    std::shared_ptr<Lookup> lookup;  // that led to it, where its question was seen
};

class NameBook {
   public:
    // `lookup` may be null.
    void learn(const model::DnsMessage& response, const Resolution& resolution, const ProcessState& process,
               std::shared_ptr<Lookup> lookup);
    void learn(const model::HostsFile& hosts, ProcessId process);
    void learn(const model::ReverseName& name);

    // As known at `time_ns` where there was something to know by then.
    Naming naming(const std::string& address, const ProcessState& asking, std::int64_t time_ns) const;

   private:
    struct Answer {
        const ProcessState* process = nullptr;
        std::string host, canonical_name;
        std::int64_t time_ns = 0;
        std::shared_ptr<Lookup> lookup;
    };
    using Hosts = std::unordered_map<std::string, std::string>;

    std::vector<Answer>& answers_for(const std::string& address);
    // Those of the nearest relatives, oldest first, the best last.
    std::vector<const Answer*> find_answers(const std::string& address, const ProcessState& asking,
                                            std::int64_t time_ns) const;
    const std::string* find_in_hosts(const std::string& address, const ProcessState& asking) const;

    std::unordered_map<std::string, std::vector<Answer>> answers_;  // most recent last
    std::deque<std::string> addresses_;                             // its keys, oldest first
    std::vector<std::shared_ptr<const Hosts>> hosts_files_;         // distinct ones, most recent last
    std::unordered_map<std::uint32_t, std::shared_ptr<const Hosts>> read_by_;
    std::unordered_map<std::string, std::string> reverse_names_;
};

}  // namespace slowtrace::resolve
