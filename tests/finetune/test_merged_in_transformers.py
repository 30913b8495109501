"""What `tgl merge` writes is all that transformers needs: model, tokenizer with the marks that were added, chat template."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tinygrad_llm.autograd import no_grad
from tinygrad_llm.cli.main import main
from tinygrad_llm.finetune.opened import open_model
from tinygrad_llm.models import GPT, GPTConfig, save_pretrained
from tinygrad_llm.tokenizer import TEMPLATES

pytestmark = pytest.mark.oracle
MESSAGES = [
    {"role": "system", "content": "Be brief."}, {"role": "user", "content": "what says a cat?\nsay it"},
    {"role": "assistant", "content": "miau"}, {"role": "user", "content": "again"},
]  # fmt: skip


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A model whose tokenizer transformers saved."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("theirs")
    made = Tokenizer(models.BPE())
    made.pre_tokenizer, made.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), special_tokens=[], show_progress=False
    )
    made.train_from_iterator(["what says a cat? miau. the user and the assistant"] * 9, trainer)
    PreTrainedTokenizerFast(tokenizer_object=made).save_pretrained(folder / "base")
    model = GPT(GPTConfig(made.get_vocab_size(), 96, 1, 2, 16), rng=np.random.default_rng(0))
    save_pretrained(model, folder / "base")
    lines = [{"prompt": "a " * n, "completion": "miau"} for n in range(1, 6)]
    (folder / "data.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder / "base"


@pytest.mark.parametrize("template", ["plain", "chatml"])
@pytest.mark.parametrize("method", ["lora", "full"])
def test_a_merged_folder_is_read_there_as_it_is_here(method, template, base, tmp_path, capsys):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    out, merged = tmp_path / "run", tmp_path / "merged"
    flags = [
        "--steps",
        "3",
        "--batch-size",
        "2",
        "--rank",
        "2",
        "--threads",
        "1",
        "--method",
        method,
        "--template",
        template,
    ]
    assert main(["finetune", str(base), "--data", str(base.parent / "data.jsonl"), "--out", str(out), *flags]) == 0
    assert main(["merge", str(out), "--out", str(merged)]) == 0
    ours, theirs = open_model(merged), AutoTokenizer.from_pretrained(merged)
    assert ours.template == template
    ids = theirs.apply_chat_template(MESSAGES, add_generation_prompt=True, tokenize=True, return_dict=True)["input_ids"]
    text = TEMPLATES[template].text(MESSAGES, add_generation_prompt=True)
    assert theirs.apply_chat_template(MESSAGES, add_generation_prompt=True, tokenize=False) == text
    allowed = dict.fromkeys(TEMPLATES[template].special)
    assert ids == ours.tokenizer.encode(text, allowed)
    with torch.no_grad(), no_grad():
        logits = AutoModelForCausalLM.from_pretrained(merged).eval()(torch.tensor([ids])).logits.numpy()
        np.testing.assert_allclose(ours.model(np.array([ids])).numpy(), logits, rtol=1e-4, atol=1e-5)
