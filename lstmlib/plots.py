"""Pictures of gates, states and gradients. The only file that needs matplotlib.

Every figure takes `theme`: "light", "dark", or "both", a transparent picture legible on either ground.
"""

import html
import io
import itertools
import re

import matplotlib.pyplot as plt
import numpy as np

from lstmlib.diagram import cell_diagram
from lstmlib.palette import INK, NAMES, PALETTE, STYLES, THEMES

__all__ = [
    "PALETTE",
    "Picture",
    "cell_diagram",
    "colours",
    "gate_heatmap",
    "gradient_flow",
    "show",
    "state_trace",
    "use",
]


def colours(theme="both"):
    """Matplotlib settings for a theme: "light", "dark", or "both", a transparent picture legible on either."""
    ink, ground = THEMES[theme]
    ticks = {f"{axis}tick.color": ink for axis in "xy"}
    return ticks | {
        "figure.facecolor": ground,
        "savefig.facecolor": ground,
        "axes.facecolor": "none",
        "text.color": ink,
        "axes.labelcolor": ink,
        "axes.titlecolor": ink,
        "axes.edgecolor": ink,
        "legend.facecolor": "none",
        "legend.edgecolor": "none",
        "svg.hashsalt": "lstmlib",
    }


class Picture:
    """A figure as SVG that takes its ink from the page it stands on, so that one picture serves light and dark.

    Made by `show`. `svg` is the markup; in a notebook the picture displays itself.
    """

    def __init__(self, svg, alt):
        self.svg = svg
        self.alt = alt

    def __repr__(self):
        return f"Picture({self.alt!r})"

    def _repr_html_(self):
        return f'<div class="figure-neutral">{self.svg}</div>'


def use(theme="both"):
    """Draw every figure from here on in a theme (see `colours`)."""
    plt.rcParams.update(colours(theme) | {"svg.fonttype": "none", "font.family": "sans-serif", "font.size": 11})


def show(figure, alt):
    """Close a matplotlib figure and return it as a `Picture`, described by `alt` for whoever cannot see it.

    Whatever was drawn in `INK` takes the page's text colour. Raises ValueError when `alt` is empty.
    """
    if not alt.strip():
        raise ValueError("alt should say in words what the figure shows, got an empty text")
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :].replace(INK, "currentColor")
    label = html.escape(alt, quote=True)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    return Picture(svg.replace("<svg", f'<svg role="img" aria-label="{label}"', 1), alt)


def gate_heatmap(trace, quantities="ifgoch", *, layer=0, direction=0, batch=0, steps=None, theme="both"):
    """A heat map (hidden, time) of each quantity of a `Trace`, for one sequence of one layer and direction.

    Sigmoid gates are drawn on 0..1; what can be negative on a scale symmetric about 0. `steps` labels the time axis
    (letters of a text, say). Returns the figure.
    """
    names = [name for name in quantities if hasattr(trace, name)]
    with plt.rc_context(colours(theme)):
        figure, axes = plt.subplots(len(names), 1, figsize=(7, 1.3 * len(names)), sharex=True, layout="constrained")
        for axis, name in zip(np.atleast_1d(axes), names):
            values = _values(trace, name, layer, direction, batch).T  # (hidden, time)
            scale = _scale(name, values)
            image = axis.imshow(values, aspect="auto", interpolation="nearest", **scale)
            colour = PALETTE.get(name, plt.rcParams["text.color"])
            axis.set_ylabel(name, rotation=0, ha="right", va="center", color=colour, fontweight="bold")
            axis.set_yticks([])
            axis.set_title(NAMES.get(name, name), fontsize="small", loc="left")
            figure.colorbar(image, ax=axis, pad=0.01)
        _label_time(axis, values.shape[1], steps)
    return figure


def state_trace(trace, unit=0, *, layer=0, direction=0, batch=0, steps=None, theme="both"):
    """The gates of one hidden unit over time, and below them its cell state and output. Returns the figure."""
    with plt.rc_context(colours(theme)):
        figure, panels = plt.subplots(2, 1, figsize=(7, 4.2), sharex=True, layout="constrained")
        for axis, names in zip(panels, ["ifgo", "ch"]):
            for name in names:
                if hasattr(trace, name):
                    values = _values(trace, name, layer, direction, batch)[:, unit]
                    colour = PALETTE.get(name, plt.rcParams["text.color"])
                    axis.plot(values, STYLES[name], color=colour, marker=".", label=f"{name}  {NAMES[name]}")
            axis.axhline(0, color=INK, linewidth=0.5)
            axis.legend(loc="center left", bbox_to_anchor=(1, 0.5))
        _label_time(axis, len(values), steps)
    return figure


def gradient_flow(curves, *, theme="both", label="gradient by $c_t$"):
    """How gradients shrink or grow on their way back in time, on a log scale. Returns the figure.

    `curves` maps a label to what it shows: gradients (time, width) of one sequence, as `lstmlib.gradient_flow` gives
    them for a layer, direction and batch entry, or their norms (time,).
    """
    with plt.rc_context(colours(theme)):
        figure, axis = plt.subplots(figsize=(7, 3), layout="constrained")
        styles = zip(PALETTE.values(), STYLES.values())
        for (name, gradients), (colour, style) in zip(curves.items(), itertools.cycle(styles)):
            norms = np.asarray(gradients.detach().cpu() if hasattr(gradients, "detach") else gradients, dtype=float)
            norms = norms if norms.ndim == 1 else np.linalg.norm(norms, axis=-1)  # (time,)
            axis.semilogy(norms, style, color=colour, marker=".", label=name)
        axis.set_ylabel(label)
        axis.set_xlabel("time")
        axis.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def _values(trace, name, layer, direction, batch):
    return getattr(trace, name)[layer, direction, :, batch].detach().cpu().double().numpy()  # (time, hidden)


def _scale(name, values):
    if name in "ifo":
        return {"cmap": "cividis", "vmin": 0, "vmax": 1}
    bound = 1.0 if name in "gh" else max(1.0, float(np.abs(values).max()))
    return {"cmap": "PuOr", "vmin": -bound, "vmax": bound}


def _label_time(axis, count, steps):
    axis.set_xlabel("time")
    if steps is not None:
        if len(steps) != count:
            raise ValueError(f"steps should label each of the {count} time steps, got {len(steps)} labels")
        axis.set_xticks(range(count), list(steps))
