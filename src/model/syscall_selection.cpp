// Parses strace's -e trace= grammar into a set of calls.
#include "slowtrace/syscall_selection.hpp"

#include <regex.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <optional>
#include <vector>

#include "slowtrace/error.hpp"

namespace slowtrace::model {

namespace {

using Calls = std::bitset<static_cast<std::size_t>(Call::count)>;

struct ClassName {
    std::string_view name;
    SyscallClass value;
};
constexpr ClassName class_names[] = {
    {"file", SyscallClass::file},     {"desc", SyscallClass::descriptor}, {"network", SyscallClass::network},
    {"net", SyscallClass::network},   {"process", SyscallClass::process}, {"memory", SyscallClass::memory},
    {"signal", SyscallClass::signal}, {"ipc", SyscallClass::ipc},
};

template <typename Wanted>
Calls calls_where(Wanted wanted) {
    Calls calls;
    for (const SyscallRow& row : all_syscalls())
        if (wanted(row)) calls.set(static_cast<std::size_t>(row.call));
    return calls;
}

std::size_t edit_distance(std::string_view from, std::string_view to) {
    std::vector<std::size_t> previous(to.size() + 1), current(to.size() + 1);
    std::iota(previous.begin(), previous.end(), std::size_t{0});
    for (std::size_t i = 0; i < from.size(); ++i) {
        current[0] = i + 1;
        for (std::size_t j = 0; j < to.size(); ++j)
            current[j + 1] = std::min({previous[j + 1] + 1, current[j] + 1, previous[j] + (from[i] != to[j])});
        std::swap(previous, current);
    }
    return previous[to.size()];
}

std::string nearest_name(std::string_view item) {
    std::string nearest;
    std::size_t least = std::string_view::npos;
    const auto offer = [&](std::string name) {
        const std::size_t distance = edit_distance(item, name);
        if (distance < least) {
            least = distance;
            nearest = std::move(name);
        }
    };
    for (const SyscallRow& row : all_syscalls()) offer(std::string(row.name));
    for (const ClassName& known : class_names) offer("%" + std::string(known.name));
    return nearest;
}

Error unknown_item(std::string_view item) {
    // Longer than any name: not worth a search, nor worth repeating whole.
    constexpr std::size_t longest = 64;
    if (item.size() > longest)
        return Error("--trace: unknown system call '" + std::string(item.substr(0, longest)) + "…'", ExitCode::usage);
    return Error(
        "--trace: unknown system call or class '" + std::string(item) + "'; did you mean '" + nearest_name(item) + "'?",
        ExitCode::usage);
}

// A POSIX extended regular expression, found anywhere in the name, as in strace.
class Pattern {
   public:
    explicit Pattern(const std::string& expression) {
        if (const int error = regcomp(&compiled_, expression.c_str(), REG_EXTENDED | REG_NOSUB); error != 0) {
            std::array<char, 128> reason;
            regerror(error, &compiled_, reason.data(), reason.size());
            throw Error("--trace: '/" + expression + "' is not a regular expression: " + reason.data(),
                        ExitCode::usage);
        }
    }
    ~Pattern() { regfree(&compiled_); }
    Pattern(const Pattern&) = delete;
    Pattern& operator=(const Pattern&) = delete;
    bool found_in(std::string_view name) const {
        return regexec(&compiled_, std::string(name).c_str(), 0, nullptr, 0) == 0;
    }

   private:
    regex_t compiled_;
};

Calls matching(std::string_view expression) {
    const Pattern pattern{std::string(expression)};
    return calls_where([&](const SyscallRow& row) { return pattern.found_in(row.name); });
}

std::optional<Calls> calls_of_class(std::string_view name) {
    const auto found = std::ranges::find(class_names, name, &ClassName::name);
    if (found == std::end(class_names)) return std::nullopt;
    return calls_where([&](const SyscallRow& row) { return has(row.classes, found->value); });
}

// One item without its "!". "?name" is strace's "no complaint when unknown".
Calls calls_of(std::string_view item) {
    const std::string_view whole = item;
    const bool optional = item.starts_with('?');
    if (optional) item.remove_prefix(1);
    if (item.empty())
        throw Error("--trace: an item is empty; expected names or %classes, as in '%network,openat'", ExitCode::usage);
    if (item == "all") return calls_where([](const SyscallRow&) { return true; });
    if (item == "none") return {};
    if (item.starts_with('/')) return matching(item.substr(1));
    // i386 has calls named signal and ipc; as in strace on x86_64 those words mean the classes.
    if (const auto calls = calls_of_class(item.starts_with('%') ? item.substr(1) : item)) return *calls;
    if (const SyscallRow* row = find_syscall(item)) {
        Calls calls;
        calls.set(static_cast<std::size_t>(row->call));
        return calls;
    }
    if (optional) return {};
    throw unknown_item(whole);
}

std::vector<std::string_view> split(std::string_view list) {
    std::vector<std::string_view> items;
    for (;;) {
        const std::size_t comma = list.find(',');
        items.push_back(list.substr(0, comma));
        if (comma == std::string_view::npos) return items;
        list.remove_prefix(comma + 1);
    }
}

}  // namespace

SyscallSelection SyscallSelection::parse(std::string_view expression) {
    SyscallSelection selection;
    selection.expression_ = expression;
    for (const std::string_view prefix : {"trace=", "t="})
        if (expression.starts_with(prefix)) {
            expression.remove_prefix(prefix.size());
            break;
        }
    // "!a,b" and "!a,!b" both mean: everything but a and b.
    const bool negated = expression.starts_with('!');
    if (negated) selection.calls_.set();
    selection.unknown_ = negated;
    for (std::string_view item : split(expression)) {
        const bool removed = item.starts_with('!');
        if (removed) item.remove_prefix(1);
        const Calls calls = calls_of(item);
        if (removed || negated)
            selection.calls_ &= ~calls;
        else
            selection.calls_ |= calls;
        // The calls without a row belong to "all" and to nothing else.
        if (item == "all") selection.unknown_ = !(removed || negated);
    }
    selection.calls_.reset(static_cast<std::size_t>(Call::unknown));
    return selection;
}

}  // namespace slowtrace::model
