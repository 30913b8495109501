"""EncoderDecoder against transformers' BART: fifty random configurations in float64, logits, loss and every gradient.

As in test_gpt2_parity.py the weights are drawn anew, and planted faults show that the test can fail.
"""

from __future__ import annotations

import numpy as np
import pytest
from by_their_names import gradients_by_their_names
from redraw import redraw
from tolerances import WHOLE_MODEL

from tinygrad_llm import ops
from tinygrad_llm.models import EncoderDecoder, EncoderDecoderConfig, from_pretrained, save_pretrained
from tinygrad_llm.models.encoder_decoder import Stack
from tinygrad_llm.models.layout import Stored
from tinygrad_llm.nn import Attention, LayerNorm, PostNormBlock

pytestmark = pytest.mark.oracle

CONFIGURATIONS = 50


def random_case(seed: int, folder):
    """transformers' BART of a random configuration, saved into the folder; the model, and texts of several lengths."""
    import torch
    from transformers import BartConfig, BartForConditionalGeneration

    rng = np.random.default_rng(seed)
    heads, hidden, block = int(rng.integers(1, 5)), int(rng.integers(1, 30)), int(rng.integers(4, 20))
    vocabulary = int(rng.integers(6, 60))
    config = BartConfig(
        vocab_size=vocabulary, max_position_embeddings=block, d_model=heads * int(rng.integers(1, 9)),
        encoder_layers=int(rng.integers(1, 4)), decoder_layers=int(rng.integers(1, 4)),
        encoder_attention_heads=heads, decoder_attention_heads=heads, encoder_ffn_dim=hidden, decoder_ffn_dim=hidden,
        dropout=0.1, attention_dropout=0.2, activation_dropout=0.3, activation_function=str(rng.choice(["gelu", "gelu_new", "relu"])),
        scale_embedding=bool(rng.integers(2)), pad_token_id=1, bos_token_id=0, eos_token_id=2,
    )  # fmt: skip
    other = BartForConditionalGeneration(config).double().eval()
    generator = redraw(other, seed)
    with torch.no_grad():
        other.final_logits_bias.normal_(0, 1, generator=generator)
    other.save_pretrained(folder)
    batch, length, time = 3, int(rng.integers(2, block + 1)), int(rng.integers(2, block + 1))
    source, target = (rng.integers(2, vocabulary, (batch, n)) for n in (length, time + 1))
    source[np.arange(length) >= np.array([[length], [(length + 1) // 2], [1]])] = 1
    wanted = target[:, 1:].copy()
    wanted[np.arange(time) >= np.array([[time], [(time + 1) // 2], [time]])] = ops.IGNORE
    return other, (source, target[:, :-1], wanted)


def compare(other, ours: EncoderDecoder, texts) -> None:
    """Logits, loss, and the gradient of every parameter."""
    import torch

    source, target, wanted = (torch.tensor(t) for t in texts)
    logits = other(input_ids=source, attention_mask=(source != 1).long(), decoder_input_ids=target).logits
    np.testing.assert_allclose(ours(*texts[:2]).data, logits.detach().numpy(), **WHOLE_MODEL)
    their_loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), wanted.flatten())
    loss = ours.loss(dict(zip(("source", "tokens", "targets"), texts)))
    np.testing.assert_allclose(loss.item(), their_loss.item(), **WHOLE_MODEL)
    loss.backward()
    their_loss.backward()
    theirs = {name: p.grad.numpy() for name, p in other.named_parameters()}
    mine = gradients_by_their_names(ours)
    assert mine.keys() == {*theirs, "final_logits_bias"}
    for name, gradient in theirs.items():
        np.testing.assert_allclose(mine[name], gradient, **WHOLE_MODEL, err_msg=name)


@pytest.mark.parametrize("seed", range(CONFIGURATIONS))
def test_logits_loss_and_every_gradient_equal_those_of_transformers(seed, tmp_path):
    other, texts = random_case(seed, tmp_path)
    compare(other, from_pretrained(tmp_path, dtype=np.float64), texts)


def with_attention(monkeypatch, change):
    """Every call of an attention layer with changed arguments: change(self, source, options) -> source, options."""
    plain = Attention.__call__

    def changed(self, x, source=None, **options):
        source, options = change(self, source, options)
        return plain(self, x, source, **options)

    monkeypatch.setattr(Attention, "__call__", changed)


def cross_attention_that_reads_the_decoder(monkeypatch):
    with_attention(monkeypatch, lambda self, source, options: (None, options if source is None else {}))


def padding_seen(monkeypatch):
    with_attention(monkeypatch, lambda self, source, options: (source, options | {"lengths": None}))


def padding_seen_by_the_decoder(monkeypatch):
    with_attention(
        monkeypatch, lambda self, source, options: (source, options if source is None else options | {"lengths": None})
    )


def positions_of_the_wrong_rows(monkeypatch):
    def first(self, array, shapes):
        return np.split(array[: sum(shape[0] for shape in shapes)], np.cumsum([shape[0] for shape in shapes])[:-1])

    monkeypatch.setattr(Stored, "inward", first)


def decoder_that_looks_ahead(monkeypatch):
    monkeypatch.setattr(Attention, "causal", property(lambda self: False, lambda self, value: None), raising=False)


def encoder_that_does_not(monkeypatch):
    monkeypatch.setattr(Attention, "causal", property(lambda self: True, lambda self, value: None), raising=False)


def norm_before_instead_of_after(monkeypatch):
    plain = PostNormBlock.__call__

    def before(self, x, rng=None, **options):
        norm, self.mlp_norm = self.mlp_norm, lambda x: x
        mlp, self.mlp = self.mlp, lambda x, rng: mlp(norm(x), rng)
        y = plain(self, x, rng, **options)
        self.mlp_norm, self.mlp = norm, mlp
        return y

    monkeypatch.setattr(PostNormBlock, "__call__", before)


def keys_and_values_exchanged(monkeypatch):
    plain = ops.attention
    monkeypatch.setattr(ops, "attention", lambda q, k, v, **options: plain(q, v, k, **options))


def norm_of_the_embeddings_forgotten(monkeypatch):
    def without(self, x, *args, **options):
        return x + self.position_embedding.weight[: x.shape[1]]

    monkeypatch.setattr(Stack, "embed", without)


def bias_of_the_logits_forgotten(monkeypatch):
    plain = EncoderDecoder.given

    def without(self, *args, **options):
        self.logits_bias.assign(np.zeros(self.logits_bias.shape))
        return plain(self, *args, **options)

    monkeypatch.setattr(EncoderDecoder, "given", without)


def embeddings_not_scaled(monkeypatch):
    monkeypatch.setattr(EncoderDecoder, "embed_tokens", lambda self, name, ids, cached=0: self.token_embedding(ids))


def another_epsilon(monkeypatch):
    monkeypatch.setattr(LayerNorm, "__call__", lambda self, x: ops.layer_norm(x, self.weight, self.bias, eps=1e-6))


FAULTS = [
    cross_attention_that_reads_the_decoder, padding_seen, padding_seen_by_the_decoder, positions_of_the_wrong_rows,
    decoder_that_looks_ahead, encoder_that_does_not, norm_before_instead_of_after, keys_and_values_exchanged,
    norm_of_the_embeddings_forgotten, bias_of_the_logits_forgotten, embeddings_not_scaled, another_epsilon,
]  # fmt: skip


@pytest.mark.parametrize("plant", FAULTS, ids=lambda f: f.__name__)
def test_a_planted_fault_fails(plant, tmp_path, monkeypatch):
    other, texts = random_case(SCALED, tmp_path)
    assert other.config.scale_embedding and texts[0].shape[1] > 3
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        compare(other, from_pretrained(tmp_path, dtype=np.float64), texts)


SCALED = 10
"""A case with scaled embeddings and texts long enough to be masked."""


def test_a_model_saved_here_opens_there(tmp_path):
    import torch
    from transformers import BartForConditionalGeneration

    config = EncoderDecoderConfig(17, 9, 1, 2, 2, 8, 12, activation="relu", scale_embedding=True, pad_id=0)
    ours = EncoderDecoder(config, rng=np.random.default_rng(0), dtype=np.float64)
    ours.logits_bias.assign(np.random.default_rng(2).normal(size=(1, 17)))
    save_pretrained(ours, tmp_path)
    other = BartForConditionalGeneration.from_pretrained(tmp_path, dtype=torch.float64).eval()
    rng = np.random.default_rng(1)
    source, target = rng.integers(1, 17, (2, 9)), rng.integers(1, 17, (2, 5))
    source[1, 4:] = 0
    ids = torch.tensor(source)
    found = other(input_ids=ids, attention_mask=(ids != 0).long(), decoder_input_ids=torch.tensor(target)).logits
    np.testing.assert_allclose(found.detach().numpy(), ours(source, target).data, **WHOLE_MODEL)
    assert other.config.decoder_start_token_id == 2 and other.config.pad_token_id == 0


def test_the_cross_attention_weights_are_theirs(tmp_path):
    import torch

    other, (source, target, _) = random_case(5, tmp_path)
    other.config._attn_implementation = "eager"
    for half in (other.model.encoder, other.model.decoder):
        half.config._attn_implementation = "eager"
    ids = torch.tensor(source)
    said = other(
        input_ids=ids, attention_mask=(ids != 1).long(), decoder_input_ids=torch.tensor(target), output_attentions=True
    )
    ours = from_pretrained(tmp_path, dtype=np.float64).cross_attention_weights(source, target)
    theirs = np.stack([a.detach().numpy() for a in said.cross_attentions])
    np.testing.assert_allclose(ours, theirs, **WHOLE_MODEL)
