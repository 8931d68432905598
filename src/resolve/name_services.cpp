// Local services that answer for DNS: systemd-resolved and nscd, by the socket they listen on or what they were asked.
#include "resolve/name_services.hpp"

namespace slowtrace::resolve {

namespace {

constexpr const char *resolved = "systemd-resolved", *nscd = "nscd";

// nscd/nscd-client.h of glibc; nss-resolve(8) and io.systemd.Resolve.
struct Place {
    const char* path;
    const char* service;
};
constexpr Place places[] = {
    {"/run/systemd/resolve/io.systemd.Resolve", resolved},
    {"/var/run/systemd/resolve/io.systemd.Resolve", resolved},
    {"/var/run/nscd/socket", nscd},
    {"/run/nscd/socket", nscd},
};

}  // namespace

std::string name_service_at(const Endpoint& endpoint) {
    if (endpoint.transport != Transport::unix_socket) return {};
    for (const Place& place : places)
        if (endpoint.address == place.path) return place.service;
    return {};
}

std::string name_service_of(model::DnsMessage::Carrier carrier) {
    switch (carrier) {
        case model::DnsMessage::RESOLVED_VARLINK:
        case model::DnsMessage::RESOLVED_DBUS:
            return resolved;
        case model::DnsMessage::NSCD:
            return nscd;
        default:
            return {};
    }
}

}  // namespace slowtrace::resolve
