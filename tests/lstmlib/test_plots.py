"""Pictures: they show the numbers they are given, in a palette that everyone can tell apart on light and dark."""

import itertools
import xml.etree.ElementTree as ElementTree

import matplotlib
import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex, to_rgb

from lstmlib import LSTM, GRUCell, gradient_flow, palette, plots, trace

matplotlib.use("agg")

WHITE, DARK = "#ffffff", "#121212"
# Machado, Oliveira & Fernandes 2009, severity 1, in linear RGB.
SEEN_BY = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def linear(colour):
    value = np.array(to_rgb(colour))
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def contrast(one, other):
    """The contrast ratio of WCAG 2."""
    light = sorted(float(linear(colour) @ [0.2126, 0.7152, 0.0722]) + 0.05 for colour in (one, other))
    return light[1] / light[0]


def lab(rgb):
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = to_xyz @ np.clip(rgb, 0, 1) / [0.9505, 1, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("gate", "ifgo")
def test_every_colour_stands_out_on_light_and_dark(gate):
    assert contrast(palette.PALETTE[gate], WHITE) >= 3 and contrast(palette.PALETTE[gate], DARK) >= 3


def test_ink_is_legible():
    assert contrast(palette.INK, WHITE) > 4 and contrast(palette.INK, DARK) > 4
    for ink, ground in (palette.THEMES["light"], palette.THEMES["dark"]):
        assert contrast(ink, ground) > 7


@pytest.mark.parametrize("eyes", SEEN_BY)
def test_colours_stay_apart_for_every_eye(eyes):
    seen = [lab(np.array(SEEN_BY[eyes]) @ linear(colour)) for colour in palette.PALETTE.values()]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) >= 40


@pytest.fixture(scope="module")
def seen():
    return trace(LSTM(3, 5, 2, bidirectional=True), torch.randn(7, 2, 3))


@pytest.mark.parametrize("theme", ["both", "light", "dark"])
def test_gate_heatmap_shows_the_values(seen, theme):
    figure = plots.gate_heatmap(seen, "ifgoch", layer=1, direction=1, batch=1, steps="abcdefg", theme=theme)
    images = [axis.images[0] for axis in figure.axes if axis.images]
    for name, image in zip("ifgoch", images, strict=True):
        np.testing.assert_array_equal(image.get_array(), getattr(seen, name)[1, 1, :, 1].detach().double().numpy().T)
        low, high = image.get_clim()
        assert low <= image.get_array().min() and image.get_array().max() <= high
        assert (low, high) == ((0, 1) if name in "ifo" else (-high, high))
    bottom = [axis for axis in figure.axes if axis.images][-1]
    assert [label.get_text() for label in bottom.get_xticklabels()] == list("abcdefg")
    assert to_hex(bottom.xaxis.label.get_color()) == palette.THEMES[theme][0]


@pytest.mark.parametrize("theme", ["both", "light", "dark"])
def test_state_trace_draws_one_unit(seen, theme):
    figure = plots.state_trace(seen, unit=3, layer=1, theme=theme)
    drawn = [line for axis in figure.axes for line in axis.lines]
    lines = {line.get_label()[0]: line for line in drawn if line.get_label()[0] in "ifgoch"}
    assert set(lines) == set("ifgoch")
    for name, line in lines.items():
        np.testing.assert_array_equal(line.get_ydata(), getattr(seen, name)[1, 0, :, 0, 3].detach().double().numpy())
    for gate in "ifgo":
        assert lines[gate].get_color() == palette.PALETTE[gate]
    assert len({line.get_linestyle() for name, line in lines.items() if name in "ifgo"}) == 4


def test_step_labels_must_fit(seen):
    with pytest.raises(ValueError, match="should label each of the 7 time steps, got 3 labels"):
        plots.state_trace(seen, steps="abc")


def test_other_cells():
    seen = trace(LSTM(3, 5, cell=GRUCell), torch.randn(7, 2, 3))
    figure = plots.gate_heatmap(seen, "rznh")
    assert len([axis for axis in figure.axes if axis.images]) == 4


def test_gradient_flow_draws_norms():
    layer = LSTM(3, 5)
    flow = gradient_flow(layer, torch.randn(7, 2, 3), lambda output, state: state[1].sum())["c"][0, 0, :, 0]
    figure = plots.gradient_flow({"c": flow, "halved": flow.norm(dim=-1) / 2})
    (axis,) = figure.axes
    assert axis.get_yscale() == "log"
    whole, half = axis.lines
    np.testing.assert_allclose(whole.get_ydata(), flow.norm(dim=-1).numpy(), rtol=1e-6)
    np.testing.assert_allclose(half.get_ydata() * 2, whole.get_ydata(), rtol=1e-6)


@pytest.mark.parametrize("theme", ["both", "light", "dark"])
def test_cell_diagram(theme):
    svg = ElementTree.fromstring(plots.cell_diagram(theme))
    name = "{http://www.w3.org/2000/svg}"
    assert svg.get("role") == "img" and svg.find(f"{name}title").text and svg.find(f"{name}desc").text
    assert svg.get("aria-labelledby").split() == [svg.find(f"{name}{part}").get("id") for part in ("title", "desc")]
    text = [element.text for element in svg.iter(f"{name}text")]
    assert set("ifgo") <= set(text) and text.count("σ") == 3 and text.count("tanh") == 2
    assert text.count("×") == 3 and text.count("+") == 1
    strokes = {element.get("stroke") for element in svg.iter()}
    assert set(palette.PALETTE.values()) <= strokes and palette.THEMES[theme][0] in strokes
