// HTTP exchanges over loopback, for measuring what reading them costs.
//   exchanges serve              prints its port and answers on any 127.x.y.z until it is killed
//   exchanges PORT COUNT         COUNT requests on one connection
//   exchanges PORT COUNT each    COUNT connections of one request each, spread over eight addresses so that closed
//                                ones, which the kernel remembers for a minute, do not use up the ports
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char request[] =
    "GET /simple/wheel/ HTTP/1.1\r\nHost: pypi.example.com\r\nAccept-Encoding: identity\r\nUser-Agent: "
    "exchanges\r\n\r\n";
static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 12\r\n\r\nhello, world";

static int must(int result, const char* what) {
    if (result < 0) {
        perror(what);
        exit(1);
    }
    return result;
}

static struct sockaddr_in address(int port, int host) {
    struct sockaddr_in result;
    memset(&result, 0, sizeof result);
    result.sin_family = AF_INET;
    result.sin_port = htons((unsigned short)port);
    result.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (unsigned)host);
    return result;
}

static void serve(void) {
    int listener = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
    struct sockaddr_in here = address(0, 0);
    here.sin_addr.s_addr = htonl(INADDR_ANY);
    socklen_t length = sizeof here;
    must(bind(listener, (struct sockaddr*)&here, length), "bind");
    must(listen(listener, 64), "listen");
    must(getsockname(listener, (struct sockaddr*)&here, &length), "getsockname");
    printf("%d\n", ntohs(here.sin_port));
    fflush(stdout);
    for (;;) {
        int connection = must(accept(listener, NULL, NULL), "accept"), on = 1;
        setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        char received[1024];
        while (read(connection, received, sizeof received) > 0)
            if (write(connection, answer, sizeof answer - 1) < 0) break;
        close(connection);
    }
}

static int connected(int port, int host) {
    int connection = must(socket(AF_INET, SOCK_STREAM, 0), "socket"), on = 1;
    struct sockaddr_in there = address(port, host);
    must(connect(connection, (struct sockaddr*)&there, sizeof there), "connect");
    must(setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "TCP_NODELAY");
    return connection;
}

static void exchange(int connection) {
    char received[1024];
    if (write(connection, request, sizeof request - 1) != sizeof request - 1) must(-1, "write");
    if (read(connection, received, sizeof received) != sizeof answer - 1) must(-1, "read");
}

int main(int count, char** arguments) {
    if (count == 2 && strcmp(arguments[1], "serve") == 0) serve();
    if (count < 3) return 2;
    int port = atoi(arguments[1]), exchanges = atoi(arguments[2]);
    if (count > 3) {
        for (int at = 0; at < exchanges; ++at) {
            int connection = connected(port, at % 8);
            exchange(connection);
            close(connection);
        }
    } else {
        int connection = connected(port, 0);
        for (int at = 0; at < exchanges; ++at) exchange(connection);
    }
    return 0;
}
