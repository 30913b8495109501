"""Learning from what the model writes itself, rated by a reward model or by a verifier: PPO and GRPO."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tinygrad_llm.align.corpus import Source
from tinygrad_llm.align.data import Asked, Encoder
from tinygrad_llm.align.grpo import GRPOConfig, GRPOLoss, group_advantages
from tinygrad_llm.align.log_probs import Reference
from tinygrad_llm.align.loss import AlignmentLoss
from tinygrad_llm.align.opened import SCORE, Rater, assign_score
from tinygrad_llm.align.ppo import ActorCritic, AdaptiveKL, PPOConfig, PPOLoss, answer_kl, ppo_batch
from tinygrad_llm.align.rollout import Rollout, rollout
from tinygrad_llm.align.scalar import ScalarModel
from tinygrad_llm.align.settings import AlignConfig
from tinygrad_llm.align.task import PAD, Task
from tinygrad_llm.align.verifier import VERIFIERS
from tinygrad_llm.datasets.batches import Batch
from tinygrad_llm.datasets.dialogues import filled
from tinygrad_llm.datasets.epochs import Epochs
from tinygrad_llm.errors import ConfigError
from tinygrad_llm.finetune.opened import merged_where_fast
from tinygrad_llm.generate import Sampler
from tinygrad_llm.tokenizer.special import special_of
from tinygrad_llm.train.checkpoint import Checkpoint
from tinygrad_llm.train.trainer import Contents, Judgement

ROLLOUT = "rollout"
"""The name, in a checkpoint, of what was written."""
TRAINING, JUDGING = 3, 4
"""What the run's seed is used for here: what is written to learn from, and to be judged by."""
LEAST = 64
"""Answers, at least, that a model is judged by."""
Reward = Callable[[Sequence[Asked], Sequence[str], Sequence[bool]], np.ndarray]
"""reward(rows, answers, ended) -> (B,): how good each answer is, and whether it came to its end says the last."""


def rated_by(rater: Rater) -> Reward:
    """A reward model's numbers."""
    return lambda rows, answers, ended: rater([row.messages for row in rows], answers, ended)


def verified_by(name: str) -> Reward:
    """1 for an answer that came to its end and is right, else 0."""
    verify = VERIFIERS[name]

    def reward(rows: Sequence[Asked], answers: Sequence[str], ended: Sequence[bool]) -> np.ndarray:
        right = [end and verify(text, str(row.expected)) for row, text, end in zip(rows, answers, ended)]
        return np.array(right, np.float64)

    return reward


class Online(Task):
    """batches[n] are what the policy writes before it learns from them. For PPO one row of weights more is learned,
    which says what reward may be expected.

    earned  mean rewards of what was written since the model was last judged.

    What was written once serves `config.steps_a_rollout` steps; it is part of a checkpoint, so that a run goes on to
    the same bits from any step.
    """

    def __init__(
        self,
        config: AlignConfig,
        policy: Any,
        encoder: Encoder,
        examples: Sequence[Asked],
        held: Sequence[Asked],
        reward: Reward,
    ) -> None:
        super().__init__(config, policy, encoder, examples, held)
        self.reward, self.kl_coef = reward, config.kl_coef or 0.0
        self.is_ppo = config.method == "ppo"
        self.model = ActorCritic(policy, ScalarModel(policy)) if self.is_ppo else policy
        self.loss: AlignmentLoss = (
            PPOLoss(self.model, PPOConfig(config.clip_ratio)) if self.is_ppo else _grpo(config, policy)
        )
        self.reference = Reference(policy) if self.kl_coef else None
        self.price = AdaptiveKL(self.kl_coef, config.kl_target) if config.kl_target and self.is_ppo else None
        self.epochs = Epochs(len(examples), config.batch_size, config.seed)
        self.special = tuple(special_of(encoder.tokenizer).values())
        self.written: dict[int, dict[str, np.ndarray]] = {}
        self.earned: list[float] = []
        self.row_tokens = float(np.mean([len(row.prompt) for row in examples])) + config.answer_tokens / 2
        if len(encoder.end()) != 1:
            next_step = "Take another one: --template chatml"
            raise ConfigError("template", "one whose mark for an answer's end is one token", "several", next_step)

    @property
    def source(self) -> Source:
        """batches[n]"""
        return self

    def __getitem__(self, n: int) -> Batch:
        """What the n-th of all batches of a run learns from."""
        together = self.config.accumulate
        step, place = divmod(n, together)
        number = step // self.config.steps_a_rollout * together + place
        if number not in self.written:
            if place == 0:
                self.written = {}
            self.written[number] = self._write(number)
        return self.written[number]

    def _write(self, number: int) -> dict[str, np.ndarray]:
        rows = [self.examples[row] for row in self.epochs.rows(number)]
        written, rewards = self.write(rows, self.config.group_size, (self.config.seed, TRAINING, number))
        self.earned.append(float(rewards.mean()))
        if self.is_ppo:
            batch = ppo_batch(written.batch, rewards, self.model.values(written.batch), kl_coef=self._kl_price())
            if self.price is not None:
                self.price.update(answer_kl(written.batch))
        else:
            batch = {
                **written.batch,
                "advantages": group_advantages(rewards, self.config.group_size, self.config.scale),
            }
        return filled_all(batch, self._even())

    def _kl_price(self) -> float:
        return self.kl_coef if self.price is None else self.price.value

    def _even(self) -> int:
        """On a GPU all batches have one shape, which a recorded step wants."""
        on_gpu = self.policy.device == "cuda"
        return max(len(row.prompt) for row in self.examples) + self.config.answer_tokens - 1 if on_gpu else 0

    def write(self, rows: Sequence[Asked], group: int, seed: tuple[int, ...]) -> tuple[Rollout, np.ndarray]:
        """Answers to prompts, `group` to each, and their rewards (B,).

        Any special token ends an answer, as it does when people talk with the model; only the template's own mark is
        an end that was meant.
        """
        end, special = self.encoder.end(), self.special
        writer = merged_where_fast(self.policy).to(self.policy.device)
        written = rollout(
            writer, [row.prompt for row in rows], self.config.answer_tokens, Sampler(),
            np.random.default_rng(seed), pad=PAD, group_size=group, stop_ids=[*end, *special], reference=self.reference,
        )  # fmt: skip
        asked = [row for row in rows for _ in range(group)]
        said = [[token for token in answer if token not in (*end, *special)] for answer in written.answers]
        texts = [self.encoder.tokenizer.decode(ids).strip() for ids in said]
        return written, np.asarray(self.reward(asked, texts, [a[-1:] == end for a in written.answers]), np.float64)

    def judge(self) -> Judgement:
        """The mean reward of answers to prompts held out, drawn as they are for learning: several to each of a few."""
        rows = self.held[: self.config.eval_batches * self.config.batch_size or None]
        written, rewards = self.write(rows, math.ceil(LEAST / len(rows)), (self.config.seed, JUDGING))
        more = {"val_reward": float(rewards.mean()), "val_length": float(np.mean(list(map(len, written.answers))))}
        words = f"held-out reward {more['val_reward']:.4f}, {more['val_length']:.1f} tokens an answer"
        if self.earned:
            more["reward"] = float(np.mean(self.earned))
            words += f"; {more['reward']:.4f} while learning"
            self.earned.clear()
        if self.reference is not None:
            more["val_kl"] = answer_kl(written.batch)
            words += f"; {more['val_kl']:.2f} nats from where it began"
        return Judgement(-more["val_reward"], more, words)

    def state(self) -> Contents:
        """What was written last and is still learned from; the price of a nat; for PPO the value model's weights."""
        arrays = {f"{number}.{name}": array for number, batch in self.written.items() for name, array in batch.items()}
        value = {SCORE: {SCORE: self.model.value.score.numpy()}} if self.is_ppo else {}
        return {ROLLOUT: {"kl_price": self._kl_price()}}, value | ({ROLLOUT: arrays} if arrays else {})

    def restore(self, saved: Checkpoint) -> None:
        """Takes that back."""
        self.written = {}
        for name, array in saved.arrays.get(ROLLOUT, {}).items():
            number, _, own = name.partition(".")
            self.written.setdefault(int(number), {})[own] = array
        if self.price is not None:
            self.price.value = saved.document(ROLLOUT)["kl_price"]
        if self.is_ppo:
            assign_score(self.model.value, saved)


def filled_all(batch: Mapping[str, np.ndarray], length: int) -> dict[str, np.ndarray]:
    """`filled`, and with zeros all else that has a number at each place."""
    found, size = filled(batch, length), batch["tokens"].shape[1]
    for name, array in found.items():
        if array.ndim == 2 and array.shape[1] == size < length:
            found[name] = np.pad(array, ((0, 0), (0, length - size)))
    return found


def _grpo(config: AlignConfig, policy: Any) -> GRPOLoss:
    length, clip = config.answer_tokens if config.normalisation == "constant" else None, config.clip_ratio
    price = config.kl_coef or 0.0
    return GRPOLoss(policy, GRPOConfig(clip, clip, price, normalisation=config.normalisation, length=length))
