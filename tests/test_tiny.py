"""The whole stack in one page: text, tokens, a model, gradients, an optimizer, a file, and new text.

Start here. Each line uses one room of the package; docstrings there say how it works.
"""

from __future__ import annotations

import numpy as np

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor, gradcheck
from tinygrad_llm.datasets.batches import Batches
from tinygrad_llm.generate import Sampler, generate
from tinygrad_llm.models import GPT, GPTConfig, from_pretrained, save_pretrained
from tinygrad_llm.optim import AdamW
from tinygrad_llm.tokenizer import CharTokenizer
from tinygrad_llm.train import fit

TEXT = "the quick brown fox jumps over the lazy dog. " * 20


def test_a_derivative():
    x = Tensor([3.0], requires_grad=True)
    y = (x * x + 2 * x).sum()  # y = x² + 2x
    y.backward()
    assert x.grad == 8.0  # dy/dx = 2x + 2
    assert gradcheck(ops.softmax, [np.array([0.1, -0.7, 1.2])])  # and any other, against differences


def test_a_language_model_from_text_to_text(tmp_path):
    # text → integers
    tokenizer = CharTokenizer.train(TEXT)
    tokens = tokenizer.encode_array(TEXT)
    assert tokenizer.decode(tokens) == TEXT

    # integers → logits of the next one, at every position
    config = GPTConfig(tokenizer.vocab_size, block_size=16, n_layer=2, n_head=2, n_embd=32)
    model = GPT(config, rng=np.random.default_rng(0))
    batches = Batches(tokens, block_size=16, batch_size=8, seed=0)
    assert model(batches[0]["tokens"]).shape == (8, 16, tokenizer.vocab_size)

    # learn: loss, gradient, step, and again
    optimizer = AdamW(model.named_parameters(), lr=3e-3)
    losses = fit(model.loss, optimizer, (batches[n] for n in range(150)))
    assert abs(losses[0] - np.log(tokenizer.vocab_size)) < 0.1  # it knew nothing yet: all tokens alike
    assert losses[-1] < 0.2

    # keep it, open it again, let it write
    save_pretrained(model, tmp_path)
    again = from_pretrained(tmp_path)
    written = generate(again, tokenizer.encode("the quick "), 25, Sampler(greedy=True), np.random.default_rng(0))
    assert tokenizer.decode(list(written)) == "brown fox jumps over the "
