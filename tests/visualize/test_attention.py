"""What is shown of attention is what the layers did, and a head that is taken out is out."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from tests.tolerances import SINGLE_OP, assert_close
from tinygrad_llm import Module, Tensor, nn, ops
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.models.gpt import GPT, GPTConfig
from tinygrad_llm.visualize import ablate_heads, attention_figure, attention_text, attention_weights, next_token_bars

SVG = "{http://www.w3.org/2000/svg}"


def marks(figure, tag):
    return list(ET.fromstring(figure.svg).iter(SVG + tag))


def words(figure):
    return [t.text for t in marks(figure, "text")]


def values_of(layer, x):
    """(B, T, D) -> (B, H, T, K), by hand."""
    batch, time, _ = x.shape
    v = x.data @ layer.v_proj.weight.data.T + layer.v_proj.bias.data
    v = v.reshape(batch, time, layer.n_kv_head, layer.head_size).transpose(0, 2, 1, 3)
    return np.repeat(v, layer.n_head // layer.n_kv_head, axis=1)


class Two(Module):
    """One layer attends to its own past, the second to the input."""

    def __init__(self, rng):
        self.layers = [
            nn.Attention(8, 2, rng=rng, dtype=np.float64, causal=True),
            nn.Attention(8, 4, rng=rng, dtype=np.float64),
        ]

    def __call__(self, x, mask=None):
        return self.layers[1](self.layers[0](x), x, mask=mask)


@pytest.mark.parametrize("options", [{}, {"n_kv_head": 2}, {"rope_base": 100.0}, {"n_kv_head": 1, "rope_base": 100.0}])
def test_the_layers_answer_can_be_rebuilt_from_its_weights(options):
    rng = np.random.default_rng(0)
    layer = nn.Attention(16, 4, rng=rng, dtype=np.float64, causal=True, dropout=0.5, **options)
    for part in (layer.q_proj, layer.k_proj, layer.v_proj):
        part.bias.assign(rng.normal(size=part.bias.shape))
    x = Tensor(rng.normal(size=(2, 5, 16)))
    (weights,) = attention_weights(layer, x)
    assert weights.shape == (2, 4, 5, 5)
    y = (weights @ values_of(layer, x)).transpose(0, 2, 1, 3).reshape(2, 5, 16)
    assert_close(layer.o_proj(Tensor(y)).data, layer(x).data, SINGLE_OP)
    assert (np.triu(weights, 1) == 0).all()


@pytest.mark.oracle
def test_the_weights_are_pytorchs():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(1)
    layer = nn.Attention(12, 3, rng=rng, dtype=np.float64)
    theirs = torch.nn.MultiheadAttention(12, 3, batch_first=True, dtype=torch.float64)
    stacked = np.concatenate([p.weight.data for p in (layer.q_proj, layer.k_proj, layer.v_proj)])
    theirs.in_proj_weight.data = torch.tensor(stacked)
    theirs.in_proj_bias.data.zero_()
    theirs.out_proj.weight.data = torch.tensor(layer.o_proj.weight.data)
    theirs.out_proj.bias.data.zero_()
    x, source = rng.normal(size=(2, 4, 12)), rng.normal(size=(2, 6, 12))
    for asked in (x, source):
        expected_y, expected = theirs(*map(torch.tensor, (x, asked, asked)), average_attn_weights=False)
        (weights,) = attention_weights(layer, Tensor(x), Tensor(asked))
        assert_close(weights, expected.detach().numpy(), SINGLE_OP)
        assert_close(layer(Tensor(x), Tensor(asked)).data, expected_y.detach().numpy(), SINGLE_OP)


@pytest.mark.oracle
def test_a_gpts_weights_are_those_of_transformers():
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
    from tinygrad_llm.models.hugging_face import to_hugging_face

    rng = np.random.default_rng(2)
    model = GPT(GPTConfig(vocab_size=11, block_size=7, n_layer=2, n_head=2, n_embd=8), rng=rng, dtype=np.float64)
    for p in model.parameters():
        p.assign(rng.normal(size=p.shape) * 0.5)
    _, tensors = to_hugging_face(model)
    config = transformers.GPT2Config(
        vocab_size=11, n_positions=7, n_layer=2, n_head=2, n_embd=8, attn_implementation="eager"
    )
    theirs = transformers.GPT2LMHeadModel(config).double().eval()
    theirs.load_state_dict({k: torch.tensor(np.asarray(v, dtype=np.float64)) for k, v in tensors.items()}, strict=False)
    tokens = rng.integers(0, 11, (3, 7))
    expected = theirs(torch.tensor(tokens), output_attentions=True).attentions
    found = attention_weights(model, tokens)
    assert len(found) == len(expected) == 2
    for ours, other in zip(found, expected):
        assert_close(ours, other.detach().numpy(), SINGLE_OP)


def test_every_layer_is_read_and_the_model_is_not_changed():
    model = Two(np.random.default_rng(3))
    before = {name: value.copy() for name, value in model.state_dict().items()}
    x, mask = Tensor(np.random.default_rng(4).normal(size=(2, 5, 8))), np.arange(5) < np.array([[5], [3]])
    first, second = attention_weights(model, x, mask=mask)
    assert first.shape == (2, 2, 5, 5) and second.shape == (2, 4, 5, 5)
    assert (second[1, :, :, 3:] == 0).all() and (second[0, :, :, 3:] > 0).all()
    np.testing.assert_allclose(second.sum(-1), 1)
    assert isinstance(model.layers[1], nn.Attention)
    assert all((model.state_dict()[name] == value).all() for name, value in before.items())


def test_dropout_does_not_touch_what_is_shown():
    rng = np.random.default_rng(0)
    for causal in (False, True):
        layer, x = (
            nn.Attention(8, 2, causal=causal, dropout=0.5, rng=rng),
            Tensor(rng.normal(size=(1, 3, 8)).astype(np.float32)),
        )
        (plain,), (dropped,) = attention_weights(layer, x), attention_weights(layer, x, rng=np.random.default_rng(1))
        assert (plain == dropped).all()


def test_a_layer_that_did_not_run_is_missing():
    class Half(Two):
        def __call__(self, x):
            return self.layers[1](x)

    (weights,) = attention_weights(Half(np.random.default_rng(0)), Tensor(np.ones((1, 3, 8))))
    assert weights.shape == (1, 4, 3, 3)


def test_a_head_taken_out_says_nothing_and_the_others_go_on():
    model = Two(np.random.default_rng(5))
    x = Tensor(np.random.default_rng(6).normal(size=(2, 5, 8)))
    less = ablate_heads(model, [(0, 1), (1, 0), (1, 2)])
    assert (less.layers[0].o_proj.weight.data[:, 4:] == 0).all()
    assert (less.layers[1].o_proj.weight.data[:, [0, 1, 4, 5]] == 0).all()
    same = model.layers[1].o_proj.weight.data[:, [2, 3, 6, 7]]
    assert (less.layers[1].o_proj.weight.data[:, [2, 3, 6, 7]] == same).all()
    assert less.layers[0].q_proj is model.layers[0].q_proj and (model.layers[0].o_proj.weight.data != 0).all()
    # a layer's answer is the sum of what its heads say
    layer = model.layers[1]
    alone = [ablate_heads(layer, [(0, other) for other in range(4) if other != h])(x).data for h in range(4)]
    assert_close(sum(alone), layer(x).data, SINGLE_OP)
    silent = ablate_heads(layer, [(0, h) for h in range(4)])(x).data
    assert (silent == layer.o_proj.bias.data).all()


@pytest.mark.parametrize("head", [(2, 0), (-1, 0), (0, 2), (1, -1)])
def test_a_head_that_is_not_there_is_refused(head):
    with pytest.raises(ArgumentError, match="heads"):
        ablate_heads(Two(np.random.default_rng(0)), [head])


def test_columns_at_which_nobody_looks_are_left_out():
    weights = np.array([[0.9, 0.1, 0.0], [0.0, 0.4, 0.6]])
    figure = attention_figure(weights, ["she", "he"], ["Lily", "saw", "Tom"], title="t", least=0.6)
    assert {"she", "he", "Lily", "Tom"} <= set(words(figure)) and "saw" not in words(figure)
    assert len(marks(figure, "rect")) == 1 + 4
    whole = attention_figure(weights, ["she", "he"], ["Lily", "saw", "Tom"], title="t")
    assert "saw" in words(whole)
    for bad in ({"least": 2.0, "weights": weights}, {"weights": weights.T}):
        with pytest.raises(ArgumentError):
            attention_figure(**{"rows": ["she", "he"], "columns": ["Lily", "saw", "Tom"], "title": "t", **bad})


def test_a_text_is_printed_once_a_look_and_its_words_are_as_dark_as_their_shares():
    text = "Lily ran , and then she fell".split()
    shares = np.array([0.7, 0.1, 0.0, 0.0, 0.0, 0.2, 0.0])
    figure = attention_text([(text, 5, shares, "she?"), (text, 5, shares[::-1], "again?")], title="t", bold={"Lily"})
    assert words(figure).count("Lily") == 2 and {"t", "she?", "again?"} <= set(words(figure))
    cells = [r for r in marks(figure, "rect")[1:] if r.get("stroke") == "none"]
    dark = [float(c.get("fill-opacity")) for c in cells]
    assert dark == pytest.approx([*shares, *shares[::-1]], abs=0.003)
    frames = [r for r in marks(figure, "rect") if r.get("fill") == "none"]
    assert [float(f.get("x")) for f in frames] == [float(cells[5].get("x"))] * 2
    assert float(frames[1].get("y")) > max(float(c.get("y")) for c in cells[:7])  # the second below the first
    printed = [t for t in marks(figure, "text") if t.get("text-anchor") == "middle"]
    for cell, word in zip(cells, printed):  # each word in the middle of its own cell
        middle = float(cell.get("x")) + float(cell.get("width")) / 2
        assert float(word.get("x")) == pytest.approx(middle, abs=0.2)
        assert 0 < float(word.get("y")) - float(cell.get("y")) < float(cell.get("height"))
    assert printed[0].get("fill") == "#ffffff" and printed[1].get("fill") == printed[2].get("fill") != "#ffffff"
    assert [t.get("font-weight") for t in marks(figure, "text") if t.text == "Lily"] == ["700"] * 2


def test_no_word_leaves_the_figure_and_none_covers_another():
    text = ("Wilhelmina was mighty , and so was Max . " * 12).split()
    figure = attention_text([(text, 0, np.full(len(text), 1 / len(text)), "?")], title="t")
    cells = [
        [float(r.get(k)) for k in ("x", "y", "width")] for r in marks(figure, "rect")[1:] if r.get("fill") != "none"
    ]
    assert len(cells) == len(text) and len({y for _, y, _ in cells}) > 3
    for (x, y, width), (next_x, next_y, _) in zip(cells, cells[1:]):
        assert next_x >= x + width if next_y == y else next_y > y
    assert max(x + width for x, _, width in cells) <= figure.width - 8
    assert max(y for _, y, _ in cells) + 20 <= figure.height


@pytest.mark.parametrize("queries", [[], [("ab", 9, np.ones(2), "")], [("ab", 0, np.ones(3), "")]])
def test_queries_that_do_not_fit_are_refused(queries):
    with pytest.raises(ArgumentError, match="queries"):
        attention_text(queries, title="t")


def test_next_token_bars_show_the_best_and_what_is_left():
    figure = next_token_bars(np.array([0.1, 0.5, 0.15, 0.25]), ["a", " b", "c", "\n"], title="t", most=2)
    assert {"␣b", "50 %", "\\n", "25 %", "2 others"} <= set(words(figure))
    assert "a" not in words(figure) and words(figure).count("25 %") == 2  # the line break, and all others together
    assert "0 %" in words(next_token_bars(np.array([1.0, 0.0]), ["a", "b"], title="t"))
    twice = next_token_bars(np.array([0.75, 0.25]), ["x", "x"], title="t")
    assert {"x", "x (number 1)"} <= set(words(twice))
    for bad in (np.array([0.5, 0.4]), np.array([1.5, -0.5]), np.ones(3) / 3):
        with pytest.raises(ArgumentError, match="probabilities"):
            next_token_bars(bad, ["a", "b"], title="t")


def test_each_token_has_its_bar_and_the_rest_its_own_whatever_the_tokens_are():
    for tokens, shown in (
        (["2 others", "a", "b", "c"], ["2 others", "a", "the 2 others"]),
        (["the 2 others", "2 others", "b", "c"], ["the 2 others", "2 others", "the the 2 others"]),
        (["a", "a", "b", "c"], ["a", "a (number 1)", "2 others"]),
    ):
        written = words(next_token_bars(np.array([0.5, 0.3, 0.1, 0.1]), tokens, title="t", most=2))
        assert {*shown, "50 %", "30 %", "20 %"} <= set(written)
    written = words(next_token_bars(np.array([0.2, 0.5, 0.3]), ["a", "a (number 0)", "a"], title="t"))
    assert {"a", "a (number 0)", "a (number 0) (number 0)", "50 %", "30 %", "20 %"} <= set(written)
    for most in (0, -1, 1.5):
        with pytest.raises(ArgumentError, match="most"):
            next_token_bars(np.array([0.5, 0.5]), ["a", "b"], title="t", most=most)


def test_the_composed_floor_agrees_with_the_weights_shown():
    layer = nn.Attention(8, 2, rng=np.random.default_rng(0), dtype=np.float64, causal=True)
    x = Tensor(np.random.default_rng(1).normal(size=(1, 4, 8)))
    (weights,) = attention_weights(layer, x)
    q, k = (p(x).reshape(1, 4, 2, 4).swapaxes(1, 2) for p in (layer.q_proj, layer.k_proj))
    scores = ops.masked_fill((q @ k.swapaxes(-1, -2)) / 2, ~np.tril(np.ones((4, 4), bool)), -np.inf)
    assert_close(weights, ops.softmax(scores).data, SINGLE_OP)
