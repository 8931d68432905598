// Address → the host name the program asked for: from DNS answers, hosts files, and reverse lookups, in this order.
#include "resolve/name_book.hpp"

#include <algorithm>

#include "resolve/endpoints.hpp"
#include "resolve/process_table.hpp"

namespace slowtrace::resolve {

namespace {

constexpr std::size_t addresses_kept = 65536;
constexpr std::size_t answers_kept = 64;  // for one address
constexpr std::size_t answers_told = 8;   // for one connection
constexpr std::size_t hosts_files_kept = 8;
constexpr int ancestors_asked = 64;

using Line = std::vector<const ProcessState*>;  // a process, its parent, its parent's parent, …

Line ancestors(const ProcessState& process) {
    Line line;
    for (const ProcessState* one = &process; one != nullptr && line.size() < ancestors_asked; one = one->parent)
        line.push_back(one);
    return line;
}

// How near `other` is to the first of `line`: itself and its ancestors come first, then whoever descends from the
// nearest of them, then strangers.
std::size_t distance(const Line& line, const ProcessState* other) {
    for (int up = 0; other != nullptr && up < ancestors_asked; ++up, other = other->parent) {
        auto common = std::find(line.begin(), line.end(), other);
        if (common == line.end()) continue;
        return static_cast<std::size_t>(common - line.begin()) + (up == 0 ? 0 : ancestors_asked);
    }
    return 2 * ancestors_asked;
}

}  // namespace

std::vector<NameBook::Answer>& NameBook::answers_for(const std::string& address) {
    auto [known, fresh] = answers_.try_emplace(address);
    if (!fresh) return known->second;
    addresses_.push_back(address);
    if (addresses_.size() > addresses_kept) {
        answers_.erase(addresses_.front());
        addresses_.pop_front();
    }
    return answers_.at(address);
}

void NameBook::learn(const model::DnsMessage& response, const Resolution& resolution, const ProcessState& process,
                     std::shared_ptr<Lookup> lookup) {
    for (const Resolution::Located& located : resolution.located) {
        std::vector<Answer>& known = answers_for(located.address);
        std::erase_if(known, [&](const Answer& old) { return old.process == &process && old.host == located.host; });
        if (known.size() == answers_kept) known.erase(known.begin());
        known.push_back({&process, located.host, resolution.canonical_name, response.time_ns(), lookup});
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

Naming NameBook::naming(const std::string& address, const ProcessState& asking, std::int64_t time_ns) const {
    Naming naming;
    auto add = [&](NameEvidence evidence, const std::string& name) {
        naming.host = name;
        naming.evidence = evidence;
        naming.claims.push_back({evidence, name, 0});
    };
    if (auto reverse = reverse_names_.find(address); reverse != reverse_names_.end())
        add(NameEvidence::reverse_lookup, reverse->second);
    if (const std::string* host = find_in_hosts(address, asking)) add(NameEvidence::hosts_file, *host);
    for (const Answer* answer : find_answers(address, asking, time_ns)) {
        add(NameEvidence::dns, answer->host);
        naming.canonical_name = answer->canonical_name;
        naming.lookup = answer->lookup;
    }
    return naming;
}

std::vector<const NameBook::Answer*> NameBook::find_answers(const std::string& address, const ProcessState& asking,
                                                            std::int64_t time_ns) const {
    std::vector<const Answer*> found;
    auto known = answers_.find(address);
    if (known == answers_.end()) return found;
    const Line line = ancestors(asking);
    std::size_t nearest = 2 * ancestors_asked;
    for (const Answer& answer : known->second) {
        const std::size_t away = distance(line, answer.process);
        if (away < nearest) found.clear();
        nearest = std::min(nearest, away);
        if (away == nearest) found.push_back(&answer);
    }
    // What was answered after the connect was not what led to it, unless nothing else is known.
    std::stable_partition(found.begin(), found.end(), [&](const Answer* one) { return one->time_ns > time_ns; });
    if (found.size() > answers_told) found.erase(found.begin(), found.end() - answers_told);
    return found;
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
