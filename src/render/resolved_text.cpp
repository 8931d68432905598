// Joins the decoder's words with what the Resolver knows.
#include "render/resolved_text.hpp"

#include <cstdio>

#include "render/arguments.hpp"
#include "render/columns.hpp"
#include "render/text.hpp"

namespace slowtrace::render {
namespace {

std::string meaning(const resolve::ResolvedDescriptor& descriptor) {
    if (!descriptor.file) return {};
    const resolve::OpenFile& file = *descriptor.file;
    if (!file.connection) return file.path;
    const resolve::Connection& connection = *file.connection;
    if (descriptor.state == resolve::ConnectionState::listening) return "listening at " + connection.local.display();
    const resolve::Endpoint& peer = connection.peer;
    const bool known = !peer.host.empty() || !peer.address.empty() || peer.transport == resolve::Transport::netlink;
    if (!known) return file.path;
    return peer.carrier.empty() ? peer.display() : peer.display() + " through " + peer.carrier;
}

}  // namespace

std::string descriptor_text(const resolve::ResolvedDescriptor& descriptor) {
    const std::string number = std::to_string(descriptor.number);
    constexpr std::size_t width = 120;
    const std::string what = shorten(visible(meaning(descriptor)), width);
    return what.empty() ? number : number + "<" + what + ">";
}

std::string call_line(const resolve::ResolvedCall& call) {
    const DescribeDescriptor describe = [&call](int argument, int number) {
        for (const auto& set : {call.descriptors, call.watched})
            for (const resolve::ResolvedDescriptor& descriptor : set)
                if (descriptor.number == number && (descriptor.argument == argument || descriptor.argument < 0))
                    return descriptor_text(descriptor);
        return std::string();
    };
    return call_text(call.call, call.row, describe) + " = " + result_text(call.call, call.row, describe);
}

std::string thread_text(const resolve::Process& process, const resolve::Thread& thread) {
    std::string text = process.arguments.empty() && process.executable.empty() ? thread.name : process.name();
    if (text.empty()) text = process.name();
    if (!thread.main && !thread.name.empty() && thread.name != text) text += "/" + thread.name;
    constexpr std::size_t width = 40;
    return shorten(visible(text), width) + "[" + std::to_string(thread.tid) + "]";
}

std::string format_offset(std::int64_t time_ns, std::int64_t start_ns) {
    const bool before = time_ns < start_ns;
    const std::uint64_t a = static_cast<std::uint64_t>(time_ns), b = static_cast<std::uint64_t>(start_ns);
    const std::uint64_t microseconds = ((before ? b - a : a - b) + 500) / 1000;
    char text[48];
    std::snprintf(text, sizeof text, "%s%llu.%06llu", before ? "-" : "",
                  static_cast<unsigned long long>(microseconds / 1'000'000),
                  static_cast<unsigned long long>(microseconds % 1'000'000));
    return text;
}

}  // namespace slowtrace::render
