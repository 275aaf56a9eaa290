"""A drawing of the LSTM cell as SVG, in the palette of the plots: text out, nothing to install."""

from lstmlib.palette import NAMES, PALETTE, THEMES

CARRIER, SHOWN, GATES, FEED = 60, 150, 215, 275  # heights: the line of c, tanh c, the gates, the line of x and h
AT = {"f": 140, "i": 240, "g": 330, "o": 440}  # where along the step each gate stands
KIND = {"f": "σ", "i": "σ", "g": "tanh", "o": "σ"}
TEXT = (
    "The cell state c runs along the top. The forget gate f multiplies the old state; the input gate i times the "
    "candidate g is added to it. The output gate o times the hyperbolic tangent of the new state is the output h, "
    "which is also handed to the next step. All four gates read the input x and the previous output."
)


def cell_diagram(theme="both"):
    """The cell as an SVG string: the line of c on top, the four gates below, what multiplies and adds between them.

    `theme` is "light", "dark" or "both" (transparent, legible on either). Title and description are for screen
    readers.
    """
    ink, ground = THEMES[theme]
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 320" role="img"
 aria-labelledby="cell-title-{theme} cell-text-{theme}" font-family="sans-serif" font-size="15" text-anchor="middle"
 fill="{ink}">
<title id="cell-title-{theme}">One step of an LSTM cell</title>
<desc id="cell-text-{theme}">{TEXT}</desc>
<defs><marker id="cell-tip-{theme}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7"
 orient="auto"><path d="M0 0 10 5 0 10z" fill="{ink}"/></marker></defs>
<rect width="600" height="320" fill="{ground}"/>
<g stroke="{ink}" stroke-width="1.5" fill="none" marker-end="url(#cell-tip-{theme})">
{_lines()}
</g>
{_joints(ink)}
{"".join(_gate(name, x) for name, x in AT.items())}
{_labels()}
</svg>
"""


def _lines():
    """The black lines: c from left to right, x and h into every gate, h out."""
    middle, shown = (AT["i"] + AT["g"]) // 2, AT["o"] + 60
    paths = [
        f"M30 {CARRIER} H{AT['f'] - 12}",
        f"M{AT['f'] + 12} {CARRIER} H{middle - 12}",
        f"M{middle + 12} {CARRIER} H575",
        f"M30 {FEED} H{AT['o']} V{GATES + 18}",
        *(f"M{AT[name]} {FEED} V{GATES + 18}" for name in "fig"),
        f"M60 305 V{FEED + 2}",
        f"M{middle} {SHOWN - 12} V{CARRIER + 12}",
        f"M{shown} {CARRIER} V{SHOWN - 33}",
        f"M{shown} {SHOWN - 7} V{GATES - 15}",
        f"M{shown + 12} {GATES} H575",
    ]
    return "\n".join(f'<path d="{path}"/>' for path in paths)


def _joints(ink):
    """Where lines meet: the two products and the sum on the way of c, tanh c, and the product that gives h."""
    middle, shown = (AT["i"] + AT["g"]) // 2, AT["o"] + 60
    circles = [(AT["f"], CARRIER, "×"), (middle, CARRIER, "+"), (middle, SHOWN, "×"), (shown, GATES, "×")]
    drawn = [
        f'<circle cx="{x}" cy="{y}" r="11" fill="none" stroke="{ink}" stroke-width="1.5"/>'
        f'<text x="{x}" y="{y + 5}">{sign}</text>'
        for x, y, sign in circles
    ]
    drawn.append(f'<text x="{shown}" y="{SHOWN - 15}">tanh</text>')
    return "\n".join(drawn)


def _gate(name, x):
    """A gate's box in its colour, and the line from it to where it acts."""
    middle, shown, top = (AT["i"] + AT["g"]) // 2, AT["o"] + 60, GATES - 16
    act = {
        "f": f"M{x} {top} V{CARRIER + 12}",
        "i": f"M{x} {top} V{SHOWN} H{middle - 12}",
        "g": f"M{x} {top} V{SHOWN} H{middle + 12}",
        "o": f"M{x + 24} {GATES} H{shown - 12}",
    }[name]
    colour = PALETTE[name]
    return f"""<g><title>{NAMES[name]}</title>
<path d="{act}" fill="none" stroke="{colour}" stroke-width="2.5"/>
<rect x="{x - 24}" y="{top}" width="48" height="32" rx="5" fill="none" stroke="{colour}" stroke-width="2.5"/>
<text x="{x}" y="{GATES + 5}">{KIND[name]}</text>
<text x="{x - 34}" y="{GATES + 5}" fill="{colour}" font-weight="bold">{name}</text></g>
"""


def _labels():
    """The names of what comes in and goes out; a subscript by `tspan`."""
    names = [(40, CARRIER - 12, "c", "t−1"), (555, CARRIER - 12, "c", "t"), (42, FEED - 10, "h", "t−1")]
    names += [(80, 310, "x", "t"), (555, GATES - 12, "h", "t")]
    return "\n".join(
        f'<text x="{x}" y="{y}" font-style="italic">{name}<tspan font-size="11" dy="4">{at}</tspan></text>'
        for x, y, name, at in names
    )
