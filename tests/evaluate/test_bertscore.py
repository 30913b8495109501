"""BERTScore is the mean of nearest cosines by its definition, and torchmetrics' number."""

from __future__ import annotations

import math
import types

import numpy as np
import pytest

from tinygrad_llm.errors import ArgumentError, DataError, NonFiniteError, ShapeError
from tinygrad_llm.evaluate import bert_score, greedy_match, idf_weights
from tinygrad_llm.models import BERT, BERTConfig

CLS, SEP = 1, 2


def three(overlap):
    return (overlap.precision, overlap.recall, overlap.f)


@pytest.fixture(scope="module")
def model():
    rng = np.random.default_rng(0)
    model = BERT(BERTConfig(20, 12, 1, 2, 8, 16), rng=rng, dtype=np.float64)
    size = lambda name: (
        1.0 if "embedding." in name else 0.2
    )  # tokens stay what they are, and are not all mixed into one
    drawn = {name: rng.normal(size=array.shape) * size(name) for name, array in model.state_dict().items()}
    drawn |= {name: rng.uniform(0.5, 1.5, 8) for name in drawn if name.endswith("norm.weight")}
    (last,) = (name for name in drawn if name.endswith("blocks.0.mlp_norm.bias"))
    drawn[last] += 1.0  # no two states look away from each other
    model.load_state_dict(drawn)
    return model


def test_a_case_counted_by_hand():
    candidate = [[2.0, 0.0], [0.0, 3.0]]
    reference = [[1.0, 0.0], [3.0, 4.0], [-5.0, 0.0]]  # cosines 1, 3/5, -1 and 0, 4/5, 0
    assert three(greedy_match(candidate, reference)) == pytest.approx((0.9, (1 + 0.8 + 0) / 3, 2 * 0.9 * 0.6 / 1.5))
    found = greedy_match(candidate, reference, [3, 1], [0, 2, 6])
    assert three(found)[:2] == pytest.approx(((3 * 1 + 0.8) / 4, (2 * 0.8 + 0) / 8))
    assert greedy_match(reference, candidate).precision == pytest.approx(0.6)


def test_a_text_is_wholly_like_itself_in_any_order():
    states = np.random.default_rng(0).normal(size=(5, 4))
    assert three(greedy_match(states, states[::-1] * 7)) == pytest.approx((1, 1, 1))
    assert three(greedy_match([[1.0, 0]], [[-1.0, 0]]))[:2] == (-1, -1)


def test_idf_is_of_the_references_that_have_a_token():
    found = idf_weights([[5, 6, 6], [5, 7]], [[7, 8]])
    assert found == pytest.approx({5: math.log(3 / 3), 6: math.log(3 / 2), 7: math.log(3 / 2), 8: math.log(3 / 1)})


def by_definition(model, candidate, reference, weight):
    states = []
    for text in (candidate, reference):
        state = model(np.array([text])).numpy()[0]
        states.append([(token, s / np.sqrt(s @ s)) for token, s in zip(text, state) if token not in (CLS, SEP)])
    sides = []
    for own, other in (states, states[::-1]):
        nearest = [(weight(token), max(s @ o for _, o in other)) for token, s in own]
        sides.append(sum(w * c for w, c in nearest) / sum(w for w, _ in nearest))
    return (*sides, 2 * sides[0] * sides[1] / (sides[0] + sides[1]))


def random_texts(seed, least=1):
    rng = np.random.default_rng(seed)
    text = lambda: [CLS, *rng.integers(3, 20, rng.integers(least, 11)).tolist(), SEP]
    count = int(rng.integers(1, 6))
    return [text() for _ in range(count)], [text() for _ in range(count)]


def test_it_is_the_definition_whatever_is_read_together(model):
    for seed in range(8):
        candidates, references = random_texts(seed)
        idf = idf_weights(references, candidates)
        plain = bert_score(model, candidates, references, ignored=(CLS, SEP), batch_size=1 + seed % 4)
        for found, candidate, reference in zip(plain, candidates, references):
            assert three(found) == pytest.approx(by_definition(model, candidate, reference, lambda _: 1), rel=1e-9)
        if len(references) > 1:
            weighted = bert_score(model, candidates, references, idf=idf, ignored=(CLS, SEP))
            for found, candidate, reference in zip(weighted, candidates, references):
                if any(idf[token] for token in reference[1:-1]):
                    assert three(found) == pytest.approx(by_definition(model, candidate, reference, idf.get), rel=1e-9)


def test_what_is_ignored_is_read_but_not_compared(model):
    candidates, references = [[CLS, 5, 6, SEP]], [[CLS, 7, SEP]]
    all_tokens = bert_score(model, candidates, references)[0]
    assert all_tokens != bert_score(model, candidates, references, ignored=(CLS, SEP))[0]
    assert bert_score(model, [[5, 6]], [[7]]) != bert_score(model, candidates, references, ignored=(CLS, SEP))
    assert three(bert_score(model, references, references)[0]) == pytest.approx((1, 1, 1))


def test_a_token_of_no_weight_can_still_be_the_nearest(model):
    found = bert_score(model, [[5, 6]], [[5, 6]], idf={5: 0.0, 6: 1.0})[0]
    assert three(found) == pytest.approx((1, 1, 1))
    near, far = (greedy_match([[1.0, 0]], [[1.0, 0], [0, 1]], None, w).precision for w in ([0, 1], [1, 0]))
    assert near == far == 1


def test_nothing_is_recorded(model):
    bert_score(model, [[5]], [[6]])
    assert all(weight.grad is None for weight in model.parameters())


@pytest.mark.parametrize(
    ("candidates", "references", "options", "error", "words"),
    [
        ([], [], {}, DataError, "references: expected at least one"), ([[5]], [], {}, DataError, "references: expected 1, one a candidate"), ([[1, 2]], [[5]], {"ignored": (1, 2)}, DataError, r"candidates\[0\]: .*weight above 0"), ([[5]], [[]], {}, DataError, r"references\[0\]"),
        ([[5]], [[5], [5]], {}, DataError, "references"), ([[5]], [[6]], {"idf": {5: 1.0, 6: 0.0}}, DataError, r"references\[0\]"), ([[5]], [[6]], {"batch_size": 0}, ArgumentError, "batch_size"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_refused(model, candidates, references, options, error, words):
    with pytest.raises(error, match=words):
        bert_score(model, candidates, references, **options)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (([1.0], [[1.0]]), ShapeError, "candidate: "), (([[1.0]], [[1.0, 2]]), ShapeError, "reference: .*D = 1"), (([[0.0]], [[1.0]]), DataError, "candidate: .*zeros"), (([[1.0]], [[1.0], [0.0]]), DataError, "reference"), (([[np.nan]], [[1.0]]), NonFiniteError, "candidate"),
        (([[1.0]], [[1.0]], [1, 2]), ShapeError, "candidate_weights"), (([[1.0]], [[1.0]], None, [0]), DataError, "reference: "), (([[1.0], [1.0]], [[1.0]], [2, -1]), DataError, "candidate: "),
    ],
)  # fmt: skip
def test_states_without_a_direction_are_refused(arguments, error, words):
    with pytest.raises(error, match=words):
        greedy_match(*arguments)


@pytest.mark.oracle
@pytest.mark.parametrize("weighted", [False, True])
def test_a_thousand_texts_have_torchmetrics_score(model, weighted):
    import torch
    from torchmetrics.functional.text.bert import bert_score as theirs_of

    def read(_, batch):
        lengths = batch["attention_mask"].sum(1).numpy()
        return torch.from_numpy(np.array(model(batch["input_ids"].numpy(), lengths=lengths).numpy()))

    judged, scores, stand_in = 0, [], torch.nn.Identity()
    stand_in.config = types.SimpleNamespace(num_hidden_layers=2)
    for seed in range(400):
        rng = np.random.default_rng(seed)
        lengths = np.sort(
            rng.choice(np.arange(3, 11), rng.integers(2, 5), replace=False)
        )  # where they sort, they mix up
        candidates, references = ([[CLS, *rng.integers(3, 20, n), SEP] for n in lengths] for _ in range(2))
        given = []
        for texts in (candidates, references):
            ids = torch.tensor([[*map(int, text), *[0] * (12 - len(text))] for text in texts])
            given.append({"input_ids": ids, "attention_mask": (ids > 0).long()})
        expected = theirs_of(*given, model=stand_in, user_forward_fn=read, idf=weighted)
        idf = idf_weights(references, candidates) if weighted else None
        if idf and not all(any(idf[token] for token in text[1:-1]) for text in candidates + references):
            continue  # no weight at all: their score is NaN
        found = [three(score) for score in bert_score(model, candidates, references, idf=idf, ignored=(CLS, SEP))]
        theirs = np.stack([expected[name].numpy() for name in ("precision", "recall", "f1")], 1)
        np.testing.assert_allclose(found, theirs, rtol=1e-5)
        judged, scores = judged + len(found), scores + found
    assert judged >= 1000 and np.std(scores, axis=0).min() > 0.02
