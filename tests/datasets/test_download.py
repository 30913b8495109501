"""Getting a file: whole, resumed, altered, refused; against a server on this machine."""

from __future__ import annotations

import hashlib
import http.server
import threading
from dataclasses import replace

import pytest

from tinygrad_llm.datasets import download as module
from tinygrad_llm.datasets.download import SOURCES, download, find_file
from tinygrad_llm.errors import ArgumentError, DataError, StorageError

CONTENT = bytes(range(256)) * 700


@pytest.fixture(autouse=True)
def small_source(monkeypatch):
    source = replace(
        SOURCES["tinyshakespeare"], file="sub/t.txt", size=len(CONTENT), sha256=hashlib.sha256(CONTENT).hexdigest()
    )
    monkeypatch.setitem(SOURCES, "tinyshakespeare", source)


@pytest.fixture
def server():
    """A server whose behaviour a test sets: ranges, truncation, status, and what it was asked."""

    class Handler(http.server.BaseHTTPRequestHandler):
        ranges, cut, status, content = True, None, 200, CONTENT
        asked: list = []

        def do_GET(self):
            cls = type(self)
            cls.asked.append(self.headers.get("Range"))
            if cls.status != 200:
                self.send_error(cls.status)
                return
            start = int(self.headers["Range"][6:-1]) if cls.ranges and self.headers.get("Range") else 0
            self.send_response(206 if start else 200)
            body = cls.content[start:]
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: cls.cut])

        def log_message(self, *args):
            pass

    Handler.asked = []
    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    Handler.url = f"http://127.0.0.1:{running.server_port}/t"
    yield Handler
    running.shutdown()
    running.server_close()
    thread.join()


def get(server, folder):
    return download("tinyshakespeare", folder, url=server.url, progress=False)


def test_a_whole_file_comes_once(server, tmp_path):
    assert get(server, tmp_path).read_bytes() == CONTENT
    get(server, tmp_path)
    assert server.asked == [None]
    assert [p.name for p in (tmp_path / "sub").iterdir()] == ["t.txt"]


@pytest.mark.parametrize("ranges", [True, False])
def test_what_was_cut_off_is_resumed_or_begun_again(ranges, server, tmp_path):
    server.cut, server.ranges = 1000, ranges
    with pytest.raises(DataError):
        get(server, tmp_path)
    part = tmp_path / "sub" / "t.txt.part"
    if not part.exists():
        part.write_bytes(CONTENT[:1000])  # a connection that broke leaves what has come
    server.cut = None
    assert get(server, tmp_path).read_bytes() == CONTENT
    assert server.asked[-1] == "bytes=1000-"


@pytest.mark.parametrize("more", [b"", b"x"], ids=["as long as the whole", "too long"])
def test_a_part_to_which_nothing_is_missing_is_thrown_away(more, server, tmp_path):
    """A server has no range that begins at the end."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "t.txt.part").write_bytes(CONTENT + more)
    assert get(server, tmp_path).read_bytes() == CONTENT and server.asked == [None]


def test_altered_content_is_refused_and_removed(server, tmp_path):
    server.content = CONTENT[:-1] + b"!"
    with pytest.raises(DataError, match="another checksum"):
        get(server, tmp_path)
    assert not list((tmp_path / "sub").iterdir())


@pytest.mark.parametrize("content", [b"altered", CONTENT[:-1] + b"x"], ids=["shorter", "as long"])
def test_an_altered_file_is_fetched_again(content, server, tmp_path):
    path = get(server, tmp_path)
    path.write_bytes(content)
    assert get(server, tmp_path).read_bytes() == CONTENT


def test_a_server_that_refuses_is_named(server, tmp_path):
    server.status = 404
    with pytest.raises(DataError, match="HTTP 404.*by other means"):
        get(server, tmp_path)


def test_a_server_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match=r"127\.0\.0\.1"):
        download("tinyshakespeare", tmp_path, url="http://127.0.0.1:9/t", progress=False)


def test_an_address_on_this_machine_works(tmp_path):
    (tmp_path / "here.bin").write_bytes(CONTENT)
    path = download("tinyshakespeare", tmp_path / "out", url=(tmp_path / "here.bin").as_uri(), progress=False)
    assert path.read_bytes() == CONTENT


def test_a_disk_that_refuses_is_a_storage_error(server, tmp_path):
    (tmp_path / "sub").write_text("a file where a folder should be")
    with pytest.raises(StorageError):
        get(server, tmp_path)


def test_ctrl_c_keeps_what_has_come(server, tmp_path, monkeypatch):
    class Stopping:
        def __init__(self, *args, **kwargs):
            self.blocks = 0

        def __enter__(self):
            return self

        def __exit__(self, *exc):
            return None

        def update(self, n):
            self.blocks += 1
            if self.blocks == 2:
                raise KeyboardInterrupt

    monkeypatch.setattr(module, "tqdm", Stopping)
    with pytest.raises(KeyboardInterrupt):
        get(server, tmp_path)
    monkeypatch.undo()
    assert (tmp_path / "sub" / "t.txt.part").stat().st_size == 2 * module.BLOCK


def test_an_unknown_name_lists_the_known(tmp_path):
    with pytest.raises(ArgumentError, match="tinyshakespeare"):
        download("nothing", tmp_path)


def test_a_file_that_was_not_got_yet_says_how(tmp_path, monkeypatch):
    monkeypatch.setenv("TINYGRAD_LLM_DATA", str(tmp_path))
    with pytest.raises(DataError, match="tgl data get gpt2-merges"):
        find_file("gpt2/vocab.bpe")


def test_the_pinned_sums_are_those_of_the_real_files(real_data):
    for file, sha in (("gpt2/encoder.json", SOURCES["gpt2-encoder"]), ("gpt2/vocab.bpe", SOURCES["gpt2-merges"])):
        content = real_data(file).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (sha.size, sha.sha256)


@pytest.mark.parametrize(("ranges", "start"), [(True, 1000), (False, 0)])
def test_the_bar_begins_where_the_file_does(ranges, start, server, tmp_path, monkeypatch):
    bars = []

    class Bar:
        def __init__(self, *, initial, total, **options):
            bars.extend([initial, [initial, total]])

        def __enter__(self):
            return self

        def __exit__(self, *exc):
            return None

        def update(self, n):
            bars[-1][0] += n

    monkeypatch.setattr(module, "tqdm", Bar)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "t.txt.part").write_bytes(CONTENT[:1000])
    server.ranges = ranges
    assert get(server, tmp_path).read_bytes() == CONTENT
    assert bars == [start, [len(CONTENT), len(CONTENT)]]


def test_a_server_that_says_nothing_is_not_waited_for_without_end(tmp_path, monkeypatch):
    waited = []

    def silent(request, timeout=None):
        waited.append(timeout)
        raise TimeoutError("timed out")

    monkeypatch.setattr(module.urllib.request, "urlopen", silent)
    with pytest.raises(DataError, match="timed out.*goes on where it stopped"):
        download("tinyshakespeare", tmp_path, progress=False)
    assert waited == [30.0]


def test_texts_are_looked_for_and_put_where_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.delenv("TINYGRAD_LLM_DATA", raising=False)
    monkeypatch.setattr(module.sys, "platform", "linux")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(module.Path, "home", lambda: tmp_path)
    assert module.data_dir() == module.cache_dir() == tmp_path / ".cache" / "tinygrad_llm"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert module.data_dir() == module.cache_dir() == tmp_path / "cache" / "tinygrad_llm"
    monkeypatch.setenv("TINYGRAD_LLM_DATA", "")
    assert module.data_dir() == module.cache_dir()
    monkeypatch.setenv("TINYGRAD_LLM_DATA", str(tmp_path / "data"))
    assert module.data_dir() == tmp_path / "data" and module.cache_dir() == tmp_path / "cache" / "tinygrad_llm"
    monkeypatch.setattr(module.sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert module.cache_dir() == tmp_path / "local" / "tinygrad_llm"
    (tmp_path / "here.bin").write_bytes(CONTENT)
    (tmp_path / "data" / "sub").mkdir(parents=True)
    path = download("tinyshakespeare", url=(tmp_path / "here.bin").as_uri(), progress=False)
    assert path == find_file("sub/t.txt") == tmp_path / "data" / "sub" / "t.txt"


def test_the_address_of_a_source_is_its_own_unless_another_is_given(tmp_path, monkeypatch):
    asked = []

    def refuse(request, timeout=None):
        asked.append(request.full_url)
        raise TimeoutError

    monkeypatch.setattr(module.urllib.request, "urlopen", refuse)
    for url in (None, "https://example.org/t"):
        with pytest.raises(DataError):
            download("tinyshakespeare", tmp_path, url=url, progress=False)
    assert asked == [SOURCES["tinyshakespeare"].url, "https://example.org/t"]
