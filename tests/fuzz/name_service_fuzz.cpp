// Any conversation with a DNS server or a name service: sound facts, the same however it is cut.
#include "sound_facts.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace slowtrace;
    const auto transfers = test::transfers_of({data, size});
    test::checked_facts(transfers, *wire::interpret_dns(false));
    test::checked_facts(transfers, *wire::interpret_dns(true));
    test::check_cuts(transfers, *wire::interpret_dns(true), *wire::interpret_dns(true));
    for (const char* path :
         {"/run/nscd/socket", "/run/systemd/resolve/io.systemd.Resolve", "/run/dbus/system_bus_socket"}) {
        test::checked_facts(transfers, *wire::interpret_name_service(path));
        test::check_cuts(transfers, *wire::interpret_name_service(path), *wire::interpret_name_service(path));
    }
    return 0;
}
