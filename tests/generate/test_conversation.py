"""A dialogue is kept, cropped by whole turns, and shown without half a character or half of what ends it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.errors import DataError, TokenError
from tinygrad_llm.generate import Conversation, Sampler, conversation, generate
from tinygrad_llm.generate.stop import ShownText
from tinygrad_llm.models import GPT, GPTConfig
from tinygrad_llm.tokenizer import CHATML, PLAIN, ByteTokenizer, CharTokenizer, ExtendedTokenizer


@given(
    st.text(alphabet="aé🙂</en", max_size=12), st.sampled_from([("</en>",), ("</e", "é"), ("\n",), ()]), st.booleans()
)
def test_what_is_shown_is_the_text_before_the_first_stop_string_and_never_a_part_of_one(text, strings, ends):
    text += strings[0] + "more" if strings and ends else ""
    shown, pieces = ShownText(ByteTokenizer(), (), strings), []
    for byte in text.encode():
        pieces.append(shown.push(byte))
        if shown.ended:
            break
    places = [text.find(string) for string in strings if string in text]
    expected = text[: min(places)] if places else text
    so_far = ""
    for piece in pieces:
        so_far += piece
        assert expected.startswith(so_far)
    assert shown.ended == bool(places) and so_far + shown.finish() == expected


def test_a_stop_id_ends_a_text_and_half_a_character_before_it_is_shown_as_such():
    shown = ShownText(ByteTokenizer(), (7,), ())
    assert [shown.push(byte) for byte in (65, 0xC3, 7)] == ["A", "", "\ufffd"] and shown.ended


def test_text_comes_as_soon_as_it_can_be_nothing_else():
    shown = ShownText(ByteTokenizer(), (), ("</end>",))
    assert [shown.push(byte) for byte in b"a</x"] == ["a", "", "", "</x"]


def test_of_two_that_end_together_the_one_that_begins_first_counts():
    shown = ShownText(ByteTokenizer(), (), ("bc", "abc"))
    assert "".join(shown.push(byte) for byte in b"xabc") == "x" and shown.ended


def talk(tokenizer=None, template=PLAIN, block=200, **options):
    tokenizer = tokenizer or ByteTokenizer()
    model = GPT(GPTConfig(tokenizer.vocab_size, block, 1, 1, 4), rng=np.random.default_rng(0))
    return Conversation(model, tokenizer, template, sampler=Sampler(), rng=np.random.default_rng(0), **options)


@pytest.fixture
def answers(monkeypatch):
    """What the model is to say, one text a call; and what it was asked."""
    says, asked = [], []

    def written(model, prompt, count, sampler, rng):
        asked.append((prompt, count))
        return iter(says.pop(0)[:count])

    monkeypatch.setattr(conversation, "generate", written)
    return says, asked


def test_an_answer_that_is_stopped_is_kept_as_far_as_it_was_shown_and_one_of_nothing_is_not(answers):
    says, _ = answers
    one = talk()
    says += [b"hello", b"", b"more\n"]
    pieces = one.ask("a")
    assert next(pieces) == "h" and next(pieces) == "e"
    pieces.close()
    assert one.messages[-1] == {"role": "assistant", "content": "he"} and one.is_cut
    assert list(one.ask("b")) == [] and len(one.messages) == 2
    assert "".join(one.ask("c")) == "more" and len(one.messages) == 4 and not one.is_cut
    one.reset()
    assert one.messages == []


def test_whole_turns_are_left_out_where_the_context_is_full_and_the_system_message_stays(answers):
    says, asked = answers
    one = talk(block=100, most=10, system="Be.")
    for letter in "abcd":
        says.append(b"yes\n")
        list(one.ask(letter * 20))
    last = bytes(asked[-1][0]).decode()
    assert last == f"System: Be.\nUser: {'d' * 20}\nAssistant: " and one.left_out == 2 and asked[-1][1] == 10
    before = list(one.messages)
    with pytest.raises(DataError, match="at most 90 tokens"):
        one.ask("x" * 100)
    assert one.messages == before


def test_the_room_for_an_answer_is_what_the_context_has_left(answers):
    says, asked = answers
    says.append(b"a" * 99)
    one = talk(block=64, most=50)
    list(one.ask("a" * 20))
    assert asked[0][1] == 64 - len(asked[0][0]) and one.is_cut


def test_every_special_token_ends_an_answer_and_none_is_shown(answers):
    says, asked = answers
    tokenizer = ExtendedTokenizer(ByteTokenizer(), ["<|im_start|>", "<|im_end|>"])
    for end in (256, 257):
        says.append([97, end, 98])
        one = talk(tokenizer, CHATML)
        assert "".join(one.ask("q")) == "a" and not one.is_cut
    assert asked[0][0][0] == 256 and asked[0][0].count(257) == 1


def test_a_letter_that_the_model_does_not_have_is_refused_and_not_kept():
    one = talk(CharTokenizer("\n :AUaehimnrstuy"))
    with pytest.raises(TokenError, match="'ü'"):
        one.ask("ü")
    assert one.messages == []


def test_the_model_itself_goes_on_from_the_dialogue():
    one = talk(most=9)
    ids = PLAIN.encode(ByteTokenizer(), [{"role": "user", "content": "q"}], add_generation_prompt=True).ids.tolist()
    drawn = list(generate(one.model, ids, 9, one.sampler, np.random.default_rng(0)))
    assert "".join(one.ask("q")) == ByteTokenizer().decode(drawn).partition("\n")[0]
