"""A real MediaWiki on 127.0.0.1 from Debian's packages, for `make test-wiki`.

    python tests/helpers/wiki.py up                      # install what is missing (as root), make a wiki, serve it
    python tests/helpers/wiki.py marked-up DUMP [TEXTS]  # the same for benchmarks/dump_reader.py, and write a dump
    python tests/helpers/wiki.py down                    # stop them; the wikis stay in runs/

They are Chinese and have the extensions that shape a reader's text: TextExtracts, Cite and ParserFunctions. Their
search is MediaWiki's own for SQLite, which takes every Han character for a word. The first is for the fetcher: some
pages of our own with mark-up, and 2,000 by formula. The second is for the dump reader: it has the extensions that
Wikipedia has for formulas, source code, verse and image maps, and holds the pages full of mark-up, the templates they
use (some are missing on purpose), and 2,000 plain pages, by formula or from TEXTS (JSON Lines, also packed, with
"title" and "paragraphs").
"""

from __future__ import annotations

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
from contextlib import closing, contextmanager
from pathlib import Path
from xml.sax.saxutils import escape

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # so that it runs as a script too

from pipeline.collect.text_files import read_text_files  # noqa: E402
from tests.helpers.dumps import MARKED_UP  # noqa: E402
from tests.helpers.wiki_pages import marked_up_pages, plain_pages  # noqa: E402

FOLDER = ROOT / "runs" / "wiki"
CODE = Path("/usr/share/mediawiki")  # where Debian puts it
# php-cgi and a tiny web server satisfy what mediawiki depends on, so that no Apache is installed; neither is used.
PACKAGES = (
    ("php-cgi", "php-cli", "php-sqlite3", "php-mbstring", "php-intl", "php-xml", "php-apcu"),
    ("mediawiki", "mini-httpd"),
)
LARGE = 2_000  # plain pages
LANGUAGES = (
    *("en", "ja", "ko", "fr", "de", "es", "vi", "nl", "simple", "zh-min-nan", "zh-classical", "zh-yue"),
    *("be-x-old", "be-tarask", "map-bms", "nds-nl", "roa-rup"),
)
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

EXTENSIONS = """
$wgNamespaceAliases['F'] = NS_FILE;
$wgNamespaceAliases['CAT'] = NS_CATEGORY;
wfLoadExtension( 'Math' );
$wgMathValidModes = [ 'source' ];
$wgDefaultUserOptions['math'] = 'source';
$wgMathDisableTexFilter = 'always';
wfLoadExtension( 'ImageMap' );
wfLoadExtension( 'Poem' );
wfLoadExtension( 'SyntaxHighlight_GeSHi' );
"""


def up() -> str:
    """The URL of the API of a running wiki that holds the fetcher's pages."""
    pages = [*marked_up_pages(), *plain_pages(LARGE)]
    install_packages()
    make_wiki(pages)
    load(pages)
    return serve()


def up_marked_up(dump: Path, plain: list[tuple[str, str]]) -> str:
    """The URL of the API of a running wiki of the marked-up pages and ``plain``; ``dump`` is written from it."""
    lines = MARKED_UP.read_text(encoding="utf-8").splitlines()
    pages = [*((page["title"], page["wikitext"]) for page in map(json.loads, lines)), *plain]
    install_packages()
    make_wiki(pages)
    with closing(sqlite3.connect(FOLDER / "db" / "zhwiki.sqlite", timeout=60)) as database:
        database.executemany(
            "INSERT OR IGNORE INTO interwiki (iw_prefix, iw_url, iw_api, iw_wikiid, iw_local, iw_trans) "
            "VALUES (?, ?, '', '', 1, 0)",
            [(language, f"https://{language}.example.org/wiki/$1") for language in LANGUAGES],
        )
        database.commit()
    load(pages)
    maintenance("dumpBackup.php", "--current", "--quiet", f"--output=file:{dump.resolve()}")
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


def make_wiki(pages: list[tuple[str, str]]) -> None:
    """An empty wiki for ``pages``; one that was made for the same pages stays, with what it holds."""
    ready = FOLDER / "ready"
    digest = hashlib.sha256(json.dumps([pages, SETTINGS, LANGUAGES]).encode()).hexdigest()
    if ready.exists() and ready.read_text() == digest:
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
    ready.write_text(digest)


def write_settings(port: int) -> None:
    text = (FOLDER / "Installed.php").read_text(encoding="utf-8") + SETTINGS.replace("{port}", str(port))
    (FOLDER / "LocalSettings.php").write_text(text, encoding="utf-8")


def pages_from(texts: Path) -> list[tuple[str, str]]:
    """Titles and texts of the first ``LARGE`` short articles of a file of JSON Lines."""
    pages: dict[str, str] = {}
    for article in read_text_files([texts]):
        text = "\n\n".join(article.paragraphs)
        if article.title and article.title not in pages and len(text) < 3_000:
            pages[article.title] = text
        if len(pages) == LARGE:
            break
    return list(pages.items())


def load(pages: list[tuple[str, str]]) -> None:
    """Import ``pages`` (title, wikitext), unless that was done."""
    loaded = FOLDER / "loaded"
    if loaded.exists():
        return
    body = "".join(
        f"<page><title>{escape(title)}</title><ns>{_namespace(title)}</ns><revision>"
        "<timestamp>2024-01-01T00:00:00Z</timestamp><contributor><ip>127.0.0.1</ip></contributor>"
        f'<model>wikitext</model><format>text/x-wiki</format><text xml:space="preserve">{escape(text)}</text>'
        "</revision></page>"
        for title, text in pages
    )
    dump = FOLDER / "pages.xml"
    head = '<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.10/" version="0.10" xml:lang="zh">'
    dump.write_text(f"{head}{body}</mediawiki>", encoding="utf-8")
    maintenance("importDump.php", dump)
    maintenance("rebuildtextindex.php")
    maintenance("runJobs.php")
    with closing(sqlite3.connect(FOLDER / "db" / "zhwiki.sqlite", timeout=60)) as database:
        database.execute("ANALYZE")  # without it, a search asks of every page whether it matches, which takes seconds
    loaded.touch()


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


@contextmanager
def as_marked_up_wiki(name: str = "wiki-dump") -> Iterator[None]:
    """The second wiki, in the folder ``name`` of runs/, in place of the first, while the ``with`` lasts."""
    global FOLDER, SETTINGS
    before = FOLDER, SETTINGS
    FOLDER, SETTINGS = ROOT / "runs" / name, SETTINGS + EXTENSIONS
    try:
        yield
    finally:
        FOLDER, SETTINGS = before


if __name__ == "__main__":
    command, *paths = sys.argv[1:] or [""]
    if command == "up" and not paths:
        print(up())
    elif command == "marked-up" and paths:
        with as_marked_up_wiki():
            print(up_marked_up(Path(paths[0]), pages_from(Path(paths[1])) if paths[1:] else list(plain_pages(LARGE))))
    elif command == "down":
        down()
        with as_marked_up_wiki():
            down()
    else:
        sys.exit(__doc__)
