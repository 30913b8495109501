"""17.3: what does a run cost? Its goldens: Kaplan et al.'s count of GPT-2, and Brown et al.'s FLOPs of GPT-3."""

from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call


def test_a_layer_has_twelve_squares(mine):
    call(mine.training_cost, 1, 1, 10, 0).gives((1210, 0))


def test_each_layer_has(mine):
    call(mine.training_cost, 1, 3, 10, 1).gives((3610, 21660))


def test_the_table_counts_once(mine):
    call(mine.training_cost, 100, 1, 10, 1).gives((2200, 13200))


def test_every_token_costs(mine):
    call(mine.training_cost, 100, 1, 10, 1000).gives((2200, 13_200_000))


def test_as_kaplan_counted(mine):
    call(mine.training_cost, 100, 1, 10, 1000, embedding=False).gives((1200, 7_200_000))


def test_gpt2(mine):
    # Kaplan et al., 2020, table 1: 12 n_layer d_model^2 without embeddings
    call(mine.training_cost, 50257, 12, 768, 1, embedding=False).gives((84_934_656, 509_607_936))
    call(mine.training_cost, 50257, 12, 768, 1).gives((123_532_032, 741_192_192))


def test_gpt3(mine):
    # Brown et al., 2020, table D.1: 3.14e23 operations for 300e9 tokens
    call(mine.training_cost, 50257, 96, 12288, 300_000_000_000).then("[1]", lambda found: found[1]).gives(
        3.14e23, rtol=3e-3
    )


def test_large_numbers_are_exact(mine):
    exact = 6 * (50257 * 12288 + 96 * 12 * 12288**2) * 300_000_000_000
    last = call(mine.training_cost, 50257, 96, 12288, 300_000_000_000).then(
        "[1] % 1_000_003", lambda f: f[1] % 1_000_003
    )
    last.gives(exact % 1_000_003)


@given(st.integers(1, 9), st.integers(1, 4), st.integers(1, 9), st.integers(0, 9), st.booleans())
def test_matrix_by_matrix(mine, vocab_size, n_layer, n_embd, tokens, embedding):
    matrices = [(n_embd, n_embd)] * 4 * n_layer + [(n_embd, 4 * n_embd)] * 2 * n_layer
    matrices += [(vocab_size, n_embd)] * embedding
    weights = sum(rows * columns for rows, columns in matrices)
    expected = weights, sum(2 * rows * columns * tokens * 3 for rows, columns in matrices)
    call(mine.training_cost, vocab_size, n_layer, n_embd, tokens, embedding=embedding).gives(expected)
