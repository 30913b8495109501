"""A file is opened only if it is one, and read only as far as its kind can need."""

from __future__ import annotations

import os
import tracemalloc

import numpy as np
import pytest

from tinygrad_llm import files
from tinygrad_llm.cli.load import load_model
from tinygrad_llm.errors import CheckpointError
from tinygrad_llm.files import read_regular
from tinygrad_llm.models import GPT, GPTConfig, from_pretrained, save_pretrained
from tinygrad_llm.models.weights import load_json, load_weights
from tinygrad_llm.tokenizer import load_tokenizer
from tinygrad_llm.train import checkpoint
from tinygrad_llm.train.checkpoint import load_checkpoint, save_checkpoint
from tinygrad_llm.train.config import TrainConfig

TERABYTE = 1 << 40


def pipe(path):
    os.mkfifo(path)


def hole(path):
    with open(path, "wb") as file:
        file.truncate(TERABYTE)


NO_FILES = {
    "a pipe": pipe, "a hole": hole, "an endless device": lambda p: p.symlink_to("/dev/zero"), "a folder": lambda p: p.mkdir(),
    "a link to itself": lambda p: p.symlink_to(p), "nothing": lambda p: None,
}  # fmt: skip
each = pytest.mark.parametrize("make", NO_FILES.values(), ids=NO_FILES)
pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")


def refused(call, *arguments):
    """The call raises CheckpointError, and takes no memory to speak of."""
    tracemalloc.start()
    with pytest.raises(CheckpointError):
        call(*arguments)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000


@each
@pytest.mark.parametrize("read", [load_json, load_weights, load_tokenizer, lambda p: read_regular(p, "a text")])
def test_what_is_no_file_is_refused_at_once(make, read, tmp_path):
    make(tmp_path / "file")
    refused(read, tmp_path / "file")


@each
@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_model_s_folder_with_what_is_no_file_is_refused_at_once(make, name, tmp_path):
    save_pretrained(GPT(GPTConfig(11, 8, 1, 1, 4), rng=np.random.default_rng(0)), tmp_path)
    (tmp_path / name).unlink()
    make(tmp_path / name)
    refused(from_pretrained, tmp_path)


@each
@pytest.mark.parametrize("name", ["manifest.json", "model.safetensors", "state.json"])
def test_a_checkpoint_with_what_is_no_file_is_refused_at_once(make, name, tmp_path):
    save_checkpoint(tmp_path / "last", {"model": {"w": np.ones(3)}}, {"state": {"step": 1}})
    (tmp_path / "last" / name).unlink()
    make(tmp_path / "last" / name)
    refused(load_checkpoint, tmp_path / "last")


def test_a_pipe_that_takes_a_file_s_place_meanwhile_is_not_waited_for(tmp_path, monkeypatch):
    regular, fifo = tmp_path / "regular", tmp_path / "fifo"
    regular.write_bytes(b"{}")
    pipe(fifo)
    real = os.stat(regular)
    monkeypatch.setattr(files.os, "stat", lambda path: real)
    with pytest.raises(CheckpointError, match="a pipe"):
        read_regular(fifo, "a text")


def test_a_file_is_read_whole_up_to_its_limit_and_not_beyond(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * 100)
    assert read_regular(tmp_path / "a", "a text", 100) == b"x" * 100
    with pytest.raises(CheckpointError, match="at most 99 bytes, got 100"):
        read_regular(tmp_path / "a", "a text", 99)


@pytest.mark.parametrize(
    "entry", [3, None, {}, {"bytes": "3", "sha256": ""}, {"bytes": 3}, {"bytes": 1 << 60, "sha256": ""}]
)
def test_a_manifest_of_another_form_is_refused(entry, tmp_path):
    save_checkpoint(tmp_path / "last", {}, {"state": {"step": 1}})
    body = {"sequence": 1, "files": {"state.json": entry}}
    text = checkpoint._json_bytes(body | {"sha256": checkpoint._digest(body)})
    (tmp_path / "last" / "manifest.json").write_bytes(text)
    refused(load_checkpoint, tmp_path / "last")


def test_a_checkpoint_of_something_else_is_no_run(tmp_path):
    save_checkpoint(tmp_path / "last", {"other": {}}, {"run": {"config": TrainConfig().to_dict()}})
    with pytest.raises(CheckpointError, match=r"config\.json.*other.*run"):
        load_model(str(tmp_path / "last"))
