"""Texts: read as strict UTF-8, split into training and validation."""

from __future__ import annotations

from pathlib import Path

from tinygrad_llm.errors import ArgumentError, DataError


def read_text(path: str | Path) -> str:
    """The text of a UTF-8 file.  Raises DataError for one that is missing, empty, or not UTF-8 (with the byte's
    place)."""
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        raise DataError(
            str(path), "a text file", error.strerror, "Is the path right? `tgl data list` shows what there is."
        ) from error
    if not raw:
        raise DataError(str(path), "at least one character", "an empty file")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        got = f"the byte 0x{raw[error.start]:02x} at offset {error.start}"
        raise DataError(str(path), "UTF-8", got, "Convert the file, or cut that byte out.") from error


def split_text(text: str, val_fraction: float = 0.1) -> tuple[str, str]:
    """The first part for training, the rest for validation."""
    if not 0 < val_fraction < 1:
        raise ArgumentError("val_fraction", "a fraction between 0 and 1", val_fraction)
    cut = int(len(text) * (1 - val_fraction))
    return text[:cut], text[cut:]
