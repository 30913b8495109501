"""The attention kernels, run on the CPU, against float64 and the formulas."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from cuda_on_cpu.build import available, compile_text
from cuda_on_cpu.sanitized import SanitizerError, run_sanitized, why_not
from kernel_cases import bfloat16
from kernel_cases.attention import FORMS, Problem, attention_case, factors, philox
from test_nvrtc import report

from benchmarks.kernels import usage
from tinygrad_llm.backend import flash
from tinygrad_llm.backend.kernels import source
from tinygrad_llm.errors import ArgumentError

pytestmark = pytest.mark.skipif(
    not available() or bfloat16 is None, reason="running kernels on the CPU needs g++ and ml_dtypes"
)
every_form = pytest.mark.parametrize("form", FORMS)

FORWARD, BACKWARD = "attention_forward_", "attention_backward_"
# B, H, G, T, S, K, causal, p, layout
SIZES = [
    (1, 1, 1, 1, 1, 1, False),
    (1, 1, 1, 1, 1, 1, True, 0.3),
    (1, 2, 2, 63, 63, 5, True),
    (2, 2, 1, 65, 64, 16, False, 0.0, "packed"),
    (2, 6, 3, 64, 64, 16, True, 0.0, "odd"),
    (1, 2, 1, 20, 30, 64, True, 0.0, "shifted"),
    (1, 1, 1, 20, 30, 64, True, 0.0, "odd"),
    (1, 2, 1, 20, 30, 13, True, 0.0, "padded"),
    (1, 2, 1, 65, 130, 40, True, 0.1, "packed"),
    (1, 3, 1, 130, 65, 32, True, 0.3, "packed"),
    (1, 4, 2, 130, 130, 64, True, 0.0, "packed"),
    (1, 2, 1, 200, 130, 64, False, 0.2, "shifted"),
    (1, 2, 1, 130, 1, 64, True, 0.9),
    (1, 2, 2, 1, 130, 80, True, 0.2, "packed"),
    (1, 2, 1, 65, 70, 80, False, 0.0, "odd"),
    (1, 2, 1, 65, 130, 128, True, 0.2, "packed"),
    (2, 1, 1, 70, 66, 128, True),
    (3, 4, 2, 1, 300, 64, True, 0.0, "heads", (300, 1, 129)),
    (3, 2, 1, 1, 300, 20, True, 0.0, "odd", (64, 0, 65), 40),
    (2, 2, 1, 70, 140, 64, False, 0.2, "packed", (13, 140)),
    (2, 2, 2, 130, 140, 32, True, 0.0, "shifted", (50, 128)),
    (2, 4, 2, 140, 130, 64, True, 0.2, "packed", (130, 97), 1),
    (1, 2, 1, 200, 200, 64, True, 0.0, "packed", None, 70),
    (1, 2, 1, 200, 200, 128, True, 0.3, "heads", None, 128),
    (1, 1, 1, 65, 130, 32, True, 0.0, "heads", None, 1000),
]


@functools.cache
def compiled(text: str):
    return compile_text(text)


def address(x):
    """Launches take arrays of any layout by their address."""
    return x.ctypes.data if isinstance(x, np.ndarray) else x


def launcher(text=source, reverse=False):
    def launch(file, kernel, grid, block, args, shared_bytes=0):
        compiled(text(file)).launch(kernel, grid, block, [*map(address, args)], shared_bytes, reverse=reverse)

    return launch


# ---- values ---------------------------------------------------------------------------------------------------------


@every_form
@pytest.mark.parametrize("sizes", SIZES, ids=lambda sizes: str(Problem("float32", *sizes)).removeprefix("float32-"))
def test_answers_and_gradients_are_those_of_the_formulas(form, sizes):
    problem = Problem(form, *sizes)
    x = problem.arrays()
    problem.run(launcher(), x)
    problem.check(x, factors(problem))


def rising(form: str) -> tuple[Problem, dict[str, np.ndarray]]:
    """A problem whose largest scores grow from tile to tile, from a few units to a hundred, and its arrays."""
    problem = Problem(form, 1, 2, 1, 70, 300, 32, causal=False)
    x = problem.arrays()
    x["k"][...] = x["k"] * np.linspace(1, 25, 300, dtype=np.float32)[:, None]
    return problem, x


@pytest.mark.parametrize("form", ["bfloat16", "hopper"])  # float32 rounds such scores by more than the bounds allow for
def test_scores_may_rise_from_tile_to_tile(form):
    problem, x = rising(form)
    problem.run(launcher(), x)
    problem.check(x, names=("out", "dq", "dk", "dv"))
    lse, _ = problem.expected(x)["lse"]
    assert lse.max() > 60
    np.testing.assert_allclose(x["lse"], lse, rtol=3e-7)


@pytest.mark.parametrize("form", ["bfloat16", "hopper"])
@pytest.mark.parametrize(
    "right", ["out[m][h][2 * half] *= shrink;", "run.total[m][half] *= shrink;", "run.shift[m][half] = shift;"]
)
def test_what_was_summed_has_to_follow_the_scores(form, right):
    problem, x = rising(form)
    file = FORWARD + form
    text = without_entry_points(source(file), but=64 if form == "hopper" else 32)
    assert text.count(right) == 1
    problem.run(launcher(lambda wanted: text.replace(right, "") if wanted == file else source(wanted)), x)
    with pytest.raises(AssertionError):
        problem.check(x, names=("out",))


@every_form
def test_queries_that_look_nowhere_answer_zero(form):
    problem = Problem(form, 1, 2, 1, 140, 65, 16, causal=True)
    x = problem.arrays()
    problem.run(launcher(), x)
    nowhere = 140 - 65
    assert (x["out"][:, :, :nowhere] == 0).all() and (x["dq"][:, :, :nowhere] == 0).all()
    assert (x["lse"][:, :, :nowhere] == np.inf).all() and np.isfinite(x["lse"][:, :, nowhere:]).all()


@every_form
def test_padding_is_never_read_and_its_gradient_is_zero(form):
    """Keys and values behind an example's length are NaN; whole tiles and blocks of them, and a part of one."""
    problem = Problem(form, 3, 2, 1, 70, 260, 32, True, lengths=(260, 33, 0))
    x = problem.arrays()
    problem.run(launcher(), x)
    problem.check(x, factors(problem))
    for b, length in enumerate(problem.lengths):
        assert (x["dk"][b, :, length:] == 0).all() and (x["dv"][b, :, length:] == 0).all()
    assert (x["out"][2] == 0).all() and (x["dq"][2] == 0).all() and (x["lse"][2] == np.inf).all()


@every_form
@pytest.mark.parametrize("length", [1, 64, 100])
def test_a_query_over_a_cache_gives_the_bits_that_it_gives_over_the_keys_alone(form, length):
    """T = 1: what lies behind the length changes nothing."""
    cached = Problem(form, 1, 4, 2, 1, 150, 64, True, lengths=(length,))
    x = cached.arrays()
    cached.run(launcher(), x)
    alone = Problem(form, 1, 4, 2, 1, length, 64, True)
    y = alone.arrays()
    for name in ("q", "k", "v", "g"):
        y[name][...] = x[name][:, :, : y[name].shape[2]]
    alone.run(launcher(), y)
    for name in ("out", "lse", "dq", "dk", "dv"):
        np.testing.assert_array_equal(x[name][:, :, : y[name].shape[2]], y[name], err_msg=name)


@every_form
def test_a_window_of_all_keys_and_lengths_of_all_keys_change_no_bit(form):
    plain = Problem(form, 2, 2, 1, 130, 140, 64, True, 0.2)
    limited = Problem(form, 2, 2, 1, 130, 140, 64, True, 0.2, lengths=(140, 140), window=140)
    results = []
    for problem in (plain, limited):
        x = problem.arrays()
        problem.run(launcher(), x)
        results.append(x)
    for name, found in results[0].items():
        assert found.tobytes() == results[1][name].tobytes(), name


@every_form
@pytest.mark.parametrize("direction", [1, -1])
def test_scores_far_beyond_what_exp_can_take(form, direction):
    # score (t, s) = +-128 s: all weight is on the last key that a query sees, or on the first
    problem = Problem(form, 1, 1, 1, 130, 130, 32, causal=True)
    x = problem.arrays()
    x["q"][...], x["k"][...] = 0, 0
    x["q"][..., 0], x["k"][0, 0, :, 0] = 128 / problem.scale, direction * np.arange(130)
    problem.run(launcher(), x)
    expected = x["v"] if direction > 0 else np.broadcast_to(x["v"][:, :, :1], x["v"].shape)
    np.testing.assert_array_equal(x["out"], expected)


@every_form
def test_nothing_is_written_beside_the_results(form):
    problem = Problem(form, 1, 2, 1, 65, 70, 5, True, 0.1, "packed")
    x = problem.arrays()
    whole = [y.base if y.base.base is None else y.base.base for y in (x["out"], x["dq"])]
    rows = 65 * 2 * 5, 65 * (2 * 5) + 70 * (2 * 5)
    problem.run(launcher(), x)
    for name in ("lse", "delta"):
        assert not np.isnan(x[name]).any()
    for memory, results in zip(whole, rows):
        while memory.base is not None:
            memory = memory.base
        assert np.isfinite(memory.astype(np.float32)).sum() == results


@every_form
@pytest.mark.parametrize("sizes", [SIZES[8], SIZES[10]], ids=str)
def test_the_same_inputs_give_the_same_bits_in_any_order_of_blocks_and_threads(form, sizes):
    problem = Problem(form, *sizes)
    first, second = problem.arrays(), problem.arrays()
    problem.run(launcher(), first)
    problem.run(launcher(reverse=True), second)
    for name, x in first.items():
        assert x.tobytes() == second[name].tobytes(), name


# ---- dropout --------------------------------------------------------------------------------------------------------


def test_philox_gives_its_authors_numbers():
    ones = 0xFFFFFFFF
    assert philox([0] * 4, [0] * 2) == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
    assert philox([ones] * 4, [ones] * 2) == [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]


def test_dropped_weights_are_those_that_the_definition_names():
    problem = Problem("float32", 2, 3, 1, 37, 35, 1, False, 0.3)
    np.testing.assert_allclose(problem.dropout_factors(launcher()), factors(problem), rtol=1e-6)


def test_the_share_of_dropped_weights_is_p_and_neighbours_are_independent():
    problem = Problem("float32", 1, 2, 1, 256, 256, 1, False, 0.25)
    kept = problem.dropout_factors(launcher()) > 0
    sigma = np.sqrt(0.25 * 0.75 / kept.size)
    assert abs(kept.mean() - 0.75) < 4 * sigma
    centred = kept - 0.75
    for axis in (1, 2, 3):
        for distance in (1, 8, 16):
            if distance < kept.shape[axis]:
                product = centred.take(range(distance, kept.shape[axis]), axis) * centred.take(
                    range(kept.shape[axis] - distance), axis
                )
                assert abs(product.mean()) < 4 * 0.25 * 0.75 / np.sqrt(product.size)


# ---- launches -------------------------------------------------------------------------------------------------------

PROBE = """
extern "C" __global__ void probe(int* sizes) {
  if (threadIdx.x) return;
  %s
}
"""


def heads_of(form: str) -> list[int]:
    """The head sizes that a form has kernels for."""
    return [head for head in flash.HEADS if form != "hopper" or head >= 64]


def planned(form: str, direction: str, dropout: bool, *names: str) -> dict[int, tuple[int, ...]]:
    """What the kernels' own plan says under these names, by head size; direction: forward, keys, queries."""
    text = without_entry_points(source(f"attention_{'forward' if direction == 'forward' else 'backward'}_{form}"))
    plan = "Plan<%d>" if form == "float32" else direction.capitalize() + f"Plan<%d, {str(dropout).lower()}>"
    asked = [f"{plan % head}::{name}" for head in heads_of(form) for name in names]
    found = np.zeros(len(asked), np.int32)
    probe = PROBE % " ".join(f"sizes[{i}] = {place};" for i, place in enumerate(asked))
    compiled(text + probe).launch("probe", 1, 32, [found])
    return dict(zip(heads_of(form), map(tuple, found.reshape(-1, len(names)).tolist())))


def tiles_of(form: str, direction: str, head: int, dropout: bool) -> flash.Tiles:
    """What the launch takes them for."""
    if direction == "forward":
        return flash.forward_tiles(form, head, dropout)
    return flash.backward_tiles(form, head, dropout, direction)


every_direction = pytest.mark.parametrize("direction", ["forward", "keys", "queries"])
with_and_without_dropout = pytest.mark.parametrize("dropout", [False, True])


@every_direction
@with_and_without_dropout
@every_form
def test_the_launch_knows_the_kernels_tiles(form, direction, dropout):
    for head, found in planned(form, direction, dropout, "OWN", "OTHER").items():
        tiles = tiles_of(form, direction, head, dropout)
        assert (tiles.own, tiles.other) == found


@every_direction
@with_and_without_dropout
def test_as_many_hopper_blocks_fit_a_multiprocessor_as_their_registers_are_cut_for(direction, dropout):
    most, of_the_system = 227 * 1024, 1024  # bytes a multiprocessor has, and that the system takes of each block
    for head, (blocks, threads) in planned("hopper", direction, dropout, "BLOCKS", "THREADS").items():
        assert blocks >= 2 and threads == flash.THREADS
        assert blocks * (tiles_of("hopper", direction, head, dropout).shared_bytes + of_the_system) <= most


def without_entry_points(text: str, but: int | None = None) -> str:
    """A kernel file without its entry points, except those for one head size: it compiles faster."""
    entries = ("ATTENTION_FORWARD(", "ATTENTION_BACKWARD(")
    return "\n".join(line for line in text.split("\n") if not line.startswith(entries) or str(but) in line)


def most_shared(form: str) -> int:
    """Bytes of shared memory that a block of these kernels takes at most."""
    return max(
        tiles_of(form, direction, head, dropout).shared_bytes
        for direction in ("forward", "keys", "queries")
        for head in heads_of(form)
        for dropout in (False, True)
    )


def test_shared_memory_fits_every_device():
    assert most_shared("float32") <= 64 * 1024  # sm_75
    assert most_shared("bfloat16") <= 99 * 1024  # sm_86, sm_120
    assert most_shared("hopper") <= 227 * 1024


@pytest.mark.parametrize("direction", ["forward", "backward"])
@pytest.mark.parametrize("form, architecture", [("bfloat16", "80"), ("bfloat16", "90"), ("hopper", "90a")])
def test_the_usual_kernels_find_registers_for_all_variables(direction, form, architecture):
    file = f"attention_{direction}_{form}"
    rows = usage(report(source(file), f"{file}.cu", architecture), architecture)
    assert len(rows) == (2 if form == "hopper" else 3) * (2 if direction == "forward" else 4)
    # on sm_80 the gradients of keys leave one register out: once a tile
    assert not [row for row in rows if row.spilled > (4 if architecture == "80" and "keys" in row.kernel else 0)]


def test_only_what_the_kernels_can_take_is_promised():
    def supports(dtype=np.float32, size=64, **other):
        q, k, v = (np.zeros((1, 2, 3, size), dtype) for _ in range(3))
        return flash.flash_supports(*({"q": q, "k": k, "v": v} | other).values())

    assert supports() and supports(bfloat16) and supports(size=1) and supports(size=128)
    assert not supports(np.float64) and not supports(np.float16) and not supports(size=129)
    assert not supports(k=np.zeros((1, 2, 3, 64), bfloat16))
    assert not supports(v=np.zeros((1, 2, 64, 3), np.float32).swapaxes(2, 3))
    assert supports(v=np.zeros((1, 3, 2, 64), np.float32).swapaxes(1, 2))


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan")])
def test_a_scale_that_is_not_positive_is_refused(scale):
    x = Problem("float32", 1, 1, 1, 2, 2, 4, False).arrays()
    with pytest.raises(ArgumentError, match="scale"):
        flash.flash_forward(launcher(), x["q"], x["k"], x["v"], x["out"], x["lse"], causal=False, scale=scale)


@pytest.mark.parametrize("time, source_length", [(0, 3), (3, 0)])
def test_nothing_to_look_at_and_nobody_to_look(time, source_length):
    problem = Problem("float32", 1, 2, 1, time, source_length, 4, False)
    x = problem.arrays()
    problem.run(launcher(), x)
    assert all((x[name] == 0).all() for name in ("out", "dq", "dk", "dv"))


# ---- planted faults -------------------------------------------------------------------------------------------------

SMALL = (1, 4, 2, 140, 130, 32, True)
DROPPED = (1, 4, 2, 70, 130, 32, True, 0.4)
CACHED = (2, 2, 1, 70, 140, 32, True, 0.0, "heads", (41, 135))
PADDED = (2, 2, 1, 70, 140, 32, False, 0.0, "heads", (41, 135))
WINDOWED = (1, 2, 1, 200, 200, 32, True, 0.0, "heads", None, 70)
FAULTS = [
    ("what was summed is not set to the new top", FORWARD + "float32", SMALL, "out[i][h] *= shrink", "out[i][h] *= 1.0f"),
    ("the diagonal is one key off", FORWARD + "float32", SMALL, "t + n.S - n.T,", "t + n.S - n.T + 1,"),
    ("the diagonal of a square", FORWARD + "bfloat16", SMALL, "t + n.S - n.T,", "t,"),
    ("no mask", BACKWARD + "bfloat16", SMALL, "if (!within(last", "if (false && !within(last"),
    ("no mask for keys", BACKWARD + "bfloat16", SMALL, "if (!within(t", "if (false && !within(t"),
    ("the diagonal begins too late", BACKWARD + "bfloat16", SMALL, "scale, t < warp_high)", "scale, t < low)"),
    ("a warp stops too early", FORWARD + "bfloat16", SMALL, "seen = s <= high", "seen = s <= warp_low"),
    ("a key head serves the wrong queries", FORWARD + "float32", SMALL, "group = h / (sizes.H / sizes.G)", "group = h % sizes.G"),
    ("a key head hears one query head", BACKWARD + "float32", SMALL, "h < (group + 1) * repeats", "h < group * repeats + 1"),
    ("every example is the first", FORWARD + "float32", (2, 2, 1, 33, 40, 32, True), "x.base + b * x.batch", "x.base"),
    ("no delta", BACKWARD + "float32", SMALL, "(ds[i][j] - row_delta[i])", "ds[i][j]"),
    ("dq without the scale", BACKWARD + "bfloat16", SMALL, "lane, result, scale)", "lane, result, 1.0f)"),
    ("the statistics of another tile", BACKWARD + "bfloat16", SMALL, "stats + turn *", "stats + (turn ^ 1) *"),
    ("copies are not waited for", FORWARD + "bfloat16", SMALL, "cp_async_wait<ON_THEIR_WAY>();\n  __syncthreads();", "__syncthreads();"),
    ("a row too little", FORWARD + "bfloat16", SMALL, "row < there)", "row + 1 < there)"),
    ("dropped weights are kept", FORWARD + "bfloat16", DROPPED, "if (DROPOUT)", "if (false)"),
    ("dropout without its factor", FORWARD + "bfloat16", DROPPED, "factor / total", "1.0f / total"),
    ("keys meet other bits", BACKWARD + "bfloat16", DROPPED, "_sync(EVERYONE, other, 4)", "_sync(EVERYONE, other, 8)"),
    ("every example has all keys", FORWARD + "float32", CACHED, "sizes.S = keys_of(lengths, b, sizes.S);", ""),
    ("every example has all keys", BACKWARD + "bfloat16", CACHED, "sizes.S = keys_of(lengths, b, sizes.S);", ""),
    ("a key of padding is seen", BACKWARD + "float32", PADDED, "key < sizes.S && within", "within"),
    ("a key of padding is seen", BACKWARD + "bfloat16", PADDED, "clear_rows<HEAD>(dvalues, lane, own, sizes.S);", ""),
    ("padding has no gradient written", BACKWARD + "bfloat16", CACHED, "group, with_padding), own, sizes.K, in_pieces_of_16(dk", "group, sizes.S), own, sizes.K, in_pieces_of_16(dk"),
    ("all before a key is seen", FORWARD + "float32", WINDOWED, "< (unsigned int)n.window", "< (1u << 29)"),
    ("the window is one key wider", FORWARD + "bfloat16", WINDOWED, "last - n.window + 1", "last - n.window"),
    ("the window is one key wider", BACKWARD + "bfloat16", WINDOWED, "< (unsigned int)n.window", "<= (unsigned int)n.window"),
    ("the window begins a tile too late", FORWARD + "bfloat16", WINDOWED, "sizes)) / KEYS * KEYS", "sizes)) / KEYS * KEYS + KEYS"),
    ("the window begins a tile too late", BACKWARD + "float32", WINDOWED, "sizes)) / P::OTHER * P::OTHER;\n", "sizes)) / P::OTHER * P::OTHER + P::OTHER;\n"),
    ("the window is not looked for", FORWARD + "bfloat16", WINDOWED, "sizes.window < sizes.S ? -1 : ", ""),
    ("the window is not looked for", BACKWARD + "bfloat16", WINDOWED, "sizes.window < sizes.S ? -1 : ", ""),
    ("the window is not looked for by keys", BACKWARD + "bfloat16", WINDOWED, "sizes.window < sizes.S ? sizes.T : ", ""),
    ("queries end too early for a window", BACKWARD + "bfloat16", WINDOWED, "sizes, causal) + sizes.window) : 0", "sizes, causal) + sizes.window - QUERIES) : 0"),
    ("pieces are not exchanged", FORWARD + "hopper", SMALL, "(piece ^ r) * 8", "piece * 8"),
    ("the next 8 rows are looked for elsewhere", BACKWARD + "hopper", SMALL, "HEAD * ATOM_ROWS * 2 /", "HEAD * ATOM_ROWS /"),
    ("own columns are always the first", BACKWARD + "hopper", SMALL, "from_column(a, column), from", "a, from"),
    ("the next columns are looked for elsewhere", FORWARD + "hopper", SMALL, "column % ATOM_COLUMNS) * 2", "column % ATOM_COLUMNS)"),
    ("the next rows are looked for elsewhere", FORWARD + "hopper", SMALL, "row * HEAD * 2 /", "row * HEAD /"),
    ("tiles come to lie over the queries", FORWARD + "hopper", SMALL, "BEFORE_QUERIES = 3", "BEFORE_QUERIES = 2"),
    ("keys meet another head's bits", BACKWARD + "float32", DROPPED, "    drop.head = b * sizes.H + h;\n", ""),
]  # fmt: skip


@pytest.mark.parametrize("name, file, sizes, right, wrong", FAULTS, ids=[f"{f[0]} {f[1]}" for f in FAULTS])
def test_a_planted_fault_is_found(name, file, sizes, right, wrong):
    text = without_entry_points(source(file), but=64 if "hopper" in file else 32)
    assert text.count(right) >= 1, "the fault has no place in this text any more"
    problem = Problem(file.rpartition("_")[2], *sizes)
    x = problem.arrays()

    def faulty(wanted):
        return text.replace(right, wrong) if wanted == file else source(wanted)

    problem.run(launcher(faulty), x)
    with pytest.raises(AssertionError):
        problem.check(x, factors(problem))


BARRIERS = [
    (FORWARD + "bfloat16", "cp_async_wait<ON_THEIR_WAY>();\n  __syncthreads();"),
    (BACKWARD + "bfloat16", "cp_async_wait<ON_THEIR_WAY>();\n  __syncthreads();"),
    (FORWARD + "hopper", "shared_is_written();\n  __syncthreads();"),
    (BACKWARD + "float32", "__syncwarp();  // whoever still reads the last ones"),
]  # fmt: skip


@pytest.mark.parametrize("file, barrier", BARRIERS, ids=["forward", "backward", "four warps together", "a warp's own"])
def test_a_removed_barrier_is_a_race(file, barrier):
    if reason := why_not("thread"):
        pytest.skip(reason)
    text = without_entry_points(source(file), but=64 if "hopper" in file else 32)
    assert text.count(barrier) == 1
    text = text.replace(barrier, barrier.replace("__syncthreads();", "").replace("__syncwarp();", ""))
    case = attention_case(file, Problem(file.rpartition("_")[2], 1, 1, 1, 36, 130, 32, False))
    with pytest.raises(SanitizerError, match="data race"):
        run_sanitized(text, case.launches, "thread")


@pytest.mark.parametrize("form", ["bfloat16", "hopper"])
@pytest.mark.parametrize("tile", ["keys", "values"])
def test_a_tile_does_not_come_where_another_is_still_read(form, tile):
    if reason := why_not("thread"):
        pytest.skip(reason)
    file, right = FORWARD + form, f"tiles_arrived<1>();\n      if (more) {tile}.load("
    text = without_entry_points(source(file), but=64 if form == "hopper" else 32)
    assert text.count(right) == 1
    case = attention_case(file, Problem(form, 1, 1, 1, 36, 330, 32, False))
    text = text.replace(right, right.replace("tiles_arrived", "cp_async_wait"))
    with pytest.raises(SanitizerError, match="data race"):
        run_sanitized(text, case.launches, "thread", copies_at_once=True)
