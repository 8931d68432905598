// One row for each way a call moves octets; buffers, vectors and message headers followed as the call's ABI lays them.
#include "record/payload_calls.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace slowtrace::record {

namespace {

using model::Call;
using wire::Flow;

// Rows of one call stand together. preadv2 and pwritev2 work on sockets where their offset is -1 (readv(2)).
constexpr PayloadCall rows[] = {
    {Call::read, Flow::received, PayloadLayout::buffer},
    {Call::readv, Flow::received, PayloadLayout::vectors},
    {Call::preadv2, Flow::received, PayloadLayout::vectors},
    {Call::recvfrom, Flow::received, PayloadLayout::buffer, 0, 3, 4},
    {Call::recvmsg, Flow::received, PayloadLayout::message, 0, 2, 1},
    {Call::recvmmsg, Flow::received, PayloadLayout::messages, 0, 3, 1},
    {Call::recvmmsg_time64, Flow::received, PayloadLayout::messages, 0, 3, 1},
    {Call::write, Flow::sent, PayloadLayout::buffer},
    {Call::writev, Flow::sent, PayloadLayout::vectors},
    {Call::pwritev2, Flow::sent, PayloadLayout::vectors},
    {Call::sendto, Flow::sent, PayloadLayout::buffer, 0, 3, 4},
    {Call::sendmsg, Flow::sent, PayloadLayout::message, 0, 2, 1},
    {Call::sendmmsg, Flow::sent, PayloadLayout::messages, 0, 3, 1},
    {Call::sendfile, Flow::sent, PayloadLayout::elsewhere},
    {Call::sendfile64, Flow::sent, PayloadLayout::elsewhere},
    {Call::splice, Flow::received, PayloadLayout::elsewhere, 0},
    {Call::splice, Flow::sent, PayloadLayout::elsewhere, 2},
};

struct Range {
    std::uint8_t first = 0, count = 0;
};
using RangeTable = std::array<Range, static_cast<std::size_t>(Call::count)>;
constexpr RangeTable make_range_table() {
    RangeTable table{};
    for (std::uint8_t at = 0; at < std::size(rows); ++at) {
        Range& range = table[static_cast<std::size_t>(rows[at].call)];
        if (range.count++ == 0) range.first = at;
    }
    return table;
}
constexpr RangeTable range_table = make_range_table();

}  // namespace

std::span<const PayloadCall> payload_calls(Call call) {
    const Range range = range_table[static_cast<std::size_t>(call)];
    return std::span(rows).subspan(range.first, range.count);
}

Payload::Payload(const PayloadCall& how, RemoteMemory& memory, const OpenCall& open, std::vector<std::uint8_t>& scratch)
    : how_(how),
      memory_(memory),
      open_(open),
      scratch_(scratch),
      word_bytes_(static_cast<std::size_t>(open.architecture->pointer_bytes)) {}

const model::SocketMessages* Payload::messages() const {
    for (const model::Captured& captured : open_.call.captured())
        if (static_cast<int>(captured.argument()) == how_.address_argument && captured.has_messages())
            return &captured.messages();
    return nullptr;
}

std::size_t Payload::transfers() const {
    if (how_.layout != PayloadLayout::messages) return 1;
    const model::SocketMessages* captured = messages();
    const auto moved = static_cast<std::size_t>(open_.call.result());
    return captured ? std::min(moved, static_cast<std::size_t>(captured->messages_size())) : 0;
}

std::uint64_t Payload::size(std::size_t transfer) const {
    if (how_.layout != PayloadLayout::messages) return static_cast<std::uint64_t>(open_.call.result());
    return messages()->messages(static_cast<int>(transfer)).bytes();
}

const model::SocketAddress* Payload::peer(std::size_t transfer) const {
    if (how_.layout == PayloadLayout::message || how_.layout == PayloadLayout::messages) {
        const model::SocketMessages* captured = messages();
        if (!captured || static_cast<int>(transfer) >= captured->messages_size()) return nullptr;
        const auto& message = captured->messages(static_cast<int>(transfer));
        return message.has_address() ? &message.address() : nullptr;
    }
    for (const model::Captured& captured : open_.call.captured())
        if (static_cast<int>(captured.argument()) == how_.address_argument && captured.has_address())
            return &captured.address();
    return nullptr;
}

std::span<const std::uint8_t> Payload::read(std::size_t transfer, std::size_t limit) {
    constexpr std::size_t octets_limit = 65536;
    const std::uint64_t size = std::min<std::uint64_t>({this->size(transfer), limit, octets_limit});
    const RemoteAddress at{open_.call.arguments(1)};
    const std::uint64_t header_bytes = word_bytes_ == 8 ? 64 : 32;  // struct mmsghdr
    stretches_.clear();
    switch (how_.layout) {
        case PayloadLayout::elsewhere:
            break;
        case PayloadLayout::buffer:
            // With MSG_TRUNC a datagram's result may exceed the buffer (recv(2)).
            stretches_.push_back({at, std::min<std::uint64_t>(size, open_.call.arguments(2))});
            break;
        case PayloadLayout::vectors:
            vectors_at(at, open_.call.arguments(2), size);
            break;
        case PayloadLayout::message:
        case PayloadLayout::messages:
            message_at(at + transfer * header_bytes, size);
            break;
    }
    std::size_t total = 0;
    for (const RemoteStretch& stretch : stretches_) total += stretch.size;
    scratch_.resize(total);
    if (total > 0) total = memory_.gather(stretches_, std::as_writable_bytes(std::span(scratch_)));
    return std::span<const std::uint8_t>(scratch_).first(total);
}

// As many entries as hold the first `size` octets; of long arrays the beginning only.
void Payload::vectors_at(RemoteAddress array, std::uint64_t count, std::uint64_t size) {
    constexpr std::size_t entries_limit = 64;
    std::array<std::byte, entries_limit * 16> raw;
    const std::size_t entry_bytes = 2 * word_bytes_;
    const std::size_t wanted = std::min<std::uint64_t>(count, entries_limit) * entry_bytes;
    const std::size_t got = memory_.read(array, std::span(raw).first(wanted));
    for (std::size_t at = 0; at + entry_bytes <= got && size > 0; at += entry_bytes) {
        const std::uint64_t length = std::min(size, word(raw.data() + at + word_bytes_));
        if (length > 0) stretches_.push_back({{word(raw.data() + at)}, length});
        size -= length;
    }
}

// struct msghdr: name, name length, vectors, their count, …: one word each, the name's length padded to one.
void Payload::message_at(RemoteAddress header, std::uint64_t size) {
    std::array<std::byte, 4 * 8> raw;
    const std::size_t wanted = 4 * word_bytes_;
    if (memory_.read(header, std::span(raw).first(wanted)) != wanted) return;
    vectors_at({word(raw.data() + 2 * word_bytes_)}, word(raw.data() + 3 * word_bytes_), size);
}

std::uint64_t Payload::word(const std::byte* at) const {
    std::uint64_t value = 0;
    std::memcpy(&value, at, word_bytes_);  // both architectures are little-endian
    return value;
}

}  // namespace slowtrace::record
