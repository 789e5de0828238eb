"""The API client: what it sends, how long it waits, what it takes for an error."""

import json
import threading
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import tenacity

from pipeline.collect.api import client as client_module
from pipeline.collect.api.answers import Answer
from pipeline.collect.api.client import Client, Pace, check_address
from pipeline.stage import InputError
from tests.helpers.tiny import run_script

GOOD = {"batchcomplete": True, "query": {"pages": []}}
JSON = "application/json"


class Script:
    """A server that gives the scripted answers one after the other, and the good one when they are used up."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.paths = []
        self.times = []
        script = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                script.paths.append(self.path)
                script.times.append(time.monotonic())
                status, body, kind, headers = script.answers.pop(0) if script.answers else good(GOOD)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/w/api.php"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def client(self, patience=30.0):
        return Client(self.url, "", 60_000, "zh", 5.0, patience)


def good(value, **headers):
    return 200, json.dumps(value).encode(), JSON, headers


def error(code, **headers):
    return good({"error": {"code": code, "info": "made up"}}, **headers)


def waits(script):
    return [later - earlier for earlier, later in zip(script.times, script.times[1:], strict=False)]


@pytest.mark.parametrize(
    "answer",
    [
        (429, b"", "text/plain", {"Retry-After": "1"}),
        (503, b"", "text/html", {"Retry-After": "1"}),
        error("maxlag", **{"Retry-After": "1"}),
    ],
)
def test_retry_after_is_honoured(answer):
    with Script(answer) as script:
        client = script.client()
        assert client.ask(titles="甲") == Answer(complete=True)
        assert waits(script)[0] >= 0.99
        assert (client.requests, client.retries) == (2, 1)
        assert script.paths[0] == script.paths[1]


def test_retry_after_may_be_a_date_and_holds_every_thread():
    date = formatdate(time.time() + 2.5, usegmt=True)  # whole seconds: at least 1.5 from now
    with Script((503, b"", "text/html", {"Retry-After": date})) as script:
        client = script.client()
        told = threading.Thread(target=client.ask, kwargs={"titles": "甲"})
        told.start()
        while not script.times:
            time.sleep(0.01)
        time.sleep(0.3)  # the answer is read
        client.ask(titles="乙")
        told.join()
        assert waits(script)[0] > 1


def test_a_pause_beyond_the_patience_is_left_to_the_user():
    with (
        Script((429, b"", "text/plain", {"Retry-After": "86400"})) as script,
        pytest.raises(InputError, match="86400 s"),
    ):
        script.client().ask(titles="甲")


def test_the_backoff_grows_to_a_cap_with_jitter():
    def drawn(attempt):
        state = tenacity.RetryCallState(None, None, (), {})
        state.attempt_number = attempt
        state.set_exception((client_module.Trouble, client_module.Trouble("x"), None))
        return [client_module._wait(state) for _ in range(200)]

    assert max(drawn(1)) <= 1
    assert 30 < max(drawn(7)) <= 64
    assert 60 < max(drawn(20)) <= client_module.LONGEST_WAIT
    assert len(set(drawn(7))) > 100
    assert min(drawn(20)) >= 0.5


def test_the_last_trouble_is_said_when_patience_ends(monkeypatch):
    monkeypatch.setattr(client_module, "_backoff", tenacity.wait_fixed(0.05))
    with (
        Script(*[(500, b"", "text/html", {})] * 50) as script,
        pytest.raises(InputError, match=r"HTTP 500.*again later"),
    ):
        script.client(patience=0.3).ask(titles="甲")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (error("badtitle"), "refuses the request, badtitle: made up"),
        ((403, b"blocked", "text/html", {}), "HTTP 403.*blocked.*--contact"),
        ((404, b"", "text/html", {}), "HTTP 404.*--api"),
        (good({**GOOD, "warnings": {"main": {"warnings": "Unrecognized parameter: foo."}}}), "warns.*main: Unrecog"),
        (
            good({**GOOD, "warnings": {"query": {"warnings": 'Unrecognized value for parameter "prop": extracts'}}}),
            "prop",
        ),
    ],
)
def test_what_will_not_pass_is_an_error_at_once(answer, message):
    with Script(answer) as script, pytest.raises(InputError, match=message):
        script.client().ask(titles="甲")
    assert len(script.paths) == 1


def test_an_answer_that_is_not_in_the_apis_form_is_asked_for_again():
    with Script(good({"batchcomplete": True, "query": {"pages": [5]}})) as script:
        client = script.client()
        assert client.ask(titles="甲") == Answer(complete=True)
        assert (client.requests, client.retries) == (2, 1)


def test_known_warnings_pass():
    text = "This result was truncated because it would otherwise be larger than the limit of 12,582,912 bytes."
    value = {**GOOD, "warnings": {"result": {"warnings": text}}}
    with Script(good(value)) as script:
        assert script.client().ask(titles="甲") == Answer(complete=True)


def test_the_continue_object_goes_back_whole():
    resume = {"excontinue": 1, "gsroffset": 20, "continue": "||info"}
    with Script() as script:
        script.client().ask(generator="search", gsrsearch="鱼", **resume)
        for part in (
            "excontinue=1",
            "gsroffset=20",
            "continue=%7C%7Cinfo",
            "maxlag=5",
            "converttitles=1",
            "variant=zh",
        ):
            assert part in script.paths[0]


def test_requests_are_spaced():
    pace = Pace(600)
    began = time.monotonic()
    for _ in range(4):
        pace.wait(time.sleep)
    assert 0.29 < time.monotonic() - began < 2
    pace.pause(0.3)
    pace.wait(time.sleep)
    assert time.monotonic() - began > 0.59


LIVE = "https://zh.wikipedia.org/w/api.php"


@pytest.mark.parametrize("contact", ["you@example.org", "https://example.org/study", "http://example.org/~a"])
def test_contacts(contact):
    check_address(LIVE, contact)


@pytest.mark.parametrize(
    "contact", ["me", "a@b", "you@example.org\r\nX: y", "you (x)@example.org", "ftp://a.org", "你@例.中国"]
)
def test_odd_contacts_are_refused(contact):
    with pytest.raises(InputError, match="--contact"):
        check_address(LIVE, contact)


def test_the_live_api_needs_a_contact(tmp_path):
    result = run_script(
        "rare_char_fetch.py", "--source", "api", "--store", tmp_path / "a" / "s", "--output", tmp_path / "d"
    )
    assert result.returncode == 2
    [line] = result.stderr.splitlines()
    assert line.startswith("error: --contact is needed")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("api", ["zh.wikipedia.org", "file:///etc/passwd", "http://"])
def test_odd_addresses_are_refused(api):
    with pytest.raises(InputError, match="--api"):
        check_address(api, "you@example.org")
