"""Where corpora are found, and how what is missing is made: whole or not at all, once, the same everywhere."""

from __future__ import annotations

import dataclasses
import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tinygrad_llm.course.exercises.runner import child_environment
from tinygrad_llm.datasets import locate
from tinygrad_llm.errors import ArgumentError, DataError, StorageError

ROOT = Path(__file__).resolve().parents[2]
SOURCES = (ROOT / "data" / "SOURCES.md").read_text(encoding="utf-8")
LISTED = re.findall(r"^\| (\w+)/(\S+) \| ([\d,]+) \| `(\w+)` \|$", SOURCES, re.MULTILINE)
MEGABYTE = 1_000_000
FILES = sorted(locate.CORPORA["kingdom"].sums)


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """No checkout, and an empty cache."""
    monkeypatch.setattr(locate, "CHECKOUT", tmp_path / "none")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    return tmp_path / "tinygrad_llm"


@pytest.fixture
def replaced(monkeypatch):
    """Gives the corpus kingdom another writer."""

    def replace(write):
        known = locate.CORPORA["kingdom"]
        monkeypatch.setitem(locate.CORPORA, "kingdom", dataclasses.replace(known, write=write))

    return replace


@pytest.mark.parametrize("name", locate.CORPORA)
def test_a_checkout_has_every_corpus_as_it_should_be(name):
    folder = locate.corpus(name)
    assert folder == locate.CHECKOUT / name
    for file, expected in locate.CORPORA[name].sums.items():
        assert hashlib.sha256((folder / file).read_bytes()).hexdigest() == expected, file


def test_the_page_of_sources_lists_the_same_files_and_sums():
    assert {(name, file): expected for name, file, _, expected in LISTED} == {
        (name, file): expected for name, made in locate.CORPORA.items() for file, expected in made.sums.items()
    }


def test_files_of_more_than_a_megabyte_are_the_ones_that_git_ignores():
    ignored = re.findall(r"^/?data/(\w+)/(\S+)$", (ROOT / ".gitignore").read_text(encoding="utf-8"), re.MULTILINE)
    large = [(name, file) for name, file, size, _ in LISTED if int(size.replace(",", "")) > MEGABYTE]
    assert sorted(ignored) == sorted(large)


def test_without_a_checkout_a_corpus_is_made_in_the_cache_once(elsewhere, capsys):
    folder = locate.corpus("kingdom")
    assert folder == elsewhere / "kingdom" and sorted(content(folder)) == FILES
    assert content(folder) == content(ROOT / "data" / "kingdom")
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1 and str(folder) in said.err
    assert locate.corpus("kingdom") == folder and capsys.readouterr().err == ""
    assert sorted(elsewhere.iterdir()) == [folder], "nothing is left beside it"


def test_in_a_checkout_what_is_missing_is_made_and_the_rest_stays_as_it_is(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(locate, "CHECKOUT", tmp_path)
    (tmp_path / "kingdom").mkdir()
    (tmp_path / "SOURCES.md").touch()
    (tmp_path / "kingdom" / "test.txt").write_text("of somebody's own")
    folder = locate.corpus("kingdom")
    expected = content(ROOT / "data" / "kingdom") | {"test.txt": b"of somebody's own"}
    assert folder == tmp_path / "kingdom" and content(folder) == expected
    assert "train.txt, analogies.json in" in capsys.readouterr().err


@pytest.mark.parametrize("whole", [True, False])
def test_a_checkout_that_cannot_be_written_is_used_as_far_as_it_goes(elsewhere, monkeypatch, tmp_path, whole):
    checkout = tmp_path / "checkout"
    monkeypatch.setattr(locate, "CHECKOUT", checkout)
    monkeypatch.setattr(locate.os, "access", lambda path, mode: False)
    (checkout / "kingdom").mkdir(parents=True)
    (checkout / "SOURCES.md").touch()
    for name, data in content(ROOT / "data" / "kingdom").items():
        if whole or name != "test.txt":
            (checkout / "kingdom" / name).write_bytes(data)
    assert locate.corpus("kingdom") == (checkout if whole else elsewhere) / "kingdom"


def test_a_writer_that_dies_leaves_nothing_half_done(elsewhere, replaced):
    write = locate.CORPORA["kingdom"].write

    def dies(folder):
        path, *_ = write(folder)
        path.write_bytes(path.read_bytes()[:1000])
        raise KeyboardInterrupt

    replaced(dies)
    with pytest.raises(KeyboardInterrupt):
        locate.corpus("kingdom")
    assert list(elsewhere.rglob("*")) == [elsewhere / "kingdom"]
    replaced(write)
    assert content(locate.corpus("kingdom")) == content(ROOT / "data" / "kingdom")


def test_a_corpus_is_written_beside_its_place_where_a_rename_is_one_moment(elsewhere, replaced):
    """Between two file systems it would be a copy, which can be seen half done."""
    write, folders = locate.CORPORA["kingdom"].write, []
    replaced(lambda folder: (folders.append(folder), write(folder))[1])
    locate.corpus("kingdom")
    assert [folder.parent for folder in folders] == [elsewhere]


def test_what_is_not_as_it_should_be_is_refused(elsewhere, replaced):
    write = locate.CORPORA["kingdom"].write

    def changed(folder):
        paths = write(folder)
        paths[0].write_bytes(paths[0].read_bytes() + b"!")
        return paths

    replaced(changed)
    with pytest.raises(DataError, match=r"train\.txt: .*0d3deeeb"):
        locate.corpus("kingdom")
    assert content(elsewhere / "kingdom") == {}


def test_a_disk_that_refuses_is_named(elsewhere, replaced):
    def full(folder):
        raise OSError(28, "No space left on device")

    replaced(full)
    with pytest.raises(StorageError, match=r"kingdom.*no space left"):
        locate.corpus("kingdom")


def test_processes_that_make_one_at_once_all_find_it_whole(tmp_path):
    code = (
        "import sys, pathlib, hashlib; from tinygrad_llm.datasets import locate; sys.stdin.read(1);"
        "locate.CHECKOUT = pathlib.Path('none'); folder = locate.corpus('kingdom');"
        "print([hashlib.sha256((folder / f).read_bytes()).hexdigest() for f in locate.CORPORA['kingdom'].sums])"
    )
    environment = child_environment(XDG_CACHE_HOME=str(tmp_path), LOCALAPPDATA=str(tmp_path))
    command = [sys.executable, "-c", code]
    started = [
        subprocess.Popen(command, env=environment, stdin=-1, stdout=-1, stderr=-1, cwd=tmp_path, text=True)
        for _ in range(3)
    ]
    for child in started:
        child.stdin.write("!")
        child.stdin.flush()
    said = [child.communicate(timeout=120) for child in started]
    expected = str(list(locate.CORPORA["kingdom"].sums.values()))
    assert [out.strip() for out, _ in said] == [expected] * 3, said
    assert [path.name for path in (tmp_path / "tinygrad_llm").iterdir()] == ["kingdom"]


def test_an_unknown_corpus_is_refused_by_name():
    with pytest.raises(ArgumentError, match="kingdom or lingo or tales"):
        locate.corpus("empire")
