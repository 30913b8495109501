"""23.4: what a scale costs."""

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


@given(st.sampled_from([2, 16, 128, 4096]), st.booleans())
def test_all_bits_over_all_weights(mine, block_size, double):
    weights = 256 * block_size  # 256 blocks
    bits = 256 * 8 + 32 if double else 256 * 32
    call(mine.scale_bits, block_size, double).gives(bits / weights)
