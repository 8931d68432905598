"""Sends and receives secrets in every place that is not a host name, over real sockets. Run under slowtrace by
privacy_cases.py; the secrets come from a file, so that they are in no argument."""

import base64
import os
import socket
import struct
import sys
import tempfile
import threading
import urllib.request
import http.client
import http.server

SECRETS = open(sys.argv[1], encoding="ascii").read().split()
PATH, QUERY, PASSWORD, COOKIE, BODY, ANSWER, TICKET, FIELD = SECRETS
CREDENTIALS = base64.b64encode(f"user:{PASSWORD}".encode()).decode()


class Site(http.server.BaseHTTPRequestHandler):
    """Answers anything, as origin and as proxy, with secrets of its own."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        length = int(self.headers.get("Content-Length", 0))
        self.rfile.read(length)
        body = f"<a href='/{ANSWER}'>{BODY}</a>".encode()
        self.send_response(200, f"OK {ANSWER}")
        self.send_header("Set-Cookie", f"session={COOKIE}")
        self.send_header("Location", f"/{ANSWER}?{QUERY}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def do_CONNECT(self):
        self.send_response(200)
        self.end_headers()
        self.close_connection = False

    def log_message(self, *_):
        pass


def served(handler):
    """The port of a thread that takes connections and hands each to `handler`."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=handler, args=(connection,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


def swallow(connection):
    while connection.recv(4096):
        pass


def socks(connection):
    connection.recv(512)
    connection.sendall(b"\x05\x02")
    connection.recv(512)
    connection.sendall(b"\x01\x00")
    connection.recv(512)
    connection.sendall(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50")
    swallow(connection)


def speak_http(port):
    headers = {"Host": "pypi.example.com", "Authorization": f"Basic {CREDENTIALS}", "Cookie": COOKIE, "X-Token": FIELD}
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for _ in range(2):
        connection.request("POST", f"/{PATH}/file?key={QUERY}#{QUERY}", body=f"text={BODY}", headers=headers)
        connection.getresponse().read()
    connection.close()
    # A head in small pieces, gathered from several buffers, its last line never finished.
    with socket.create_connection(("127.0.0.1", port)) as raw:
        raw.sendmsg([f"GET /{PATH}".encode(), f"?{QUERY} HT".encode(), b"TP/1.1\r\nHo"])
        raw.send(b"st: slow.example.com\r\nAuthori")
        raw.send(f"zation: Bearer {PASSWORD}\r\nCookie: {COOKIE}".encode())


def speak_to_a_proxy(port):
    with socket.create_connection(("127.0.0.1", port)) as raw:
        raw.sendall(f"GET http://user:{PASSWORD}@extra.example.org/{PATH}?{QUERY} HTTP/1.1\r\n"
                    f"Host: user:{PASSWORD}@extra.example.org\r\nProxy-Authorization: Basic {CREDENTIALS}\r\n\r\n"
                    .encode())
        raw.recv(4096)
    with socket.create_connection(("127.0.0.1", port)) as raw:
        raw.sendall(f"CONNECT cdn.example.net:443 HTTP/1.1\r\nHost: cdn.example.net:443\r\n"
                    f"Proxy-Authorization: Basic {CREDENTIALS}\r\n\r\n".encode())
        raw.recv(4096)
        raw.sendall(f"POST /{PATH} HTTP/1.1\r\nHost: cdn.example.net\r\nX-Token: {FIELD}\r\n\r\n{BODY}".encode())


def speak_socks(port):
    with socket.create_connection(("127.0.0.1", port)) as raw:
        raw.sendall(b"\x05\x02\x00\x02")
        raw.recv(2)
        user, password = FIELD.encode(), PASSWORD.encode()
        raw.sendall(b"\x01" + bytes([len(user)]) + user + bytes([len(password)]) + password)
        raw.recv(2)
        name = b"socks.example.org"
        raw.sendall(b"\x05\x01\x00\x03" + bytes([len(name)]) + name + b"\x00\x50")
        raw.recv(10)
        raw.sendall(f"GET /{PATH} HTTP/1.0\r\nHost: socks.example.org\r\n\r\n".encode())


def client_hello(name):
    """A TLS 1.2 client hello (RFC 5246 §7.4.1.2) with a session id and a ticket nobody else should see."""
    def extension(kind, data):
        return struct.pack(">HH", kind, len(data)) + data

    session = TICKET.encode()[:32]
    listed = b"\x00" + struct.pack(">H", len(name)) + name
    extensions = extension(0, struct.pack(">H", len(listed)) + listed) + extension(35, TICKET.encode()) \
        + extension(0xfe0d, FIELD.encode())
    body = b"\x03\x03" + PASSWORD.encode().ljust(32, b"-")[:32] + bytes([len(session)]) + session \
        + b"\x00\x02\xc0\x2f\x01\x00" + struct.pack(">H", len(extensions)) + extensions
    handshake = b"\x01" + struct.pack(">I", len(body))[1:] + body
    return b"\x16\x03\x01" + struct.pack(">H", len(handshake)) + handshake


def speak_tls(port):
    for pieces in (1, 5):
        hello = client_hello(b"tls.example.org")
        step = -(-len(hello) // pieces)
        with socket.create_connection(("127.0.0.1", port)) as raw:
            for at in range(0, len(hello), step):
                raw.sendall(hello[at:at + step])
            raw.sendall(b"\x17\x03\x03" + struct.pack(">H", len(BODY)) + BODY.encode())


def speak_http2(port):
    block = b"\x82\x86\x41\x0e" + b"h2.example.org" + b"\x44" + bytes([len(PATH)]) + PATH.encode() \
        + b"\x0f\x08" + bytes([len(PASSWORD)]) + PASSWORD.encode()
    with socket.create_connection(("127.0.0.1", port)) as raw:
        raw.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"
                    + struct.pack(">I", len(block))[1:] + b"\x01\x05\x00\x00\x00\x01" + block)


def speak_elsewhere():
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "notes"), "w+") as file:
            file.write(f"{BODY} {PASSWORD}")
            file.flush()
            file.seek(0)
            file.read()
        here, there = socket.socketpair()
        socket.send_fds(here, [COOKIE.encode()], [0])
        there.recv(100)
        reader, writer = os.pipe()
        os.write(writer, FIELD.encode())
        os.read(reader, 100)
        server = socket.socket(socket.AF_UNIX)
        server.bind(os.path.join(folder, "socket"))
        server.listen()
        client = socket.socket(socket.AF_UNIX)
        client.connect(os.path.join(folder, "socket"))
        client.sendall(f"GET /{PATH} HTTP/1.1\r\nCookie: {COOKIE}\r\n\r\n".encode())
        server.accept()[0].recv(1000)
    datagrams, client = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    datagrams.bind(("127.0.0.1", 0))
    client.sendto(BODY.encode(), datagrams.getsockname())
    datagrams.recvfrom(1000)
    client.connect(datagrams.getsockname())
    client.send(b"\xc0\x00\x00\x00\x01" + TICKET.encode())


def main():
    site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=site.serve_forever, daemon=True).start()
    port = site.server_address[1]
    speak_http(port)
    urllib.request.urlopen(f"http://127.0.0.1:{port}/{PATH}?{QUERY}").read()
    speak_to_a_proxy(port)
    speak_socks(served(socks))
    speak_tls(served(swallow))
    speak_http2(served(swallow))
    speak_elsewhere()


main()
