// The -e trace= grammar.
#include "catch.hpp"
#include "slowtrace/error.hpp"
#include "slowtrace/syscall_selection.hpp"

using namespace slowtrace;
using namespace slowtrace::model;

namespace {

std::size_t size(const SyscallSelection& selection) {
    std::size_t count = 0;
    for (const SyscallRow& row : all_syscalls()) count += selection.includes(row.call) ? 1 : 0;
    return count;
}

std::string complaint(std::string_view expression) {
    try {
        SyscallSelection::parse(expression);
    } catch (const Error& error) {
        CHECK(error.code() == ExitCode::usage);
        return error.what();
    }
    return "none";
}

}  // namespace

TEST_CASE("names and classes add up") {
    const auto selection = SyscallSelection::parse("%network,%file,!openat");
    CHECK(selection.includes(Call::connect));
    CHECK(selection.includes(Call::open));
    CHECK_FALSE(selection.includes(Call::openat));
    CHECK_FALSE(selection.includes(Call::read));
    CHECK_FALSE(selection.includes(Call::unknown));
    CHECK_FALSE(selection.includes_unknown());
    CHECK(selection.expression() == "%network,%file,!openat");
    CHECK(size(SyscallSelection::parse("read,write,read")) == 2);
}

TEST_CASE("a class means its rows, with and without the percent sign") {
    struct Named {
        const char* name;
        SyscallClass value;
    };
    for (const Named& named : {Named{"file", SyscallClass::file}, Named{"desc", SyscallClass::descriptor},
                               Named{"network", SyscallClass::network}, Named{"process", SyscallClass::process},
                               Named{"memory", SyscallClass::memory}, Named{"signal", SyscallClass::signal},
                               Named{"ipc", SyscallClass::ipc}}) {
        const auto plain = SyscallSelection::parse(std::string("trace=") + named.name);
        const auto marked = SyscallSelection::parse(std::string("%") + named.name);
        for (const SyscallRow& row : all_syscalls()) {
            INFO(named.name << " " << row.name);
            CHECK(marked.includes(row.call) == has(row.classes, named.value));
            CHECK(plain.includes(row.call) == marked.includes(row.call));
        }
    }
}

TEST_CASE("a leading exclamation mark negates everything") {
    const auto selection = SyscallSelection::parse("!futex,read");
    CHECK(size(selection) == all_syscalls().size() - 2);
    CHECK_FALSE(selection.includes(Call::futex));
    CHECK_FALSE(selection.includes(Call::read));
    CHECK(selection.includes_unknown());
    CHECK(size(SyscallSelection::parse("!futex,!read")) == all_syscalls().size() - 2);
}

TEST_CASE("all, none and their opposites") {
    CHECK(size(SyscallSelection::parse("all")) == all_syscalls().size());
    CHECK(SyscallSelection::parse("all").includes_unknown());
    CHECK(SyscallSelection::parse("all,!read").includes_unknown());
    CHECK(size(SyscallSelection::parse("all,!read")) == all_syscalls().size() - 1);
    CHECK(size(SyscallSelection::parse("none")) == 0);
    CHECK_FALSE(SyscallSelection::parse("none").includes_unknown());
    CHECK(size(SyscallSelection::parse("!none")) == all_syscalls().size());
    CHECK(size(SyscallSelection::parse("!all")) == 0);
    CHECK_FALSE(SyscallSelection::parse("!all").includes_unknown());
}

TEST_CASE("regular expressions and optional items") {
    const auto selection = SyscallSelection::parse("/^epoll_,?no_such_call");
    CHECK(selection.includes(Call::epoll_wait));
    CHECK(selection.includes(Call::epoll_pwait2));
    CHECK_FALSE(selection.includes(Call::poll));
    CHECK(complaint("/[").find("regular expression") != std::string::npos);
}

TEST_CASE("an unknown item is named, with the nearest known one") {
    CHECK(complaint("opnat").find("'openat'") != std::string::npos);
    CHECK(complaint("read,%netwrok").find("'%network'") != std::string::npos);
    CHECK(complaint("%files").find("'%file'") != std::string::npos);
    CHECK(complaint("").find("empty") != std::string::npos);
    CHECK(complaint("read,,write").find("empty") != std::string::npos);
    CHECK(complaint("!").find("empty") != std::string::npos);
    CHECK(complaint(std::string(100000, 'x')).size() < 200);
}
