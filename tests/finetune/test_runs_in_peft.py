"""What `tgl finetune` saves opens in peft, and what peft saves opens here, with the same logits; merged, in transformers."""

from __future__ import annotations

import json

import numpy as np
import pytest
from peft_models import GPT2, IGNORE, LLAMA, their_base

from tinygrad_llm.autograd import no_grad
from tinygrad_llm.cli.main import main
from tinygrad_llm.finetune.opened import open_model
from tinygrad_llm.finetune.run import start_finetune
from tinygrad_llm.finetune.settings import FinetuneConfig
from tinygrad_llm.tokenizer import TEMPLATES, CharTokenizer

OLD_NAME = pytest.mark.filterwarnings("ignore:.past_key_values. is deprecated:FutureWarning")
"""peft 0.21 hands a prefix to transformers 5.24 under an old name."""
pytestmark = [pytest.mark.oracle, IGNORE, OLD_NAME]
LINES = [{"prompt": "ab" * n, "completion": "ba"} for n in range(1, 4)]
TOKENS = np.array([[3, 1, 4, 1, 5, 9, 2, 6]])
CLOSE = {"rtol": 1e-5, "atol": 1e-5}


@pytest.fixture(params=[GPT2, LLAMA])
def base(request, tmp_path, monkeypatch):
    """A model of transformers, with a tokenizer and a template that its 19 tokens and 16 places have room for."""
    from tinygrad_llm.tokenizer.chat import ChatTemplate

    short = ChatTemplate("", "{role}:", "\n", trims=True, roles=(("system", "S"), ("user", "U"), ("assistant", "A")))
    monkeypatch.setitem(TEMPLATES, "plain", short)
    their_base(request.param, 0, "float32").save_pretrained(tmp_path / "base")
    CharTokenizer("\n:ASUabcdefghijklmn").save(tmp_path / "base")
    (tmp_path / "data.jsonl").write_text("".join(json.dumps(line) + "\n" for line in LINES))
    return tmp_path / "base"


def finetuned(base, method, **more):
    config = FinetuneConfig(
        model=str(base), data=str(base.parent / "data.jsonl"), method=method, template="plain", steps=5, lr=0.05, warmup=0, batch_size=2, rank=3,
        virtual_tokens=2, threads="1", **more,
    )  # fmt: skip
    out = base.parent / method
    start_finetune(config, out, str).run(progress=False, report=str)
    return out


def logits(model):
    with no_grad():
        return model(TOKENS).numpy()


def theirs_of(base):
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(base).eval()


def their_logits(model):
    import torch

    with torch.no_grad():
        return model(input_ids=torch.tensor(TOKENS)).logits.numpy()


@pytest.mark.parametrize("method", ["lora", "dora", "ia3", "prefix"])
def test_a_runs_checkpoint_opens_in_peft_with_the_same_logits(method, base):
    peft = pytest.importorskip("peft", reason="peft is the oracle here")
    out = finetuned(base, method)
    theirs = peft.PeftModel.from_pretrained(theirs_of(base), out / "checkpoint" / "last").eval()
    ours = open_model(out / "checkpoint" / "last")
    np.testing.assert_allclose(logits(ours.model), their_logits(theirs), **CLOSE)
    assert np.abs(logits(ours.model) - their_logits(theirs_of(base))).max() > 0.01  # it does something
    said = json.loads((out / "checkpoint" / "last" / "adapter_config.json").read_text())
    assert said["base_model_name_or_path"] == str(base)


def test_an_adapter_of_4_bits_opens_in_peft_beside_what_these_stand_for(base):
    peft = pytest.importorskip("peft", reason="peft is the oracle here")
    from tinygrad_llm.models import save_pretrained
    from tinygrad_llm.quantize import unquantize_linear

    out = finetuned(base, "qlora")
    opened = open_model(out / "checkpoint" / "last", fold=False)
    save_pretrained(unquantize_linear(opened.model.unload()), base.parent / "unpacked")
    theirs = peft.PeftModel.from_pretrained(theirs_of(base.parent / "unpacked"), out / "checkpoint" / "last").eval()
    np.testing.assert_allclose(logits(opened.model), their_logits(theirs), **CLOSE)


@pytest.mark.parametrize("kind", ["LoraConfig", "IA3Config", "PrefixTuningConfig", "PromptTuningConfig"])
def test_an_adapter_of_peft_opens_here_and_says_greedily_what_it_says_there(kind, base, capsys, monkeypatch):
    peft = pytest.importorskip("peft", reason="peft is the oracle here")
    import io
    import sys

    import torch

    own = theirs_of(base)
    options = {"num_virtual_tokens": 2} if "Tuning" in kind else {"fan_in_fan_out": own.config.model_type == GPT2}
    torch.manual_seed(0)
    theirs = peft.get_peft_model(own, getattr(peft, kind)(task_type="CAUSAL_LM", **options)).eval()
    with torch.no_grad():
        for p in theirs.parameters():
            if p.requires_grad:
                p += 0.3 * torch.randn(p.shape)
    theirs.save_pretrained(base.parent / "adapter")
    ours = open_model(base.parent / "adapter", base)
    expected = their_logits(theirs)[:, -TOKENS.shape[1] :]
    np.testing.assert_allclose(logits(ours.model), expected, **CLOSE)
    asked = TEMPLATES["plain"].encode(ours.tokenizer, [{"role": "user", "content": "a"}], add_generation_prompt=True)
    ids = asked.ids.tolist()
    for _ in range(3):
        with torch.no_grad():
            ids.append(int(theirs(input_ids=torch.tensor([ids])).logits[0, -1].argmax()))
    expected = ours.tokenizer.decode(ids[-3:]).split("\n")[0]
    monkeypatch.setattr(sys, "stdin", io.StringIO("a\n"))
    argv = [
        "chat",
        str(base.parent / "adapter"),
        "--base",
        str(base),
        "--tokens",
        "3",
        "--template",
        "plain",
        "--greedy",
    ]
    capsys.readouterr()
    assert main(argv) == 0 and capsys.readouterr().out.split("\n")[0].removesuffix(" …") == expected


@pytest.mark.parametrize("method", ["lora", "dora", "ia3", "qlora", "full"])
def test_a_merged_folder_opens_in_transformers_with_the_same_logits(method, base, capsys):
    out = finetuned(base, method)
    assert main(["merge", str(out), "--out", str(base.parent / "merged")]) == 0
    np.testing.assert_allclose(their_logits(theirs_of(base.parent / "merged")), logits(open_model(out).model), **CLOSE)
