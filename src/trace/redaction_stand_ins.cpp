// Stand-ins by keyed hash (HMAC-SHA256 of libcrypto).
#include "trace/redaction_stand_ins.hpp"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>

#include "slowtrace/error.hpp"
#include "trace/redaction_words.hpp"

namespace slowtrace::trace {

namespace {

constexpr std::size_t known_at_most = 1 << 16;
constexpr std::size_t longest_known = 512;  // octets; longer ones are hashed each time
constexpr std::size_t letter_count = 8;
constexpr std::string_view alphabet = "abcdefghijklmnopqrstuvwxyz234567";  // RFC 4648 §6, in lower case
constexpr std::string_view deleted = " (deleted)";
constexpr std::string_view memory_file = "memfd:";
constexpr std::string_view mapped("\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);

// What a keyed hash is of: equal texts of different kinds have nothing in common.
constexpr char of_host = 'h', of_name = 'n', of_argument = 'a', of_token = 'w', of_address = 'i';

// RFC 6761 §6.3, and the names Debian gives ::1.
constexpr std::string_view local_names[] = {"localhost", "localhost.localdomain", "localhost6", "ip6-localhost",
                                            "ip6-loopback"};

char lower(char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

unsigned char octet(std::string_view octets, std::size_t at) {
    return static_cast<unsigned char>(octets[at]);
}

bool all_zero(std::string_view octets) {
    return std::all_of(octets.begin(), octets.end(), [](char c) { return c == 0; });
}

bool is_number(std::string_view text) {
    return !text.empty() && text.size() <= 10 &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Numbers right inside these are processes, threads, descriptors and terminals.
bool holds_numbers(std::string_view directory) {
    constexpr std::string_view names[] = {"proc", "task", "fd", "fdinfo", "pts"};
    return std::find(std::begin(names), std::end(names), directory) != std::end(names);
}

// RFC 1122 §3.2.1.3; RFC 5771 §4 (local network control); the address of metadata services in clouds.
bool is_public4(std::string_view octets) {
    constexpr std::string_view metadata("\xa9\xfe\xa9\xfe", 4), broadcast("\xff\xff\xff\xff", 4);
    return octet(octets, 0) == 127 || all_zero(octets) || octets == broadcast || octets == metadata ||
           octets.starts_with(std::string_view("\xe0\0\0", 3));
}

// ::, ::1, and groups whose number is small (RFC 4291 §2.7.1): ff02::1, ff02::fb, ff02::1:2.
bool is_public6(std::string_view octets) {
    if (all_zero(octets.substr(0, 15)) && octet(octets, 15) <= 1) return true;
    return octet(octets, 0) == 0xff && all_zero(octets.substr(2, 11)) && octet(octets, 13) <= 1;
}

}  // namespace

StandIns::Digest StandIns::digest(char kind, std::string_view text) const {
    std::string message(1, kind);
    message += text;
    Digest digest;
    unsigned int length = 0;
    if (HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
             reinterpret_cast<const unsigned char*>(message.data()), message.size(), digest.data(),
             &length) == nullptr ||
        length != digest.size())
        throw Error("libcrypto cannot compute HMAC-SHA256: record without --redact");
    return digest;
}

std::string StandIns::letters(char kind, std::string_view text) {
    if (text.empty()) return {};
    std::string key(1, kind);
    key += text;
    if (auto known = known_.find(key); known != known_.end()) return known->second;
    const Digest hash = digest(kind, text);
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < 5; ++i) bits = bits << 8 | hash[i];
    std::string letters{kind, '-'};
    for (std::size_t i = letter_count; i > 0; --i) letters += alphabet[bits >> (5 * (i - 1)) & 31];
    if (known_.size() >= known_at_most) known_.clear();
    if (text.size() <= longest_known) known_.emplace(std::move(key), letters);
    return letters;
}

std::string StandIns::argument(std::string_view argument) {
    return letters(of_argument, argument);
}

std::string StandIns::token(std::string_view token) {
    return is_public_token(token) ? std::string(token) : letters(of_token, token);
}

std::string StandIns::host(std::string_view name) {
    std::string plain(name.ends_with('.') ? name.substr(0, name.size() - 1) : name);
    std::transform(plain.begin(), plain.end(), plain.begin(), lower);
    if (plain.empty()) return std::string(name);
    if (std::find(std::begin(local_names), std::end(local_names), plain) != std::end(local_names)) return plain;
    if (std::string literal = address_literal(plain); !literal.empty()) return literal;
    return letters(of_host, plain) + ".example";
}

std::string StandIns::address_literal(const std::string& name) {
    const bool brackets = name.size() > 2 && name.front() == '[' && name.back() == ']';
    const std::string text = brackets ? name.substr(1, name.size() - 2) : name;
    for (const auto& [family, size] : {std::pair{AF_INET, 4}, std::pair{AF_INET6, 16}}) {
        std::string octets(static_cast<std::size_t>(size), '\0');
        if (inet_pton(family, text.c_str(), octets.data()) != 1) continue;
        char shown[INET6_ADDRSTRLEN];
        inet_ntop(family, address(octets).data(), shown, sizeof shown);
        return brackets ? "[" + std::string(shown) + "]" : shown;
    }
    return {};
}

std::string StandIns::address(std::string_view octets) {
    if (octets.size() == 4) return address4(octets);
    if (octets.size() != 16) return {};
    if (octets.starts_with(mapped)) return std::string(mapped) + address4(octets.substr(mapped.size()));
    return address6(octets);
}

std::string StandIns::address4(std::string_view octets) const {
    std::string result(octets);
    if (is_public4(octets)) return result;
    const Digest hash = digest(of_address, octets);
    for (std::size_t i = 0; i < result.size(); ++i) result[i] = static_cast<char>(hash[i]);
    if (octets.starts_with("\xa9\xfe")) {  // link-local, RFC 3927
        result.replace(0, 2, octets.substr(0, 2));
    } else if (octet(octets, 0) >= 224 && octet(octets, 0) < 240) {
        result[0] = static_cast<char>(239);  // multicast of local scope, RFC 2365
    } else {
        result[0] = static_cast<char>(240 + hash[0] % 15);  // short of 255.255.255.255
    }
    return result;
}

std::string StandIns::address6(std::string_view octets) const {
    std::string result(octets);
    if (is_public6(octets)) return result;
    const Digest hash = digest(of_address, octets);
    const bool multicast = octet(octets, 0) == 0xff;
    const bool link_local = octet(octets, 0) == 0xfe && (octet(octets, 1) & 0xc0) == 0x80;
    const std::string prefix = multicast    ? std::string(octets.substr(0, 2))
                               : link_local ? std::string("\xfe\x80\0\0\0\0\0\0", 8)
                                            : std::string("\x20\x01\x0d\xb8", 4);
    for (std::size_t i = 0; i < result.size(); ++i)
        result[i] = i < prefix.size() ? prefix[i] : static_cast<char>(hash[i]);
    return result;
}

std::string StandIns::component(std::string_view text, std::string_view directory, bool of_the_kernel) {
    if (text == "." || text == ".." || is_public_word(text)) return std::string(text);
    if (of_the_kernel && is_number(text) && holds_numbers(directory)) return std::string(text);
    return letters(of_name, text);
}

std::string StandIns::path(std::string_view path) {
    if (is_kernel_object(path)) return std::string(path);
    const bool absolute = path.starts_with('/');
    const bool gone = absolute && path.ends_with(deleted);
    if (gone) path.remove_suffix(deleted.size());
    const bool of_the_kernel = path.starts_with("/proc/") || path.starts_with("/dev/pts/");
    std::string result, directory;
    if (path.starts_with('/') && path.substr(1).starts_with(memory_file)) {  // memfd_create(2)
        result = "/" + std::string(memory_file);
        path.remove_prefix(result.size());
    }
    for (std::size_t start = 0; start <= path.size();) {
        const std::size_t end = std::min(path.find('/', start), path.size());
        const std::string_view part = path.substr(start, end - start);
        result += component(part, directory, of_the_kernel);
        directory = part;
        if (end < path.size()) result += '/';
        start = end + 1;
    }
    return gone ? result.append(deleted) : result;
}

}  // namespace slowtrace::trace
