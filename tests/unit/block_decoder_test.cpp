// A block whose checksum is right but whose lists lie about one another delivers nothing.
#include "trace/block_decoder.hpp"

#include <functional>

#include "catch.hpp"
#include "events_for_test.hpp"
#include "trace/block_encoder.hpp"

namespace slowtrace::trace {
namespace {

model::Block sound_block() {
    test::RandomMessages random(1);
    BlockEncoder encoder;
    model::Event run;
    run.mutable_run();
    for (int i = 0; i < 3; ++i) {
        model::Syscall call = random.call();
        call.add_captured()->set_path("/etc/hosts");
        encoder.add(call);
        encoder.add(run);
    }
    return encoder.block();
}

std::string complaint(const std::function<void(model::Block&)>& damage) {
    model::Block block = sound_block();
    damage(block);
    BlockDecoder decoder;
    return std::string(decoder.parse(block.SerializeAsString()));
}

TEST_CASE("a sound block is delivered in order", "[trace]") {
    BlockDecoder decoder;
    REQUIRE(decoder.parse(sound_block().SerializeAsString()).empty());
    test::KeepAll kept;
    decoder.deliver(kept);
    REQUIRE(kept.events.size() == 6);
    for (std::size_t i = 0; i < 6; ++i) REQUIRE(kept.events[i].has_syscall() == (i % 2 == 0));
    REQUIRE(kept.events[4].syscall().captured().rbegin()->path() == "/etc/hosts");
}

TEST_CASE("lists that disagree are told", "[trace]") {
    REQUIRE(complaint([](model::Block&) {}).empty());
    REQUIRE(complaint([](auto& block) { block.mutable_details(2)->set_skipped(1); }).find("does not exist") !=
            std::string::npos);
    REQUIRE(complaint([](auto& block) { block.mutable_details(0)->set_skipped(~0U); }).find("does not exist") !=
            std::string::npos);
    REQUIRE(complaint([](auto& block) { block.add_details(); }).find("does not exist") != std::string::npos);
    REQUIRE(complaint([](auto& block) { block.mutable_details(0)->set_missing_arguments(7); }).find("six") !=
            std::string::npos);
    REQUIRE(complaint([](auto& block) { block.clear_paths(); }).find("path") != std::string::npos);
    REQUIRE(complaint([](auto& block) {
                block.mutable_details(0)->mutable_captured()->rbegin()->set_path_id(~0U);
            }).find("path") != std::string::npos);
    REQUIRE(complaint([](auto& block) { block.mutable_events(2)->set_calls(2); }).find("outside") != std::string::npos);
    REQUIRE(complaint([](auto& block) { block.mutable_events(2)->mutable_event()->mutable_syscall(); }).find("among") !=
            std::string::npos);
    BlockDecoder decoder;
    REQUIRE(decoder.parse("\xff\xff").find("form") != std::string::npos);
}

TEST_CASE("every column is checked", "[trace]") {
    const auto* columns = model::SyscallColumns::descriptor();
    int checked = 0;
    for (int i = 0; i < columns->field_count(); ++i) {
        const auto* column = columns->field(i);
        if (!column->is_repeated()) continue;
        INFO(column->name());
        ++checked;
        REQUIRE(complaint([&](model::Block& block) {
                    model::SyscallColumns* calls = block.mutable_calls();
                    calls->GetReflection()->RemoveLast(calls, column);
                }) == "the columns of a block differ in length");
    }
    REQUIRE(checked == 13);
}

}  // namespace
}  // namespace slowtrace::trace
