"""Texts: read as strict UTF-8, split into training and validation."""

from __future__ import annotations

import codecs
from pathlib import Path

from tinygrad_llm.errors import ArgumentError, DataError, reason

NEWLINES = ("keep", "lf")
MARKS = {  # a mark of four bytes begins like one of two, so it comes first
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


def read_text(path: str | Path, newlines: str = "keep") -> str:
    """The text of a UTF-8 file; a byte order mark at its start is no part of it.

    newlines  "keep" leaves carriage returns where they are; "lf" makes one \\n of each \\r\\n and each lone \\r.

    Raises DataError for a file that is missing, empty, or not UTF-8 (with the encoding's name, or the byte's place).
    """
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        next_step = "Is the path right? `tgl data list` shows what there is."
        raise DataError(str(path), "a text file", reason(error), next_step) from error
    return decoded(raw, str(path), newlines)


def decoded(raw: bytes, name: str, newlines: str = "keep") -> str:
    """The text of such a file's bytes, which errors call `name`."""
    if wide := _wide_encoding(raw):
        raise DataError(name, "UTF-8", wide, f"Convert it: iconv -f {wide} -t UTF-8 FILE > NEW")
    try:
        text = raw.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        got = f"the byte 0x{raw[error.start]:02x} at offset {error.start}"
        raise DataError(name, "UTF-8", got, "Convert the file, or cut that byte out.") from error
    if not text:
        raise DataError(name, "at least one character", "an empty file")
    return text.replace("\r\n", "\n").replace("\r", "\n") if newlines == "lf" else text


def _wide_encoding(raw: bytes) -> str | None:
    """The encoding whose mark the bytes begin with; UTF-16 too where every second byte is zero, as in English."""
    for mark, name in MARKS.items():
        if raw.startswith(mark):
            return name
    start = raw[:1000]
    for zeros, name in ((start[::2], "UTF-16BE"), (start[1::2], "UTF-16LE")):
        if len(zeros) > 3 and zeros.count(0) > len(zeros) // 2 and start.count(0) < len(zeros) + 2:
            return name
    return None


def split_text(text: str, val_fraction: float = 0.1) -> tuple[str, str]:
    """The first part for training, the rest for validation."""
    if not 0 < val_fraction < 1:
        raise ArgumentError("val_fraction", "a fraction between 0 and 1", val_fraction)
    cut = int(len(text) * (1 - val_fraction))
    return text[:cut], text[cut:]
