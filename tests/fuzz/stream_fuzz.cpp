// Any conversation on a stream: sound facts, and TLS the same however it is cut.
#include "sound_facts.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace slowtrace;
    const auto transfers = test::transfers_of({data, size});
    test::checked_facts(transfers, *wire::interpret_stream());
    // A proxy's client is looked at transfer by transfer: there, cuts may matter.
    const auto sent = std::ranges::find(transfers, wire::Flow::sent, &test::Transfer::flow);
    if (sent != transfers.end() && !sent->octets.empty() && sent->octets[0] == 22)
        test::check_cuts(transfers, *wire::interpret_stream(), *wire::interpret_stream());
    return 0;
}
