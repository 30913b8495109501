"""Writes what transformers 4.49 finds by diverse beam search and contrastive search: version 5 has neither.

    pip install --no-deps --target OLD transformers==4.49.0 tokenizers==0.21.4 huggingface_hub==0.29.3
    PYTHONPATH=OLD:. python tests/goldens/make_searches.py

Weights come from `np.random.RandomState`, whose stream is frozen.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_llm.models import GPT, GPTConfig, save_pretrained

HERE = Path(__file__).parent
SEEDS, START, PAD = 3, [0, 3], 8
CONTRASTS = ((2, 0.3), (4, 0.6), (5, 0.9), (3, 0.1))
BEAMS = ((4, 2, 0.5, 0.0, 0), (4, 4, 1.0, 1.0, 0), (6, 3, 0.2, 0.7, 0), (6, 2, 3.0, 2.0, 0), (6, 3, 0.5, 1.0, 2))
"""width, groups, diversity, length_power, no_repeat_ngram_size; no token ends a text: when a search is over has changed
since."""


def model(seed: int) -> GPT:
    """A small GPT with opinions, in float64."""
    made = GPT(GPTConfig(9, 24, 2, 2, 8), rng=np.random.default_rng(0), dtype=np.float64)
    state = np.random.RandomState(seed)
    for p in made.parameters():
        p.assign(state.normal(0, 0.7, p.shape))
    return made


def rows(seed: int) -> list[dict[str, Any]]:
    """Each setting with what it finds."""
    import torch
    from transformers import GPT2LMHeadModel

    with tempfile.TemporaryDirectory() as folder:
        save_pretrained(model(seed), folder)
        theirs = GPT2LMHeadModel.from_pretrained(folder, torch_dtype=torch.float64).eval()
    theirs.generation_config.eos_token_id, theirs.generation_config.pad_token_id = None, PAD
    start, found = torch.tensor([START]), []
    for k, alpha in CONTRASTS:
        tokens = theirs.generate(start, max_new_tokens=14, penalty_alpha=alpha, top_k=k)[0, len(START) :].tolist()
        found.append({"seed": seed, "k": k, "alpha": alpha, "tokens": tokens})
    for width, groups, diversity, power, n in BEAMS:  # scores of float64 are refused there
        answer = theirs.float().generate(
            start, max_new_tokens=8, num_beams=width, num_beam_groups=groups, diversity_penalty=diversity,
            length_penalty=power, num_return_sequences=width, do_sample=False, no_repeat_ngram_size=n,
            return_dict_in_generate=True, output_scores=True,
        )  # fmt: skip
        found.append(
            {"seed": seed, "width": width, "groups": groups, "diversity": diversity, "length_power": power,
             "no_repeat_ngram_size": n, "tokens": answer.sequences[:, len(START) :].tolist(),
             "scores": [round(score, 6) for score in answer.sequences_scores.tolist()]}
        )  # fmt: skip
    return found


def main() -> None:
    """Writes the file."""
    import torch
    import transformers

    if not transformers.__version__.startswith("4.49."):
        raise SystemExit(f"transformers 4.49 is needed, not {transformers.__version__}: see this file's first lines")
    made_with = {"transformers": transformers.__version__, "torch": torch.__version__}
    lines = ",\n".join(json.dumps(row) for seed in range(SEEDS) for row in rows(seed))
    text = f'{{"made_with": {json.dumps(made_with)},\n"rows": [\n{lines}\n]}}\n'
    (HERE / "searches.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
