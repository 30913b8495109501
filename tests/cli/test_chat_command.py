"""`tgl chat`: answers come as they are written, Ctrl-C stops one of them and no more, and the dialogue is kept."""

from __future__ import annotations

import math
import os
import select
import sys
import time

import numpy as np
import pytest

from tinygrad_llm.cli import chat
from tinygrad_llm.cli.main import main
from tinygrad_llm.generate import Sampler, conversation
from tinygrad_llm.models import GPT, GPTConfig, save_pretrained
from tinygrad_llm.tokenizer import ByteTokenizer

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
SLOW = """
import sys, time
from tinygrad_llm.generate import conversation
from tinygrad_llm.cli.main import main
def slow(model, prompt, count, sampler, rng):
    text = bytes(prompt).decode()
    for byte in (text.count("User:").__str__() + "é" + "abcdefgh" * 1000).encode():
        time.sleep(0.02)
        yield byte
conversation.generate = slow
sys.exit(main(sys.argv[1:]))
"""


def saved(path, block_size):
    save_pretrained(GPT(GPTConfig(256, block_size, 1, 2, 16), rng=np.random.default_rng(0)), path)
    ByteTokenizer().save(path)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return saved(tmp_path_factory.mktemp("chat"), 4096)


@pytest.fixture(scope="module")
def narrow(tmp_path_factory):
    return saved(tmp_path_factory.mktemp("narrow"), 64)


class Terminal:
    """A process in a pseudo-terminal: what it shows is read until something is seen."""

    def __init__(self, *argv):
        import pty

        self.pid, self.file = pty.fork()
        if self.pid == 0:
            environment = {
                **os.environ,
                "PYTHONPATH": os.pathsep.join(sys.path),
                "TERM": "dumb",
                "OPENBLAS_NUM_THREADS": "1",
            }
            os.execve(sys.executable, [sys.executable, *argv], environment)
        self.shown = ""

    def until(self, text, seconds=120):
        """Everything up to `text`."""
        end = time.monotonic() + seconds
        while text not in self.shown:
            assert time.monotonic() < end, self.shown
            if select.select([self.file], [], [], 0.2)[0]:
                try:
                    self.shown += os.read(self.file, 4096).decode(errors="replace")
                except OSError:
                    raise AssertionError(f"it ended: {self.shown}") from None
        before, _, self.shown = self.shown.partition(text)
        return before

    def type(self, text):
        os.write(self.file, text.encode())

    def interrupt(self, text):
        """Ctrl-C at a prompt, until `text` is seen: one that comes just before `input` listens is heard with the next."""
        for _ in range(6):
            time.sleep(0.5)
            self.type("\x03")
            try:
                return self.until(text, 20)
            except AssertionError as error:
                assert "it ended" not in str(error), self.shown
        raise AssertionError(self.shown)

    def status(self, key=""):
        """How it ends; `key` is typed, and once more where nothing comes of it for long."""
        end, typed = time.monotonic() + 120, -math.inf
        while time.monotonic() < end:
            if key and time.monotonic() > typed + 30:
                time.sleep(0.5)
                typed = time.monotonic()
                self.type(key)
            if select.select([self.file], [], [], 0.1)[0]:
                try:
                    os.read(self.file, 4096)
                except OSError:
                    pass
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                os.close(self.file)
                return os.waitstatus_to_exitcode(status)
        os.kill(self.pid, 9)
        raise AssertionError("it does not end")


@POSIX
def test_in_a_terminal_ctrl_c_stops_the_answer_alone_and_at_the_prompt_twice_leaves(folder):
    terminal = Terminal("-c", SLOW, "chat", str(folder), "--tokens", "9999")
    terminal.until("> ")
    terminal.type("hello\n")
    terminal.until("1éabcd")
    terminal.type("\x03")
    stopped = terminal.until("\n> ")
    assert "abcdefgh" * 900 not in stopped and "Traceback" not in stopped
    terminal.type("again\n")
    terminal.until("2éabcd")  # the dialogue goes on: the model sees two messages of the user
    terminal.type("\x03")
    terminal.until("\n> ")
    terminal.type("/reset\n")
    terminal.until("(forgotten)")
    terminal.type("new\n")
    terminal.until("1éab")
    terminal.type("\x03")
    terminal.until("\n> ")
    terminal.interrupt("once more leaves")
    terminal.until("> ")
    assert terminal.status("\x03") == 0


@POSIX
def test_in_a_terminal_quit_and_the_end_of_input_leave(folder):
    for key in ("/quit\n", "\x04"):
        terminal = Terminal("-c", SLOW, "chat", str(folder))
        terminal.until("> ")
        terminal.type(key)
        assert terminal.status() == 0


@pytest.fixture
def said(monkeypatch, capsys):
    """A function of flags and lines: what is shown, and the texts that the model was asked to go on from."""
    asked = []

    def spoken(answers, folder, lines, *flags):
        rest = iter(answers)
        asked.clear()

        def written(model, prompt, count, sampler, rng):
            asked.append((bytes(prompt).decode(), count, sampler))
            yield from next(rest).encode()[:count]

        monkeypatch.setattr(conversation, "generate", written)
        monkeypatch.setattr(chat, "_piped", lambda: iter(lines))
        monkeypatch.setattr(sys, "stdin", None)
        assert main(["chat", str(folder), *flags]) == 0
        return capsys.readouterr().out, list(asked)

    return spoken


def test_each_line_of_a_pipe_is_answered_and_the_dialogue_is_kept(folder, said):
    shown, asked = said(["one\nUser: no", "two\n"], folder, ["a", "", "b"])
    assert shown == "one\ntwo\n"
    assert [text for text, *_ in asked] == ["User: a\nAssistant: ", "User: a\nAssistant: one\nUser: b\nAssistant: "]


def test_the_commands_do_what_they_say(folder, said):
    lines = ["/system Be.", "a", "/system", "/reset", "b", "/help", "/nothing", "//c", "/quit", "d"]
    shown, asked = said(["one\n", "two\n", "three\n"], folder, lines)
    assert [text for text, *_ in asked] == [
        "System: Be.\nUser: a\nAssistant: ", "System: Be.\nUser: b\nAssistant: ", "System: Be.\nUser: b\nAssistant: two\nUser: /c\nAssistant: "
    ]  # fmt: skip
    assert (
        shown.count("(system: Be.)") == 2
        and shown.count("/quit          leave") == 2
        and "There is no /nothing." in shown
    )


def test_each_flag_reaches(folder, said):
    flags = ["--temperature", "0.3", "--top-k", "4", "--top-p", "0.5", "--tokens", "7", "--system", "Be."]
    (text, count, sampler), = said(["one\n"], folder, ["a"], *flags)[1]  # fmt: skip
    assert text == "System: Be.\nUser: a\nAssistant: " and count == 7 and sampler == Sampler(0.3, 4, 0.5)
    assert said(["one\n"], folder, ["a"], "--greedy")[1][0][2] == Sampler(0.7, greedy=True)


def test_what_no_longer_fits_is_forgotten_and_said(narrow, said):
    shown, asked = said(["one\n", "two\n", "three\n"], narrow, ["a" * 10, "b" * 10, "c" * 200, "d"], "--tokens", "9")
    assert asked[1][0] == f"User: {'b' * 10}\nAssistant: " and "The first 2 messages no longer fit" in shown
    assert "(message: expected at most 55 tokens" in shown and asked[2][0].endswith("User: d\nAssistant: ")


def test_an_answer_that_came_to_its_longest_says_so(folder, said):
    assert said(["one two"], folder, ["a"], "--tokens", "3")[0] == "one …\n"


def test_the_same_seed_gives_the_same_answers(folder, monkeypatch, capsys):
    def answer(seed):
        monkeypatch.setattr(chat, "_piped", lambda: iter(["a"]))
        monkeypatch.setattr(sys, "stdin", None)
        assert main(["chat", str(folder), "--seed", str(seed), "--tokens", "12"]) == 0
        return capsys.readouterr().out

    assert answer(0) == answer(0) != answer(1)


def test_a_template_whose_marks_the_tokenizer_lacks_is_refused_in_one_line(folder, monkeypatch, capsys):
    monkeypatch.setattr(chat, "_piped", lambda: iter(["a"]))
    monkeypatch.setattr(sys, "stdin", None)
    assert main(["chat", str(folder), "--template", "chatml"]) == 2
    error = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(error) == 1 and "<|im_start|>" in error[0]
