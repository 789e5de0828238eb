"""A MediaWiki Action API client that keeps the rules a wiki's operator asks of one.

It says who it is (``name/version (contact) library/version``), starts no more requests a minute than allowed and
never more than three at once, asks for gzip, and steps back when the replicas lag (``maxlag``). A 429, a 503 and a
maxlag error make every thread wait as long as ``Retry-After`` says; other trouble of the line or the server is tried
again after a time that grows from one second to two minutes, with jitter. Errors arrive with HTTP 200 in
``error.code``, so every answer is read for it; a warning that is not known is an error too, for it says that an answer
is not what was asked for.

The continue object is opaque: it is sent back whole, with the same parameters.
"""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import requests
import tenacity
import urllib3

from pipeline.collect.api.answers import Answer, answer_of_json
from pipeline.stage import InputError

NAME = "chinese-bert-training-dynamics/0.1"
AT_ONCE = 3  # requests in flight
MAX_LAG = 5  # seconds of replication lag from which on we step back, as the manual advises
WHOLE = 3  # times the time-out that a whole answer may take, against one that comes byte by byte
LARGEST = 64 * 2**20  # bytes of an answer, unpacked; a page of Wikipedia has at most 2 MiB of wikitext
FIRST_WAIT, LONGEST_WAIT = 1.0, 120.0  # seconds of the exponential backoff

_PASSING_CODES = {"maxlag", "ratelimited", "readonly", "cirrussearch-too-busy-error", "search-backend-error"}
_PASSING_PREFIX = "internal_api_error"  # an exception in the server
_KNOWN_WARNINGS = (
    "This result was truncated because it would otherwise",  # the rest comes by the continue object
    "Subscribe to the mediawiki-api-announce",  # a notice for developers
    '"exlimit" was too large for a whole article extracts request',  # the rest comes by the continue object
    "HTML may be malformed and/or unbalanced",  # a notice that every extract in HTML comes with
)
_WORD = r"[!-'*-?A-~]+"  # visible ASCII but for brackets, which hold the contact, and the at sign
_CONTACT = re.compile(rf"(?:https?://{_WORD}\.{_WORD}|{_WORD}@{_WORD}\.{_WORD})\Z")


class Trouble(Exception):
    """Something that passes: the same request is worth another try, after ``wait`` seconds where that is said."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class Pace:
    """Spaces the starts of requests evenly, for all threads together."""

    def __init__(self, per_minute: float) -> None:
        self._interval = 60 / per_minute
        self._lock = threading.Lock()
        self._next = 0.0

    def wait(self, sleep: Callable[[float], object]) -> None:
        """Return when this thread may send."""
        while True:
            with self._lock:
                now = time.monotonic()
                left = self._next - now
                if left <= 0:
                    self._next = now + self._interval
                    return
            sleep(left)

    def pause(self, seconds: float) -> None:
        """No request for ``seconds`` from now."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)


class Client:
    """Asks one wiki. ``requests`` and ``retries`` count what was sent, in this process.

    Args:
        api: URL of api.php.
        contact: mail address or URL of whoever runs this; empty for a wiki on this machine only.
        per_minute: requests that may start in a minute.
        variant: language variant of every answer (``zh``: the text as it was written).
        timeout: seconds without a byte after which a request is given up.
        patience: seconds for which one request is tried again and again.
    """

    def __init__(
        self, api: str, contact: str, per_minute: float, variant: str, timeout: float, patience: float
    ) -> None:
        check_address(api, contact)
        self.api = api
        self._timeout = timeout
        self._patience = patience
        self._pace = Pace(per_minute)
        self._slots = threading.BoundedSemaphore(AT_ONCE)
        self._closing = threading.Event()
        self._count_lock = threading.Lock()
        self._local = threading.local()
        self._agent = " ".join(filter(None, (NAME, contact and f"({contact})", f"requests/{requests.__version__}")))
        self._always = {
            "action": "query",
            "format": "json",
            "formatversion": "2",
            "maxlag": str(MAX_LAG),
            "redirects": "1",
            "converttitles": "1",
            "variant": variant,
        }
        self.requests = 0
        self.retries = 0

    def ask(self, **params: str | int) -> Answer:
        """The answer to a query: complete, to be continued, or both.

        Raises:
            InputError: the wiki refuses the request, warns of something unknown, or stays silent beyond the patience.
        """
        attempts = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(Trouble),
            wait=_wait,
            stop=tenacity.stop_after_delay(self._patience),
            sleep=self._sleep,
            before_sleep=self._say,
            reraise=True,
        )
        try:
            return attempts(self._once, {**self._always, **params})
        except Trouble as trouble:
            raise InputError(
                f"{self.api}: no good answer within {self._patience:.0f} s ({trouble}); what was fetched is kept, "
                "run the same command again later"
            ) from None

    def close(self) -> None:
        """Let threads that are waiting give up at once."""
        self._closing.set()

    def _sleep(self, seconds: float) -> None:
        self._closing.wait(seconds)

    def _once(self, params: dict[str, str | int]) -> Answer:
        self._pace.wait(self._sleep)
        with self._slots:
            if self._closing.is_set():
                raise InputError("the fetch was stopped")
            with self._count_lock:
                self.requests += 1
            try:
                status, headers, body = self._get(params)
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
                raise Trouble(f"{type(error).__name__}: {_short(error)}") from None
        return self._checked(status, headers, body)

    def _get(self, params: dict[str, str | int]) -> tuple[int, Mapping[str, str], bytes]:
        deadline = time.monotonic() + WHOLE * self._timeout
        with self._session().get(
            self.api, params=params, stream=True, allow_redirects=False, timeout=self._timeout
        ) as response:
            parts: list[bytes] = []
            size = 0
            # read1 returns what has come, so that an answer in drops cannot hold us beyond the deadline.
            while part := response.raw.read1(65_536, decode_content=True):
                parts.append(part)
                size += len(part)
                if time.monotonic() > deadline:
                    raise Trouble(f"the answer was not whole after {WHOLE * self._timeout:.0f} s")
                if size > LARGEST:
                    raise Trouble(f"the answer has more than {LARGEST} bytes")
            return response.status_code, response.headers, b"".join(parts)

    def _session(self) -> requests.Session:
        """A session for each thread, because sessions are not made to be shared."""
        if not hasattr(self._local, "session"):
            session = requests.Session()
            session.headers.update({"User-Agent": self._agent, "Accept-Encoding": "gzip"})
            session.trust_env = not is_loopback(self.api)  # proxies are for the world outside
            self._local.session = session
        return self._local.session

    def _checked(self, status: int, headers: Mapping[str, str], body: bytes) -> Answer:
        wait = _retry_after(headers.get("Retry-After"))
        if status == 429 or status == 408 or status >= 500:
            raise self._trouble(f"HTTP {status}", wait)
        if 300 <= status < 400:
            raise Trouble(f"HTTP {status}, redirected to {headers.get('Location')}")
        if status >= 400:
            raise InputError(f"{self.api}: HTTP {status} ({_short(body[:200])}); is --api right, and --contact true?")
        kind = headers.get("Content-Type", "").split(";")[0].strip().lower()
        if kind != "application/json":
            raise Trouble(f"the answer is {kind or 'of no kind'}, not application/json")
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError):
            raise Trouble(f"the answer is broken JSON ({len(body)} bytes)") from None
        if not isinstance(answer, dict):
            raise Trouble(f"the answer is a JSON {type(answer).__name__}")
        if error := answer.get("error"):
            self._raise_error(error, wait)
        self._check_warnings(answer.get("warnings"))
        try:
            read = answer_of_json(answer)
        except ValueError as error:
            raise Trouble(f"the answer is not in the API's form: {error}") from None
        if not read.complete and read.resume is None:
            raise Trouble("the answer has neither batchcomplete nor continue")
        return read

    def _raise_error(self, error: object, wait: float | None) -> None:
        code, info = (str(error.get(key, "")) for key in ("code", "info")) if isinstance(error, dict) else ("", error)
        if code in _PASSING_CODES or code.startswith(_PASSING_PREFIX):
            raise self._trouble(f"{code}: {_short(info)}", wait)
        raise InputError(f"{self.api}: refuses the request, {code}: {_short(info)}")

    def _check_warnings(self, warnings: object) -> None:
        for module, warning in warnings.items() if isinstance(warnings, dict) else ():
            text = warning.get("warnings", "") if isinstance(warning, dict) else str(warning)
            for line in text.splitlines():
                if line and not line.startswith(_KNOWN_WARNINGS):
                    raise InputError(f"{self.api}: warns of something this program does not know: {module}: {line}")

    def _trouble(self, message: str, wait: float | None) -> Trouble:
        """Trouble of a busy server: every thread waits, not only the one that was told."""
        if wait is not None:
            if wait > self._patience:
                raise InputError(f"{self.api}: asks for a pause of {wait:.0f} s ({message}); run this again after it")
            self._pace.pause(wait)
        return Trouble(message, wait)

    def _say(self, state: tenacity.RetryCallState) -> None:
        with self._count_lock:
            self.retries += 1
        trouble = state.outcome.exception() if state.outcome else None
        print(f"{trouble}; trying again in {state.upcoming_sleep:.1f} s", file=sys.stderr, flush=True)


def check_address(api: str, contact: str) -> None:
    """Refuse an address that is not one, and a missing or odd contact for a wiki that is not on this machine."""
    parts = urlsplit(api)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError(f"--api {api}: must be an http or https address, that of the wiki's api.php")
    if contact and not _CONTACT.match(contact):
        raise InputError(f"--contact {contact}: must be a mail address or a URL, for the wiki's operators to write to")
    if not contact and not is_loopback(api):
        raise InputError("--contact is needed for --source api: your mail address or URL, for the wiki's operators")


def is_loopback(api: str) -> bool:
    host = urlsplit(api).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


_backoff = tenacity.wait_random_exponential(multiplier=FIRST_WAIT, max=LONGEST_WAIT, min=FIRST_WAIT / 2)


def _wait(state: tenacity.RetryCallState) -> float:
    trouble = state.outcome.exception() if state.outcome else None
    asked = trouble.wait if isinstance(trouble, Trouble) else None
    return _backoff(state) if asked is None else asked


def _retry_after(value: str | None) -> float | None:
    """Seconds, from a number of them or from a date; None where there is neither."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=timezone.utc)
    return max(0.0, (date - datetime.now(timezone.utc)).total_seconds())


def _short(value: object) -> str:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    text = " ".join(text.split())
    return text if len(text) <= 200 else text[:199] + "…"
