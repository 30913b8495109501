"""What every test shares: the hypothesis profiles, and where real text is found."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

settings.register_profile("dev", deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("dev"), derandomize=True, database=None)
settings.register_profile("long", parent=settings.get_profile("dev"), max_examples=10_000)
settings.register_profile(
    "mutants",
    parent=settings.get_profile("dev"),
    derandomize=True,
    database=None,
    max_examples=25,
    phases=(Phase.explicit, Phase.generate),  # a failure is enough: nobody reads the smallest example
)
settings.register_profile(  # each number of a kernel is computed by an imagined thread
    "standin", parent=settings.get_profile("dev"), derandomize=True, database=None, max_examples=25
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))


@pytest.fixture(scope="session")
def real_data():
    """A function from a file's name to its path under $TINYGRAD_LLM_DATA: unset skips, incomplete fails."""

    def find(name: str) -> Path:
        folder = os.environ.get("TINYGRAD_LLM_DATA")
        if not folder:
            pytest.skip("real text is needed: set TINYGRAD_LLM_DATA to a folder that holds " + name)
        path = Path(folder) / name
        assert path.is_file(), f"TINYGRAD_LLM_DATA is set to {folder}, but {name} is not there"
        return path

    return find
