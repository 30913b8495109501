"""14.3: two texts in one row. Its golden: transformers."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call

MARKS = {"cls_id": 2, "sep_id": 3, "pad_id": 0}


def join(mine, firsts, seconds, entry, **marks):
    made = call(mine.join_pairs, firsts, seconds, **(marks or MARKS))
    return made.then(f"[{entry!r}]", lambda answer: answer[entry])


def test_three_arrays(mine):
    made = call(mine.join_pairs, [[7]], [[8]], **MARKS)
    kinds = made.then(", its entries", lambda answer: {key: type(value).__name__ for key, value in answer.items()})
    kinds.gives(dict.fromkeys(["tokens", "types", "lengths"], "ndarray"))


def test_one_pair(mine):
    join(mine, [[7, 8]], [[9]], "tokens").gives(np.array([[2, 7, 8, 3, 9, 3]]))


def test_the_first_sep_belongs_to_the_first_text_and_the_last_to_the_second(mine):
    join(mine, [[7, 8]], [[9]], "types").gives(np.array([[0, 0, 0, 0, 1, 1]]))
    join(mine, [[7]], [[8, 9, 9]], "types").gives(np.array([[0, 0, 0, 1, 1, 1, 1]]))


def test_marks_are_counted(mine):
    join(mine, [[7, 8]], [[9]], "lengths").gives(np.array([6]))


def test_a_shorter_row_is_filled_up_behind_its_end(mine):
    join(mine, [[7, 8], [5]], [[9], [6]], "tokens").gives(np.array([[2, 7, 8, 3, 9, 3], [2, 5, 3, 6, 3, 0]]))


def test_padding_has_type_0(mine):
    join(mine, [[7, 8], [5]], [[9], [6]], "types").gives(np.array([[0, 0, 0, 0, 1, 1], [0, 0, 0, 1, 1, 0]]))


def test_padding_is_not_counted(mine):
    join(mine, [[7, 8], [5]], [[9], [6]], "lengths").gives(np.array([6, 5]))


def test_the_longest_row_decides_and_not_the_longest_texts(mine):
    # the longest first text and the longest second one are in different rows
    join(mine, [[7, 7, 7], [5]], [[9], [6, 6]], "tokens").gives(
        np.array([[2, 7, 7, 7, 3, 9, 3], [2, 5, 3, 6, 6, 3, 0]])
    )


def test_an_empty_text_keeps_its_marks(mine):
    join(mine, [[], [5]], [[9], []], "tokens").gives(np.array([[2, 3, 9, 3], [2, 5, 3, 3]]))
    join(mine, [[], [5]], [[9], []], "types").gives(np.array([[0, 0, 1, 1], [0, 0, 0, 1]]))


def test_padding_that_is_a_token_of_the_text_too(mine):
    # how long a row is does not show in what stands in it
    join(mine, [[0, 0], [0]], [[0], [0]], "lengths").gives(np.array([6, 5]))


def test_other_ids(mine):
    marks = {"cls_id": 7, "sep_id": 8, "pad_id": 9}
    join(mine, [[1], [1, 2]], [[3], [4]], "tokens", **marks).gives(np.array([[7, 1, 8, 3, 8, 9], [7, 1, 2, 8, 4, 8]]))


def test_as_transformers_has_it(mine):
    # transformers 5.24.0: BertTokenizer(["a b c", "d", ""], ["d", "a b c e", "e e"], padding=True)
    firsts, seconds = [[5, 6, 7], [8], []], [[8], [5, 6, 7, 9], [9, 9]]
    tokens = [[2, 5, 6, 7, 3, 8, 3, 0], [2, 8, 3, 5, 6, 7, 9, 3], [2, 3, 9, 9, 3, 0, 0, 0]]
    types = [[0, 0, 0, 0, 0, 1, 1, 0], [0, 0, 0, 1, 1, 1, 1, 1], [0, 0, 1, 1, 1, 0, 0, 0]]
    for entry, expected in {"tokens": tokens, "types": types, "lengths": [7, 8, 5]}.items():
        join(mine, firsts, seconds, entry).gives(np.array(expected))


@given(st.lists(st.tuples(*[st.lists(st.integers(4, 9), max_size=3)] * 2), min_size=1, max_size=3))
def test_both_texts_can_be_read_back(mine, pairs):
    firsts, seconds = ([list(text) for text in texts] for texts in zip(*pairs))

    def texts(answer):
        rows = zip(*(answer[key].tolist() for key in ("tokens", "types", "lengths")))
        return [
            [[t for t, k in zip(row[:n], kinds) if k == kind and t > 3] for kind in (0, 1)] for row, kinds, n in rows
        ]

    made = call(mine.join_pairs, firsts, seconds, **MARKS)
    made.then(", its texts by type", texts).gives([[first, second] for first, second in pairs])
