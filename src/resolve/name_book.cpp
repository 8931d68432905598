// Address → the host name the program asked for: from DNS answers, hosts files, and reverse lookups, in this order.
#include "resolve/name_book.hpp"

#include <algorithm>

#include "resolve/endpoints.hpp"
#include "resolve/process_table.hpp"

namespace slowtrace::resolve {

namespace {

constexpr std::uint32_t type_cname = 5;
constexpr std::size_t answers_kept = 64;  // for one address
constexpr std::size_t hosts_files_kept = 8;
constexpr int ancestors_asked = 64;

char lower(char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

}  // namespace

bool same_name(const std::string& one, const std::string& other) {
    return one.size() == other.size() &&
           std::equal(one.begin(), one.end(), other.begin(), [](char a, char b) { return lower(a) == lower(b); });
}

Resolution follow_answers(const model::DnsMessage& response) {
    Resolution resolution;
    if (response.questions().empty()) return resolution;
    const std::string& asked = response.questions(0).name();
    // A chain is no longer than the number of its links; a loop ends there too.
    std::vector<const std::string*> chain{&asked};
    for (bool grown = true; grown && chain.size() <= static_cast<std::size_t>(response.answers_size());) {
        grown = false;
        for (const auto& answer : response.answers())
            if (answer.type() == type_cname && same_name(answer.name(), *chain.back())) {
                if (chain.size() > static_cast<std::size_t>(response.answers_size())) break;
                chain.push_back(&answer.target());
                grown = true;
            }
    }
    if (!same_name(*chain.back(), asked)) resolution.canonical_name = *chain.back();
    for (const auto& answer : response.answers())
        if (!answer.ip().empty() && same_name(answer.name(), *chain.back()))
            if (std::string address = address_text(answer.ip()); !address.empty())
                resolution.addresses.push_back(std::move(address));
    return resolution;
}

void NameBook::learn(const model::DnsMessage& response, const Resolution& resolution, ProcessId process) {
    for (const std::string& address : resolution.addresses) {
        std::vector<Answer>& known = answers_[address];
        Answer answer{process, response.questions(0).name(), resolution.canonical_name};
        std::erase_if(known, [&](const Answer& old) { return old.process == process && old.host == answer.host; });
        if (known.size() == answers_kept) known.erase(known.begin());
        known.push_back(std::move(answer));
    }
}

void NameBook::learn(const model::HostsFile& hosts, ProcessId process) {
    Hosts entries;
    for (const auto& entry : hosts.entries())
        if (entry.names_size() > 0 && !entry.names(0).empty())
            entries.try_emplace(address_text(entry.ip()), entry.names(0));  // the first line of an address counts
    auto known = std::find_if(hosts_files_.begin(), hosts_files_.end(),
                              [&](const std::shared_ptr<const Hosts>& file) { return *file == entries; });
    if (known == hosts_files_.end()) {
        if (hosts_files_.size() == hosts_files_kept) hosts_files_.erase(hosts_files_.begin());
        hosts_files_.push_back(std::make_shared<const Hosts>(std::move(entries)));
    } else {
        std::rotate(known, known + 1, hosts_files_.end());
    }
    read_by_[index(process)] = hosts_files_.back();
}

void NameBook::learn(const model::ReverseName& name) {
    if (std::string address = address_text(name.ip()); !address.empty() && !name.name().empty())
        reverse_names_[std::move(address)] = name.name();
}

void NameBook::name(Endpoint& endpoint, const ProcessState& asking) const {
    if (endpoint.address.empty() || endpoint.transport == Transport::unix_socket) return;
    if (const Answer* answer = find_answer(endpoint.address, asking)) {
        endpoint.host = answer->host;
        endpoint.canonical_name = answer->canonical_name;
        endpoint.evidence = NameEvidence::dns;
    } else if (const std::string* host = find_in_hosts(endpoint.address, asking)) {
        endpoint.host = *host;
        endpoint.evidence = NameEvidence::hosts_file;
    } else if (auto reverse = reverse_names_.find(endpoint.address); reverse != reverse_names_.end()) {
        endpoint.host = reverse->second;
        endpoint.evidence = NameEvidence::reverse_lookup;
    }
}

const NameBook::Answer* NameBook::find_answer(const std::string& address, const ProcessState& asking) const {
    auto known = answers_.find(address);
    if (known == answers_.end()) return nullptr;
    const ProcessState* process = &asking;
    for (int generation = 0; process != nullptr && generation < ancestors_asked; ++generation) {
        for (auto answer = known->second.rbegin(); answer != known->second.rend(); ++answer)
            if (answer->process == process->process.id) return &*answer;
        process = process->parent;
    }
    return &known->second.back();
}

const std::string* NameBook::find_in_hosts(const std::string& address, const ProcessState& asking) const {
    auto look_up = [&](const Hosts& hosts) {
        auto entry = hosts.find(address);
        return entry == hosts.end() ? nullptr : &entry->second;
    };
    const ProcessState* process = &asking;
    for (int generation = 0; process != nullptr && generation < ancestors_asked; ++generation) {
        if (auto read = read_by_.find(index(process->process.id)); read != read_by_.end())
            if (const std::string* host = look_up(*read->second)) return host;
        process = process->parent;
    }
    for (auto file = hosts_files_.rbegin(); file != hosts_files_.rend(); ++file)
        if (const std::string* host = look_up(**file)) return host;
    return nullptr;
}

}  // namespace slowtrace::resolve
