// Stand-ins: what replaces a name, an address, a path or an argument, the same for the same under one key.
//
// HMAC-SHA256 (RFC 2104) of the kind and the text, cut to 40 bits where it is shown as letters: two of 10,000 names
// share a stand-in once in 20,000 runs, two of 1,000 IPv4 addresses once in 500. Nobody without the key can tell from a
// stand-in what it stands for, nor try guesses; who has the key can.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <unordered_map>

namespace slowtrace::trace {

class StandIns {
   public:
    explicit StandIns(std::string key) : key_(std::move(key)) {}

    // "h-mfrggzdf.example", whatever the number of labels (RFC 2606: never anybody's). Case and a final dot do not
    // count. Addresses in text, in brackets or not, become the text of their own stand-in; "localhost" stays.
    std::string host(std::string_view name);

    // 4 or 16 octets. IPv4: in 240.0.0.0/4, which is nobody's (RFC 1112 §4); IPv6: in 2001:db8::/32 (RFC 3849); mapped
    // IPv4 (::ffff:0:0/96) stays mapped. Link-local and multicast addresses remain what they are. Unspecified,
    // loopback, broadcast, well-known multicast and 169.254.169.254 stay. Anything of another length becomes empty.
    std::string address(std::string_view octets);

    // Every component by itself ("/usr/lib/n-mfrggzdf"), so that directories stay recognisable and what a relative path
    // leads to stays the same file. Public words (redaction_words.hpp), ".", "..", numbers in /proc and /dev/pts,
    // objects of the kernel ("pipe:[7]") stay, and so does the kernel's " (deleted)".
    std::string path(std::string_view path);

    // "a-mfrggzdf" for the whole of it.
    std::string argument(std::string_view argument);

    // A registered HTTP method or ALPN name, or "w-mfrggzdf".
    std::string token(std::string_view token);

   private:
    using Digest = std::array<unsigned char, 32>;

    Digest digest(char kind, std::string_view text) const;
    // "<kind>-" and eight letters; empty for empty.
    std::string letters(char kind, std::string_view text);
    std::string component(std::string_view text, std::string_view directory, bool of_the_kernel);
    std::string address4(std::string_view octets) const;
    std::string address6(std::string_view octets) const;
    std::string address_literal(const std::string& name);

    std::string key_;
    std::unordered_map<std::string, std::string> known_;  // kind and text → letters(); bounded
};

}  // namespace slowtrace::trace
