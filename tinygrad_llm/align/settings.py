"""Everything that a run of alignment depends on, in one frozen record. Each field is a flag of `tgl align`."""

from __future__ import annotations

from dataclasses import dataclass, fields

from tinygrad_llm.align.grpo import NORMALISATIONS, SCALES
from tinygrad_llm.align.verifier import VERIFIERS
from tinygrad_llm.finetune.settings import METHODS, FinetuneConfig, setting
from tinygrad_llm.ranges import number, one_of, whole
from tinygrad_llm.train.ranges import MOST, SIZE

OF_PAIRS, OF_ONE, WRITING = ("dpo", "cdpo", "ipo", "hinge", "simpo", "reward"), ("kto",), ("ppo", "grpo")
"""Methods that learn from two answers to a prompt, from answers that are called good or bad, from what they write."""
UPDATES = {"ppo": 4, "grpo": 1}
EPOCHS = {"reward": 1.0}
KL_COEF = {"ppo": 0.1, "grpo": 0.04}
"""What a method takes where none is given. A reward model that has seen its pairs twice is sure of them, not right."""


@dataclass(frozen=True)
class AlignConfig(FinetuneConfig):
    """As FinetuneConfig; `adapter` is there called method, and says what is learned of the model."""

    data: str | None = setting(
        None, "file of JSON lines: prompt, and chosen and rejected; or completion and label; or answer"
    )
    out: str | None = setting(None, "folder for log, checkpoints and curve; out/DATA-METHOD where none is given")
    method: str = setting(
        "dpo",
        "dpo, cdpo, ipo, hinge, simpo or kto; reward (a model that rates); ppo or grpo (which write, and are rated)",
        one_of(OF_PAIRS + OF_ONE + WRITING),
    )  # fmt: skip
    adapter: str = setting("lora", "what is learned: lora, full, dora, ia3, adapter, prefix, or qlora", one_of(METHODS))
    epochs: float | None = setting(  # type: ignore[assignment]
        None, "how often each line is learned from; once for reward, else three times", number(0, MOST, "(]")
    )
    beta: float | None = setting(
        None, "how much a nat of difference to the reference counts; the method's own where none is given",
        number(0, 1e6, "(]"),
    )  # fmt: skip
    reward_model: str | None = setting(None, "for ppo and grpo: the run of --method reward that rates what is written")
    verifier: str | None = setting(
        None,
        "for ppo and grpo: what compares an answer with the line's: " + ", ".join(VERIFIERS),
        one_of(tuple(VERIFIERS)),
    )
    answer_tokens: int = setting(64, "longest answer that is written, in tokens", whole(1, SIZE))
    group_size: int = setting(8, "for ppo and grpo: answers to each prompt", whole(2, SIZE))
    updates: int | None = setting(None, "steps with what was written once; 4 for ppo, 1 for grpo", whole(1, SIZE))
    kl_coef: float | None = setting(
        None, "what a nat of difference to the reference costs; 0.1 for ppo, 0.04 for grpo", number(0, 1e6)
    )
    kl_target: float | None = setting(
        None,
        "for ppo: nats an answer; kl_coef then rises and falls so that the difference stays near it",
        number(0, 1e6, "(]"),
    )
    clip_ratio: float = setting(
        0.2, "for ppo and grpo: how far a step may go from the policy that wrote", number(0, 1e6, "(]")
    )
    scale: str = setting(
        "group", "for grpo: rewards are divided by the deviation of group, batch, or none", one_of(SCALES)
    )
    normalisation: str = setting(
        "sequence",
        "for grpo: which length divides a token's loss: its answer's (sequence), all (token), the longest (constant)",
        one_of(NORMALISATIONS),
    )

    @property
    def writes(self) -> bool:
        """Whether it learns from what it writes."""
        return self.method in WRITING

    @property
    def steps_a_rollout(self) -> int:
        """How many steps are made with what was written once."""
        return (self.updates or UPDATES[self.method]) if self.writes else 1

    def of_finetuning(self) -> FinetuneConfig:
        """The settings by which the model that learns is made of its base."""
        own = {f.name: getattr(self, f.name) for f in fields(FinetuneConfig)}
        return FinetuneConfig(**own | {"method": self.adapter})


MOVED = frozenset({"model", "data", "reward_model"})
"""What a resumed run may be given to say where it is now."""
