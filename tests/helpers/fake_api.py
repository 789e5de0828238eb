"""A small wiki on 127.0.0.1 that answers like a MediaWiki, minds the rules, and remembers what it was asked.

It knows the queries that the fetcher makes and refuses what is missing in them. To be hard on its client it splits
answers as a wiki may: long listings come in two parts, with ``batchcomplete`` only in the second, and the text of every
fifth page only on the second request, after ``excontinue``.
"""

from __future__ import annotations

import gzip
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.helpers.wiki_pages import plain_pages

Params = dict[str, str]
ALWAYS = {"action": "query", "format": "json", "formatversion": "2", "maxlag": "5", "redirects": "1"}
ALWAYS |= {"converttitles": "1", "variant": "zh"}


@dataclass
class FakePage:
    """A page; ``redirect`` is the page id that it leads to."""

    title: str
    text: str
    categories: tuple[str, ...] = ()
    ns: int = 0
    redirect: int | None = None
    disambiguation: bool = False


@dataclass
class FakeWiki:
    """Pages by id, and the requests that came: parameters and headers."""

    pages: dict[int, FakePage]
    asked: list[tuple[Params, dict[str, str]]] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def texts_asked(self) -> list[int]:
        """The pages whose text was asked for, in order."""
        first = [params for params, _ in self.asked if "pageids" in params and "excontinue" not in params]
        return [int(params["pageids"]) for params in first]

    def answer(self, params: Params) -> dict[str, Any]:
        missing = {name for name, value in ALWAYS.items() if params.get(name) != value}
        if missing:
            return {"error": {"code": "missingparam", "info": f"the client forgot {sorted(missing)}"}}
        if "meta" in params:
            general = {"base": "http://zh.example.org/wiki/首页", "generator": "MediaWiki 1.39", "sitename": "例"}
            return _complete({"general": general, "rightsinfo": {"text": "CC BY-SA 4.0", "url": ""}})
        if "pageids" in params:
            return self._text(params)
        if "titles" in params:
            return self._titles(params["titles"])
        listing, key = {
            "search": (self._search, "gsroffset"),
            "categorymembers": (self._members, "gcmcontinue"),
            "random": (self._random, "grncontinue"),
        }[params["generator"]]
        if (key in params or "ppcontinue" in params) != ("continue" in params):
            return {"error": {"code": "badcontinue", "info": "the continue object is sent back whole"}}
        found, limit = listing(params), int(params.get("gsrlimit") or params.get("gcmlimit") or params["grnlimit"])
        start = int(params.get(key, 0))
        batch = found[start : start + limit]
        following = start + limit if start + limit < len(found) else None
        return self._in_two_parts(params, batch, start, key, following)

    def _in_two_parts(
        self, params: Params, batch: list[int], start: int, key: str, following: int | None
    ) -> dict[str, Any]:
        """The second half of a long batch gets its page properties in a further answer."""
        half, second = 3, "ppcontinue" in params
        resume = {key: start} if start or key in params else {}
        split = len(batch) > half and not second
        pages = []
        for place, pageid in enumerate(batch):
            page = self._facts(pageid)
            if params["generator"] == "search":
                page["index"] = start + place + 1
            if (place < half) != second and self.pages[page["pageid"]].disambiguation:
                page["pageprops"] = {"disambiguation": ""}
            pages.append(page)
        pages.sort(key=lambda page: page["pageid"])  # as MediaWiki does; the order of a search is in "index"
        if not batch:
            return {"batchcomplete": True}
        if split:
            return {"continue": {**resume, "ppcontinue": str(half), "continue": "||"}, "query": {"pages": pages}}
        answer = _complete({"pages": pages})
        if following is not None:
            answer["continue"] = {key: following, "continue": f"{key}||"}
        return answer

    def _facts(self, pageid: int) -> dict[str, Any]:
        pageid = self.pages[pageid].redirect or pageid
        return {"pageid": pageid, "ns": self.pages[pageid].ns, "title": self.pages[pageid].title}

    def _text(self, params: Params) -> dict[str, Any]:
        pageid = int(params["pageids"])
        if pageid not in self.pages:
            return _complete({"pages": [{"pageid": pageid, "missing": True}]})
        page = self._facts(pageid)
        page |= {"lastrevid": 1000 + page["pageid"], "canonicalurl": f"http://zh.example.org/wiki/{page['title']}"}
        if pageid % 5 == 0 and "excontinue" not in params:
            return {"continue": {"excontinue": 1, "continue": "||info"}, "query": {"pages": [page]}}
        answer = _complete({"pages": [page | {"extract": _as_html(self.pages[page["pageid"]].text)}]})
        return answer | {"warnings": {"extracts": {"warnings": "HTML may be malformed and/or unbalanced and may omit"}}}

    def _titles(self, title: str) -> dict[str, Any]:
        """A title is found in either script, as converttitles does: here 魚 for 鱼."""
        for wanted in (title, title.replace("魚", "鱼")):
            for pageid, page in self.pages.items():
                if f"Category:{page.title}" == f"Category:{wanted}" or page.title == wanted:
                    return _complete({"pages": [self._facts(pageid)]})
        return _complete({"pages": [{"ns": 14, "title": title, "missing": True}]})

    def _search(self, params: Params) -> list[int]:
        words = params["gsrsearch"].strip('"')
        found = [
            pageid
            for pageid, page in self.pages.items()
            if page.ns == 0 and page.redirect is None and words in page.title + page.text
        ]
        return sorted(found, key=lambda pageid: (words not in self.pages[pageid].title, -pageid))

    def _members(self, params: Params) -> list[int]:
        name = params["gcmtitle"].removeprefix("Category:")
        return [pageid for pageid, page in self.pages.items() if name in page.categories]

    def _random(self, params: Params) -> list[int]:  # noqa: ARG002
        return [pageid for pageid, page in self.pages.items() if page.ns == 0 and page.redirect is None]


def small_wiki(count: int = 60) -> FakeWiki:
    """``count`` plain pages, and some that are special."""
    pages = {
        pageid: FakePage(title, text.replace("\n\n", "\n"), ("鱼类",) if "鱼" in title else ())
        for pageid, (title, text) in enumerate(plain_pages(count), start=11)
    }
    pages[1] = FakePage("Category:鱼类", "", ("动物",), ns=14)
    pages[2] = FakePage("Category:淡水鱼", "", ("鱼类",), ns=14)
    text = "鳜鱼生活在淡水里。\n== 空 ==\n== 参考文献 ==\n某书局的书一本。\n== 食用 ==\n清蒸最好吃。"
    pages[3] = FakePage("鳜鱼", text, ("淡水鱼",))
    pages[4] = FakePage("桂花鱼", "", ("淡水鱼",), redirect=3)
    pages[5] = FakePage("鱼（消歧义）", "鱼可以指很多东西。", ("鱼类",), disambiguation=True)
    pages[6] = FakePage("空鱼", "", ("鱼类",))
    return FakeWiki(pages)


def _as_html(text: str) -> str:
    """An extract of ``text``: its lines are paragraphs, but for headings."""
    blocks = []
    for line in filter(None, text.split("\n")):
        name = line.strip("= ")
        blocks.append(f"<h2><span>{name}</span></h2>" if line.startswith("==") else f"<p>{line}\n</p>")
    return "\n".join(blocks)


def _complete(query: dict[str, Any]) -> dict[str, Any]:
    return {"batchcomplete": True, "query": query}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        wiki = self.server.wiki
        params = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        with wiki.lock:
            wiki.asked.append((params, dict(self.headers)))
            wiki.at_once += 1
            wiki.most_at_once = max(wiki.most_at_once, wiki.at_once)
        body = gzip.compress(json.dumps(wiki.answer(params), ensure_ascii=False).encode())
        with wiki.lock:
            wiki.at_once -= 1
        self.send_response(200)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, wiki: FakeWiki) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.wiki = wiki


class FakeApi:
    """Serves a wiki while the ``with`` lasts; ``url`` is its API."""

    def __init__(self, wiki: FakeWiki) -> None:
        self.wiki = wiki
        self._server = _Server(wiki)
        self.url = f"http://127.0.0.1:{self._server.server_port}/w/api.php"

    def __enter__(self) -> FakeApi:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
