"""Tiles: pieces of an array small enough to stay in the cache while several passes go over them.

`y = a * x; y += b; y *= c` on an array of 50 MB reads and writes main memory three times. Done tile by tile, the
second and third pass find their data in the core's own cache.
"""

from __future__ import annotations

from collections.abc import Iterator

TILE_BYTES = 256 * 1024
"""Three or four arrays of this size fit into the 1 MB second-level cache of a present core; smaller tiles cost more
calls."""


def row_tiles(rows: int, row_bytes: int, tile_bytes: int = TILE_BYTES) -> Iterator[slice]:
    """Slices that cut `rows` rows of `row_bytes` bytes each into tiles of about `tile_bytes`, at least a row each."""
    step = max(1, tile_bytes // max(1, row_bytes))
    for start in range(0, rows, step):
        yield slice(start, min(start + step, rows))
