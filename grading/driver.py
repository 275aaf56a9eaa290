"""Loaded into the student's kernel before her first cell: answers the exam's requests there.

Nothing here is trusted by the examiner, and nothing here knows what the exam expects. Each part
is answered by a fork of the kernel, so a part meets the state in which the notebook left it and
can neither disturb nor bring down the next one.
"""

import ast
import builtins
import contextlib
import gc
import os
import random
import resource
import signal
import socket
import sys
import traceback
import warnings

import numpy as np
import numpy.random  # what is loaded lazily would be loaded by every fork
import torch

from grading import frames, refusal, wire

# Python's own, as they were before a cell could change them; `super` is not only a name to the compiler.
_OWN = {name: value for name, value in vars(builtins).items() if callable(value) and name[0] != "_" and name != "super"}


def load_ipython_extension(shell) -> None:
    """IPython calls this at start-up; from then on a comm named "exam" begins the exam."""
    shell.ask_exit = lambda: None  # exit() in a cell is no reason to lose the other tasks
    sys.path.append(os.environ["HOME"])  # not earlier: what she handed in must not run in place of a package of ours
    control = socket.socket(fileno=int(os.environ.pop(frames.CONTROL)))
    limit = int(os.environ.pop(frames.ANSWER_BYTES))
    torch.manual_seed(torch.initial_seed())  # it too loads what it needs when it is first called
    gc.freeze()  # a fork that collected garbage would copy every page with one of torch's objects
    gc.enable()  # `kernel` began without, to load faster
    begin = lambda comm, message: serve(control, limit, shell)
    shell.kernel.comm_manager.register_target("exam", begin)
    frames.send(control, b"ready")


def serve(control: socket.socket, limit: int, shell) -> None:
    """Fork once for each socket that comes through `control`; the one before ends with it."""
    child = None
    while True:
        _, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if child is not None:
            _end(child)
        if not descriptors:
            return frames.send(control, b"end")
        with socket.socket(fileno=descriptors[0]) as channel, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python 3.12 warns of every fork with threads
            child = os.fork()
            if child == 0:
                _examine(channel, limit, shell)


def _end(child: int) -> None:
    for end in (os.killpg, os.kill):
        try:
            end(child, signal.SIGKILL)
        except OSError:
            continue
    with contextlib.suppress(ChildProcessError):  # a cell may have had the system bury them
        os.waitpid(child, 0)


def _examine(channel: socket.socket, limit: int, shell) -> None:
    """Answer one part in this fork of the kernel; never returns."""
    try:
        os.setpgid(0, 0)
        _leave_room()
        _be_quiet(shell)
        refusals = refusal.Refusals()
        while True:
            request = wire.decode(frames.receive(channel, limit))
            frames.send(channel, _answer(request, shell.user_ns, refusals, limit))
    finally:
        os._exit(0)


def _leave_room() -> None:
    """Keep the fork below the memory of the whole tree, so that a hog costs its own part alone."""
    _, most = resource.getrlimit(resource.RLIMIT_DATA)  # twice that memory, see `kernel.confine`
    if most != resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_DATA, (3 * most // 8, most))


def _be_quiet(shell) -> None:
    """Cut the fork off from the notebook's outputs: they belong to the kernel's own process."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = open(os.devnull, "w")
    shell.display_pub.publish = lambda *args, **kwargs: None


def _settle(seed: int) -> None:
    """Put the settings that a cell may have left behind back to their defaults."""
    torch.set_grad_enabled(True)
    torch.set_default_dtype(torch.float32)
    torch.set_default_device(None)
    torch.set_float32_matmul_precision("highest")
    torch.set_num_threads(1)  # a pool of threads does not survive a fork
    torch.set_autocast_enabled("cpu", False)
    if torch.are_deterministic_algorithms_enabled():  # changing it imports for seconds
        torch.use_deterministic_algorithms(False)
    torch.autograd.set_detect_anomaly(False)
    torch.manual_seed(seed)
    np.random.seed(seed)
    random.seed(seed)
    np.seterr(all="ignore")
    warnings.resetwarnings()
    warnings.simplefilter("ignore")
    sys.settrace(None)
    sys.setprofile(None)
    gc.enable()


def _answer(request: tuple, namespace: dict, refusals, limit: int) -> bytes:
    try:
        reply = _perform(request, namespace, refusals)
    except BaseException as error:  # KeyboardInterrupt and SystemExit are the student's too
        reply = ("error", type(error).__name__, _story(error))
    if refusals.met:
        reply = ("refused", refusals.met)
    try:
        return wire.encode(reply, limit)
    except Exception as error:  # a kind of tensor may refuse even to tell its shape
        return wire.encode(("unusable", _story(error)), limit)


def _perform(request: tuple, namespace: dict, refusals) -> tuple:
    match request:
        case ("begin", seed):
            _settle(seed)
            _give_back(namespace)
        case ("refusing", names):
            refusals.add(names)
        case ("put", name, data):
            namespace[name] = data
        case ("run", code):
            exec(_compiled(code, "exec"), namespace)
        case ("value" | "call", name, *_) if name.isidentifier() and name not in namespace:
            return "undefined", name
        case ("value", expression):
            return "value", eval(_compiled(expression, "eval"), namespace)
        case ("call", function, args, kwargs):
            return "value", eval(compile(function, "<exam>", "eval"), namespace)(*args, **kwargs)
    return "value", None


def _give_back(namespace: dict) -> None:
    """A last cell with `sum = 0` must not break her functions; what she can call by such a name stays hers."""
    for name, value in _OWN.items():
        namespace[_own(name)] = value
        if not callable(namespace.get(name, value)):
            del namespace[name]


def _compiled(source: str, mode: str):
    """The exam's own code, in which `list` or `sum` is Python's, whatever a cell has called by that name."""
    tree = ast.parse(source, "<exam>", mode)
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    assigned = {node.id for node in names if not isinstance(node.ctx, ast.Load)}
    assigned |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    for node in names:
        if node.id in _OWN and node.id not in assigned:
            node.id = _own(node.id)
    return compile(tree, "<exam>", mode)


def _own(name: str) -> str:
    return f"{name}_of_python"


def _story(error: BaseException) -> str:
    """What an error says, and where in the student's code."""
    try:
        text = str(error)[:1000]
    except BaseException as inner:
        text = f"(its message raised {type(inner).__name__})"
    own = [f for f in traceback.extract_tb(error.__traceback__) if "ipykernel" in f.filename]
    place = f" (line {own[-1].lineno} of a cell, in {own[-1].name})" if own else ""
    return text.encode("utf-8", "replace").decode() + place
