"""The ways to run a cell over time.

Each is a module with `run(cell, x, state, weights, mask, reverse)`, giving the output and the final state of one
layer in one direction, and `refusal(cell)`, which says why it cannot run a cell, or None. All give the same numbers.
"""

from lstmlib import fused, loop

# From the most readable to the fastest; a later rung ("compiled", "triton") adds its module here.
BACKENDS = {"loop": loop, "fused": fused}


def choose(name, cell):
    """The `run` of the named backend; "auto" is the fastest that can run this cell and needs nothing built.

    Raises ValueError for a name there is none of, and, with the reason, for a backend that cannot run this cell.
    """
    if name == "auto":
        return next(backend.run for backend in reversed(BACKENDS.values()) if backend.refusal(cell) is None)
    if name not in BACKENDS:
        raise ValueError(f"backend should be one of {', '.join(['auto', *BACKENDS])}; got {name!r}")
    reason = BACKENDS[name].refusal(cell)
    if reason is not None:
        raise ValueError(f"backend {name!r} cannot run {type(cell).__name__}: {reason}")
    return BACKENDS[name].run
