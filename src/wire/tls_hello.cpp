// Hellos: fixed fields, then extensions of which three are read.
#include "wire/tls_hello.hpp"

#include <array>

#include "wire/host_name.hpp"

namespace slowtrace::wire {
namespace {

constexpr std::size_t max_protocols = 8, max_protocol = 32;
constexpr std::uint32_t oldest_version = 0x0300, newest_version = 0x0304;

// The ServerHello.random of a HelloRetryRequest, SHA-256 of that word (RFC 8446 §4.1.3).
constexpr std::array<std::uint8_t, 32> retry_random{0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
                                                    0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
                                                    0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

// Values reserved to keep servers tolerant (RFC 8701) are no versions.
bool known_version(std::uint64_t version) {
    return version >= oldest_version && version <= newest_version;
}

bool read_server_name(std::uint8_t type, Octets data, TlsHello& hello) {
    if (type != client_hello) return true;  // a server's is empty
    OctetReader extension(data);
    OctetReader list(extension.part(2));
    while (!list.empty() && !list.cut()) {
        constexpr std::uint64_t host_name = 0;
        const bool host = list.number(1) == host_name;
        const Octets name = list.part(2);
        if (!host || list.cut() || !hello.server_name.empty()) continue;
        hello.server_name = checked_host_name(text_of(name)).value_or("");
    }
    return !extension.cut() && !list.cut();
}

bool read_protocols(std::uint8_t, Octets data, TlsHello& hello) {
    OctetReader extension(data);
    OctetReader list(extension.part(2));
    while (!list.empty() && !list.cut()) {
        const std::string_view protocol = text_of(list.part(1));
        const bool printable =
            std::all_of(protocol.begin(), protocol.end(), [](char c) { return c > 0x20 && c < 0x7f; });
        if (list.cut() || protocol.empty() || protocol.size() > max_protocol || !printable) continue;
        if (hello.protocols.size() < max_protocols) hello.protocols.emplace_back(protocol);
    }
    return !extension.cut() && !list.cut();
}

bool read_versions(std::uint8_t type, Octets data, TlsHello& hello) {
    OctetReader extension(data);
    if (type == server_hello) {
        const std::uint64_t chosen = extension.number(2);
        if (known_version(chosen)) hello.version = static_cast<std::uint32_t>(chosen);
        return !extension.cut();
    }
    OctetReader list(extension.part(1));
    hello.version = 0;
    while (!list.empty() && !list.cut()) {
        const std::uint64_t offered = list.number(2);
        if (known_version(offered)) hello.version = std::max(hello.version, static_cast<std::uint32_t>(offered));
    }
    return !extension.cut() && !list.cut();
}

// By extension number (RFC 6066 §3, RFC 7301 §3.1, RFC 8446 §4.2.1).
struct Extension {
    std::uint64_t type;
    bool (*read)(std::uint8_t hello_type, Octets data, TlsHello& hello);
};
constexpr std::array<Extension, 3> extensions{{{0, read_server_name}, {16, read_protocols}, {43, read_versions}}};

// False when lengths inside an extension contradict one another.
bool read_extensions(std::uint8_t type, OctetReader& list, TlsHello& hello) {
    while (!list.empty()) {
        const std::uint64_t number = list.number(2);
        const Octets data = list.part(2);
        if (list.cut()) return true;
        const auto known = std::ranges::find(extensions, number, &Extension::type);
        if (known != extensions.end() && !known->read(type, data, hello)) return false;
    }
    return true;
}

}  // namespace

std::size_t handshake_size(Octets message) {
    OctetReader reader(message);
    reader.take(1);
    const std::size_t length = reader.number(3);
    return reader.cut() ? 0 : handshake_header_size + length;
}

TlsHello read_hello(Octets message) {
    TlsHello hello;
    OctetReader header(message);
    const auto type = static_cast<std::uint8_t>(header.number(1));
    const Octets rest = header.part(3);
    const bool whole = !header.cut();
    OctetReader body(rest);
    const std::uint64_t version = body.number(2);
    const Octets random = body.take(retry_random.size());
    hello.retry = type == server_hello && std::ranges::equal(random, retry_random);
    body.part(1);  // session
    if (type == client_hello) {
        body.part(2);  // cipher suites
        body.part(1);  // compression methods
    } else {
        body.take(3);
    }
    // Until supported_versions is known to be missing, the field it replaces proves nothing.
    if (body.cut()) return whole ? TlsHello{} : hello;
    if (whole && known_version(version)) hello.version = static_cast<std::uint32_t>(version);
    if (body.empty()) return hello;
    OctetReader list(body.part(2));
    const bool sound = read_extensions(type, list, hello) && !(whole && (body.cut() || list.cut()));
    return sound ? hello : TlsHello{};
}

}  // namespace slowtrace::wire
