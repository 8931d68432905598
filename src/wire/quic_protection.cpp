// Initial keys by HKDF, header protection by AES-ECB, payloads by AES-128-GCM (RFC 9001 §5).
#include "wire/quic_protection.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <memory>
#include <string>
#include <string_view>

namespace slowtrace::wire {
namespace {

constexpr std::size_t secret_size = 32, tag_size = 16, sample_size = 16, longest_number = 4;
using Secret = std::array<std::uint8_t, secret_size>;

struct Version {
    std::uint32_t version;
    std::array<std::uint8_t, 20> salt;
    std::string_view label_prefix;
};
constexpr std::array<Version, 2> versions{{
    {0x00000001,
     {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
      0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a},
     "quic "},
    {0x6b3343cf,
     {0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93,
      0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9},
     "quicv2 "},
}};

using Context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;
Context make_context() {
    return {EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free};
}

std::optional<Secret> hmac(Octets key, Octets data) {
    Secret digest{};
    unsigned size = 0;
    if (!HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), data.data(), data.size(), digest.data(), &size))
        return std::nullopt;
    return digest;
}

// HKDF-Expand-Label without context (RFC 8446 §7.1), for at most one digest.
template <std::size_t size>
bool expand(const Secret& secret, const std::string& label, std::array<std::uint8_t, size>& out) {
    static_assert(size <= secret_size);
    const std::string full = "tls13 " + label;
    std::vector<std::uint8_t> information{0, size, static_cast<std::uint8_t>(full.size())};
    information.insert(information.end(), full.begin(), full.end());
    information.insert(information.end(), {0, 1});  // no context; the first block
    const auto digest = hmac(secret, information);
    if (digest) std::copy_n(digest->begin(), size, out.begin());
    return digest.has_value();
}

// Five octets that hide the packet number's length and the packet number (RFC 9001 §5.4.3).
std::optional<std::array<std::uint8_t, sample_size>> header_mask(Octets key, Octets sample) {
    std::array<std::uint8_t, sample_size> mask{};
    const Context context = make_context();
    int size = 0;
    const bool done = context &&
                      EVP_EncryptInit_ex(context.get(), EVP_aes_128_ecb(), nullptr, key.data(), nullptr) == 1 &&
                      EVP_CIPHER_CTX_set_padding(context.get(), 0) == 1 &&
                      EVP_EncryptUpdate(context.get(), mask.data(), &size, sample.data(), sample_size) == 1;
    return done ? std::optional(mask) : std::nullopt;
}

std::optional<std::vector<std::uint8_t>> decrypt(Octets key, Octets nonce, Octets header, Octets sealed) {
    std::vector<std::uint8_t> tag(sealed.end() - tag_size, sealed.end());
    const Octets text = sealed.first(sealed.size() - tag_size);
    std::vector<std::uint8_t> plain(text.size());
    const Context context = make_context();
    int size = 0;
    const bool done =
        context && EVP_DecryptInit_ex(context.get(), EVP_aes_128_gcm(), nullptr, key.data(), nonce.data()) == 1 &&
        EVP_DecryptUpdate(context.get(), nullptr, &size, header.data(), static_cast<int>(header.size())) == 1 &&
        EVP_DecryptUpdate(context.get(), plain.data(), &size, text.data(), static_cast<int>(text.size())) == 1 &&
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, tag_size, tag.data()) == 1 &&
        EVP_DecryptFinal_ex(context.get(), plain.data() + size, &size) == 1;
    return done ? std::optional(std::move(plain)) : std::nullopt;
}

}  // namespace

std::optional<InitialProtection> InitialProtection::make(std::uint32_t version, Octets destination) {
    const auto known = std::ranges::find(versions, version, &Version::version);
    if (known == versions.end()) return std::nullopt;
    const auto initial = hmac(known->salt, destination);
    Secret client{};
    if (!initial || !expand(*initial, "client in", client)) return std::nullopt;
    InitialProtection protection;
    const std::string prefix(known->label_prefix);
    if (!expand(client, prefix + "key", protection.key_) || !expand(client, prefix + "iv", protection.iv_) ||
        !expand(client, prefix + "hp", protection.header_key_))
        return std::nullopt;
    return protection;
}

std::optional<std::vector<std::uint8_t>> InitialProtection::open(Octets packet, std::size_t number_at) const {
    if (packet.size() < number_at + longest_number + sample_size) return std::nullopt;
    const auto mask = header_mask(header_key_, packet.subspan(number_at + longest_number, sample_size));
    if (!mask) return std::nullopt;
    constexpr std::uint8_t hidden_bits = 0x0f, number_size_bits = 0x03;  // of a long header's first octet
    std::vector<std::uint8_t> header(packet.begin(),
                                     packet.begin() + static_cast<std::ptrdiff_t>(number_at + longest_number));
    header[0] = static_cast<std::uint8_t>(header[0] ^ ((*mask)[0] & hidden_bits));
    const std::size_t number_size = (header[0] & number_size_bits) + std::size_t{1};
    header.resize(number_at + number_size);
    std::array<std::uint8_t, 12> nonce = iv_;
    for (std::size_t i = 0; i < number_size; ++i) {
        header[number_at + i] = static_cast<std::uint8_t>(header[number_at + i] ^ (*mask)[1 + i]);
        nonce[nonce.size() - number_size + i] ^= header[number_at + i];
    }
    const Octets sealed = packet.subspan(header.size());
    if (sealed.size() <= tag_size) return std::nullopt;
    return decrypt(key_, nonce, header, sealed);
}

}  // namespace slowtrace::wire
