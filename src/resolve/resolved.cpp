// How resolved things are called: the names and addresses every output shows.
#include "slowtrace/resolved.hpp"

namespace slowtrace::resolve {

namespace {

std::string base_name(const std::string& path) {
    std::size_t end = path.find_last_not_of('/');
    if (end == std::string::npos) return {};
    std::size_t slash = path.rfind('/', end);
    std::size_t begin = slash == std::string::npos ? 0 : slash + 1;
    return path.substr(begin, end - begin + 1);
}

std::string with_port(const std::string& host, std::uint16_t port) {
    return port == 0 ? host : host + ':' + std::to_string(port);
}

}  // namespace

std::string Process::name() const {
    std::string name = arguments.empty() ? std::string() : base_name(arguments.front());
    if (name.empty()) name = base_name(executable);
    return name.empty() ? "?" : name;
}

std::string Endpoint::display() const {
    // A host may be an address the program gave in place of a name.
    if (host.find(':') != std::string::npos && !host.starts_with('[') && port != 0)
        return with_port('[' + host + ']', port);
    if (!host.empty()) return with_port(host, port);
    if (transport == Transport::netlink) return "netlink";
    if (transport == Transport::packet) return "packet";
    if (transport == Transport::unix_socket) return address.empty() ? "unix socket" : address;
    if (address.empty()) return "?";
    bool bracketed = address.find(':') != std::string::npos;
    return with_port(bracketed && port != 0 ? '[' + address + ']' : address, port);
}

std::string path_below(const std::string& directory, const std::string& name) {
    if (name.starts_with('/') || !directory.starts_with('/')) return name;
    std::string base = directory;
    std::string_view rest = name;
    // Leading steps only: behind a name, ".." may cross a symbolic link.
    while (rest == "." || rest == ".." || rest.starts_with("./") || rest.starts_with("../")) {
        if (rest.starts_with("..") && base.rfind('/') != std::string::npos) base.resize(base.rfind('/'));
        const auto slash = rest.find('/');
        rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
    }
    if (rest.empty()) return base.empty() ? "/" : base;
    return base.ends_with('/') ? base + std::string(rest) : base + '/' + std::string(rest);
}

}  // namespace slowtrace::resolve
