#!/usr/bin/env python3
"""leavers.py HOST PORT SESSIONS SECONDS COMMAND...

Opens SESSIONS WebSockets that hear *.trade, runs COMMAND, which has the server
drain over SECONDS and prints when that began (JSON, started_ts), and prints how
the closes were spread: one line of JSON. Exit code 1: somebody was not closed
with 1001 and a window for coming back.
"""
import collections
import json
import resource
import select
import socket
import statistics
import subprocess
import sys
import time

host, port, sessions, seconds, command = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5:]
SOURCES = 5  # loopback addresses that clients come from
UNDERWAY = 200  # handshakes at once
PATIENCE = 30  # seconds beyond what is expected

_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

HANDSHAKE = (f"GET /ws HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
             "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n").encode()


def masked(text):
    body = text.encode()
    assert len(body) < 126
    return bytes([0x81, 0x80 | len(body), 0, 0, 0, 0]) + body


SUBSCRIBE = masked('{"type":"subscribe","data":{"channels":["*.trade"]}}')
poller = select.epoll()


class Client:
    def __init__(self, index):
        self.input, self.upgraded, self.subscribed, self.close = b"", False, False, None
        self.socket = socket.socket()
        self.socket.bind((f"127.0.0.{2 + index % SOURCES}", 0))
        self.socket.connect((host, port))
        self.socket.setblocking(False)
        self.socket.send(HANDSHAKE)
        poller.register(self.socket.fileno(), select.EPOLLIN)

    def read(self, now):
        """Takes what has come; False: the connection is over."""
        try:
            chunk = self.socket.recv(1 << 16)
        except BlockingIOError:
            return True
        except ConnectionError:
            return False
        self.input += chunk
        if not self.upgraded:
            head, found, rest = self.input.partition(b"\r\n\r\n")
            if found:
                if not head.startswith(b"HTTP/1.1 101 "):
                    sys.exit(f"leavers.py: refused: {self.input!r}")
                self.upgraded, self.input = True, rest
                self.socket.send(SUBSCRIBE)
        if self.upgraded:
            self.frames(now)
        return chunk != b"" and self.close is None

    def frames(self, now):
        at = 0
        while len(self.input) - at >= 2:
            kind, size, begin = self.input[at] & 15, self.input[at + 1], at + 2
            if size == 126:
                size, begin = int.from_bytes(self.input[begin:begin + 2], "big"), begin + 2
            elif size == 127:
                size, begin = int.from_bytes(self.input[begin:begin + 8], "big"), begin + 8
            if len(self.input) < begin + size:
                break
            body, at = self.input[begin:begin + size], begin + size
            if kind == 8:
                self.close = (now, int.from_bytes(body[:2], "big"), body[2:].decode())
            elif kind == 9:
                self.socket.send(bytes([0x8A, 0x80 | size, 0, 0, 0, 0]) + body)
            elif not self.subscribed and b'"subscription_ack"' in body[:40]:
                self.subscribed = True
        self.input = self.input[at:]


def per(width, times):
    """The closes of each piece of the window but those of its first and last second."""
    counts = collections.Counter(int(t / width) for t in times)
    pieces = [counts[i] for i in range(int(1 / width), int((seconds - 1) / width))]
    mean = statistics.mean(pieces)
    worst = max(max(pieces) - mean, mean - min(pieces))
    return {"min": min(pieces), "mean": round(mean, 2), "max": max(pieces), "off_percent_max": round(100 * worst / mean, 1)}


clients, left = {}, 0


def turn(wait):
    global left
    for fd, _ in poller.poll(wait):
        client = clients[fd]
        before = client.subscribed
        if not client.read(time.time()):
            client.socket.close()
            done.append(clients.pop(fd))
        left -= client.subscribed and not before


done = []
for index in range(sessions):
    client = Client(index)
    clients[client.socket.fileno()] = client
    left += 1
    while left > UNDERWAY:
        turn(1)
deadline = time.time() + PATIENCE
while left > 0:
    turn(1)
    if time.time() > deadline or done:
        sys.exit(f"leavers.py: {left} of {sessions} did not subscribe, {len(done)} were closed")

order = subprocess.Popen(command, stdout=subprocess.PIPE)
deadline = time.time() + seconds + PATIENCE
while clients and time.time() < deadline:
    turn(1)
answer = json.loads(order.communicate()[0])
began = answer["started_ts"] / 1000
told = [c.close for c in done if c.close]
right = 0
for _, code, reason in told:
    window = json.loads(reason)
    right += code == 1001 and window["code"] == "draining" and 0 < window["retry_min_ms"] < window["retry_max_ms"]
times = sorted(at - began for at, _, _ in told)
print(json.dumps({
    "sessions": sessions, "over_s": seconds, "closed_with_window": right, "otherwise": sessions - right,
    "first_s": round(times[0], 3), "last_s": round(times[-1], 3), "per_second": per(1, times), "per_tenth": per(0.1, times),
}))
sys.exit(right != sessions)
