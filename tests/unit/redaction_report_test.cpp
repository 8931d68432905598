// A redacted run is explained as the original is: the same lines and numbers, names apart.
#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "analyze/analysis.hpp"
#include "redaction_probe.hpp"
#include "render/report.hpp"
#include "render/timeline.hpp"
#include "slowtrace/resolved.hpp"

using namespace slowtrace;
using namespace slowtrace::test;

namespace {

// Every text of the run and its stand-in, in both directions exactly one.
std::map<std::string, std::string> renaming(const Events& before, const Events& after) {
    std::map<std::string, std::string> names;
    std::map<std::string, std::set<std::string>> meanings;
    for (std::size_t i = 0; i < before.size(); ++i) {
        std::vector<std::pair<std::string, RedactionRule>> texts;
        Events copies{before[i], after[i]};
        change_texts(copies[0], [&](const std::string& text, const FieldDescriptor* field) {
            texts.emplace_back(text, rule_of(field));
            return text;
        });
        std::size_t at = 0;
        change_texts(copies[1], [&](const std::string& text, const FieldDescriptor*) {
            const auto& [original, rule] = texts.at(at++);
            const bool address = rule == RedactionRule::address;
            const std::string from = address ? shown(original) : original, to = address ? shown(text) : text;
            CHECK(names.emplace(from, to).first->second == to);
            meanings[to].insert(from);
            return text;
        });
        CHECK(at == texts.size());
    }
    for (const auto& [to, from] : meanings) {
        INFO(to);
        CHECK(from.size() == 1);
    }
    return names;
}

std::string renamed(std::string text, const std::map<std::string, std::string>& names) {
    // Longest first, by way of marks that no name contains: a stand-in is not to be replaced again.
    std::vector<std::pair<std::string, std::string>> longest(names.begin(), names.end());
    std::sort(longest.begin(), longest.end(), [](auto& a, auto& b) { return a.first.size() > b.first.size(); });
    for (std::size_t i = 0; i < longest.size(); ++i) {
        if (longest[i].first.empty() || longest[i].first == longest[i].second) continue;
        for (std::size_t at; (at = text.find(longest[i].first)) != std::string::npos;)
            text.replace(at, longest[i].first.size(), std::string(1, '\1') + static_cast<char>(i + 2) + '\1');
    }
    for (std::size_t i = 0; i < longest.size(); ++i) {
        const std::string mark = std::string(1, '\1') + static_cast<char>(i + 2) + '\1';
        for (std::size_t at; (at = text.find(mark)) != std::string::npos;) text.replace(at, 3, longest[i].second);
    }
    return text;
}

// Columns are as wide as their longest name, and only names that need it are quoted.
std::string without_padding(const std::string& text) {
    std::string result;
    for (char c : text)
        if (c == '"')
            continue;
        else if (c != ' ' || (!result.empty() && result.back() != ' ' && result.back() != '\n'))
            result += c;
    for (std::size_t at; (at = result.find(" \n")) != std::string::npos;) result.erase(at, 1);
    return result;
}

std::string report_of(const Events& events) {
    analyze::Analysis analysis;
    resolve::Resolver resolver(analysis);
    test::play(events, resolver);
    resolver.finish();
    return render::render_report(analysis.report());
}

std::string timeline_of(const Events& events) {
    std::ostringstream text;
    render::Timeline timeline(text);
    resolve::Resolver resolver(timeline);
    test::play(events, resolver);
    resolver.finish();
    timeline.finish();
    return text.str();
}

}  // namespace

TEST_CASE("a redacted run gives the same report and timeline, names apart", "[redaction]") {
    for (const char* fixture : {"report-pip", "report-threads", "report-pipeline", "report-restarted"}) {
        INFO(fixture);
        Events before = events_of(std::string("fixtures/traces/") + fixture + ".txtpb");
        for (model::Event& event : before)  // an argument "1" could not be told from the numbers around it
            change_texts(event, [](const std::string& text, const FieldDescriptor*) {
                return text == "1" ? std::string("one-second") : text;
            });
        const Events after = redacted(before);
        REQUIRE(before.size() == after.size());
        for (model::Event& event : before)  // the report says so itself
            if (event.has_run()) event.mutable_run()->set_redacted(true);
        const auto names = renaming(before, after);
        REQUIRE(names.size() < 250);
        CHECK(without_padding(renamed(report_of(before), names)) == without_padding(report_of(after)));
        CHECK(without_padding(renamed(timeline_of(before), names)) == without_padding(timeline_of(after)));
    }
}

TEST_CASE("names and addresses meet again wherever they were told", "[redaction]") {
    Events events(5);
    auto* dns = events[0].mutable_dns();
    dns->add_questions()->set_name("pypi.example.com");
    dns->add_answers()->set_name("PyPI.example.com");
    dns->mutable_answers(0)->set_target("cdn.example.net");
    dns->add_answers()->set_name("cdn.example.net");
    dns->mutable_answers(1)->set_ip(octets_of("198.51.100.7"));
    events[1].mutable_stream()->mutable_name()->set_name("pypi.example.com");
    auto* entry = events[2].mutable_hosts()->add_entries();
    entry->set_ip(octets_of("::ffff:198.51.100.7"));
    entry->add_names("pypi.example.com");
    events[3].mutable_syscall()->add_captured()->mutable_address()->set_ip(octets_of("198.51.100.7"));
    events[4].mutable_stream()->mutable_name()->set_name("198.51.100.7");
    const Events after = redacted(events);
    const std::string& name = after[0].dns().questions(0).name();
    const std::string& ip = after[0].dns().answers(1).ip();
    CHECK(name != "pypi.example.com");
    CHECK(after[0].dns().answers(0).name() == name);
    CHECK(after[0].dns().answers(0).target() == after[0].dns().answers(1).name());
    CHECK(after[0].dns().answers(0).target() != name);
    CHECK(after[1].stream().name().name() == name);
    CHECK(after[2].hosts().entries(0).names(0) == name);
    CHECK(after[2].hosts().entries(0).ip().substr(12) == ip);
    CHECK(after[3].syscall().captured(0).address().ip() == ip);
    CHECK(after[4].stream().name().name() == shown(ip));
}
