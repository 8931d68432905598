// Redaction: nothing of the owner's survives, and numbers and kinds do.
#include <google/protobuf/unknown_field_set.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "redaction_probe.hpp"
#include "trace/redaction_stand_ins.hpp"

using namespace slowtrace;
using namespace slowtrace::test;
using google::protobuf::Descriptor;
using google::protobuf::Message;

namespace {

using Path = std::vector<const FieldDescriptor*>;

// Every way from an Event down to a text: the schema itself says where texts can be.
void collect(const Descriptor* type, Path& path, std::vector<Path>& found) {
    REQUIRE(path.size() < 12);  // the schema has no loops
    for (int i = 0; i < type->field_count(); ++i) {
        path.push_back(type->field(i));
        if (is_text(type->field(i))) found.push_back(path);
        if (type->field(i)->message_type() != nullptr) collect(type->field(i)->message_type(), path, found);
        path.pop_back();
    }
}

std::vector<Path> all_texts() {
    std::vector<Path> found;
    Path path;
    collect(model::Event::descriptor(), path, found);
    return found;
}

// An event that holds nothing but the given texts at the end of one way.
model::Event event_with(const Path& path, const std::vector<std::string>& texts) {
    model::Event event;
    Message* message = &event;
    for (const FieldDescriptor* field : path) {
        const auto* access = message->GetReflection();
        if (field == path.back()) {
            if (field->is_repeated())
                for (const std::string& text : texts) access->AddString(message, field, text);
            else
                access->SetString(message, field, texts.back());
        } else {
            message =
                field->is_repeated() ? access->AddMessage(message, field) : access->MutableMessage(message, field);
        }
    }
    return event;
}

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
    return text;
}

std::vector<std::filesystem::path> fixtures() {
    std::vector<std::filesystem::path> paths;
    for (const auto& entry : std::filesystem::directory_iterator("fixtures/traces"))
        if (entry.path().extension() == ".txtpb") paths.push_back(entry.path());
    std::sort(paths.begin(), paths.end());
    REQUIRE(paths.size() >= 8);
    return paths;
}

}  // namespace

TEST_CASE("somebody has decided on every text of the schema", "[redaction]") {
    std::set<std::string> listed, reached, kept;
    for (const trace::FieldRule& rule : trace::field_rules()) {
        INFO(rule.field);
        CHECK(listed.emplace(rule.field).second);
        if (rule.rule != RedactionRule::keep) continue;
        CHECK_FALSE(rule.why.empty());
        kept.emplace(rule.field);
    }
    CHECK(kept == std::set<std::string>{"Run.kernel", "Run.machine", "Run.engine", "Run.slowtrace_version",
                                        "Run.selection", "Moment.state", "Loss.reason"});
    const std::string package = "slowtrace.model.";
    for (const Path& path : all_texts()) {
        rule_of(path.back());
        reached.insert(std::string(path.back()->full_name()).substr(package.size()));
    }
    for (const std::string& field : listed)  // no row outlives its field
        CHECK((reached.contains(field) ||
               model::Event::descriptor()->file()->pool()->FindFieldByName(package + field) != nullptr));
    CHECK(reached.contains("Run.cwd"));
    CHECK(reached.contains("HostsFile.Entry.names"));
}

TEST_CASE("a secret planted in any text of any event is gone, except where the table keeps it", "[redaction]") {
    const std::vector<std::string> secrets{"Planted",
                                           "/home/Planted/x.planted.txt",
                                           "planted.example.com",
                                           "../planted/lib/planted.so.6",
                                           "pipe:[planted]",
                                           "anon_inode:planted",
                                           "/memfd:planted (deleted)",
                                           "[planted]",
                                           "https://u:planted@h/?q=planted",
                                           "/proc/planted/fd/planted",
                                           "python-planted",
                                           "planted3.11",
                                           "PLAN"};
    for (const Path& path : all_texts()) {
        const bool kept = rule_of(path.back()) == RedactionRule::keep;
        for (const std::string& secret : secrets) {
            INFO(path.back()->full_name() << ": " << secret);
            const std::string needle = secret == "PLAN" ? "PLAN" : "planted";  // PLAN has the length of an address
            const Events events = redacted({event_with(path, {secret, secret, secret})});
            REQUIRE(events.size() == 1);
            const std::string left = events.front().SerializeAsString();
            CHECK((left.find(needle) != std::string::npos || lower(left).find("planted") != std::string::npos) == kept);
        }
        if (rule_of(path.back()) != RedactionRule::address) continue;
        const Events events = redacted({event_with(path, {"sixteen-planted!"})});
        CHECK(events.front().SerializeAsString().find("plan") == std::string::npos);
    }
}

TEST_CASE("secrets planted in recorded runs do not reach the redacted file", "[redaction]") {
    for (const auto& path : fixtures()) {
        INFO(path.string());
        Events events = events_of(path);
        int planted = 0;
        for (model::Event& event : events)
            change_texts(event, [&](const std::string& text, const FieldDescriptor* field) {
                if (rule_of(field) == RedactionRule::keep) return text;
                ++planted;
                return rule_of(field) == RedactionRule::address ? std::string("PLAN") : text + "planted";
            });
        CHECK(planted > 0);
        std::string left;
        for (const model::Event& event : redacted(events)) left += event.SerializeAsString();
        CHECK(left.find("PLAN") == std::string::npos);
        CHECK(left.find("planted") == std::string::npos);
    }
}

TEST_CASE("fields nobody knows do not pass", "[redaction]") {
    model::Event event;
    event.mutable_exec()->set_thread(1);
    event.GetReflection()->MutableUnknownFields(&event)->AddLengthDelimited(999, "planted");
    event.mutable_exec()
        ->GetReflection()
        ->MutableUnknownFields(event.mutable_exec())
        ->AddLengthDelimited(998, "planted");
    const Events events = redacted({event});
    CHECK(events.front().SerializeAsString().find("planted") == std::string::npos);
    CHECK(events.front().exec().thread() == 1);
}

TEST_CASE("numbers, kinds and order stay as they were", "[redaction]") {
    for (unsigned seed = 1; seed <= 20; ++seed) {
        test::RandomMessages random(seed);
        Events before = random.one_of_each_kind(), after = redacted(before);
        REQUIRE(before.size() == after.size());
        for (Events* events : {&before, &after})
            for (model::Event& event : *events) {
                change_texts(event, [](const std::string&, const FieldDescriptor*) { return std::string(); });
                if (event.has_run()) event.mutable_run()->clear_redacted();
                if (event.has_peer_process()) event.mutable_peer_process()->clear_uid();
            }
        CHECK(test::same(before, after));
    }
}

TEST_CASE("a redacted run says so, and a user's number is dropped", "[redaction]") {
    model::Event run, peer;
    run.mutable_run()->set_kernel("6.1.0");
    peer.mutable_peer_process()->set_uid(1000);
    const Events events = redacted({run, peer});
    CHECK(events[0].run().redacted());
    CHECK(events[0].run().kernel() == "6.1.0");
    CHECK(events[1].peer_process().uid() == 0);
}

TEST_CASE("one key gives the same stand-ins, another key others, no key its own each time", "[redaction]") {
    const Events events = events_of("fixtures/traces/report-pip.txtpb");
    CHECK(test::same(redacted(events, "one"), redacted(events, "one")));
    CHECK_FALSE(test::same(redacted(events, "one"), redacted(events, "two")));
    CHECK_FALSE(test::same(redacted(events, ""), redacted(events, "")));
    trace::StandIns one("one"), two("two");
    CHECK(one.host("pypi.example.com") != two.host("pypi.example.com"));
    CHECK(one.path("/secret") != two.path("/secret"));
    CHECK(one.address(octets_of("192.0.2.1")) != two.address(octets_of("192.0.2.1")));
}

TEST_CASE("arguments, methods and protocols", "[redaction]") {
    trace::StandIns stand_ins("key");
    CHECK(stand_ins.argument("install").starts_with("a-"));
    CHECK(stand_ins.argument("").empty());
    CHECK(stand_ins.argument("x") != stand_ins.argument("y"));
    CHECK(stand_ins.token("GET") == "GET");
    CHECK(stand_ins.token("http/1.1") == "http/1.1");
    CHECK(stand_ins.token("SECRET").starts_with("w-"));
    CHECK(stand_ins.token("http/secret").starts_with("w-"));
    model::Event exec;
    exec.mutable_exec()->add_argv("/usr/bin/pip");
    exec.mutable_exec()->add_argv("python");
    const Events events = redacted({exec});
    CHECK(events.front().exec().argv(0) == "/usr/bin/pip");
    CHECK(events.front().exec().argv(1).starts_with("a-"));
}
