"""A real MediaWiki on 127.0.0.1 from Debian's packages, for `make test-wiki`.

    python tests/helpers/wiki.py up   # install what is missing (as root), make the wiki, load the pages, serve it
    python tests/helpers/wiki.py down # stop it; the wiki stays in runs/wiki

It is Chinese and has the extensions that shape a reader's text: TextExtracts, Cite and ParserFunctions. Its search is
MediaWiki's own for SQLite, which takes every Han character for a word. The pages are some of our own with mark-up, and
2,000 of the collection ../shared/corpus where that is at hand, else as many made by formula.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from xml.sax.saxutils import escape

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # so that it runs as a script too

from tests.helpers.wiki_pages import marked_up_pages, plain_pages  # noqa: E402

FOLDER = ROOT / "runs" / "wiki"
CORPUS = ROOT.parent / "shared" / "corpus" / "zh_wikipedia.jsonl.gz"
CODE = Path("/usr/share/mediawiki")  # where Debian puts it
# php-cgi and a tiny web server satisfy what mediawiki depends on, so that no Apache is installed; neither is used.
PACKAGES = (
    ("php-cgi", "php-cli", "php-sqlite3", "php-mbstring", "php-intl", "php-xml", "php-apcu"),
    ("mediawiki", "mini-httpd"),
)
LARGE = 2_000  # pages of the large test
SETTINGS = """
$wgServer = 'http://127.0.0.1:{port}';
$wgCacheDirectory = __DIR__ . '/cache';
$wgMainCacheType = CACHE_ACCEL;
$wgJobRunRate = 0;
$wgShowHostnames = true;
$wgRightsText = 'CC BY-SA 4.0';
$wgRightsUrl = 'https://creativecommons.org/licenses/by-sa/4.0/';
$wgDBservers = [
	[ 'type' => 'sqlite', 'dbname' => $wgDBname, 'load' => 1, 'variables' => [ 'synchronous' => 'OFF' ] ]
];
wfLoadExtension( 'TextExtracts' );
wfLoadExtension( 'Cite' );
wfLoadExtension( 'ParserFunctions' );
"""


def up() -> str:
    """The URL of the API of a running wiki that holds the pages."""
    install_packages()
    make_wiki()
    load([*marked_up_pages(), *large_pages()])
    return serve()


def down() -> None:
    """Stop the server that ``serve`` started, and its workers."""
    state = FOLDER / "server.json"
    if state.exists():
        group = json.loads(state.read_text())["pid"]
        if str(FOLDER) in _command_line(group):
            os.killpg(group, signal.SIGTERM)
        state.unlink()


def install_packages() -> None:
    if shutil.which("php") and (CODE / "api.php").exists():
        return
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    apt = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=600"]
    policy = Path("/usr/sbin/policy-rc.d")  # Debian's way to keep packages from starting their services
    ours = not policy.exists()
    if ours:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    try:
        subprocess.run([*apt, "update"], env=environment, check=True)
        for packages in PACKAGES:
            subprocess.run([*apt, "install", "-y", "--no-install-recommends", *packages], env=environment, check=True)
    finally:
        if ours:
            policy.unlink()


def make_wiki() -> None:
    if (FOLDER / "ready").exists():
        return
    shutil.rmtree(FOLDER, ignore_errors=True)
    for name in ("db", "cache", "site"):
        (FOLDER / name).mkdir(parents=True)
    (FOLDER / "site" / "w").symlink_to(CODE)
    options = ["--lang", "zh", "--dbtype", "sqlite", "--dbpath", FOLDER / "db", "--dbname", "zhwiki"]
    options += ["--server", "http://127.0.0.1", "--scriptpath", "/w", "--confpath", FOLDER]
    maintenance("install.php", *options, "--pass", secrets.token_urlsafe(20), "Loopback", "Admin")
    settings = (FOLDER / "LocalSettings.php").read_text(encoding="utf-8")
    (FOLDER / "Installed.php").write_text(settings, encoding="utf-8")
    write_settings(port=80)
    (FOLDER / "ready").touch()


def write_settings(port: int) -> None:
    text = (FOLDER / "Installed.php").read_text(encoding="utf-8") + SETTINGS.replace("{port}", str(port))
    (FOLDER / "LocalSettings.php").write_text(text, encoding="utf-8")


def large_pages() -> Iterator[tuple[str, str]]:
    """Titles and texts of plain pages."""
    if not CORPUS.exists():
        yield from plain_pages(LARGE)
        return
    seen: set[str] = set()
    with gzip.open(CORPUS, "rt", encoding="utf-8") as lines:
        for line in lines:
            article = json.loads(line)
            text = "\n\n".join(article["paragraphs"])
            if article["title"] and article["title"] not in seen and len(text) < 3_000:
                seen.add(article["title"])
                yield article["title"], text
            if len(seen) == LARGE:
                return


def load(pages: list[tuple[str, str]]) -> None:
    """Import ``pages`` (title, wikitext), unless they are what was imported last."""
    body = "".join(
        f"<page><title>{escape(title)}</title><ns>{_namespace(title)}</ns><revision>"
        "<timestamp>2024-01-01T00:00:00Z</timestamp><contributor><ip>127.0.0.1</ip></contributor>"
        f'<model>wikitext</model><format>text/x-wiki</format><text xml:space="preserve">{escape(text)}</text>'
        "</revision></page>"
        for title, text in pages
    )
    stamp = FOLDER / "loaded"
    digest = hashlib.sha256(body.encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return
    dump = FOLDER / "pages.xml"
    head = '<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.10/" version="0.10" xml:lang="zh">'
    dump.write_text(f"{head}{body}</mediawiki>", encoding="utf-8")
    maintenance("importDump.php", dump)
    maintenance("rebuildtextindex.php")
    maintenance("runJobs.php")
    with closing(sqlite3.connect(FOLDER / "db" / "zhwiki.sqlite", timeout=60)) as database:
        database.execute("ANALYZE")  # without it, a search asks of every page whether it matches, which takes seconds
    stamp.write_text(digest)


def _namespace(title: str) -> int:
    return {"Category": 14, "Template": 10}.get(title.partition(":")[0], 0)


def maintenance(script: str, *arguments: object) -> None:
    command = ["php", "-d", "memory_limit=1G", CODE / "maintenance" / script, *arguments]
    with (FOLDER / "maintenance.log").open("ab") as log:
        subprocess.run(list(map(str, command)), env=environment(), cwd=CODE, stdout=log, stderr=log, check=True)


def environment() -> dict[str, str]:
    found = {**os.environ, "MW_INSTALL_PATH": str(CODE), "PHP_CLI_SERVER_WORKERS": "3"}
    if (FOLDER / "Installed.php").exists():  # the installer refuses to run where there are settings
        found["MW_CONFIG_FILE"] = str(FOLDER / "LocalSettings.php")
    return found


def serve() -> str:
    down()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    write_settings(port)
    options = ("memory_limit=512M", "output_buffering=0", "display_errors=0")
    command = ["php", *(word for option in options for word in ("-d", option))]
    command += ["-S", f"127.0.0.1:{port}", "-t", str(FOLDER / "site")]
    with (FOLDER / "server.log").open("ab") as log:
        server = subprocess.Popen(
            command, env=environment(), stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
        )
    (FOLDER / "server.json").write_text(json.dumps({"pid": server.pid, "port": port}))
    url = f"http://127.0.0.1:{port}/w/api.php"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + 120
    while True:
        try:
            with opener.open(f"{url}?action=query&meta=siteinfo&format=json", timeout=60) as answer:
                json.load(answer)
                return url
        except (OSError, ValueError):
            if time.monotonic() > deadline or server.poll() is not None:
                raise
            time.sleep(0.3)


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace")
    except OSError:
        return ""


if __name__ == "__main__":
    if sys.argv[1:] == ["up"]:
        print(up())
    elif sys.argv[1:] == ["down"]:
        down()
    else:
        sys.exit(__doc__)
