"""Files of one JSON object a line, in the forms that people have: what to answer to what.

    {"messages": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi."}]}
    {"prompt": "Hello", "completion": "Hi."}
    {"instruction": "Say it in French.", "input": "Hello", "output": "Bonjour."}                     Alpaca's
    {"conversations": [{"from": "human", "value": "Hello"}, {"from": "gpt", "value": "Hi."}]}        ShareGPT's

`FORMS` is the table: what a line of each form must have, and what becomes of it. A line that is of none, or of one in
part, is a `Fault` with its number and what is missing; the lines around it are read all the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tinygrad_llm.errors import DataError, reason
from tinygrad_llm.tokenizer.chat import ROLES, Message

MOST_SHOWN = 10
"""Faults of a file that are told one by one."""
SPEAKERS = {
    "system": "system", "human": "user", "user": "user", "gpt": "assistant", "chatgpt": "assistant",
    "assistant": "assistant",
}  # fmt: skip
"""Who speaks in a conversation of ShareGPT's form, by role."""
Places = list[tuple[int, str, Callable[[], Any]]]
"""Of each object: its line, what it is called beside that, and what reads it, which raises ValueError."""


@dataclass(frozen=True)
class Record:
    """What a line says: its number in the file, from 1; the name of its form; what that makes of it."""

    line: int
    form: str
    value: Any


@dataclass(frozen=True)
class Fault:
    """A line that is not read: its number, and what is missing or wrong."""

    line: int
    what: str


@dataclass(frozen=True)
class Form:
    """keys  those by which a line is of this form; it must have all.
    read  makes of the line what is learned from.  Raises ValueError that says what is wrong.
    """

    keys: tuple[str, ...]
    read: Callable[[Mapping[str, Any]], Any]


def _dialogue(line: Mapping[str, Any]) -> list[Message]:
    """Of {"messages": …}: the messages, some of them an assistant's."""
    return _answered(messages_of(line, "messages"))


def _conversation(line: Mapping[str, Any]) -> list[Message]:
    """Of {"conversations": …}: the same, after a system message where the line has one beside them."""
    return _answered(_system(line) + messages_of(line, "conversations", ("from", "value"), SPEAKERS))


def _answered(found: list[Message]) -> list[Message]:
    if not any(message["role"] == "assistant" and message["content"].strip() for message in found):
        raise ValueError("no message of an assistant that says something: there is nothing to learn")
    return found


def messages_of(
    line: Mapping[str, Any],
    key: str,
    parts: tuple[str, str] = ("role", "content"),
    speakers: Mapping[str, str] | None = None,
) -> list[Message]:
    """The list of messages under a key.  Raises ValueError that says what is wrong with it.

    parts     what each calls its role and its content.
    speakers  the roles by the words that stand for them; the roles themselves where None.
    """
    messages, (role, content) = line[key], parts
    speakers = dict(zip(ROLES, ROLES)) if speakers is None else speakers
    if not isinstance(messages, list) or not messages:
        raise ValueError(f'"{key}" must be a list of at least one message, not {shown_value(messages)}')
    found: list[Message] = []
    for number, message in enumerate(messages):
        where = f'"{key}"[{number}]'
        if not isinstance(message, dict):
            raise ValueError(f'{where} must be an object with "{role}" and "{content}", not {shown_value(message)}')
        if missing := [part for part in parts if part not in message]:
            raise ValueError(f"{where} has no {_quoted(missing)}")
        if message[role] not in tuple(speakers):
            raise ValueError(f'{where} "{role}" must be {", ".join(speakers)}, not {shown_value(message[role])}')
        if not isinstance(message[content], str):
            raise ValueError(f'{where} "{content}" must be text, not {shown_value(message[content])}')
        found.append({"role": speakers[message[role]], "content": message[content]})
    return found


def _completion(line: Mapping[str, Any]) -> list[Message]:
    """Of {"prompt": …, "completion": …}: a dialogue of two messages."""
    prompt, completion = (text_of(line, key) for key in ("prompt", "completion"))
    return [{"role": "user", "content": prompt}, {"role": "assistant", "content": completion}]


def _instruction(line: Mapping[str, Any]) -> list[Message]:
    """Of {"instruction": …, "input": …, "output": …}: the input, if any, stands on the lines below the instruction."""
    instruction, output = (text_of(line, key) for key in ("instruction", "output"))
    given = _text_if_any(line, "input")
    asked = f"{instruction}\n{given}" if given else instruction
    return [*_system(line), {"role": "user", "content": asked}, {"role": "assistant", "content": output}]


def _system(line: Mapping[str, Any]) -> list[Message]:
    """The system message that a line has beside its messages, if any."""
    content = _text_if_any(line, "system")
    return [{"role": "system", "content": content}] if content else []


def _text_if_any(line: Mapping[str, Any], key: str) -> str:
    """The text under a key; none where there is no such key, or nothing in it."""
    value = line.get(key)
    return "" if value is None or (isinstance(value, str) and not value.strip()) else text_of(line, key)


def text_of(line: Mapping[str, Any], key: str) -> str:
    """The text under a key, which says something.  Raises ValueError where it does not."""
    if not isinstance(line[key], str) or not line[key].strip():
        raise ValueError(f'"{key}" must be text, not {shown_value(line[key])}')
    return line[key]


FORMS: dict[str, Form] = {
    "messages": Form(("messages",), _dialogue),
    "completion": Form(("prompt", "completion"), _completion),
    "instruction": Form(("instruction", "output"), _instruction),
    "conversations": Form(("conversations",), _conversation),
}
"""What is fine-tuned on: every form here becomes a list of messages."""


def read_records(path: str | Path, forms: Mapping[str, Form] | None = None) -> tuple[list[Record], list[Fault]]:
    """The lines of a file of JSON objects, and those that are not what they should be; empty lines are passed over.

    A file that is one list of such objects is read as well; an object's line is then the one that it begins on.

    forms  a table as FORMS, which is taken where None; the first form whose keys a line has is its own.

    Raises DataError for a file that cannot be read, and for one without any line.
    """
    forms = FORMS if forms is None else forms
    try:
        raw = Path(path).read_bytes().removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        raise DataError(str(path), "a file of JSON lines", reason(error), "Is the path right?") from error
    records, faults = [], []
    listed = _listed(raw)
    for number, name, read in _lines(raw) if listed is None else listed:
        try:
            records.append(Record(number, *_formed(read(), forms)))
        except ValueError as error:
            faults.append(Fault(number, f"{name}{error}"))
    if not records and not faults:
        raise DataError(str(path), "a JSON object a line", "an empty file", "Write one example on each line.")
    return records, faults


def _lines(raw: bytes) -> Places:
    return [(n, "", partial(_parsed, line)) for n, line in enumerate(raw.split(b"\n"), 1) if line.strip()]


def _listed(raw: bytes) -> Places | None:
    """The objects of a file that is one list, or what is wrong with it; None where it is none."""
    if not raw.lstrip().startswith(b"["):
        return None
    try:
        text = raw.decode("utf-8")
        json.loads(text)
    except json.JSONDecodeError as error:
        more = error.msg == "Extra data"  # the list is its first line, and no more
        return None if more else [(error.lineno, "", partial(_parsed, raw))]
    except (UnicodeDecodeError, RecursionError):
        return None
    found: Places = []
    at = text.index("[") + 1
    line = text.count("\n", 0, at) + 1
    while text[begin := _next(text, at)] != "]":
        line += text.count("\n", at, begin)
        value, at = json.JSONDecoder().raw_decode(text, begin)
        found.append((line, f"entry {len(found) + 1}: ", partial(_whole, value)))
        line += text.count("\n", begin, at)
    return found


def _next(text: str, at: int) -> int:
    """Where the next entry of a list begins, or the list ends."""
    while text[at] in " \t\r\n,":
        at += 1
    return at


def _parsed(line: bytes) -> Any:
    """What a line of JSON says.  Raises ValueError that says what is wrong."""
    try:
        return _whole(json.loads(line.decode("utf-8")))
    except UnicodeDecodeError as error:
        raise ValueError(f"no UTF-8: {error.reason} at byte {error.start + 1} of the line") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"no JSON: {error.msg} at column {error.colno}") from None
    except RecursionError:
        raise ValueError("no JSON that is so deep can be read") from None


def _whole(found: Any) -> Any:
    """The same, where all its characters are whole: half of one, \\ud800, is none.  Raises ValueError for such."""
    try:
        json.dumps(found, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(f"no UTF-8: {error.reason} at byte {error.start + 1} of the line") from None
    return found


def _formed(found: Any, forms: Mapping[str, Form]) -> tuple[str, Any]:
    """The form of an object, and what that makes of it.  Raises ValueError that says what is wrong."""
    if not isinstance(found, dict):
        raise ValueError(f"must be a JSON object, not {shown_value(found)}")
    for name, form in forms.items():
        if all(key in found for key in form.keys):
            return name, form.read(found)
    raise ValueError(_lacking(found, forms))


def _lacking(found: Mapping[str, Any], forms: Mapping[str, Form]) -> str:
    """What the line would need to be of the form that it is nearest to, or of any."""
    begun = [form for form in forms.values() if any(key in found for key in form.keys)]
    if len(begun) == 1:
        return f"has {_quoted([k for k in begun[0].keys if k in found])} but no " + _quoted(
            [key for key in begun[0].keys if key not in found]
        )
    wanted = ", or ".join(_quoted(form.keys) for form in forms.values())
    return f"needs {wanted}; has {_quoted(list(found)[:5]) if found else 'nothing'}"


def _quoted(keys: Sequence[str]) -> str:
    return " and ".join(f'"{key}"' for key in keys)


def shown_value(value: Any) -> str:
    """The value as JSON, cut where it is long."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else text[:39] + "…"


def told(path: str | Path, faults: Sequence[Fault]) -> list[str]:
    """Lines that tell of faults: file, line and what is wrong; the first ten of them, and how many there are beyond."""
    lines = [f"{path}:{fault.line}: {fault.what}" for fault in faults[:MOST_SHOWN]]
    return lines + ([f"… and {len(faults) - MOST_SHOWN} more"] if len(faults) > MOST_SHOWN else [])
