"""A dialogue with a model: it keeps what was said, and each answer is streamed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tinygrad_llm.errors import DataError
from tinygrad_llm.generate.decode import generate
from tinygrad_llm.generate.sampling import Sampler
from tinygrad_llm.generate.stop import ShownText
from tinygrad_llm.models.base import LanguageModel
from tinygrad_llm.ranges import check_whole
from tinygrad_llm.tokenizer.base import Tokenizer
from tinygrad_llm.tokenizer.chat import ChatTemplate, Message
from tinygrad_llm.tokenizer.special import special_of

ROOM = 4
"""What is left free for an answer is at least this part of the context, if it may be that long."""


class Conversation:
    """messages  what was said, by the user and the assistant in turn.
    system    what stands before all of it, None for nothing.
    left_out  how many messages at the beginning the last answer did not see, since the context has no room for them;
              they are no longer among `messages`.
    is_cut    whether the last answer came to its longest before it came to its end.
    most      the longest answer, in tokens.
    """

    def __init__(
        self,
        model: LanguageModel,
        tokenizer: Tokenizer,
        template: ChatTemplate,
        *,
        sampler: Sampler,
        rng: np.random.Generator,
        most: int = 200,
        system: str | None = None,
    ) -> None:
        check_whole(most=most)
        self.model, self.tokenizer, self.template = model, tokenizer, template
        self.sampler, self.rng, self.most, self.system = sampler, rng, most, system
        self.messages: list[Message] = []
        self.left_out, self.is_cut = 0, False
        special = special_of(tokenizer)
        self.stop_ids = tuple(special.values())  # none of them is a text
        self.stop_strings = () if template.end in special else (template.end,)

    def reset(self) -> None:
        """Forgets what was said; the system message stays."""
        self.messages = []

    def ask(self, content: str) -> Iterator[str]:
        """The answer to a message, piece by piece. Whoever stops in between has what was shown as the whole answer; a
        message without any answer is not kept.

        Raises DataError for a message that the context has no room for, TokenError for one that cannot be written in
        the model's tokens; nothing is kept of it.
        """
        asked: Message = {"role": "user", "content": content}
        ids, kept = self._prompt([*self.messages, asked])
        longest = self.model.block_size
        count = self.most if longest is None else min(self.most, longest - len(ids))
        return self._answer(ids, kept, count)

    def _answer(self, ids: list[int], kept: list[Message], count: int) -> Iterator[str]:
        shown, said = ShownText(self.tokenizer, self.stop_ids, self.stop_strings), ""
        before, self.left_out = self.messages, len(self.messages) + 1 - len(kept)
        try:
            for token in generate(self.model, ids, count, self.sampler, self.rng):
                piece = shown.push(token)
                said += piece
                if piece:
                    yield piece
                if shown.ended:
                    break
            else:
                rest = shown.finish()
                said += rest
                if rest:
                    yield rest
        finally:
            self.is_cut = not shown.ended
            self.messages = [*kept, {"role": "assistant", "content": said}] if said else before

    def _prompt(self, messages: list[Message]) -> tuple[list[int], list[Message]]:
        """Token ids up to where the answer begins, and the messages that are left: whole turns go first."""
        first: list[Message] = [] if not self.system else [{"role": "system", "content": self.system}]
        longest = self.model.block_size
        while True:
            example = self.template.encode(self.tokenizer, [*first, *messages], add_generation_prompt=True)
            ids = example.ids.tolist()
            if longest is None or len(ids) <= longest - max(1, min(self.most, longest // ROOM)):
                return ids, messages
            if len(messages) == 1:
                room = longest - max(1, min(self.most, longest // ROOM))
                got = f"{len(ids)} tokens, with the marks around it"
                raise DataError("message", f"at most {room} tokens, that an answer has room", got, "Say it shorter.")
            messages = messages[2:]
