"""BERT reads in both directions, and its losses count what was hidden."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from draws import each_draw_counts

from tinygrad_llm import Tensor, ops
from tinygrad_llm.errors import ConfigError, ShapeError
from tinygrad_llm.models import (
    BERT,
    BERTConfig,
    BERTForMaskedLM,
    BERTForPreTraining,
    BERTForSequenceClassification,
    BERTForTokenClassification,
    from_pretrained,
    save_pretrained,
)
from tinygrad_llm.models.bert import hidden_loss
from tinygrad_llm.nn import LayerNorm
from tinygrad_llm.optim import AdamW
from tinygrad_llm.train.step import EagerStep, ThreadedStep

CONFIG = BERTConfig(13, 8, n_layer=2, n_head=2, n_embd=8, n_hidden=12)
KINDS = [BERT, BERTForPreTraining, BERTForMaskedLM, BERTForSequenceClassification, BERTForTokenClassification]


def made(kind=BERT, dtype=np.float64, **changes):
    model = kind(replace(CONFIG, **changes), rng=np.random.default_rng(0), dtype=dtype)
    rng = np.random.default_rng(1)
    for p in model.parameters():
        p.assign(rng.normal(0, 0.3, p.shape) if p.ndim > 1 else rng.uniform(0.5, 1.5, p.shape))
    return model


TOKENS = np.array([[3, 1, 4, 1, 5, 9], [2, 7, 1, 8, 0, 0]])


def batch(kind=BERTForMaskedLM):
    rng = np.random.default_rng(2)
    targets = np.where(rng.random(TOKENS.shape) < 0.5, rng.integers(0, 2, TOKENS.shape), ops.IGNORE)
    targets[:, 1] = 1
    found = {"tokens": TOKENS, "targets": targets, "types": rng.integers(0, 2, TOKENS.shape)}
    if kind is BERTForSequenceClassification:
        found["targets"] = np.array([1, 0])
    if kind is BERTForPreTraining:
        found |= {"not_next": np.array([0, 1]), "next_share": np.full(2, 0.5)}
    return found


@pytest.mark.parametrize("at", range(6))
def test_every_state_depends_on_every_token_of_its_text(at):
    model = made()
    before = model(TOKENS[:1]).data
    changed = TOKENS[:1].copy()
    changed[0, at] = 12
    assert (np.abs(model(changed).data - before).max(-1) > 1e-9).all()


def test_padding_is_not_read():
    model = made()
    whole = model(TOKENS).data
    np.testing.assert_allclose(whole[1, :4], model(TOKENS[1:, :4]).data[0], rtol=1e-12)
    np.testing.assert_allclose(model(TOKENS, lengths=np.array([6, 4])).data, whole, rtol=1e-12)
    mask = model(TOKENS, mask=TOKENS != 0).data
    np.testing.assert_allclose(mask[1, :4], whole[1, :4], rtol=1e-12)
    read = model(TOKENS, lengths=np.array([6, 6])).data
    assert np.abs(read[1, :4] - whole[1, :4]).max() > 1e-6
    np.testing.assert_allclose(model(TOKENS, mask=np.ones_like(TOKENS, bool)).data, read, rtol=1e-12)  # as it says


def test_the_two_texts_are_told_apart_by_their_types_alone():
    model = made()
    first = model(TOKENS).data
    np.testing.assert_allclose(model(TOKENS, types=np.zeros_like(TOKENS)).data, first, rtol=1e-14)
    assert np.abs(model(TOKENS, types=np.ones_like(TOKENS)).data - first).max() > 1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_dropout_acts_where_an_rng_is_given(kind):
    model, still = made(kind, dropout=0.3), made(kind)

    def out(m, **options):
        found = m(TOKENS, **options)
        return (found[0] if isinstance(found, tuple) else found).data

    np.testing.assert_array_equal(out(model), out(still))
    assert (out(model, rng=np.random.default_rng(0)) != out(still)).any()
    np.testing.assert_array_equal(out(model, rng=np.random.default_rng(0)), out(model, rng=np.random.default_rng(0)))


def test_each_place_of_the_paper_drops():
    batch, time, heads, width = *TOKENS.shape, CONFIG.n_head, CONFIG.n_embd
    stream, weights = (batch, time, width), (batch, heads, time, time)
    encoder = [stream, *[weights, stream, stream] * CONFIG.n_layer]
    each_draw_counts(lambda rng: made(BERT, dropout=0.5)(TOKENS, rng=rng).data, encoder)
    for kind, classified in ((BERTForSequenceClassification, (batch, width)), (BERTForTokenClassification, stream)):
        model = made(kind, dropout=0.5)
        each_draw_counts(lambda rng, model=model: model(TOKENS, rng=rng).data, [*encoder, classified])


def test_the_pooler_reads_the_first_token_alone():
    model, rng = made(), np.random.default_rng(3)
    states = rng.normal(size=(2, 6, 8))
    before, first, others = model.pool(Tensor(states)).data, states.copy(), states.copy()
    first[:, 0] += 1
    others[:, 1:] += 1
    np.testing.assert_array_equal(model.pool(Tensor(others)).data, before)
    assert np.abs(model.pool(Tensor(first)).data - before).max() > 1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_reads_the_first_token_has_a_pooler(kind):
    """As in transformers: neither hidden words nor a label a token need it."""
    has = any("pooler" in name for name in made(kind).state_dict())
    assert has == (kind not in (BERTForMaskedLM, BERTForTokenClassification))


def test_the_loss_of_hidden_words_is_that_over_all_positions():
    model, b = made(BERTForMaskedLM), batch()
    logits = model(b["tokens"], types=b["types"]).reshape(-1, 13)
    whole = ops.cross_entropy(logits, b["targets"].reshape(-1))
    np.testing.assert_allclose(model.loss(b).item(), whole.item(), rtol=1e-12)


def test_a_part_in_which_nothing_is_hidden_adds_nothing():
    model = made(BERTForMaskedLM)
    states = model.bert(TOKENS)
    none = np.full(TOKENS.shape, ops.IGNORE)
    loss = hidden_loss(model.head, states, model.bert.token_embedding.weight, none, 7.0)
    assert loss.item() == 0
    loss.backward()


def test_next_sentence_counts_label_0_as_well_as_1():
    model, b = made(BERTForPreTraining), batch(BERTForPreTraining)
    del b["next_share"]
    _, logits = model(b["tokens"], types=b["types"])
    each = -np.log(np.exp(logits.data) / np.exp(logits.data).sum(1, keepdims=True))
    words = made(BERTForMaskedLM)
    words.load_state_dict({n: a for n, a in model.state_dict().items() if n in words.state_dict()})
    wanted = words.loss(batch()).item() + (each[0, 0] + each[1, 1]) / 2
    np.testing.assert_allclose(model.loss(b).item(), wanted, rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS[1:])
def test_two_threads_do_the_step_of_one(kind):
    found = []
    for make in (lambda m, o: EagerStep(m.loss, o), lambda m, o: ThreadedStep(m.loss, o, threads=2)):
        model = made(kind)
        step = make(model, AdamW(model.parameters(), lr=0.1))
        b = batch(kind)
        result = step([b], 1, 0.1, float((b["targets"] != ops.IGNORE).sum()))
        step.close()
        found.append((result.loss, result.grad_norm, model.state_dict()))
    assert found[0][:2] == pytest.approx(found[1][:2], rel=1e-10)
    for name, array in found[0][2].items():
        np.testing.assert_allclose(found[1][2][name], array, rtol=1e-7, atol=1e-9, err_msg=name)


@pytest.mark.parametrize("kind", KINDS[1:])
@pytest.mark.parametrize("said", [{"lengths": np.array([6, 2])}, {"mask": np.arange(6) < np.array([[6], [2]])}])
def test_a_loss_reads_as_far_as_the_batch_says(kind, said):
    model, whole = made(kind), batch(kind)
    changed = whole | {"tokens": np.where((np.arange(6) < 2) | (np.arange(2) == 0)[:, None], TOKENS, 11)}
    shown = {} if whole["targets"].ndim == 1 else {"targets": np.where(np.arange(6) < 2, whole["targets"], ops.IGNORE)}
    losses = [model.loss(given | shown | said).item() for given in (whole, changed)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-12)
    assert model.loss(whole | shown).item() != pytest.approx(losses[0], rel=1e-6)


@pytest.mark.parametrize("activation", ["relu", "silu"])
def test_the_head_of_hidden_words_has_the_activation_that_it_is_given(activation):
    model = made(BERTForMaskedLM, activation=activation)
    states, table = model.bert(TOKENS), model.bert.token_embedding.weight
    dense = states.data @ model.head.dense.weight.data.T + model.head.dense.bias.data
    active = np.maximum(dense, 0) if activation == "relu" else dense / (1 + np.exp(-dense))
    normed = (active - active.mean(-1, keepdims=True)) / np.sqrt(active.var(-1, keepdims=True) + CONFIG.norm_eps)
    normed = normed * model.head.norm.weight.data + model.head.norm.bias.data
    np.testing.assert_allclose(model(TOKENS).data, normed @ table.data.T + model.head.bias.data, rtol=1e-9)


def test_every_norm_has_the_epsilon_and_every_matrix_the_first_spread_that_are_configured():
    model = BERTForPreTraining(
        replace(CONFIG, norm_eps=0.25, init_std=0.5, n_embd=64, n_hidden=96), rng=np.random.default_rng(3)
    )
    norms = [layer for _, layer in model.named_modules() if isinstance(layer, LayerNorm)]
    assert len(norms) == 1 + 2 * CONFIG.n_layer + 1 and {norm.eps for norm in norms} == {0.25}
    for name, p in model.named_parameters():
        if p.ndim > 1:
            assert abs(p.data.std() - 0.5) < 5 * 0.5 / np.sqrt(2 * p.size), name


def test_labels_are_read_by_their_numbers(tmp_path):
    labels = tuple("abcdefghijkl")  # 10 is behind 2
    save_pretrained(made(BERTForSequenceClassification, labels=labels), tmp_path)
    said = json.loads((tmp_path / "config.json").read_text())
    said["id2label"] = dict(reversed(said["id2label"].items()))
    (tmp_path / "config.json").write_text(json.dumps(said))
    assert from_pretrained(tmp_path).config.labels == labels


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_saved_opens_to_the_same_bits(kind, tmp_path):
    model = made(kind, labels=("no", "yes", "perhaps"), n_type=3, activation="relu", norm_eps=1e-7, pad_id=2)
    save_pretrained(model, tmp_path)
    again = from_pretrained(tmp_path, np.float64)
    assert type(again) is kind and again.config == model.config
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(again.state_dict()[name], array, err_msg=name)


def test_a_class_has_a_name_and_a_text_a_length():
    with pytest.raises(ConfigError, match="labels"):
        made(labels=())
    with pytest.raises(ConfigError, match="pad_id"):
        made(pad_id=13)
    with pytest.raises(ConfigError, match="activation"):
        made(activation="tanh")
    with pytest.raises(ConfigError, match="n_type"):
        made(n_type=0)
    for wrong in (np.zeros((1, 9), int), np.zeros((1, 0), int), np.zeros(3, int)):
        with pytest.raises(ShapeError, match="tokens"):
            made()(wrong)


def test_a_classifier_has_a_logit_a_label():
    assert made(BERTForSequenceClassification, labels=("a", "b", "c"))(TOKENS).shape == (2, 3)
    assert made(BERTForTokenClassification, labels=("a", "b", "c"))(TOKENS).shape == (2, 6, 3)
    assert isinstance(made().pool(made()(TOKENS)), Tensor)
