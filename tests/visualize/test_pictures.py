"""A figure of pictures shows every pixel as it is, each patch where it stands, and its weight by how much of it is seen."""

from __future__ import annotations

import base64
import importlib.util
import struct
import xml.etree.ElementTree as ET
import zlib

import numpy as np
import pytest

from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.visualize import patches_figure
from tinygrad_llm.visualize.pictures import FADED, FRAME, SIDE, VEIL, png

SVG = "{http://www.w3.org/2000/svg}"
BYTES = np.random.default_rng(0).integers(0, 256, (3, 3, 6, 4), np.uint8)


def decoded(content):
    """The pixels (Y, X, C) of a PNG file without filters, read by the standard's letter."""
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    at, found = 8, {}
    while at < len(content):
        (length,), kind = struct.unpack(">I", content[at : at + 4]), content[at + 4 : at + 8]
        data = content[at + 8 : at + 8 + length]
        assert struct.unpack(">I", content[at + 8 + length : at + 12 + length]) == (zlib.crc32(kind + data),)
        found[kind], at = data, at + 12 + length
    assert list(found) == [b"IHDR", b"IDAT", b"IEND"] and found[b"IEND"] == b""
    width, height, depth, color, *rest = struct.unpack(">IIBBBBB", found[b"IHDR"])
    assert depth == 8 and rest == [0, 0, 0]
    lines = np.frombuffer(zlib.decompress(found[b"IDAT"]), np.uint8).reshape(height, 1 + width * {0: 1, 2: 3}[color])
    assert not lines[:, 0].any()
    return lines[:, 1:].reshape(height, width, -1)


def marks(figure, tag):
    return list(ET.fromstring(figure.svg).iter(SVG + tag))


def box(mark):
    return [float(mark.get(name)) for name in ("x", "y", "width", "height")]


def shown(figure):
    """The pixels of each picture in a figure."""
    heads = [mark.get("href").partition(",") for mark in marks(figure, "image")]
    assert {head for head, _, _ in heads} == {"data:image/png;base64"}
    return [decoded(base64.b64decode(content)) for _, _, content in heads]


@pytest.mark.parametrize("channels", [1, 3])
def test_a_png_holds_the_pixels(channels):
    pixels = np.random.default_rng(1).integers(0, 256, (5, 3, channels), np.uint8)
    np.testing.assert_array_equal(decoded(png(pixels)), pixels)
    np.testing.assert_array_equal(decoded(png(pixels[::-1, ::-1])), pixels[::-1, ::-1])  # not contiguous


@pytest.mark.skipif(not importlib.util.find_spec("matplotlib"), reason="matplotlib is not installed")
def test_another_reader_sees_the_same_pixels_and_matplotlib_draws_them():
    import io

    from matplotlib.image import imread

    found = imread(io.BytesIO(png(BYTES[0].transpose(1, 2, 0))), format="png")
    np.testing.assert_allclose(found * 255, BYTES[0].transpose(1, 2, 0), atol=1e-3)
    figure = patches_figure(BYTES, patch=2, title="t", captions=["a", "b", "c"])
    axes = figure.matplotlib().axes[0]
    assert len(axes.images) == 3 and axes.get_ylim() == (figure.height, 0) and axes.get_xlim() == (0, figure.width)
    left, right, bottom, top = axes.images[1].get_extent()
    x, y, width, height = box(marks(figure, "image")[1])
    assert (left, right, bottom, top) == pytest.approx((x, x + width, y + height, y), abs=0.1)


def test_each_picture_is_there_with_every_pixel_in_its_proportions():
    figure = patches_figure(BYTES, patch=2, title="t", columns=2)
    for found, picture in zip(shown(figure), BYTES, strict=True):
        np.testing.assert_array_equal(found, picture.transpose(1, 2, 0))
    boxes = [box(mark) for mark in marks(figure, "image")]
    assert all(b[2:] == [SIDE * 4 / 6, SIDE] for b in boxes)
    (ax, ay, *_), (bx, by, *_), (cx, cy, *_) = boxes
    assert ax == cx and ay == by and bx >= ax + boxes[0][2] and cy >= ay + SIDE
    assert all(x + w <= figure.width and y + h <= figure.height for x, y, w, h in boxes)
    assert "pixelated" in marks(figure, "image")[0].get("style")


def test_floats_are_shares_of_white_and_one_channel_is_gray():
    found = shown(patches_figure(np.array([[[[0.0, 1.0], [0.2, 0.5]]]]), patch=1, title="t"))
    np.testing.assert_array_equal(found[0][..., 0], [[0, 255], [51, 128]])


def test_lines_stand_where_the_patches_meet():
    figure = patches_figure(BYTES[:1], patch=2, title="t")
    x, y, width, height = box(marks(figure, "image")[0])
    lines = [[float(m.get(n)) for n in ("x1", "y1", "x2", "y2")] for m in marks(figure, "line")]
    expected = [[x, y + height * i / 3, x + width, y + height * i / 3] for i in (1, 2)]
    expected += [[x + width / 2, y, x + width / 2, y + height]]
    np.testing.assert_allclose(sorted(lines), sorted(expected), atol=0.11)
    assert not marks(patches_figure(BYTES[:1, :, :4], patch=4, title="t"), "line")


def test_what_weighs_little_fades_and_the_heaviest_has_a_frame():
    weights = np.array([[0.0, 1.0, 2.0, 4.0, 3.0, 0.0], [1, 1, 1, 1, 1, 8], [0, 0, 0, 0, 0, 0]])
    figure = patches_figure(BYTES, patch=2, title="t", weights=weights)
    veils = [m for m in marks(figure, "rect") if m.get("fill") == VEIL]
    assert len(veils) == 18
    opacity = np.array([float(m.get("fill-opacity")) for m in veils]).reshape(3, 6)
    shares = weights / np.array([[4], [8], [1]])
    np.testing.assert_allclose(opacity, FADED * (1 - shares), atol=0.003)
    x, y, width, height = box(marks(figure, "image")[0])
    for number, veil in enumerate(veils[:6]):  # from left to right and top to bottom
        row, column = divmod(number, 2)
        wanted = [x + column * width / 2, y + row * height / 3, width / 2, height / 3]
        np.testing.assert_allclose(box(veil), wanted, atol=0.11)
    frames = [m for m in marks(figure, "polyline") if m.get("stroke") == FRAME]
    assert len(frames) == 3
    corners = np.array([[float(v) for v in p.split(",")] for p in frames[0].get("points").split()])
    np.testing.assert_allclose(corners.min(0), [x + width / 2, y + height / 3], atol=0.11)
    np.testing.assert_allclose(corners.max(0), [x + width, y + 2 * height / 3], atol=0.11)
    assert "row 2, column 2" in figure.description and "row 3, column 2" in figure.description


def test_captions_stand_below_their_pictures_and_are_told():
    figure = patches_figure(BYTES, patch=2, title="t", captions=["a red one", "b", "c"], columns=3)
    texts = {m.text or "": (float(m.get("x")), float(m.get("y"))) for m in marks(figure, "text")}
    for mark, words in zip(marks(figure, "image"), ("a red", "b", "c")):
        x, y, width, height = box(mark)
        at = next(place for text, place in texts.items() if text.startswith(words))
        assert at[0] == pytest.approx(x + width / 2, abs=0.11) and y + height < at[1] <= figure.height
    assert figure.description == "a red one; b; c"
    assert patches_figure(BYTES[:2], patch=2, title="t").description == "picture 1; picture 2"


def test_six_pictures_of_the_corpus_take_little_room():
    from tinygrad_llm.datasets.shapes import generate_shapes

    scenes = generate_shapes(counts={"train": 6})
    figure = patches_figure(
        np.stack([s.picture for s in scenes]), patch=3, title="t", captions=[s.caption for s in scenes],
        weights=np.random.default_rng(0).random((6, 81)),
    )  # fmt: skip
    assert len(figure.svg) < 130_000


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"pictures": BYTES[0]}, "pictures"), ({"pictures": BYTES[:, :2]}, "pictures"), ({"pictures": BYTES[:0]}, "pictures"),
        ({"pictures": BYTES.astype(int)}, "pictures"), ({"pictures": BYTES / 128.0}, "pictures"), ({"pictures": BYTES * np.nan}, "pictures"),
        ({"patch": 4}, "patch"), ({"patch": 0}, "patch"), ({"patch": 2.0}, "patch"), ({"captions": ["a"]}, "captions"),
        ({"weights": np.ones((3, 5))}, "weights"), ({"weights": -np.ones((3, 6))}, "weights"), ({"weights": np.full((3, 6), np.nan)}, "weights"),
        ({"columns": 0}, "columns"), ({"columns": 1.5}, "columns"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(changes, named):
    options = {"pictures": BYTES, "patch": 2, "title": "t"} | changes
    with pytest.raises(ArgumentError, match=named):
        patches_figure(options.pop("pictures"), **options)
