"""What the second run leaves out, and why: the beginning of a test's name, and the reason."""

from __future__ import annotations

CPU = "says itself that something is on the CPU"
NUMPY = "looks at NumPy's own memory"
NO_TENSORS = "has no tensors"
ADDED = "the stand-in adds with NumPy, one number after another; a GPU adds in trees"
DRAWN = "draws on the host; a GPU draws by a kernel, which tests/backend and tests/gpu hold"

LEFT_OUT = {
    "tests/align/test_learning": "hundreds of steps: test_device_losses.py has some of each loss",
    "tests/course/": "exercises are solved on the CPU",
    "tests/datasets/": NO_TENSORS,
    "tests/tokenizer/": NO_TENSORS,
    "tests/evaluate/test_bertscore.py": None,  # which has: the first name that fits counts
    "tests/evaluate/test_ask.py": None,
    "tests/evaluate/": NO_TENSORS,
    "tests/docs/": NO_TENSORS,
    "tests/test_ci.py": NO_TENSORS,
    "tests/generate/test_cpu_step.py": CPU,
    "tests/generate/test_cpu_families.py": CPU,
    "tests/autograd/test_backward.py::test_a_tensor_answers_what_it_is": CPU,
    "tests/autograd/test_backward.py::test_a_single_number_gets_an_array_as_its_gradient": NUMPY,
    "tests/autograd/test_backward.py::test_a_change_shows_through_a_view_of_what_is_a_view_itself": NUMPY,
    "tests/autograd/test_backward.py::test_a_leaf_is_not_changed": NUMPY,
    "tests/autograd/test_backward.py::test_a_parameter_is_not_changed": NUMPY,
    "tests/autograd/test_backward.py::test_memory_that_nobody_may_write": NUMPY,
    "tests/autograd/test_backward.py::test_entries_that_share_a_place": NUMPY,
    "tests/autograd/test_tensor.py::test_numpy_sees_the_values_of_a_tensor_without_a_gradient": NUMPY,
    "tests/autograd/test_tensor.py::test_a_leaf_shares_memory_until_it_is_cast": NUMPY,
    "tests/generate/test_what_can_be_folded.py": CPU,
    "tests/generate/test_what_is_drawn.py::test_row_b_draws_its_token": DRAWN,
    "tests/generate/test_what_is_drawn.py::test_however_many_tokens": DRAWN,
    "tests/generate/test_what_is_drawn.py::test_a_text_goes_on_from": DRAWN,
    "tests/models/test_their_layout.py::test_what_is_written_by_hand_is_read": NUMPY,
    "tests/autograd/test_results_of_ops.py::test_the_gradient_of_what_was_broadcast": ADDED,
    "tests/ops/test_precision.py::test_sums_along_the_first_axis": ADDED,
    "tests/models/test_hugging_face.py::test_a_tree_without_weights_takes_no_memory": NUMPY,
    "tests/train/test_steps.py::test_fewer_examples_than_threads_are_refused": "on a GPU a batch is not divided",
    "tests/train/test_trainer.py::test_a_missing_gpu_is_named": CPU,
    "tests/train/test_fit.py::test_threads_end_with_the_run_whatever_ends_it": "on a GPU a batch is not divided",
    "tests/train/test_fit.py::test_what_cannot_be_learned_from_is_refused": "on a GPU a batch is not divided",
    "tests/ops/test_arrays.py::test_any_layout": NUMPY,
    "tests/ops/test_arrays.py::test_an_element_type": NUMPY,
    "tests/ops/test_long_sums.py::test_the_gradient_of_what_was_broadcast_to_many_rows_is_their_number": NUMPY,
}
