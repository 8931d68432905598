// Which name service stands behind the path of a socket.
#include <algorithm>
#include <array>

#include "wire/nscd.hpp"
#include "wire/resolved_bus.hpp"
#include "wire/varlink.hpp"

namespace slowtrace::wire {
namespace {

struct NameService {
    std::string_view path;
    std::unique_ptr<Interpreter> (*make)();
};
constexpr std::array<NameService, 6> name_services{{
    {"/var/run/nscd/socket", interpret_nscd},
    {"/run/nscd/socket", interpret_nscd},
    {"/run/systemd/resolve/io.systemd.Resolve", interpret_resolved_varlink},
    {"/var/run/systemd/resolve/io.systemd.Resolve", interpret_resolved_varlink},
    {"/run/dbus/system_bus_socket", interpret_resolved_bus},
    {"/var/run/dbus/system_bus_socket", interpret_resolved_bus},
}};

}  // namespace

std::unique_ptr<Interpreter> interpret_name_service(std::string_view path) {
    const auto found = std::ranges::find(name_services, path, &NameService::path);
    return found == name_services.end() ? nullptr : found->make();
}

}  // namespace slowtrace::wire
