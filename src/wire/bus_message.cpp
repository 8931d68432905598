// D-Bus messages: a fixed part, an array of fields, a body.
#include "wire/bus_message.hpp"

#include <array>

namespace slowtrace::wire {
namespace {

constexpr std::uint8_t little = 'l', big = 'B', protocol_version = 1, no_reply_expected = 0x1;
constexpr std::uint64_t max_size = 128 << 20, max_fields = 64 << 20;
constexpr std::size_t struct_alignment = 8;

enum FieldCode {
    field_interface = 2,
    field_member = 3,
    field_error_name = 4,
    field_reply_serial = 5,
    field_signature = 8
};

constexpr std::uint64_t padded(std::uint64_t size) {
    return (size + struct_alignment - 1) / struct_alignment * struct_alignment;
}

// One field: its code, the signature of its value, the value. False for a type no field of this version has.
bool read_field(BusReader& reader, BusMessage& message) {
    reader.align(struct_alignment);
    const std::uint64_t code = reader.number(1);
    const std::string_view type = reader.signature();
    if (type == "u") {
        const std::uint64_t value = reader.number(4);
        if (code == field_reply_serial) message.reply_serial = value;
    } else if (type == "g") {
        const std::string_view value = reader.signature();
        if (code == field_signature) message.signature = value;
    } else if (type == "s" || type == "o") {
        const std::string_view value = reader.text();
        if (code == field_interface) message.interface = value;
        if (code == field_member) message.member = value;
        if (code == field_error_name) message.error_name = value;
    } else {
        return false;
    }
    return !reader.cut();
}

}  // namespace

void BusReader::align(std::size_t size) {
    take((size - at_ % size) % size);
}

Octets BusReader::take(std::uint64_t size) {
    cut_ = cut_ || size > message_.size() - at_;
    if (cut_) return {};
    const Octets taken = message_.subspan(at_, static_cast<std::size_t>(size));
    at_ += taken.size();
    return taken;
}

std::uint64_t BusReader::number(std::size_t size) {
    align(size);
    const Octets octets = take(size);
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < octets.size(); ++i)
        value = value << 8 | octets[little_endian_ ? octets.size() - 1 - i : i];
    return value;
}

std::string_view BusReader::text() {
    const std::uint64_t size = number(4);
    const std::string_view value = text_of(take(size));
    take(1);  // its zero octet
    return value;
}

std::string_view BusReader::signature() {
    const std::uint64_t size = number(1);
    const std::string_view value = text_of(take(size));
    take(1);
    return value;
}

std::optional<std::uint64_t> bus_message_size(Octets header) {
    if (header.size() < bus_header_size || (header[0] != little && header[0] != big) || header[3] != protocol_version)
        return std::nullopt;
    BusReader reader(header, header[0] == little, 4);
    const std::uint64_t body = reader.number(4);
    reader.number(4);
    const std::uint64_t fields = reader.number(4);
    const std::uint64_t size = bus_header_size + padded(fields) + body;
    if (fields > max_fields || size > max_size) return std::nullopt;
    return size;
}

std::optional<BusMessage> read_bus_message(Octets message) {
    const auto size = bus_message_size(message);
    if (!size || *size != message.size()) return std::nullopt;
    BusMessage read;
    read.little_endian = message[0] == little;
    read.type = message[1];
    read.reply_expected = (message[2] & no_reply_expected) == 0;
    BusReader reader(message, read.little_endian, 8);
    read.serial = reader.number(4);
    const std::uint64_t fields_end = bus_header_size + reader.number(4);
    while (reader.at() < fields_end)
        if (!read_field(reader, read)) return std::nullopt;
    read.body_at = static_cast<std::size_t>(padded(fields_end));
    if (reader.at() != fields_end) return std::nullopt;
    return read;
}

}  // namespace slowtrace::wire
