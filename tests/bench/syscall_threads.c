// Four threads that do nothing but enter the kernel: the worst case for one tracer.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static long calls;

static void* enter(void* unused) {
    for (long at = 0; at < calls; ++at) syscall(SYS_getppid);
    return unused;
}

int main(int argument_count, char** arguments) {
    calls = argument_count > 1 ? atol(arguments[1]) : 50000;
    pthread_t threads[4];
    for (int at = 0; at < 4; ++at) pthread_create(&threads[at], 0, enter, 0);
    for (int at = 0; at < 4; ++at) pthread_join(threads[at], 0);
    return 0;
}
