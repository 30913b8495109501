"""Real texts from their sources: pinned address, checked content, resumed where it stopped."""

from __future__ import annotations

import hashlib
import http.client
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from tinygrad_llm.errors import ArgumentError, DataError, StorageError, reason

BLOCK = 1 << 16
TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Source:
    """A file elsewhere. The SHA-256 pins its content, whatever the address may serve one day."""

    name: str
    file: str
    url: str
    size: int
    sha256: str
    licence: str
    what: str


_SOURCES = (
    Source(
        "tinyshakespeare",
        "tinyshakespeare.txt",
        "https://raw.githubusercontent.com/karpathy/char-rnn/6f9487a6fe5b420b7ca9afb0d7c078e37c1d1b4e/data/tinyshakespeare/input.txt",
        1_115_394,
        "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
        "public domain (Shakespeare)",
        "40,000 lines of Shakespeare's plays",
    ),
    Source(
        "gpt2-encoder",
        "gpt2/encoder.json",
        "https://openaipublic.blob.core.windows.net/gpt-2/encodings/main/encoder.json",
        1_042_301,
        "196139668be63f3b5d6574427317ae82f612a97c5d1cdaf36ed2256dbf636783",
        "modified MIT (OpenAI)",
        "GPT-2's tokens and their ids",
    ),
    Source(
        "gpt2-merges",
        "gpt2/vocab.bpe",
        "https://openaipublic.blob.core.windows.net/gpt-2/encodings/main/vocab.bpe",
        456_318,
        "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5",
        "modified MIT (OpenAI)",
        "GPT-2's merges, in order",
    ),
)
SOURCES = {source.name: source for source in _SOURCES}


def cache_dir() -> Path:
    """The user's cache for this package."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return base / "tinygrad_llm"


def data_dir() -> Path:
    """Where real texts are looked for first, and put: $TINYGRAD_LLM_DATA, or the user's cache."""
    given = os.environ.get("TINYGRAD_LLM_DATA")
    return Path(given) if given else cache_dir()


def find_file(file: str) -> Path:
    """The path of a file that has been put there.  Raises DataError that names the command which gets it."""
    path = data_dir() / file
    if not path.is_file():
        names = [source.name for source in _SOURCES if source.file == file]
        raise DataError(file, f"a file at {path}", "none", f"Get it with: tgl data get {' '.join(names)}")
    return path


def download(name: str, folder: Path | None = None, *, url: str | None = None, progress: bool = True) -> Path:
    """Gets a source into `folder` and returns its path; does nothing where it is there already and whole.

    What has come so far is kept in FILE.part, and the next call asks for the rest.

    Raises ArgumentError for an unknown name, DataError where the network or the content fails, StorageError where the
    disk does. `url` takes another address for the same content; file:// works.
    """
    if name not in SOURCES:
        raise ArgumentError("name", " or ".join(SOURCES), repr(name))
    source = SOURCES[name]
    path = (data_dir() if folder is None else folder) / source.file
    if path.is_file() and _sha256(path) == source.sha256:
        return path
    address = url or source.url
    _check_address(address)
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _fetch(source, address, part, progress)
        if part.stat().st_size != source.size or _sha256(part) != source.sha256:
            got = f"{part.stat().st_size} bytes with another checksum"
            part.unlink()
            raise DataError(
                name,
                f"the {source.size} bytes with SHA-256 {source.sha256[:12]}…",
                got,
                _by_hand(address, path),
            )
        os.replace(part, path)
    except urllib.error.URLError as error:
        got = f"HTTP {error.code}" if isinstance(error, urllib.error.HTTPError) else _why(error)
        raise DataError(name, f"an answer from {address}", got, _by_hand(address, path)) from error
    except (TimeoutError, ConnectionError, http.client.IncompleteRead) as error:
        next_step = "Call again: it goes on where it stopped."
        raise DataError(name, f"an answer from {address}", reason(error), next_step) from error
    except (UnicodeError, http.client.HTTPException) as error:
        raise _no_address(address) from error
    except OSError as error:
        raise StorageError(
            str(path), "a place that can be written", reason(error), "Free space or choose another folder."
        ) from error
    return path


def _why(error: urllib.error.URLError) -> str:
    """The system's reason where there is one below it."""
    return reason(error.reason) if isinstance(error.reason, BaseException) else f"{error.reason}"


def _no_address(address: str) -> ArgumentError:
    return ArgumentError("url", "an address such as https://… or file:///…", repr(address))


def _check_address(address: str) -> None:
    try:
        if urllib.parse.urlsplit(address).scheme in ("http", "https", "file"):
            return
    except ValueError:
        pass  # brackets that hold no IPv6 address
    raise _no_address(address)


def _by_hand(url: str, path: Path) -> str:
    return f"Call again, or get {url} by other means and put it at {path}."


def _fetch(source: Source, url: str, part: Path, progress: bool) -> None:
    """Appends what is missing to `part`; starts over where the server does not know ranges, or `part` is too long."""
    have = part.stat().st_size if part.exists() else 0
    if have >= source.size:
        part.unlink()
        have = 0
    request = urllib.request.Request(url, headers={"User-Agent": "tinygrad_llm"})
    if have and not url.startswith("file:"):
        request.add_header("Range", f"bytes={have}-")
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
        resumed = getattr(answer, "status", None) == 206
        have = have if resumed else 0
        bar: Any = tqdm(
            total=source.size, initial=have, unit="B", unit_scale=True, desc=source.name, disable=not progress
        )
        with open(part, "ab" if resumed else "wb") as file, bar:
            while block := answer.read(BLOCK):
                file.write(block)
                bar.update(len(block))


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
