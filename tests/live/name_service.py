"""A name service cache daemon of its own: name_service.py COMMAND… runs the command beside it, in a mount namespace
whose /run/nscd/socket it answers on (glibc: nscd/nscd-client.h). Every name is 192.0.2.7; passing on its memory is
refused, so that clients ask through the socket."""

import os
import socket
import struct
import subprocess
import sys
import threading

GET_ADDRESS_INFORMATION, VERSION = 14, 2


def exactly(connection, size):
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            return data
        data += more
    return data


def answer(connection):
    with connection:
        head = exactly(connection, 12)
        if len(head) < 12:
            return
        _, kind, size = struct.unpack("=iii", head)
        exactly(connection, size)
        if kind == GET_ADDRESS_INFORMATION:
            # found, number of addresses, their octets, the canonical name's, no error; addresses; families; name.
            connection.sendall(struct.pack("=iiiiii", VERSION, 1, 1, 4, 0, 0) + bytes([192, 0, 2, 7])
                               + bytes([socket.AF_INET]))


def main():
    os.makedirs("/run/nscd")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("/run/nscd/socket")
    listener.listen()

    def serve():
        while True:
            answer(listener.accept()[0])

    threading.Thread(target=serve, daemon=True).start()
    sys.exit(subprocess.run(sys.argv[1:]).returncode)


main()
