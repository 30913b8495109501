"""BERT and its four heads against transformers: fifty random configurations in float64, outputs, loss, every gradient.

As in test_gpt2_parity.py the weights are drawn anew, and planted faults show that the test can fail.
"""

from __future__ import annotations

import numpy as np
import pytest
from by_their_names import gradients_by_their_names
from redraw import redraw
from tolerances import WHOLE_MODEL

from tinygrad_llm import ops
from tinygrad_llm.errors import CheckpointError
from tinygrad_llm.models import (
    BERT,
    BERTConfig,
    BERTForMaskedLM,
    BERTForPreTraining,
    BERTForSequenceClassification,
    BERTForTokenClassification,
    bert,
    from_pretrained,
    save_pretrained,
)
from tinygrad_llm.nn import Attention, LayerNorm, PostNormBlock

pytestmark = pytest.mark.oracle

CONFIGURATIONS = 50
KINDS = [BERT, BERTForPreTraining, BERTForMaskedLM, BERTForSequenceClassification, BERTForTokenClassification]
THEIRS = ["BertModel", "BertForPreTraining", "BertForMaskedLM", "BertForSequenceClassification", "BertForTokenClassification"]  # fmt: skip


def random_case(seed: int, folder, kind: int | None = None):
    """transformers' BERT of a random configuration with one of the heads, saved into the folder; and a batch."""
    import transformers

    rng = np.random.default_rng(seed)
    kind = seed % len(THEIRS) if kind is None else kind
    heads, block, vocabulary = int(rng.integers(1, 5)), int(rng.integers(4, 20)), int(rng.integers(6, 60))
    labels = int(rng.integers(2, 6))
    config = transformers.BertConfig(
        vocab_size=vocabulary, max_position_embeddings=block, hidden_size=heads * int(rng.integers(3, 9)),
        num_hidden_layers=int(rng.integers(1, 4)), num_attention_heads=heads, intermediate_size=int(rng.integers(1, 30)),
        type_vocab_size=int(rng.integers(2, 4)), layer_norm_eps=float(rng.choice([1e-12, 1e-5])), num_labels=labels,
        hidden_act=str(rng.choice(["gelu", "gelu_new", "relu"])), pad_token_id=int(rng.integers(2)),
    )  # fmt: skip
    other = getattr(transformers, THEIRS[kind])(config).double().eval()
    redraw(other, seed)
    other.save_pretrained(folder)
    time, pad = int(rng.integers(2, block + 1)), config.pad_token_id
    tokens = rng.integers(2, vocabulary, (3, time))
    tokens[np.arange(time) >= np.array([[time], [(time + 1) // 2], [1]])] = pad
    targets = rng.integers(0, vocabulary if "LM" in THEIRS[kind] or "Pre" in THEIRS[kind] else labels, (3, time))
    targets[(rng.random(targets.shape) < 0.6) | (tokens == pad)] = ops.IGNORE
    targets[0, 0] = 1
    batch = {"tokens": tokens, "types": rng.integers(0, 2, tokens.shape), "targets": targets}
    if KINDS[kind] is BERTForSequenceClassification:
        batch["targets"] = rng.integers(0, labels, 3)
    if KINDS[kind] is BERTForPreTraining:
        batch["not_next"] = np.array([0, 1, 1])
    return other, batch


def compare(other, ours, batch) -> None:
    """Outputs, loss, and the gradient of every parameter."""
    import torch

    given = {name: torch.tensor(array) for name, array in batch.items()}
    mask = (given["tokens"] != other.config.pad_token_id).long()
    options = {} if type(ours) is BERT else {"labels": given["targets"]}
    if type(ours) is BERTForPreTraining:
        options["next_sentence_label"] = given["not_next"]
    said = other(input_ids=given["tokens"], token_type_ids=given["types"], attention_mask=mask, **options)
    found = ours(batch["tokens"], types=batch["types"])
    real = mask.bool().numpy()
    if type(ours) is BERT:
        pooled = ours.pool(found)
        np.testing.assert_allclose(found.data[real], said.last_hidden_state.detach().numpy()[real], **WHOLE_MODEL)
        np.testing.assert_allclose(pooled.data, said.pooler_output.detach().numpy(), **WHOLE_MODEL)
        weights = np.random.default_rng(0).normal(size=found.shape) * real[..., None]
        loss = (found * weights).sum() + pooled.sum()
        their_loss = (said.last_hidden_state * torch.tensor(weights)).sum() + said.pooler_output.sum()
    else:
        pairs = [(found, said.logits)] if not isinstance(found, tuple) else list(
            zip(found, (said.prediction_logits, said.seq_relationship_logits))
        )  # fmt: skip
        for mine, theirs in pairs:
            rows = real if mine.ndim == 3 else slice(None)
            np.testing.assert_allclose(mine.data[rows], theirs.detach().numpy()[rows], **WHOLE_MODEL)
        loss, their_loss = ours.loss(batch), said.loss
    np.testing.assert_allclose(loss.item(), their_loss.item(), **WHOLE_MODEL)
    loss.backward()
    their_loss.backward()
    theirs = {name: p.grad for name, p in other.named_parameters()}
    mine = gradients_by_their_names(ours)
    assert mine.keys() == theirs.keys()
    for name, gradient in theirs.items():
        np.testing.assert_allclose(mine[name], gradient.numpy(), **WHOLE_MODEL, err_msg=name)


@pytest.mark.parametrize("seed", range(CONFIGURATIONS))
def test_outputs_loss_and_every_gradient_equal_those_of_transformers(seed, tmp_path):
    other, batch = random_case(seed, tmp_path)
    ours = from_pretrained(tmp_path, dtype=np.float64)
    assert type(ours) is KINDS[seed % len(KINDS)]
    compare(other, ours, batch)


def padding_seen(monkeypatch):
    plain = Attention.__call__
    monkeypatch.setattr(
        Attention, "__call__", lambda self, x, source=None, **o: plain(self, x, source, **o | {"lengths": None})
    )


def causal(monkeypatch):
    monkeypatch.setattr(Attention, "causal", property(lambda self: True, lambda self, value: None), raising=False)


def types_forgotten(monkeypatch):
    plain = BERT._embedded
    monkeypatch.setattr(BERT, "_embedded", lambda self, tokens, types, dtype: plain(self, tokens, None, dtype))


def norm_before_instead_of_after(monkeypatch):
    def before(self, x, rng=None, **options):
        x = x + self.self_attention(self.self_attention_norm(x), rng=rng, **options)
        return x + self.mlp(self.mlp_norm(x), rng)

    monkeypatch.setattr(PostNormBlock, "__call__", before)


def label_0_of_the_next_sentence_ignored(monkeypatch):
    plain = ops.cross_entropy

    def ignoring(logits, targets, **options):
        return plain(logits, targets, **options | ({"ignore_index": 0} if logits.shape[-1] == 2 else {}))

    monkeypatch.setattr(bert.ops, "cross_entropy", ignoring)


def pooler_of_the_last_token(monkeypatch):
    monkeypatch.setattr(BERT, "pool", lambda self, states: ops.tanh(self.pooler(states[:, -1])))


def pooler_without_tanh(monkeypatch):
    monkeypatch.setattr(BERT, "pool", lambda self, states: self.pooler(states[:, 0]))


def head_without_its_norm(monkeypatch):
    def without(self, states, table):
        return ops.linear(bert.ACTIVATIONS[self.activation](self.dense(states)), table, self.bias)

    monkeypatch.setattr(bert.HiddenWords, "__call__", without)


def head_without_its_activation(monkeypatch):
    monkeypatch.setattr(
        bert.HiddenWords, "__call__", lambda self, s, table: ops.linear(self.norm(self.dense(s)), table, self.bias)
    )


def another_epsilon(monkeypatch):
    monkeypatch.setattr(LayerNorm, "__call__", lambda self, x: ops.layer_norm(x, self.weight, self.bias, eps=1e-6))


FAULTS = [
    padding_seen, causal, types_forgotten, norm_before_instead_of_after, label_0_of_the_next_sentence_ignored,
    pooler_of_the_last_token, pooler_without_tanh, head_without_its_norm, head_without_its_activation, another_epsilon,
]  # fmt: skip


SMOOTH = 2
"""A case whose texts are long enough to be masked, and whose activation is not nearly linear."""


@pytest.mark.parametrize("plant", FAULTS, ids=lambda f: f.__name__)
def test_a_planted_fault_fails(plant, tmp_path, monkeypatch):
    other, batch = random_case(SMOOTH, tmp_path, KINDS.index(BERTForPreTraining))
    assert other.config.hidden_act != "relu" and batch["tokens"].shape[1] > 3
    compare(other, from_pretrained(tmp_path, dtype=np.float64), batch)
    plant(monkeypatch)
    other.zero_grad()
    with pytest.raises(AssertionError):
        compare(other, from_pretrained(tmp_path, dtype=np.float64), batch)


@pytest.mark.parametrize(("kind", "theirs"), list(zip(KINDS, THEIRS)))
def test_a_model_saved_here_opens_there(kind, theirs, tmp_path):
    import torch
    import transformers

    labels = ("bad", "good", "neither")
    config = BERTConfig(17, 9, 2, 2, 8, 12, n_type=3, activation="relu", norm_eps=1e-6, labels=labels)
    ours = kind(config, rng=np.random.default_rng(0), dtype=np.float64)
    save_pretrained(ours, tmp_path)
    other = getattr(transformers, theirs).from_pretrained(tmp_path, dtype=torch.float64).eval()
    assert other.config.label2id == {"bad": 0, "good": 1, "neither": 2}
    tokens = np.random.default_rng(1).integers(1, 17, (2, 9))
    found, said = ours(tokens), other(torch.tensor(tokens))[0]
    first = found[0] if isinstance(found, tuple) else found
    np.testing.assert_allclose(said.detach().numpy(), first.data, **WHOLE_MODEL)


def test_an_architecture_that_is_not_here_is_refused_with_those_that_are(tmp_path):
    import transformers

    config = transformers.BertConfig(
        vocab_size=9, hidden_size=4, num_hidden_layers=1, num_attention_heads=1, intermediate_size=4
    )
    transformers.BertForQuestionAnswering(config).save_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match="BertForTokenClassification.*BertForQuestionAnswering"):
        from_pretrained(tmp_path)


def test_the_loss_of_parts_adds_up_to_the_whole(tmp_path):
    _, batch = random_case(1, tmp_path, KINDS.index(BERTForPreTraining))
    ours = from_pretrained(tmp_path, dtype=np.float64)
    batch["next_share"] = np.full(3, 1 / 3)
    count = float((batch["targets"] != ops.IGNORE).sum())
    parts = [ours.loss({n: a[i : i + 1] for n, a in batch.items()}, divisor=count).item() for i in range(3)]
    assert sum(parts) == pytest.approx(ours.loss(batch).item(), rel=1e-12)
