"""Which tests stand for which part of the package, the likeliest first, and how they are run."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "tinygrad_llm"

OPTIONS = (
    *("-x", "-q", "--no-header", "-p", "no:cacheprovider", "-m", "not long and not gpu and not oracle"),
    *("--deselect", "tests/autograd/test_backward.py::test_a_chain_of_a_hundred_thousand_is_no_problem"),  # slow
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),  # hypothesis was loaded before the fork
)

TESTS = {
    "ops": [
        "tests/ops/test_every_option.py",
        "tests/ops/test_loss_options.py",
        "tests/ops/test_precision.py",
        "tests/ops/test_attention_arguments.py",
        "tests/ops/test_bfloat16.py",
        "tests/ops/test_picking.py",
        "tests/ops/test_each_equation.py",
        "tests/ops/test_einsum.py",
        "tests/ops/test_edges.py",
        "tests/ops/test_empty.py",
        "tests/ops/test_numpy_scalars.py",
        "tests/ops/test_function_defaults.py",
        "tests/ops/test_activation.py",
        "tests/ops/test_fused.py",
        "tests/ops/test_ops.py",
        "tests/ops/test_errors.py",
        "tests/ops/test_attention_options.py",
        "tests/ops/test_attention_blocks.py",
        "tests/ops/test_joint_linear.py",
        "tests/ops/test_grouped_linear.py",
        "tests/autograd/test_backward.py",
    ],
    "autograd": [
        "tests/autograd",
        "tests/train/test_steps.py",
        "tests/ops/test_bfloat16.py",
        "tests/ops/test_function_defaults.py",
        "tests/ops/test_ops.py",
        "tests/ops/test_edges.py",
        "tests/ops/test_joint_linear.py",
    ],
    "nn": ["tests/nn", "tests/models/test_gpt.py", "tests/models/test_llama.py"],
    "optim": ["tests/optim", "tests/train/test_steps.py"],
    "models": ["tests/models", "tests/nn"],
    "generate": ["tests/generate/test_exact_draws.py", "tests/generate/test_what_is_drawn.py", "tests/generate"],
    "tokenizer": ["tests/tokenizer"],
    "datasets": ["tests/datasets/test_batches.py", "tests/datasets/test_text.py", "tests/datasets"],
    "evaluate": ["tests/evaluate"],
    "prompt": ["tests/prompt", "tests/align/test_best_of_n.py"],
    "quantize": ["tests/quantize"],
    "finetune": [
        "tests/finetune",
        "tests/cli/test_flags_reach.py",
        "tests/cli/test_finetune.py",
        "tests/cli/test_align.py",
    ],
    "align": ["tests/align", "tests/cli/test_align.py"],
    "train": [
        "tests/train/test_by_hand.py",
        "tests/train/test_folder.py",
        "tests/train/test_settings.py",
        "tests/train",
    ],
    "cli": [
        "tests/cli/test_commands.py",
        "tests/cli/test_flags_reach.py",
        "tests/cli/test_sample_options.py",
        "tests/cli/test_cli.py",
        "tests/cli/test_flags.py",
        "tests/cli/test_train_and_eval.py",
        "tests/cli/test_eval_command.py",
        "tests/cli/test_runs.py",
        "tests/cli/test_finetune.py",
        "tests/cli/test_align.py",
        "tests/cli/test_chat_command.py",
    ],
    "course": [
        "tests/course/test_what_is_said.py",
        "tests/course/test_what_is_kept.py",
        "tests/course/test_claim.py",
        "tests/course/test_table.py",
        "tests/course/test_calls.py",
        "tests/course/test_what_differs.py",
        "tests/course/test_checks_in_a_fork.py",
        "tests/course/test_desk.py",
        "tests/course/test_record.py",
        "tests/course/test_keys.py",
        "tests/course/test_proofs.py::test_an_exercise_is_proved_anew_when_something_of_its_own_changes",
        "tests/course/test_proofs.py::test_the_command_proves_what_is_named_or_all_or_a_sample",
    ],
    "visualize": ["tests/visualize"],
    "backend": [
        "tests/backend/test_backend.py",
        "tests/backend/test_grouped.py",
        "tests/ops/test_bfloat16.py",
        "tests/ops/test_joint_linear.py",
        "tests/ops/test_grouped_linear.py",
        "tests/ops/test_precision.py",
        "tests/ops/test_long_sums.py",
        "tests/backend/test_threads.py",
        "tests/ops/test_arrays.py",
    ],
    "ranges.py": ["tests/test_ranges.py"],
    "shapes.py": ["tests/test_shapes_and_errors.py"],
    "errors.py": ["tests/test_shapes_and_errors.py"],
    "files.py": ["tests/test_files.py", "tests/models/test_weights.py"],
}
