"""`tgl data list` and `tgl data get NAME`: real texts, with where they come from and under which licence."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tinygrad_llm.cli.flags import command
from tinygrad_llm.datasets.download import SOURCES, data_dir, download
from tinygrad_llm.errors import ConfigError

ABOUT = "Lists and gets real texts. Each is checked against its SHA-256."


@dataclass(frozen=True)
class DataFlags:
    """See each field's help."""

    action: str = field(default="list", metadata={"help": "list or get"})
    name: str | None = field(default=None, metadata={"help": "which text to get"})
    out: str | None = field(default=None, metadata={"help": "folder for it; $TINYGRAD_LLM_DATA or the cache otherwise"})
    url: str | None = field(default=None, metadata={"help": "another address of the same content; file:// works"})


@command(DataFlags, prog="tgl data", about=ABOUT, positional=["action", "name"])
def main(flags: DataFlags) -> int:
    """Lists or gets."""
    folder = Path(flags.out) if flags.out else data_dir()
    if flags.action == "list":
        print(f"{'name':18}{'bytes':>10}  {'here':6}{'licence':28}what")
        for s in SOURCES.values():
            print(f"{s.name:18}{s.size:10,}  {'yes' if (folder / s.file).exists() else 'no':6}{s.licence:28}{s.what}")
        print(f"folder: {folder}")
        return 0
    if flags.action != "get" or flags.name is None:
        raise ConfigError(
            "tgl data",
            "list, or get NAME",
            " ".join(filter(None, (flags.action, flags.name))),
            f"Names: {', '.join(SOURCES)}.",
        )
    if flags.name in SOURCES:
        source = SOURCES[flags.name]
        print(f"{flags.url or source.url}\n{source.size:,} bytes, licence: {source.licence}")
    print(download(flags.name, folder, url=flags.url))
    return 0
