"""`tgl chat`: a dialogue with a model, in a terminal or line by line from a pipe."""

from __future__ import annotations

import contextlib
import importlib
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from tinygrad_llm.cli.flags import command
from tinygrad_llm.errors import ConfigError, DataError, TokenError
from tinygrad_llm.finetune.opened import Opened, open_model
from tinygrad_llm.finetune.settings import TEMPLATE_WORDS
from tinygrad_llm.generate import Conversation, Sampler
from tinygrad_llm.ranges import one_of, whole
from tinygrad_llm.tokenizer import TEMPLATES
from tinygrad_llm.tokenizer.chat import fitting_template
from tinygrad_llm.tokenizer.special import special_of
from tinygrad_llm.train.ranges import MOST

HELP = """/reset         forget what was said
/system TEXT   what the model is told before all; without TEXT, what that is now
/help          this
/quit          leave; so do Ctrl-D, and Ctrl-C twice
Ctrl-C stops an answer. A message that begins with / is written //."""
PROMPT = "> "
ONCE_MORE = "(Ctrl-C once more leaves.)"


@dataclass(frozen=True)
class ChatFlags:
    """See each field's help."""

    model: str = field(metadata={"help": "folder of a run, a merged model, a Hugging Face model, or an adapter"})
    system: str | None = field(default=None, metadata={"help": "what the model is told before all"})
    tokens: int = field(default=200, metadata={"help": "the longest answer", "range": whole(1, MOST)})
    temperature: float = field(default=0.7, metadata={"help": "below 1 bolder, above 1 more varied"})
    top_k: int | None = field(default=None, metadata={"help": "keep the k most likely tokens"})
    top_p: float = field(default=1.0, metadata={"help": "keep the most likely tokens up to this probability"})
    greedy: bool = field(default=False, metadata={"help": "always the most likely token"})
    seed: int | None = field(default=None, metadata={"help": "same seed, same answers"})
    template: str = field(
        default="auto",
        metadata={
            "help": "how dialogues are written; auto is as the model learned it",
            "range": one_of(TEMPLATE_WORDS),
        },
    )
    base: str | None = field(
        default=None, metadata={"help": "the model below an adapter, where it is no longer where it was"}
    )
    device: str = field(default="cpu", metadata={"help": "cpu, cuda or auto"})


ABOUT = "Talks with a model, line by line. It reads standard input where that is no terminal."


@command(ChatFlags, prog="tgl chat", about=ABOUT, positional=["model"])
def main(flags: ChatFlags) -> int:
    """Answers until there is nothing more to answer."""
    sampler = Sampler(flags.temperature, flags.top_k, flags.top_p, flags.greedy)
    opened = open_model(flags.model, flags.base)
    opened.model.to(flags.device)
    name = flags.template if flags.template != "auto" else opened.template or fitting_template(opened.tokenizer)
    if lacking := [token for token in TEMPLATES[name].special if token not in special_of(opened.tokenizer)]:
        next_step = "Teach the model that template: tgl finetune --template " + name
        raise ConfigError("template", "one whose marks the model has", f"{name}, with {', '.join(lacking)}", next_step)
    talk = Conversation(
        opened.model, opened.tokenizer, TEMPLATES[name], sampler=sampler, rng=np.random.default_rng(flags.seed),
        most=flags.tokens, system=flags.system,
    )  # fmt: skip
    if opened.template is None:
        print(
            "This model has learned no dialogues: it goes on as a text would. Teach it: tgl finetune", file=sys.stderr
        )
    is_terminal = sys.stdin is not None and sys.stdin.isatty()
    if is_terminal:
        _introduce(opened, name)
    for line in _typed() if is_terminal else _piped():
        if line.startswith("/") and not line.startswith("//"):
            if not _obeyed(talk, line):
                break
        elif line.strip():
            _answer(talk, line.removeprefix("/") if line.startswith("//") else line)
    return 0


def _introduce(opened: Opened, name: str) -> None:
    size = opened.model.block_size
    context = "" if size is None else f", a context of {size} tokens"
    print(f"{opened.model.n_parameters():,} parameters{context}, template {name}. /help shows what else there is.")
    with contextlib.suppress(ImportError):
        importlib.import_module("readline")  # arrows, and what was typed before


def _piped() -> Iterator[str]:
    """Each line of standard input, without its end."""
    for line in sys.stdin or ():
        yield line.rstrip("\r\n")


def _typed() -> Iterator[str]:
    """What is typed, until Ctrl-D, or Ctrl-C twice."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job is begun with Ctrl-C ignored
    is_warned = False
    while True:
        try:
            line = input(PROMPT)
        except EOFError:
            print()
            return
        except KeyboardInterrupt:
            print()
            if is_warned:
                return
            is_warned = True
            print(ONCE_MORE)
            continue
        is_warned = False
        yield line


def _obeyed(talk: Conversation, line: str) -> bool:
    """Does what a line such as /reset says; false for /quit."""
    word, _, rest = line.strip().partition(" ")
    if word == "/quit":
        return False
    if word == "/reset":
        talk.reset()
        print("(forgotten)")
    elif word == "/system":
        if rest.strip():
            talk.system = rest.strip()
        print(f"(system: {talk.system or 'nothing'})")
    else:
        print(HELP if word == "/help" else f"There is no {word}.\n{HELP}")
    sys.stdout.flush()
    return True


def _answer(talk: Conversation, line: str) -> None:
    """Writes an answer as it comes; Ctrl-C stops it, and twice all."""
    try:
        pieces = talk.ask(line)
    except (DataError, TokenError) as error:
        print(f"({error})", flush=True)
        return
    with _stoppable() as asked, contextlib.closing(pieces):  # type: ignore[type-var]
        for piece in pieces:
            sys.stdout.write(piece)
            sys.stdout.flush()
            if asked:
                break
    if talk.left_out:
        sys.stdout.write(f"\n(The first {talk.left_out} messages no longer fit the context and are forgotten.)")
    sys.stdout.write(" …\n" if talk.is_cut else "\n")
    sys.stdout.flush()


@contextlib.contextmanager
def _stoppable() -> Iterator[Sequence[int]]:
    """Within this block Ctrl-C fills the list, and only a second one interrupts."""
    asked: list[int] = []

    def stop(number: int, frame: object) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)
