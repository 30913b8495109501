"""23.4: what fits a card?"""

from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call


def test_a_scale_of_32_bits_a_block(mine):
    call(mine.scale_bits, 64, False).gives(0.5)
    call(mine.scale_bits, 32, False).gives(1.0)


def test_double_quantization_of_blocks_of_64(mine):
    call(mine.scale_bits, 64, True).gives(0.125 + 1 / 512)


def test_double_quantization_of_other_blocks(mine):
    call(mine.scale_bits, 32, True).gives(0.25 + 1 / 256)


def test_without_adapters_it_is_the_weights(mine):
    call(mine.qlora_bytes, [(4, 2), (2, 8)], 0, 0, 4.0).gives(12.0)


def test_what_is_not_packed_takes_two_bytes(mine):
    call(mine.qlora_bytes, [(4, 2)], 10, 0, 4.0).gives(24.0)


def test_scales_are_in_the_bits(mine):
    call(mine.qlora_bytes, [(4, 4)], 0, 0, 4.5).gives(9.0)


def test_what_is_learned_takes_twelve_bytes(mine):
    # A (3, 2) and B (4, 3): 18 numbers beside 8 weights of half a byte
    call(mine.qlora_bytes, [(4, 2)], 0, 3, 4.0).gives(4.0 + 18 * 12)


@given(st.lists(st.tuples(st.integers(1, 8), st.integers(1, 8)), min_size=1, max_size=3), st.integers(0, 9),
       st.integers(1, 4), st.sampled_from([4.0, 4.5, 2.25]))  # fmt: skip
def test_matrix_by_matrix(mine, matrices, rest, rank, bits):
    total = 2.0 * rest
    for outputs, inputs in matrices:
        total += outputs * inputs * bits / 8 + 12 * rank * outputs + 12 * rank * inputs
    call(mine.qlora_bytes, matrices, rest, rank, bits).gives(total)
