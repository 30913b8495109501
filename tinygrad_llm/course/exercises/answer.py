"""The learner's file, executed as Python would import it."""

from __future__ import annotations

import sys
import types
from pathlib import Path


def load(file: str, name: str) -> types.ModuleType:
    """The module `name`, made of `file`, in `sys.modules`: dataclasses, pickle, enum, typing and inspect look there.

    Python itself decodes the file (a byte order mark, a coding cookie), and none of our own __future__ imports reach
    it. Raises SyntaxError for what is not Python, and whatever the file raises.
    """
    module = types.ModuleType(name)
    module.__file__ = file
    code = compiled(file)
    sys.modules[name] = module
    exec(code, module.__dict__)
    return module


def compiled(file: str) -> types.CodeType:
    """The code of a file.  Raises SyntaxError, which always has the file's name."""
    try:
        return compile(Path(file).read_bytes(), file, "exec", dont_inherit=True)
    except SyntaxError as error:
        error.filename = file  # Python leaves it out where the file is no text at all
        raise
    except ValueError as error:  # a null byte, before Python 3.12
        raise SyntaxError(str(error), (file, None, None, None)) from error
