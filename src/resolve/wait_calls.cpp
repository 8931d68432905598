// poll, select and epoll: what a call waited for, what it was told, and what that says about pending connects.
#include <poll.h>
#include <sys/epoll.h>

#include <algorithm>

#include "resolve/call_context.hpp"
#include "resolve/connection_life.hpp"

namespace slowtrace::resolve {

namespace {

using model::Call;
using model::Shape;

// An interest list may be long and waits many: what was ready is told whole, of the rest so many, fewer when
// the ready ones explain the wait already.
constexpr std::size_t told_in_vain = 1024, told_beside_ready = 64;
constexpr std::size_t entries_looked_at = 65536;  // disarmed ones cost time, too
constexpr int deepest_nesting = 5;                // EP_MAX_NESTS in the kernel is 4

struct Bounds {
    std::size_t members;
    std::size_t entries = entries_looked_at;
    bool reached(std::size_t told) { return told >= members || entries == 0 || entries-- == 0; }
};

bool found_ready(const CallContext& context) {
    return context.succeeded && context.call.result() > 0;
}

// A timeout of zero asks and does not wait.
bool only_asked(const CallContext& context) {
    for (int position = 0; position < 6; ++position) {
        Shape shape = context.row.arguments[static_cast<std::size_t>(position)].shape;
        if (shape == Shape::timeout_ms) return context.number(position) == 0;
    }
    const model::Captured* timeout = context.captured(model::Captured::kDurationNs);
    return timeout != nullptr && timeout->duration_ns() == 0;
}

// `certain`: ready bits tell errors, too (select's do not).
void draw_conclusions(CallContext& context, bool certain) {
    bool timed_out = context.succeeded && context.call.result() == 0 && !only_asked(context);
    for (const ResolvedDescriptor& member : context.watched) {
        TrackedFile* file = tracked(member.file.get());
        if (file == nullptr || file->socket == nullptr || !file->socket->attempt) continue;
        if (member.ready != 0) context.run.attempts.ready(*file, member.ready, certain, context.time_ns());
        if (timed_out) context.run.attempts.waited_out(*file, context.time_ns());
    }
}

// A wait for octets from a connection, or one of very few, is part of what goes on there.
void tell_lives(CallContext& context) {
    constexpr std::size_t very_few = 4;  // curl adds a wake-up of its own
    if (!context.lasted() || only_asked(context) || context.watched.size() > very_few) return;
    for (const ResolvedDescriptor& member : context.watched) {
        TrackedFile* file = tracked(member.file.get());
        const bool reads = (member.wanted & (POLLIN | POLLRDNORM)) != 0 && (member.wanted & POLLOUT) == 0;
        if (reads && file != nullptr && file->socket != nullptr && file->socket->life)
            file->socket->life->waited({context.call.entry_ns(), context.time_ns(), 0, true});
    }
}

ResolvedDescriptor member_of(CallContext& context, int descriptor, std::uint32_t wanted, std::uint32_t ready) {
    ResolvedDescriptor member = describe(-1, descriptor, context.meaning(descriptor));
    member.wanted = wanted;
    member.ready = ready;
    return member;
}

Bounds bounds_after(const CallContext& context) {
    return {context.watched.size() + (found_ready(context) ? told_beside_ready : told_in_vain)};
}

void expand(CallContext& context, const TrackedFile& epoll, int depth, Bounds& bounds);

void on_poll(CallContext& context) {
    const model::Captured* set = context.captured(0);
    if (set == nullptr) return;
    bool ready = found_ready(context);
    for (const auto& member : set->poll().members())
        if (member.fd() >= 0)  // poll(2): a negative one is ignored
            context.watched.push_back(member_of(context, member.fd(), member.wanted(), ready ? member.ready() : 0));
    draw_conclusions(context, true);
    tell_lives(context);
    Bounds bounds = bounds_after(context);
    for (std::size_t i = 0, polled = context.watched.size(); i < polled; ++i) {
        const TrackedFile* file = tracked(context.watched[i].file.get());
        if (file != nullptr && file->interest != nullptr) expand(context, *file, 1, bounds);
    }
}

// The three sets become one list by number.
void on_select(CallContext& context) {
    static constexpr std::uint32_t meaning[] = {POLLIN, POLLOUT, POLLPRI};
    struct Asked {
        int descriptor;
        std::uint32_t wanted, ready;
    };
    std::vector<Asked> asked;
    for (int set = 0; set < 3; ++set) {
        const model::Captured* captured = context.captured(set + 1);
        if (captured == nullptr) continue;
        for (int descriptor : captured->descriptors().wanted()) asked.push_back({descriptor, meaning[set], 0});
        if (!found_ready(context)) continue;
        for (int descriptor : captured->descriptors().ready()) asked.push_back({descriptor, 0, meaning[set]});
    }
    std::stable_sort(asked.begin(), asked.end(),
                     [](const Asked& a, const Asked& b) { return a.descriptor < b.descriptor; });
    for (auto one = asked.begin(); one != asked.end();) {
        Asked merged{one->descriptor, 0, 0};
        for (; one != asked.end() && one->descriptor == merged.descriptor; ++one) {
            merged.wanted |= one->wanted;
            merged.ready |= one->ready;
        }
        context.watched.push_back(member_of(context, merged.descriptor, merged.wanted, merged.ready));
    }
    draw_conclusions(context, false);
    tell_lives(context);
}

void tell(CallContext& context, const Interest& interest, std::uint32_t ready, int depth, Bounds& bounds) {
    FilePointer file = interest.file.lock();
    if (file == nullptr) return;
    ResolvedDescriptor member = describe(-1, interest.number, file);
    member.wanted = interest.events;
    member.ready = ready;
    context.watched.push_back(std::move(member));
    if (file->interest != nullptr) expand(context, *file, depth + 1, bounds);
}

// What an epoll waits for, the epolls inside it included.
void expand(CallContext& context, const TrackedFile& epoll, int depth, Bounds& bounds) {
    if (depth > deepest_nesting) return;
    for (const auto& [key, interest] : epoll.interest->all()) {
        if (bounds.reached(context.watched.size())) return;
        if (interest.armed) tell(context, interest, 0, depth, bounds);
    }
}

// Tells the members reported ready and returns their keys, sorted.
std::vector<EpollInterest::Key> tell_ready(CallContext& context, EpollInterest& interests, Bounds& bounds) {
    std::vector<EpollInterest::Key> reported;
    const model::Captured* events = context.captured(1);
    if (!found_ready(context) || events == nullptr) return reported;
    for (const auto& event : events->epoll().members()) {
        Interest* interest = interests.find(event.data(), event.events());
        if (interest == nullptr) continue;
        reported.emplace_back(interest->file_id, interest->number);
        bounds.members = context.watched.size() + told_beside_ready;
        tell(context, *interest, event.events(), 1, bounds);
        if ((interest->events & EPOLLONESHOT) != 0) interest->armed = false;
    }
    std::sort(reported.begin(), reported.end());
    return reported;
}

void on_epoll_wait(CallContext& context) {
    TrackedFile* epoll = context.file(0);
    if (epoll == nullptr || epoll->interest == nullptr) return;
    Bounds bounds = bounds_after(context);
    auto reported = tell_ready(context, *epoll->interest, bounds);
    bounds.members = bounds_after(context).members;
    for (const auto& [key, interest] : epoll->interest->all()) {
        if (bounds.reached(context.watched.size())) break;
        if (interest.armed && !std::binary_search(reported.begin(), reported.end(), key))
            tell(context, interest, 0, 1, bounds);
    }
    draw_conclusions(context, true);
}

void on_epoll_ctl(CallContext& context) {
    if (!context.succeeded) return;
    TrackedFile& epoll = context.known_file(0);
    TrackedFile& file = context.known_file(2);
    if (epoll.interest == nullptr) epoll.interest = std::make_unique<EpollInterest>();
    if (context.number(1) == EPOLL_CTL_DEL) {
        epoll.interest->remove(file.id, context.number(2));
        if (!epoll.interest->watches(file.id)) file.watchers.erase(epoll.id);
        return;
    }
    const model::Captured* captured = context.captured(3);
    // Closed meanwhile by another thread: nothing is watched any more.
    if (captured == nullptr || captured->epoll().members().empty() || file.references == 0) return;
    const auto& event = captured->epoll().members(0);
    epoll.interest->set({file.weak_from_this(), file.id, context.number(2), event.events(), event.data(), true});
    file.watchers[epoll.id] = epoll.weak_from_this();
}

constexpr HandlerRow rows[] = {
    {Call::poll, on_poll},
    {Call::ppoll, on_poll},
    {Call::ppoll_time64, on_poll},
    {Call::select, on_select},
    {Call::_newselect, on_select},
    {Call::pselect6, on_select},
    {Call::pselect6_time64, on_select},
    {Call::epoll_wait, on_epoll_wait},
    {Call::epoll_pwait, on_epoll_wait},
    {Call::epoll_pwait2, on_epoll_wait},
    {Call::epoll_ctl, on_epoll_ctl},
};

}  // namespace

std::span<const HandlerRow> wait_handlers() {
    return rows;
}

}  // namespace slowtrace::resolve
