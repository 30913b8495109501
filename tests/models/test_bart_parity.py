"""EncoderDecoder against transformers' BART: fifty random configurations in float64, logits, loss and every gradient.

As in test_gpt2_parity.py the weights are drawn anew, and planted faults show that the test can fail.
"""

from __future__ import annotations

import numpy as np
import pytest
from redraw import redraw
from tolerances import WHOLE_MODEL

from tinygrad_llm import ops
from tinygrad_llm.models import EncoderDecoder, EncoderDecoderConfig, encoder_decoder
from tinygrad_llm.models.encoder_decoder import Layer, Stack
from tinygrad_llm.models.pretrained_bart import from_pretrained, save_pretrained
from tinygrad_llm.nn import LayerNorm, MultiHeadAttention

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
        dropout=0.0, activation_function=str(rng.choice(["gelu", "gelu_new", "relu"])),
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
    loss = ours.loss(*texts)
    np.testing.assert_allclose(loss.item(), their_loss.item(), **WHOLE_MODEL)
    loss.backward()
    their_loss.backward()
    theirs = {name.removeprefix("model."): p.grad.numpy() for name, p in other.named_parameters()}
    mine = {name: p for name, p in ours.named_parameters() if p.requires_grad}
    assert mine.keys() == theirs.keys()
    for name, p in mine.items():
        np.testing.assert_allclose(p.grad, theirs[name], **WHOLE_MODEL, err_msg=name)


@pytest.mark.parametrize("seed", range(CONFIGURATIONS))
def test_logits_loss_and_every_gradient_equal_those_of_transformers(seed, tmp_path):
    other, texts = random_case(seed, tmp_path)
    compare(other, from_pretrained(tmp_path, dtype=np.float64), texts)


def cross_attention_that_reads_the_decoder(monkeypatch):
    plain = MultiHeadAttention.__call__
    monkeypatch.setattr(Layer, "ask_memory", lambda self, x, memory, mask, rng: self.encoder_attn_layer_norm(
        x + plain(self.encoder_attn, x)))  # fmt: skip


def mask_dropped(monkeypatch):
    monkeypatch.setattr(EncoderDecoder, "words_of", lambda self, source: np.ones(np.shape(source), bool))


def mask_dropped_in_the_decoder(monkeypatch):
    plain = EncoderDecoder.decode
    monkeypatch.setattr(EncoderDecoder, "decode", lambda self, target, memory, mask, rng: plain(self, target, memory))


def positions_without_offset(monkeypatch):
    monkeypatch.setattr(encoder_decoder, "OFFSET", 0)
    # the table keeps its rows: only reading is wrong
    plain = Stack.__init__

    def same_table(self, config, *rest):
        plain(self, type(config)(**(vars(config) | {"block_size": config.block_size + 2})), *rest)

    monkeypatch.setattr(Stack, "__init__", same_table)


def decoder_that_looks_ahead(monkeypatch):
    plain = Layer.ask_itself
    monkeypatch.setattr(Layer, "ask_itself", lambda self, x, mask, causal, rng: plain(self, x, mask, False, rng))


def encoder_that_does_not(monkeypatch):
    plain = Layer.ask_itself
    monkeypatch.setattr(Layer, "ask_itself", lambda self, x, mask, causal, rng: plain(self, x, mask, True, rng))


def norm_before_instead_of_after(monkeypatch):
    monkeypatch.setattr(
        Layer, "think", lambda self, x, rng: x + self.fc2(self.bend(self.fc1(self.final_layer_norm(x))))
    )


def keys_and_values_exchanged(monkeypatch):
    plain = ops.attention
    monkeypatch.setattr(ops, "attention", lambda q, k, v, **options: plain(q, v, k, **options))


def norm_of_the_embeddings_forgotten(monkeypatch):
    monkeypatch.setattr(
        Stack, "embed", lambda self, words, rng: words + self.embed_positions.weight[2 : 2 + words.shape[1]]
    )


def bias_of_the_logits_forgotten(monkeypatch):
    plain = EncoderDecoder.decode

    def without(self, *args):
        self.final_logits_bias.assign(np.zeros(self.final_logits_bias.shape))
        return plain(self, *args)

    monkeypatch.setattr(EncoderDecoder, "decode", without)


def embeddings_not_scaled(monkeypatch):
    monkeypatch.setattr(EncoderDecoder, "_words", lambda self, name, tokens: self.shared(tokens))


def another_epsilon(monkeypatch):
    monkeypatch.setattr(LayerNorm, "__call__", lambda self, x: ops.layer_norm(x, self.weight, self.bias, eps=1e-6))


FAULTS = [
    cross_attention_that_reads_the_decoder, mask_dropped, mask_dropped_in_the_decoder, positions_without_offset,
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
    ours.final_logits_bias.assign(np.random.default_rng(2).normal(size=(1, 17)))
    save_pretrained(ours, tmp_path)
    other = BartForConditionalGeneration.from_pretrained(tmp_path, dtype=torch.float64).eval()
    rng = np.random.default_rng(1)
    source, target = rng.integers(1, 17, (2, 9)), rng.integers(1, 17, (2, 5))
    source[1, 4:] = 0
    ids = torch.tensor(source)
    found = other(input_ids=ids, attention_mask=(ids != 0).long(), decoder_input_ids=torch.tensor(target)).logits
    np.testing.assert_allclose(found.detach().numpy(), ours(source, target).data, **WHOLE_MODEL)
    assert other.config.decoder_start_token_id == 2 and other.config.pad_token_id == 0


def test_the_shares_of_cross_attention_are_theirs(tmp_path):
    import torch

    other, (source, target, _) = random_case(5, tmp_path)
    other.config._attn_implementation = "eager"
    for half in (other.model.encoder, other.model.decoder):
        half.config._attn_implementation = "eager"
    ids = torch.tensor(source)
    said = other(
        input_ids=ids, attention_mask=(ids != 1).long(), decoder_input_ids=torch.tensor(target), output_attentions=True
    )
    ours = from_pretrained(tmp_path, dtype=np.float64).looks(source, target)
    theirs = np.stack([a.detach().numpy() for a in said.cross_attentions])
    np.testing.assert_allclose(ours, theirs, **WHOLE_MODEL)
