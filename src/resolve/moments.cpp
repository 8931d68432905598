// Borrows the handlers of ended calls where they draw no conclusions from a call that has not returned.
#include "resolve/moments.hpp"

#include <poll.h>

#include <algorithm>

namespace slowtrace::resolve {

namespace {

using model::Call;

// A call that has not returned, and took no time: nothing follows from it.
model::Syscall without_consequence(const model::Syscall& call) {
    model::Syscall copy = call;
    copy.set_ending(model::Syscall::IN_PROGRESS);
    copy.set_exit_ns(copy.entry_ns());
    copy.clear_pieces();
    return copy;
}

Handler handler_of_wait(Call call) {
    const auto rows = wait_handlers();
    const auto row = std::ranges::find(rows, call, &HandlerRow::call);
    return row == rows.end() || call == Call::epoll_ctl ? nullptr : row->handler;
}

bool waits_on_epoll(Call call) {
    return call == Call::epoll_wait || call == Call::epoll_pwait || call == Call::epoll_pwait2;
}

// The socket as it is while connect(2) blocks: its peer is learned only when that returns.
FilePointer connecting_stand_in(RunState& run, const TrackedFile& file, const model::SocketAddress& address,
                                const ProcessState& process, std::int64_t time_ns) {
    auto stand_in = std::make_shared<TrackedFile>();
    static_cast<OpenFile&>(*stand_in) = file;
    stand_in->connection = std::make_shared<Connection>(*file.connection);
    stand_in->socket = std::make_unique<SocketState>();
    stand_in->socket->announced = true;  // the sink must not hear of it
    run.connections.set_peer(*stand_in, address, process, time_ns);
    stand_in->connection->state = ConnectionState::connecting;
    return stand_in;
}

}  // namespace

void describe_moment(RunState& run, const model::Moment& moment, const model::SyscallRow& row, ThreadState& thread,
                     std::vector<ResolvedDescriptor>& descriptors, std::vector<ResolvedDescriptor>& watched) {
    const model::Syscall call = without_consequence(moment.call());
    CallContext context{.run = run,
                        .call = call,
                        .row = row,
                        .thread = thread,
                        .succeeded = false,
                        .error = 0,
                        .descriptors = descriptors,
                        .watched = watched};
    if (Handler handler = handler_of_wait(row.call)) handler(context);
    if (waits_on_epoll(row.call) && watched.empty())
        for (const model::TcpReport& socket : moment.sockets()) {
            watched.push_back(describe(-1, socket.fd(), context.meaning(socket.fd())));
            watched.back().wanted = POLLIN;
        }
    const model::Captured* address = context.captured(model::Captured::kAddress);
    const TrackedFile* file = context.file(0);
    if (row.call == Call::connect && address != nullptr && file != nullptr && file->connection != nullptr)
        descriptors.front() =
            describe(0, descriptors.front().number,
                     connecting_stand_in(run, *file, address->address(), *thread.process, moment.time_ns()));
}

}  // namespace slowtrace::resolve
