"""`tgl sample`: a trained model writes, and what it writes appears as it comes."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from tinygrad_llm.cli.flags import SPECIAL_HELP, command, in_flags
from tinygrad_llm.cli.load import beginning, load_model
from tinygrad_llm.errors import ConfigError
from tinygrad_llm.generate import Constraint, Sampler, Transform, beam_search, contrastive_search, generate, processors
from tinygrad_llm.generate.stop import Shown
from tinygrad_llm.tokenizer import Tokenizer
from tinygrad_llm.tokenizer.special import encode_text, special_of

END = "<|endoftext|>"
CANDIDATES = 4
"""Of contrastive search, where top_k does not say another number."""
READ_BY = {
    "drawing": ("temperature", "top_k", "top_p", "min_p", "typical_p", "greedy", "seed"),
    "--num-beams": ("num_beams", "num_beam_groups", "diversity_penalty", "length_penalty"),
    "--penalty-alpha": ("penalty_alpha", "top_k"),
}
"""The flags that only one way of writing reads; all others are for every way."""
NAMES = {
    "width": "--num-beams", "groups": "--num-beam-groups", "diversity": "--diversity-penalty",
    "length_power": "--length-penalty", "max_length": "--tokens", "alpha": "--penalty-alpha",
}  # fmt: skip


@dataclass(frozen=True)
class SampleFlags:
    """See each field's help; names are those of transformers."""

    run: str = field(metadata={"help": "folder of a run, a checkpoint, or a model"})
    prompt: str | None = field(default=None, metadata={"help": "text to go on from; a line end where none is given"})
    tokens: int = field(default=400, metadata={"help": "how many tokens to write"})
    temperature: float = field(default=0.8, metadata={"help": "below 1 bolder, above 1 more varied"})
    top_k: int | None = field(default=None, metadata={"help": "keep the k most likely tokens"})
    top_p: float = field(default=1.0, metadata={"help": "keep the most likely tokens up to this probability"})
    min_p: float = field(default=0.0, metadata={"help": "keep those that are so many times as likely as the likeliest"})
    typical_p: float = field(default=1.0, metadata={"help": "keep the most usual tokens up to this probability"})
    repetition_penalty: float = field(default=1.0, metadata={"help": "above 1: what the text has is less likely"})
    presence_penalty: float = field(default=0.0, metadata={"help": "taken from the logit of what was written"})
    frequency_penalty: float = field(default=0.0, metadata={"help": "the same, for each time that it was written"})
    no_repeat_ngram_size: int = field(default=0, metadata={"help": "no so many tokens in a row twice; 0: no such rule"})
    logit_bias: str | None = field(default=None, metadata={"help": 'added to logits, as JSON: {"id": number}'})
    regex: str | None = field(default=None, metadata={"help": "what is written must match this expression"})
    stop_strings: str | None = field(default=None, metadata={"help": "end before this text; several: a JSON list"})
    num_beams: int = field(default=1, metadata={"help": "above 1: the most probable text that so many beams find"})
    num_beam_groups: int = field(default=1, metadata={"help": "groups of beams, which are to differ"})
    diversity_penalty: float = field(default=0.0, metadata={"help": "what a group pays for a token of another"})
    length_penalty: float = field(default=1.0, metadata={"help": "beams: ln p is divided by length to this power"})
    penalty_alpha: float = field(default=0.0, metadata={"help": "contrastive search: what is paid for saying it again"})
    special: str = field(default="refuse", metadata={"help": SPECIAL_HELP})
    greedy: bool = field(default=False, metadata={"help": "always the most likely token"})
    seed: int | None = field(default=None, metadata={"help": "same seed, same text"})
    device: str = field(default="cpu", metadata={"help": "cpu, cuda or auto"})


@command(SampleFlags, prog="tgl sample", about="Lets a trained model write.", positional=["run"])
def main(flags: SampleFlags) -> int:
    """Writes to standard output."""
    way, shown = _way(flags), Shown(_strings(flags.stop_strings))
    rules = processors(
        logit_bias=_biases(flags.logit_bias), repetition_penalty=flags.repetition_penalty,
        presence_penalty=flags.presence_penalty, frequency_penalty=flags.frequency_penalty,
        no_repeat_ngram_size=flags.no_repeat_ngram_size,
    )  # fmt: skip
    sampler = _sampler(flags, rules)
    model, tokenizer = load_model(flags.run)
    model.to(flags.device)
    prompt = beginning(tokenizer)
    if flags.prompt is not None:
        with in_flags(SampleFlags, text="--prompt"):
            prompt = encode_text(tokenizer, flags.prompt, flags.special).tolist()
    begun, end = flags.prompt is not None, special_of(tokenizer).get(END)
    constraint = None if flags.regex is None else Constraint(flags.regex, tokenizer, end, begun)
    if constraint is not None:
        rules, sampler = (*rules, constraint), _sampler(flags, (*rules, constraint))
    with in_flags(SampleFlags, **NAMES):
        if way == "--num-beams":
            tokens: Iterable[int] = _beams(flags, model, prompt, end, rules)
        elif way == "--penalty-alpha":
            k = flags.top_k or CANDIDATES
            tokens = contrastive_search(model, prompt, flags.tokens, k, flags.penalty_alpha, transforms=rules)
        else:
            tokens = generate(model, prompt, flags.tokens, sampler, np.random.default_rng(flags.seed))
        sys.stdout.write(flags.prompt or "")
        ends = end if way == "--num-beams" or constraint is not None else None
        _write(tokens, tokenizer, begun, shown, ends, constraint)
    return 0


def _write(
    tokens: Iterable[int], tokenizer: Tokenizer, begun: bool, shown: Shown, end: int | None, rule: Constraint | None
) -> None:
    """What the tokens say, as they come, up to a stop string, the end, or where the rule lets nothing follow."""
    stream, ids = tokenizer.stream_decoder(begun=begun), list[int]()
    if rule is None or not rule.complete(ids):
        for token in tokens:
            ids.append(token)
            if token == end:
                break
            sys.stdout.write(shown.push(stream.push(token)))
            sys.stdout.flush()
            if shown.found is not None or (rule is not None and rule.complete(ids)):
                break
    sys.stdout.write(shown.push(stream.finish()) + shown.finish() + "\n")


def _way(flags: SampleFlags) -> str:
    """Which way of writing is asked for.  Raises ConfigError for a flag that this one does not read."""
    way = "--num-beams" if flags.num_beams > 1 else "--penalty-alpha" if flags.penalty_alpha else "drawing"
    ours = READ_BY[way]
    for f in fields(flags):
        read = any(f.name in names for names in READ_BY.values())
        value = getattr(flags, f.name)
        if read and f.name not in ours and value != f.default:
            needed = " or ".join(other for other, names in READ_BY.items() if f.name in names)
            with_it = "without beams or --penalty-alpha" if needed.startswith("drawing") else f"with {needed}"
            raise ConfigError("--" + f.name.replace("_", "-"), f"its use {with_it}", value, "Leave it out.")
    return way


def _sampler(flags: SampleFlags, rules: tuple[Transform, ...]) -> Sampler:
    return Sampler(
        flags.temperature, flags.top_k, flags.top_p, flags.greedy, rules, min_p=flags.min_p, typical_p=flags.typical_p
    )


def _beams(flags: SampleFlags, model: Any, prompt: list[int], end: int | None, rules: tuple[Transform, ...]) -> Any:
    """The tokens of the best hypothesis; without an end token all are as long as they may be."""
    if end is None and flags.regex is not None:
        raise ConfigError("--regex", f"a vocabulary with {END} where there are beams", "one without", "Leave out one.")
    found = beam_search(
        model, prompt, model.vocab_size if end is None else end, flags.num_beams, flags.tokens, flags.length_penalty,
        groups=flags.num_beam_groups, diversity=flags.diversity_penalty, transforms=rules,
    )  # fmt: skip
    return found[0].tokens


def _strings(text: str | None) -> list[str]:
    """A stop string, or those of a JSON list."""
    if text is None or not text.startswith("["):
        return [] if text is None else [text]
    found = _json("--stop-strings", "a JSON list of texts", text, list)
    if not all(isinstance(string, str) for string in found):
        raise ConfigError("--stop-strings", "a JSON list of texts", repr(text))
    return found


def _biases(text: str | None) -> dict[int, float]:
    """{id: number} of a JSON object, whose keys are texts."""
    wanted = 'a JSON object {"id": number}'
    try:
        found = {} if text is None else _json("--logit-bias", wanted, text, dict)
        return {int(token): float(bias) for token, bias in found.items()}
    except (TypeError, ValueError) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError("--logit-bias", wanted, repr(text)) from None


def _json(name: str, wanted: str, text: str, kind: type) -> Any:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, kind):
        raise ConfigError(name, wanted, repr(text))
    return found
