"""Dialogues as text: who speaks is told by marks around each message, and a model learns to answer between them.

    CHATML.text([{"role": "user", "content": "Hello"}], add_generation_prompt=True)

Limitation: what a message says is text. There are no tools, no pictures, and no thoughts that are left out later.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tinygrad_llm.errors import DataError, TokenError
from tinygrad_llm.tokenizer.base import Tokenizer
from tinygrad_llm.tokenizer.special import SpecialTokens, special_of

Message = Mapping[str, str]
"""{"role": "user", "content": "Hello"}, as OpenAI's and Hugging Face's."""
ROLES = ("system", "user", "assistant")
MARK = re.compile(r"<\|\w+\|>")
"""How special tokens are written in templates."""


class Part(NamedTuple):
    """A piece of a dialogue's text.

    is_mark   the template's own: only here may special tokens stand.
    is_learned  what an assistant says, and the mark that ends it.
    """

    text: str
    is_mark: bool
    is_learned: bool


class Example(NamedTuple):
    """A dialogue as token ids (N,), and which of them are the assistant's, (N,) booleans."""

    ids: np.ndarray
    learned: np.ndarray


@dataclass(frozen=True)
class ChatTemplate:
    """begin, then of each message  head content end after.

    begin  stands once, before all.
    head   begins a message; {role} is its role as `roles` writes it. That of an assistant is what it answers after.
    end    ends it. An assistant learns to write it, for that is how it stops.
    after  stands behind that, and nobody writes it.
    trims  contents lose the white space at both ends.
    roles  how roles are written that are not written as they are.
    """

    begin: str
    head: str
    end: str
    after: str = ""
    trims: bool = False
    roles: tuple[tuple[str, str], ...] = ()

    def text(self, messages: Sequence[Message], *, add_generation_prompt: bool = False) -> str:
        """The dialogue; with `add_generation_prompt` up to where an assistant's next answer begins.

        Raises DataError for what is no dialogue.
        """
        return "".join(part.text for part in self.parts(messages, add_generation_prompt))

    def parts(self, messages: Sequence[Message], add_generation_prompt: bool = False) -> Iterator[Part]:
        """The same in pieces, none of them empty."""
        pieces = [Part(self.begin, True, False)]
        for message in messages:
            role, content = _checked(message)
            is_learned = role == "assistant"
            pieces.append(Part(self._head(role), True, False))
            pieces.append(Part(content.strip() if self.trims else content, False, is_learned))
            pieces += [Part(self.end, True, is_learned), Part(self.after, True, False)]
        if add_generation_prompt:
            pieces.append(Part(self._head("assistant"), True, False))
        return (piece for piece in pieces if piece.text)

    def _head(self, role: str) -> str:
        return self.head.replace("{role}", dict(self.roles).get(role, role))

    def encode(
        self, tokenizer: Tokenizer, messages: Sequence[Message], *, add_generation_prompt: bool = False
    ) -> Example:
        """The dialogue's token ids, and which of them an assistant is to learn.

        Marks and contents are cut into tokens apart from one another, as they are when a model answers: it reads the
        marks, and begins a text of its own. In what somebody said a special token's text is only its characters.

        Raises TokenError where the tokenizer lacks a special token of the template.
        """
        have = special_of(tokenizer)
        if lacking := [token for token in self.special if token not in have]:
            next_step = "Train it with these special tokens, or take another template."
            raise TokenError(
                "tokenizer", f"the special tokens {', '.join(self.special)}", f"none of {lacking}", next_step
            )
        ids: list[int] = []
        learned: list[bool] = []
        for part in self.parts(messages, add_generation_prompt):
            found = _encoded(tokenizer, part)
            ids += found
            learned += [part.is_learned] * len(found)
        return Example(np.array(ids, np.int64), np.array(learned, bool))

    def jinja(self) -> str:
        """The template as transformers reads it, chat_template.jinja: of every dialogue the same text."""
        role = "message['role']"
        if self.roles:
            names = ", ".join(f"{name!r}: {written!r}" for name, written in self.roles)
            role = "{" + names + "}[" + role + "]"
        before, _, behind = self.head.partition("{role}")
        head = " + ".join(part for part in (repr(before) * bool(before), role, repr(behind) * bool(behind)) if part)
        content = "message['content']" + " | trim" * self.trims
        body = "{{ " + head + " + (" + content + ") + " + repr(self.end + self.after) + " }}"
        asks = "{% if add_generation_prompt %}{{ " + repr(self._head("assistant")) + " }}{% endif %}"
        begin = "{{ " + repr(self.begin) + " }}" if self.begin else ""
        return begin + "{% for message in messages %}" + body + "{% endfor %}" + asks

    @property
    def special(self) -> tuple[str, ...]:
        """The special tokens that stand in the marks, which a tokenizer must have."""
        return tuple(dict.fromkeys(MARK.findall(self.begin + self.head + self.end + self.after)))


def _checked(message: Message) -> tuple[str, str]:
    role, content = (message.get(key) if isinstance(message, Mapping) else None for key in ("role", "content"))
    if role not in ROLES or not isinstance(content, str):
        expected = f"a role ({', '.join(ROLES)}) and a content, which is text"
        raise DataError("message", expected, repr(message)[:80])
    return role, content


def _encoded(tokenizer: Tokenizer, part: Part) -> list[int]:
    if not isinstance(tokenizer, SpecialTokens):
        return tokenizer.encode(part.text)
    return tokenizer.encode(part.text, tokenizer.special) if part.is_mark else tokenizer.encode_ordinary(part.text)


CHATML = ChatTemplate("", "<|im_start|>{role}\n", "<|im_end|>", "\n")
"""OpenAI's, and Qwen's without its system message.  https://github.com/openai/openai-python, chatml.md, 2023."""
LLAMA_3 = ChatTemplate("<|begin_of_text|>", "<|start_header_id|>{role}<|end_header_id|>\n\n", "<|eot_id|>", trims=True)
"""Llama 3's.  https://www.llama.com/docs/model-cards-and-prompt-formats/meta-llama-3, 2024."""
PLAIN = ChatTemplate(
    "", "{role}: ", "\n", trims=True, roles=(("system", "System"), ("user", "User"), ("assistant", "Assistant"))
)
"""For tokenizers without special tokens: a message is one line, and a line break ends it. It protects from nothing:
what somebody writes on a second line may look like the next message."""
TEMPLATES = {"chatml": CHATML, "llama3": LLAMA_3, "plain": PLAIN}


def fitting_template(tokenizer: Tokenizer) -> str:
    """The name of the template that suits a tokenizer as it is: of whose special tokens it has all; else the plain one,
    where it can write that; else "chatml", whose special tokens must then be added (`ExtendedTokenizer`).
    """
    have = special_of(tokenizer)
    for name, template in TEMPLATES.items():
        if template.special and all(token in have for token in template.special):
            return name
    marks = "".join(PLAIN.head.replace("{role}", written) + PLAIN.end for _, written in PLAIN.roles)
    try:
        writes = PLAIN.end in tokenizer.decode(tokenizer.encode(marks))  # BERT's and T5's drop white space
    except TokenError:
        writes = False
    return "plain" if writes else "chatml"
