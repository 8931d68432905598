// Reverse lookups with c-ares: one channel, a bounded number of questions in flight, one deadline for all.
#include "cli/reverse_lookup.hpp"

#include <ares.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <exception>
#include <memory>
#include <set>
#include <string_view>

namespace slowtrace::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t max_in_flight = 64;
constexpr int tries = 3;
constexpr int first_try_ms = 1'000;

// A PTR answer is anyone's to write: only what a host name may be made of is let through.
bool valid_host_name(std::string_view name) {
    constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    return !name.empty() && name.size() <= 253 && name.front() != '.' &&
           name.find_first_not_of(allowed) == std::string_view::npos;
}

class AresLibrary {
   public:
    AresLibrary() : ready_(ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS) {}
    AresLibrary(const AresLibrary&) = delete;
    AresLibrary& operator=(const AresLibrary&) = delete;
    ~AresLibrary() {
        if (ready_) ares_library_cleanup();
    }
    bool ready() const { return ready_; }

   private:
    bool ready_;
};

class Lookups {
   public:
    Lookups(const std::vector<std::string>& addresses, const std::string& servers)
        : waiting_(addresses.begin(), addresses.end()) {
        std::erase_if(waiting_, [](const std::string& ip) { return ip.size() != 4 && ip.size() != 16; });
        ares_options options{};
        char lookups[] = "b";  // DNS only: the hosts file is the program's own evidence, and recorded
        options.lookups = lookups;
        options.tries = tries;
        options.timeout = first_try_ms;
        options.sock_state_cb = on_socket;
        options.sock_state_cb_data = this;
        const int given = ARES_OPT_LOOKUPS | ARES_OPT_TRIES | ARES_OPT_TIMEOUTMS | ARES_OPT_SOCK_STATE_CB;
        open_ = library_.ready() && ares_init_options(&channel_, &options, given) == ARES_SUCCESS;
        if (open_ && !servers.empty() && ares_set_servers_ports_csv(channel_, servers.c_str()) != ARES_SUCCESS)
            waiting_.clear();
    }
    Lookups(const Lookups&) = delete;
    Lookups& operator=(const Lookups&) = delete;
    ~Lookups() {
        if (open_) ares_destroy(channel_);  // calls back for every question still open
    }

    void run(Clock::time_point deadline) {
        if (!open_) return;
        while (ask() && wait(deadline)) {
        }
        ares_cancel(channel_);
    }
    std::map<std::string, std::string> take_names() { return std::move(names_); }

   private:
    struct Question {
        Lookups* lookups;
        std::string ip;
    };

    // Keeps the questions in flight at their bound; false when nothing is left to wait for.
    bool ask() {
        while (!waiting_.empty() && in_flight_ < max_in_flight) {
            auto question = std::make_unique<Question>(Question{this, *waiting_.begin()});
            waiting_.erase(waiting_.begin());
            const std::string& ip = question->ip;
            const int family = ip.size() == 4 ? AF_INET : AF_INET6;
            ++in_flight_;
            const int length = static_cast<int>(ip.size());
            const char* octets = ip.data();
            ares_gethostbyaddr(channel_, octets, length, family, on_answer, question.release());
        }
        return in_flight_ != 0;
    }

    // Waits for a socket or c-ares' next retry; false when the deadline has come.
    bool wait(Clock::time_point deadline) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
        if (left <= 0) return false;
        timeval most{};
        most.tv_sec = static_cast<time_t>(left / 1000);
        most.tv_usec = static_cast<suseconds_t>(left % 1000 * 1000);
        timeval storage{};
        const timeval* soon = ares_timeout(channel_, &most, &storage);
        std::vector<pollfd> sockets;
        for (const auto& [socket, events] : sockets_) sockets.push_back({socket, events, 0});
        // One more millisecond: rounding down would spin until the retry is due.
        const int timeout = static_cast<int>(soon->tv_sec * 1000 + soon->tv_usec / 1000 + 1);
        const int ready = ::poll(sockets.data(), sockets.size(), timeout);
        if (ready <= 0) ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
        for (const pollfd& socket : sockets) {
            if (socket.revents == 0) continue;
            const bool readable = (socket.revents & ~POLLOUT) != 0, writable = (socket.revents & POLLOUT) != 0;
            ares_process_fd(channel_, readable ? socket.fd : ARES_SOCKET_BAD, writable ? socket.fd : ARES_SOCKET_BAD);
        }
        return true;
    }

    static void on_socket(void* self, ares_socket_t socket, int readable, int writable) {
        auto& sockets = static_cast<Lookups*>(self)->sockets_;
        const int events = (readable != 0 ? POLLIN : 0) | (writable != 0 ? POLLOUT : 0);
        if (events == 0)
            sockets.erase(socket);
        else
            sockets[socket] = static_cast<short>(events);
    }

    static void on_answer(void* argument, int status, int, hostent* host) {
        const std::unique_ptr<Question> question(static_cast<Question*>(argument));
        Lookups& lookups = *question->lookups;
        --lookups.in_flight_;
        if (status != ARES_SUCCESS || host == nullptr || host->h_name == nullptr) return;
        std::string_view name = host->h_name;
        if (name.ends_with('.')) name.remove_suffix(1);
        if (valid_host_name(name)) lookups.names_[question->ip] = name;
    }

    AresLibrary library_;
    ares_channel channel_ = nullptr;
    bool open_ = false;
    std::set<std::string> waiting_;
    std::size_t in_flight_ = 0;
    std::map<ares_socket_t, short> sockets_;
    std::map<std::string, std::string> names_;
};

}  // namespace

std::map<std::string, std::string> reverse_lookup(const std::vector<std::string>& addresses,
                                                  std::chrono::milliseconds limit,
                                                  const std::string& servers) noexcept {
    try {
        const Clock::time_point deadline = Clock::now() + limit;
        Lookups lookups(addresses, servers);
        lookups.run(deadline);
        return lookups.take_names();
    } catch (const std::exception&) {
        return {};
    }
}

}  // namespace slowtrace::cli
