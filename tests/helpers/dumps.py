"""Small XML dumps, written as MediaWiki writes them."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
from html import escape
from pathlib import Path

MARKED_UP = Path(__file__).with_name("marked_up_pages.jsonl")  # pages of our own full of mark-up, and their templates
HEAD = """<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="zh">
  <siteinfo><sitename>维基</sitename><base>https://zh.example.org/wiki/Wikipedia:%E9%A6%96%E9%A1%B5</base></siteinfo>
"""


def page(title, text, number=1, ns=0, redirect=""):
    target = f'<redirect title="{redirect}" />' if redirect else ""
    return (
        f"<page><title>{escape(title)}</title><ns>{ns}</ns><id>{number}</id>{target}<revision><id>{number + 1000}</id>"
        f"<contributor><username>某人</username><id>77</id></contributor><format>text/x-wiki</format>"
        f'<text bytes="9" xml:space="preserve">{escape(text)}</text><sha1>x</sha1></revision></page>\n'
    )


def write_dump(path, *pages):
    content = (HEAD + "".join(pages) + "</mediawiki>\n").encode()
    pack = {".bz2": bz2.compress, ".gz": gzip.compress, ".xz": lzma.compress}.get(path.suffix, bytes)
    path.write_bytes(pack(content))
    return path


def write_marked_up(path):
    """A dump of the pages full of mark-up; its path."""
    pages = [json.loads(line) for line in MARKED_UP.read_text(encoding="utf-8").splitlines()]
    dumped = [
        page(each["title"], each["wikitext"], number, ns=10 if each["title"].startswith("Template:") else 0)
        for number, each in enumerate(pages, start=1)
    ]
    return write_dump(path, *dumped)


# An entity in terms of another, eight times over: a few lines that would grow to a gigabyte.
BOMB = '<!DOCTYPE m [<!ENTITY a "桥桥桥桥桥桥桥桥桥桥">' + "".join(
    f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
