"""The colours and names of gates and states, one palette for every picture of the course.

Each colour is at least 3:1 against white and against #121212, and any two stay apart under every common colour
blindness (smallest CIE76 distance 40). Line styles tell the gates apart where colour does not.
"""

PALETTE = {"i": "#009060", "f": "#7830f0", "g": "#a89000", "o": "#d848c0"}
NAMES = {"i": "input gate", "f": "forget gate", "g": "candidate", "o": "output gate", "c": "cell state", "h": "output"}
STYLES = {"i": "-", "f": "--", "g": ":", "o": "-.", "c": "-", "h": "--"}
INK = "#767676"  # text and axes: over 4:1 on white and on #121212, so one transparent picture serves both
THEMES = {"both": (INK, "none"), "light": ("#1f1f1f", "#ffffff"), "dark": ("#e8e8e8", "#121212")}  # ink, ground
