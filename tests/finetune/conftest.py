"""What is compared with transformers' models in float64 is compared with float64 throughout."""

from __future__ import annotations

import pytest
from in_double import in_double


@pytest.fixture(autouse=True)
def precisely(request):
    """transformers' Llama rounds to float32 inside; not in tests that compare with it."""
    callspec = getattr(request.node, "callspec", None)
    if "oracle" not in request.keywords or (callspec and callspec.params.get("dtype") == "float32"):
        yield
        return
    with in_double():
        yield
