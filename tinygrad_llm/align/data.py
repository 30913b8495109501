"""What alignment learns from, a line each, in the forms that people have:

    {"prompt": "Hello", "chosen": "Hi.", "rejected": "No."}        two answers, of which the first was preferred
    {"prompt": "Hello", "completion": "Hi.", "label": true}        one answer, and whether somebody wanted it
    {"prompt": "1 + 1", "answer": "2"}                             what a verifier compares a written answer with
    {"prompt": "Hello"}                                            what a reward model rates a written answer to

A prompt is a text, or a list of messages that a user's ends; answers are texts, or a list of one assistant's message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from tinygrad_llm.datasets.instructions import Form, messages_of, text_of
from tinygrad_llm.errors import TokenError
from tinygrad_llm.tokenizer.base import Tokenizer
from tinygrad_llm.tokenizer.chat import ChatTemplate, Message


class Said(NamedTuple):
    """What a line says: the dialogue up to where an answer begins, and answers as they are named in the line."""

    messages: list[Message]
    answers: dict[str, str]
    label: bool = True

    @property
    def texts(self) -> list[str]:
        """All contents."""
        return [message["content"] for message in self.messages] + list(self.answers.values())


class Pair(NamedTuple):
    """Token ids of a prompt, the answer that was preferred, and the other."""

    prompt: list[int]
    chosen: list[int]
    rejected: list[int]


class Labelled(NamedTuple):
    """Token ids of a prompt and of an answer that somebody wanted, or did not."""

    prompt: list[int]
    answer: list[int]
    desirable: bool


class Asked(NamedTuple):
    """Token ids of a prompt, the same as messages, and the right answer where it is known."""

    prompt: list[int]
    messages: list[Message]
    expected: str | None


def _prompt(line: Mapping[str, Any]) -> list[Message]:
    if isinstance(line["prompt"], str):
        return [{"role": "user", "content": text_of(line, "prompt")}]
    messages = messages_of(line, "prompt")
    if messages[-1]["role"] == "assistant":
        raise ValueError('"prompt" must end with a message that is to be answered, not with one of an assistant')
    return messages


def _answer(line: Mapping[str, Any], key: str) -> str:
    if isinstance(line[key], str):
        return text_of(line, key)
    messages = messages_of(line, key)
    if len(messages) != 1 or messages[0]["role"] != "assistant":
        raise ValueError(f'"{key}" must be a text, or one message of an assistant')
    return text_of(messages[0], "content")


def _pair(line: Mapping[str, Any]) -> Said:
    said = Said(_prompt(line), {key: _answer(line, key) for key in ("chosen", "rejected")})
    if said.answers["chosen"] == said.answers["rejected"]:
        raise ValueError('"chosen" and "rejected" are the same: there is nothing to prefer')
    return said


def _labelled(line: Mapping[str, Any]) -> Said:
    if not isinstance(line["label"], bool):
        raise ValueError('"label" must be true or false')
    return Said(_prompt(line), {"completion": _answer(line, "completion")}, line["label"])


def _verified(line: Mapping[str, Any]) -> Said:
    number = line["answer"]
    is_number = isinstance(number, int | float) and not isinstance(number, bool)
    return Said(_prompt(line), {"answer": str(number) if is_number else text_of(line, "answer")})


def _asked(line: Mapping[str, Any]) -> Said:
    return Said(_prompt(line), {})


PAIRS = {"preference": Form(("prompt", "chosen", "rejected"), _pair)}
LABELS = {"label": Form(("prompt", "completion", "label"), _labelled)} | PAIRS
ANSWERS = {"answer": Form(("prompt", "answer"), _verified)}
PROMPTS = {"prompt": Form(("prompt",), _asked)}
"""Tables of forms, as `read_records` takes them: of pairs; of answers one by one, or two in a pair; with the right
answer; and whatever has a prompt."""


class Encoder:
    """Lines as token ids, in a template; texts that are longer than the model reads are refused by ValueError.

    longest  the model's block, None where it reads any length.
    """

    def __init__(self, tokenizer: Tokenizer, template: ChatTemplate, longest: int | None) -> None:
        self.tokenizer, self.template, self.longest = tokenizer, template, longest

    def pair(self, said: Said) -> Pair:
        """Both answers of a line."""
        prompt, chosen, rejected = self._parts(said, "chosen", "rejected")
        return Pair(prompt, chosen, rejected)

    def labelled(self, said: Said) -> list[Labelled]:
        """The answer of a line with a label, or both of a pair, of which the one was wanted and the other was not."""
        prompt, *answers = self._parts(said, *said.answers)
        wanted = [said.label] if len(answers) == 1 else [True, False]
        return [Labelled(prompt, answer, label) for answer, label in zip(answers, wanted)]

    def asked(self, said: Said, room: int) -> Asked:
        """The prompt of a line, behind which `room` tokens may be written."""
        (prompt,) = self._parts(said, room=room)
        return Asked(prompt, said.messages, said.answers.get("answer"))

    def prompt(self, messages: Sequence[Message]) -> list[int]:
        """Up to where an answer begins."""
        return self.template.encode(self.tokenizer, messages, add_generation_prompt=True).ids.tolist()

    def answer(self, content: str, *, ended: bool = True) -> list[int]:
        """What an assistant writes to say this, with the mark that ends it; without it where it is cut."""
        example = self.template.encode(self.tokenizer, [{"role": "assistant", "content": content}])
        ids = example.ids[example.learned].tolist()
        return ids if ended else ids[: len(ids) - len(self.end())] or ids

    def end(self) -> list[int]:
        """The mark by which an answer ends."""
        example = self.template.encode(self.tokenizer, [{"role": "assistant", "content": ""}])
        return example.ids[example.learned].tolist()

    def _parts(self, said: Said, *names: str, room: int = 0) -> list[list[int]]:
        try:
            parts = [self.prompt(said.messages), *(self.answer(said.answers[name]) for name in names)]
        except TokenError as error:
            raise ValueError(f"has {error.got}, which is not among {error.expected}") from None
        size = len(parts[0]) + max([room, *map(len, parts[1:])])
        if self.longest is not None and size > self.longest:
            behind = f", with the {room} that may be written" if room else ""
            raise ValueError(f"is {size} tokens long{behind}, and the model reads {self.longest}")
        return parts
