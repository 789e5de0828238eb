"""A server on 127.0.0.1 that stands in front of a wiki and spoils some of its answers.

Every fault that a client meets in a long fetch: 429 and 503 with and without Retry-After, maxlag, silence, resets,
truncated and garbage JSON, answers in drops, redirects, wrong content types, errors of the server. Which request meets
which fault is drawn from a seed; the faults take turns, so that a run meets each of them equally often.
"""

from __future__ import annotations

import json
import os
import random
import socket
import struct
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

JSON = "application/json; charset=utf-8"
GARBAGE = b'{"batchcomplete": true, "query": {"pages": [{"pageid": 1, \xff\xfe'


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self.server.faults.asked.append(self.path)
        fault = self.server.faults.draw()
        if fault is not None:
            FAULTS[fault](self)
            return
        kind, encoding, body = self.upstream()
        self.reply(200, body, kind, Content_Encoding=encoding)

    def upstream(self) -> tuple[str, str, bytes]:
        """The true answer: its content type and encoding, and its bytes as they came."""
        request = urllib.request.Request(self.server.upstream + self.path.removeprefix("/w/api.php"))
        for name in ("User-Agent", "Accept-Encoding"):
            request.add_header(name, self.headers[name])
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=300) as answer:
            return answer.headers["Content-Type"], answer.headers.get("Content-Encoding", "identity"), answer.read()

    def reply(self, status: int, body: bytes, kind: str = JSON, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def cut_short(self, share: float, *, say_length: bool) -> None:
        """Send a part of the true answer and close."""
        kind, encoding, body = self.upstream()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Encoding", encoding)
        if say_length:
            self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body[: int(len(body) * share)])
        self.close_connection = True

    def reset(self) -> None:
        """Close with a TCP reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())  # at once: the server would say a polite goodbye first

    def drip(self) -> None:
        """Send the true answer a byte at a time, far too slowly."""
        kind, encoding, body = self.upstream()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Encoding", encoding)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        end = time.monotonic() + self.server.faults.silence * 4
        for byte in body:
            if time.monotonic() > end:
                break
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            time.sleep(0.1)
        self.close_connection = True

    def silence(self) -> None:
        time.sleep(self.server.faults.silence * 1.5)
        self.close_connection = True

    def error(self, code: str, **headers: str) -> None:
        """An error as MediaWiki gives it: with HTTP 200."""
        self.reply(200, json.dumps({"error": {"code": code, "info": "made up", "lag": 7}}).encode(), **headers)

    def log_message(self, *_: object) -> None:
        pass


FAULTS: dict[str, Callable[[_Handler], None]] = {
    "429, Retry-After": lambda handler: handler.reply(429, b"slow down", "text/plain", Retry_After="1"),
    "429": lambda handler: handler.reply(429, b"slow down", "text/plain"),
    "503, Retry-After": lambda handler: handler.reply(503, b"busy", "text/html", Retry_After="1"),
    "503, Retry-After date": lambda handler: handler.reply(
        503, b"busy", "text/html", Retry_After=formatdate(time.time() + 1, usegmt=True)
    ),
    "503": lambda handler: handler.reply(503, b"<html>busy</html>", "text/html"),
    "500": lambda handler: handler.reply(500, b"", "text/html"),
    "maxlag": lambda handler: handler.error("maxlag", Retry_After="1"),
    "internal error": lambda handler: handler.error("internal_api_error_DBQueryError"),
    "silence": _Handler.silence,
    "reset": _Handler.reset,
    "truncated": lambda handler: handler.cut_short(0.6, say_length=True),
    "truncated, no length": lambda handler: handler.cut_short(0.6, say_length=False),
    "no body": lambda handler: handler.reply(200, b""),
    "garbage": lambda handler: handler.reply(200, GARBAGE),
    "other JSON": lambda handler: handler.reply(200, b"[]"),
    "empty object": lambda handler: handler.reply(200, b"{}"),
    "drops": _Handler.drip,
    "redirect": lambda handler: handler.reply(302, b"", "text/html", Location="/elsewhere"),
    "web page": lambda handler: handler.reply(200, b"<html>log in here</html>", "text/html"),
}


class Faults:
    """Draws the faults. ``share`` of the requests are spoilt; ``silence`` is the client's time-out in seconds."""

    def __init__(self, share: float, silence: float, seed: int = 42, kinds: list[str] | None = None) -> None:
        self.silence = silence
        self.made: Counter[str] = Counter()
        self.passed = 0
        self.asked: list[str] = []  # paths with their queries, in order
        self._share = share
        self._kinds = kinds or list(FAULTS)
        self._dice = random.Random(seed)
        self._lock = threading.Lock()

    def texts_asked(self) -> list[int]:
        """The pages whose text was asked for, in order."""
        queries = [dict(parse_qsl(urlsplit(path).query)) for path in self.asked]
        return [int(query["pageids"]) for query in queries if "pageids" in query]

    def draw(self) -> str | None:
        with self._lock:
            if self._dice.random() >= self._share:
                self.passed += 1
                return None
            fault = self._kinds[self.made.total() % len(self._kinds)]
            self.made[fault] += 1
            return fault


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, upstream: str, faults: Faults, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.upstream = upstream
        self.faults = faults

    def handle_error(self, *_: object) -> None:
        """A client that hung up is no news here."""


class FaultServer:
    """Serves while the ``with`` lasts; ``url`` is the spoilt API, at ``port`` or any that is free."""

    def __init__(self, upstream: str, faults: Faults, port: int = 0) -> None:
        self._server = _Server(upstream, faults, port)
        self.url = f"http://127.0.0.1:{self._server.server_port}/w/api.php"

    def __enter__(self) -> FaultServer:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
