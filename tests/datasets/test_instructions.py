"""Lines of JSON become dialogues; a line that does not is named with what is missing; dialogues become batches."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

from tinygrad_llm.datasets.dialogues import DialogueBatches, Dialogues, hold_out
from tinygrad_llm.datasets.instructions import FORMS, Fault, Form, Record, read_records, told
from tinygrad_llm.datasets.packing import padded_batch
from tinygrad_llm.errors import DataError
from tinygrad_llm.ops import IGNORE
from tinygrad_llm.tokenizer import PLAIN, ByteTokenizer

USER, ASSISTANT = {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}


def read(tmp_path, *lines, forms=None):
    path = tmp_path / "data.jsonl"
    path.write_bytes(b"\n".join(line if isinstance(line, bytes) else line.encode() for line in lines))
    return read_records(path, forms)


def test_both_forms_become_messages_with_their_line_numbers(tmp_path):
    lines = [
        '\ufeff{"prompt": "a", "completion": "b"}',
        "",
        json.dumps({"messages": [USER, ASSISTANT], "id": 7}) + "\r",
        "",
    ]
    records, faults = read(tmp_path, *lines)
    assert (
        records == [Record(1, "completion", [USER, ASSISTANT]), Record(3, "messages", [USER, ASSISTANT])] and not faults
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"instruction": "a", "input": "b", "output": "c"}, [("user", "a\nb"), ("assistant", "c")]),
        ({"instruction": "a", "input": " ", "output": "c", "system": None, "text": "x"}, [("user", "a"), ("assistant", "c")]),
        ({"instruction": "a", "output": "c", "system": "s"}, [("system", "s"), ("user", "a"), ("assistant", "c")]),
        (
            {"id": "1_0", "conversations": [{"from": w, "value": w} for w in ("system", "human", "gpt", "user", "chatgpt")]},
            [("system", "system"), ("user", "human"), ("assistant", "gpt"), ("user", "user"), ("assistant", "chatgpt")],
        ),
        (
            {"system": "s", "conversations": [{"from": "human", "value": ""}, {"from": "assistant", "value": "b"}]},
            [("system", "s"), ("user", ""), ("assistant", "b")],
        ),
    ],
    ids=["input", "no input", "system", "roles", "system beside them"],
)  # fmt: skip
def test_the_forms_of_alpaca_and_sharegpt_become_messages(line, said, tmp_path):
    (record,), faults = read(tmp_path, json.dumps(line))
    assert [(message["role"], message["content"]) for message in record.value] == said and not faults


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ('{"a": 1', "no JSON: Expecting ',' delimiter at column 8"), ("[", "no JSON: Expecting value at column 2"),
        ("3", "must be a JSON object, not 3"), ("{}", 'needs "messages", or "prompt" and "completion", or "instruction" and "output", or "conversations"; has nothing'),
        ('{"text": "x", "b": 1}', 'needs "messages", or "prompt" and "completion", or "instruction" and "output", or "conversations"; has "text" and "b"'),
        ('{"completion": "x"}', 'has "completion" but no "prompt"'), ('{"prompt": 1, "completion": "x"}', '"prompt" must be text, not 1'),
        ('{"prompt": "a", "completion": " "}', '"completion" must be text, not " "'), ('{"messages": {}}', '"messages" must be a list of at least one message, not {}'),
        ('{"messages": ["a"]}', '"messages"[0] must be an object with "role" and "content", not "a"'), ('{"messages": [{"content": "a"}]}', '"messages"[0] has no "role"'),
        ('{"messages": [{}]}', '"messages"[0] has no "role" and "content"'), ('{"messages": [{"role": "human", "content": "a"}]}', '"messages"[0] "role" must be system, user, assistant, not "human"'),
        ('{"messages": [{"role": "user", "content": null}]}', '"messages"[0] "content" must be text, not null'),
        (json.dumps({"messages": [USER, {**ASSISTANT, "content": ""}]}), "no message of an assistant that says something: there is nothing to learn"),
        ('{"instruction": "a", "input": "b"}', 'has "instruction" but no "output"'), ('{"instruction": "a", "input": 3, "output": "b"}', '"input" must be text, not 3'),
        ('{"instruction": "", "output": "b"}', '"instruction" must be text, not ""'), ('{"instruction": "a", "output": "b", "system": ["c"]}', '"system" must be text, not ["c"]'),
        ('{"conversations": []}', '"conversations" must be a list of at least one message, not []'), ('{"conversations": [{"from": "human"}]}', '"conversations"[0] has no "value"'),
        ('{"conversations": [{"from": "bing", "value": "a"}]}', '"conversations"[0] "from" must be system, human, user, gpt, chatgpt, assistant, not "bing"'),
        ('{"conversations": [{"from": ["gpt"], "value": "a"}]}', '"conversations"[0] "from" must be system, human, user, gpt, chatgpt, assistant, not ["gpt"]'),
        ('{"conversations": [{"from": "human", "value": "a"}]}', "no message of an assistant that says something: there is nothing to learn"),
        (b'{"prompt": "\xff"}', "no UTF-8: invalid start byte at byte 13 of the line"), ('{"prompt": "\\ud800", "completion": "a"}', "no UTF-8: surrogates not allowed"),
        ("[" * 100_000, "no JSON that is so deep can be read"),
    ],
    ids=lambda value: str(value)[:30],
)  # fmt: skip
def test_a_bad_line_is_told_with_what_is_missing_and_its_neighbours_are_read(line, what, tmp_path):
    good = '{"prompt": "a", "completion": "b"}'
    records, faults = read(tmp_path, good, line, good)
    assert [record.line for record in records] == [1, 3]
    assert [fault.line for fault in faults] == [2] and faults[0].what.startswith(what)


@pytest.mark.parametrize("indent", [None, 2])
def test_a_file_that_is_one_list_is_read_too_and_each_entry_has_its_line(indent, tmp_path):
    good, bad = {"prompt": "a\n", "completion": "[b,"}, {"prompt": "a"}
    text = "\ufeff\n" + json.dumps([good, bad, good, {"prompt": "\ud800", "completion": "c"}, 3], indent=indent)
    records, faults = read(tmp_path, text)
    first, second, third, fourth, fifth = (2, 2, 2, 2, 2) if indent is None else (3, 7, 10, 14, 18)
    assert [record.line for record in records] == [first, third]
    assert [record.value[1]["content"] for record in records] == ["[b,", "[b,"]
    assert [(fault.line, fault.what.split(";")[0]) for fault in faults] == [
        (second, 'entry 2: has "prompt" but no "completion"'),
        (fourth, "entry 4: no UTF-8: surrogates not allowed at byte 13 of the line"),
        (fifth, "entry 5: must be a JSON object, not 3"),
    ]


def test_of_a_list_that_is_no_json_the_place_is_told_and_an_empty_one_is_an_empty_file(tmp_path):
    text = json.dumps([{"prompt": "a", "completion": "b"}] * 2, indent=1)
    assert read(tmp_path, text[:-1]) == ([], [Fault(10, "no JSON: Expecting ',' delimiter at column 1")])
    assert read(tmp_path, text.replace('"b"', "b", 1)) == ([], [Fault(4, "no JSON: Expecting value at column 17")])
    with pytest.raises(DataError, match="an empty file"):
        read(tmp_path, "[\n]")


def test_a_list_on_the_first_line_of_many_is_one_bad_line(tmp_path):
    records, faults = read(tmp_path, '["a"]', '{"prompt": "a", "completion": "b"}')
    assert [record.line for record in records] == [2] and faults == [Fault(1, 'must be a JSON object, not ["a"]')]


def test_another_table_reads_other_forms(tmp_path):
    pairs = {"preference": Form(("prompt", "chosen", "rejected"), lambda line: (line["chosen"], line["rejected"]))}
    records, faults = read(
        tmp_path, '{"prompt": "a", "chosen": "b", "rejected": "c"}', '{"prompt": "a", "chosen": "b"}', forms=pairs
    )
    assert records == [Record(1, "preference", ("b", "c"))] and faults == [
        Fault(2, 'has "prompt" and "chosen" but no "rejected"')
    ]
    assert (
        read(tmp_path, '{"prompt": "a", "chosen": "b", "rejected": "c"}')[1][0].what
        == 'has "prompt" but no "completion"'
    )
    assert list(FORMS) == ["messages", "completion", "instruction", "conversations"]


def test_ten_faults_are_told_and_how_many_more_there_are():
    faults = [Fault(n, f"what {n}") for n in range(1, 14)]
    assert told("f", faults) == [*(f"f:{n}: what {n}" for n in range(1, 11)), "… and 3 more"]
    assert told("f", faults[:10])[-1] == "f:10: what 10"


def test_a_file_that_is_not_there_or_has_no_line_is_refused(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read_records(tmp_path / "none")
    with pytest.raises(DataError, match="an empty file"):
        read(tmp_path, "", " ")


def dialogues(count):
    return [
        [{"role": "user", "content": f"q{i}"}, {"role": "assistant", "content": "a" * (i % 5 + 1)}]
        for i in range(count)
    ]


def test_what_is_held_out_depends_on_what_is_said_alone():
    some = dialogues(40)
    is_held = hold_out(some, 0.25)
    assert is_held.sum() == 10
    order = np.random.default_rng(0).permutation(40)
    np.testing.assert_array_equal(hold_out([some[i] for i in order], 0.25), is_held[order])
    np.testing.assert_array_equal(hold_out(some + some, 0.25), np.tile(is_held, 2))  # copies stand on one side
    assert hold_out(some, 0.001).sum() == 1 and hold_out(some, 0.999).sum() == 39
    with pytest.raises(DataError, match="two different"):
        hold_out(some[:1] * 9, 0.5)


def encoded(count):
    return [PLAIN.encode(ByteTokenizer(), messages) for messages in dialogues(count)]


def test_every_dialogue_comes_once_an_epoch_in_a_new_order():
    examples = encoded(10)
    batches, known = DialogueBatches(examples, 4, seed=3), {e.ids.tobytes() for e in examples}
    seen = [row for n in range(10) for row in batches[n]["tokens"]]  # four epochs
    texts = [bytes(row.tolist()).split(b"\0")[0] for row in seen]
    epochs = [texts[i : i + 10] for i in range(0, 40, 10)]
    assert len(known) == 10 and all(len(set(epoch)) == 10 for epoch in epochs) and epochs[0] != epochs[1]
    again = DialogueBatches(examples, 4, seed=3)[7]
    assert all(np.array_equal(again[name], batches[7][name]) for name in again)
    assert any(not np.array_equal(DialogueBatches(examples, 4, seed=4)[0]["tokens"], batches[0]["tokens"]) for _ in [0])


def test_only_an_assistants_words_and_their_end_are_targets():
    data = Dialogues(ByteTokenizer(), encoded(6), encoded(3))
    for batch in data.held_out(SimpleNamespace(batch_size=1, eval_batches=0)):
        for row in batch["targets"]:
            assert set(bytes(row[row != IGNORE].tolist())) == set(b"a\n")
    batch = padded_batch(encoded(3), 0)
    learned = sum(int((row != IGNORE).sum()) for row in batch["targets"])
    assert data.nats_to_bits_per_byte == pytest.approx(1 / np.log(2)) and learned == 2 + 3 + 4
    assert len(data.held_out(SimpleNamespace(batch_size=1, eval_batches=1))) == 1


def test_on_a_gpu_all_batches_have_one_shape_and_ask_for_the_same():
    examples = encoded(10)
    ragged, even = (DialogueBatches(examples, 2, seed=0, one_shape=one) for one in (False, True))
    assert {even[n]["tokens"].shape for n in range(9)} == {(2, max(len(e.ids) for e in examples) - 1)}
    for n in range(9):
        width = ragged[n]["tokens"].shape[1]
        np.testing.assert_array_equal(even[n]["targets"][:, :width], ragged[n]["targets"])
        assert (even[n]["targets"][:, width:] == IGNORE).all()
    assert even.row_tokens == pytest.approx(np.mean([len(e.ids) - 1 for e in examples]))
