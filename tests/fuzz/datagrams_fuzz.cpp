// Any datagrams as a QUIC client's, and what stands inside an Initial: sound facts, frames inside their packet.
#include "sound_facts.hpp"
#include "wire/quic_packet.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace slowtrace;
    test::checked_facts(test::transfers_of({data, size}), *wire::interpret_datagrams());
    // Nobody finds by chance what decrypts to frames.
    for (const wire::CryptoFrame& frame : wire::read_crypto_frames({data, size}))
        if (frame.data.data() < data || frame.data.data() + frame.data.size() > data + size) std::abort();
    if (const auto packet = wire::read_long_packet({data, size}))
        if (packet->size > size || packet->number_at > packet->size) std::abort();
    return 0;
}
