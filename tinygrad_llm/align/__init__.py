"""Alignment: a model that writes already learns what people would rather read."""

from tinygrad_llm.align.best_of_n import best_and_worst, chosen_batch, rejection_sampling
from tinygrad_llm.align.gae import gae, whitened
from tinygrad_llm.align.grpo import GRPOConfig, GRPOLoss, group_advantages
from tinygrad_llm.align.judge import Judge, ModelJudge, both_orders, judged_preferences, position_bias
from tinygrad_llm.align.log_probs import Reference, answer_batch, answer_lengths, answer_log_probs, answer_mask, example
from tinygrad_llm.align.loss import AlignmentLoss
from tinygrad_llm.align.policy import clipped_surrogate, kl_estimate
from tinygrad_llm.align.ppo import (
    ActorCritic,
    AdaptiveKL,
    PPOConfig,
    PPOLoss,
    answer_kl,
    ppo_batch,
    token_rewards,
    value_losses,
)
from tinygrad_llm.align.preference import LINKS, PREFERENCES, PreferenceConfig
from tinygrad_llm.align.preference_loss import PreferenceLoss, preference_batch, unpaired_batch, with_reference
from tinygrad_llm.align.reward import RewardLoss, RewardModel, reward_batch, text_batch
from tinygrad_llm.align.rollout import Rollout, rollout
from tinygrad_llm.align.scalar import ScalarModel
from tinygrad_llm.prompt import best_of_n, best_of_n_kl, best_of_n_probabilities, expected_best

__all__ = [
    "LINKS",
    "PREFERENCES",
    "ActorCritic",
    "AdaptiveKL",
    "AlignmentLoss",
    "GRPOConfig",
    "GRPOLoss",
    "Judge",
    "ModelJudge",
    "PPOConfig",
    "PPOLoss",
    "PreferenceConfig",
    "PreferenceLoss",
    "Reference",
    "RewardLoss",
    "RewardModel",
    "Rollout",
    "ScalarModel",
    "answer_batch",
    "answer_kl",
    "answer_lengths",
    "answer_log_probs",
    "answer_mask",
    "best_and_worst",
    "best_of_n",
    "best_of_n_kl",
    "best_of_n_probabilities",
    "both_orders",
    "chosen_batch",
    "clipped_surrogate",
    "example",
    "expected_best",
    "gae",
    "group_advantages",
    "judged_preferences",
    "kl_estimate",
    "position_bias",
    "ppo_batch",
    "preference_batch",
    "rejection_sampling",
    "reward_batch",
    "rollout",
    "text_batch",
    "token_rewards",
    "unpaired_batch",
    "value_losses",
    "whitened",
    "with_reference",
]
