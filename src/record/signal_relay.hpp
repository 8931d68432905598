// Signals sent to slowtrace while it records: passed on to the command, as if it had been started without us.
//
// What the terminal sends (Ctrl-C, Ctrl-\, Ctrl-Z) reaches the command by itself, as part of the foreground process
// group; passing it on would deliver it twice. What somebody sends to our pid alone is meant for the command.
#pragma once

#include <signal.h>
#include <sys/types.h>

namespace slowtrace::record {

class SignalRelay {
   public:
    SignalRelay();
    ~SignalRelay();
    SignalRelay(const SignalRelay&) = delete;
    SignalRelay& operator=(const SignalRelay&) = delete;

    void forward_to(pid_t command);  // 0: to nobody any more
    // The signal to end that arrived before there was a command to pass it to, once; 0 when none did.
    int take_end_request();
    // A signal to end arrived when there was no command left to pass it to.
    bool asked_to_end() const;
    // SIGUSR1 asked for the state of every thread; once. It is for us alone and never passed on.
    bool take_question();
    // The terminal stopped our process group (SIGTSTP and its kin) and we have not followed yet.
    bool asked_to_stop() const;
    // Stops slowtrace as the terminal asked, so that the shell sees its job stop; returns after SIGCONT.
    void stop_now();
};

}  // namespace slowtrace::record
