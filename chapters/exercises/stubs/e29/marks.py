"""29.4  Marks that no text can have.

    without(text, marks)    a text, and the marks that it must not have -> the text without them

A prompt says by marks where the text of somebody else begins and ends, by "<end>" for instance. That is worth nothing
as long as the text itself may say "<end>". So a program takes the marks out first.

Go through the marks in their order, and take out each wherever it stands, with nothing in its place. What is left may
have a mark again: "<e<end>nd>" has one that is not seen before. So go through them anew, until the text has none of
them. All else stays as it is, white space too; no mark is empty, and "<End>" is not "<end>".
Source: Chen et al., "StruQ: Defending Against Prompt Injection with Structured Queries", 2024.
"""

from tinygrad_llm.course import Todo


def without(text, marks):
    raise Todo("the text without marks")
