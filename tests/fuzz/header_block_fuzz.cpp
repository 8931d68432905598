// Any octets as an HTTP/2 header block or a Huffman code: bounded values.
#include <cstdlib>

#include "wire/hpack.hpp"
#include "wire/huffman.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace slowtrace;
    if (const auto block = wire::read_header_block({data, size}))
        if (block->method.size() > 512 || block->authority.size() > 512 || block->status.size() > 512) std::abort();
    const auto text = wire::decode_huffman({data, size}, 64);
    if (text && text->size() > 64) std::abort();
    return 0;
}
