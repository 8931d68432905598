// The layout of a trace file, and the bounds that let a reader trust no number in it.
//
//   file   = header block* end
//   header = "\x93slowtrace\r\n" version:u32          (the odd bytes reveal a transfer as text)
//   block  = packed:u32 raw:u32 check:u32 data        (data: `packed` octets of zstd, `raw` once unpacked)
//   end    = 0:u32 0:u32 check:u32                    (so that a cut at a block's edge is noticed too)
//
// Numbers are little-endian. `check` is the CRC-32 of the two lengths and the data. The unpacked data is a
// model::Block. A block is written with one write(2) once it is full, so a killed run loses only the last.
#pragma once

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace slowtrace::trace {

inline constexpr std::string_view magic{"\x93slowtrace\r\n", 12};
inline constexpr std::size_t header_size = magic.size() + 4;
inline constexpr std::size_t frame_size = 12;

// When a block is full: by calls, by octets, or by the time its events span.
inline constexpr int block_calls = 32'768;
inline constexpr std::size_t block_bytes = 1 << 20;
inline constexpr std::int64_t block_span_ns = 1'000'000'000;
// An event larger than this is not kept.
inline constexpr std::size_t max_event_bytes = 2 << 20;
// No block is larger: 14 columns of ten octets a call, the octets above, one largest event beyond them.
inline constexpr std::size_t max_raw_bytes = 8 << 20;
static_assert(std::size_t{14} * 10 * block_calls + block_bytes + max_event_bytes < max_raw_bytes);

inline void set_u32(char* out, std::uint32_t value) {
    for (int shift = 0; shift < 32; shift += 8) *out++ = static_cast<char>(value >> shift);
}

inline std::uint32_t get_u32(const char* in) {
    std::uint32_t value = 0;
    for (int i = 3; i >= 0; --i) value = value << 8 | static_cast<std::uint8_t>(in[i]);
    return value;
}

// Of a frame's two lengths (its first eight octets) and its data.
inline std::uint32_t frame_check(const char* lengths, std::string_view data) {
    uLong crc = crc32(0, reinterpret_cast<const Bytef*>(lengths), 8);
    return static_cast<std::uint32_t>(
        crc32(crc, reinterpret_cast<const Bytef*>(data.data()), static_cast<uInt>(data.size())));
}

}  // namespace slowtrace::trace
