"""Runs a student's notebook inside the sandbox: started there, untrusted from its first cell on.

    python -m grading.kernel REPORT CONTROL UID

It starts a kernel that is reached over ipc sockets in the sandbox's own folder, executes the
cells that come over the inherited socket REPORT, reports each cell's outputs there, and then
has the kernel answer the exam over the inherited socket CONTROL (see `grading.driver`). UID is
the unprivileged user to become, 0 to stay.
"""

import gc
import json
import os
import resource
import shutil
import socket
import sys
import time
from pathlib import Path
from queue import Empty

from ipykernel.kernelapp import launch_new_instance
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.connect import write_connection_file

from grading import frames

_REQUEST_LIMIT = 64 * frames.MEBIBYTE
_SILENCE = 2.0  # seconds; a flood of outputs can drop the message that says a cell is done


def main() -> None:
    report_descriptor, control, user = (int(argument) for argument in sys.argv[1:])
    report = socket.socket(fileno=report_descriptor)
    limits = json.loads(frames.receive(report, _REQUEST_LIMIT))
    confine(user, limits)
    for extra in Path(frames.EXTRAS).glob("*"):
        copy = shutil.copytree if extra.is_dir() else shutil.copyfile
        copy(extra, Path(os.environ["HOME"]) / extra.name)
    kernel, client = start(report, control, limits["answer_mb"] * frames.MEBIBYTE)
    _send(report, {"ready": True})
    cells = json.loads(frames.receive(report, _REQUEST_LIMIT))
    room = limits["output_mb"] * frames.MEBIBYTE
    for number, source in enumerate(cells):
        outputs, room = execute(kernel, client, source, room)
        _send(report, {"cell": number, "outputs": outputs})
    client.shell_channel.send(client.session.msg("comm_open", _EXAM))
    _send(report, {"done": True})
    os.waitpid(kernel, 0)


_EXAM = {"comm_id": "exam", "target_name": "exam", "data": {}}


def confine(user: int, limits: dict) -> None:
    """Become the unprivileged user, and only then set what binds that user."""
    Path("/proc/self/oom_score_adj").write_text("1000")  # if the machine runs short, this goes first
    if user:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    disk, memory = (limits[name] * frames.MEBIBYTE for name in ("disk_mb", "memory_mb"))
    for name, most in {
        "NPROC": limits["processes"],
        "NOFILE": limits["open_files"],
        "FSIZE": disk,
        # The supervisor counts the whole tree ten times a second; this stops one huge step.
        "DATA": 2 * memory,
        "CORE": 0,
        "MSGQUEUE": 0,
    }.items():
        kind = getattr(resource, f"RLIMIT_{name}")
        ceiling = resource.getrlimit(kind)[1]
        if ceiling != resource.RLIM_INFINITY:
            most = min(most, ceiling)
        resource.setrlimit(kind, (most, most))


def start(report: socket.socket, control: int, answer_bytes: int):
    """Start the kernel with the driver loaded; return its process id and a client that it answers."""
    folder = Path(os.environ["HOME"]) / ".kernel"
    folder.mkdir(mode=0o700)
    file, _ = write_connection_file(str(folder / "connection.json"), transport="ipc", ip=str(folder / "ipc"))
    log = folder / "log"
    kernel = os.fork()  # what both need is loaded once
    if not kernel:
        report.close()
        become_kernel(file, log, {frames.CONTROL: str(control), frames.ANSWER_BYTES: str(answer_bytes)})
    client = BlockingKernelClient()
    client.load_connection_file(file)
    client.start_channels()
    while not ended(kernel):
        try:
            client.wait_for_ready(timeout=1)
            return kernel, client
        except RuntimeError:  # not yet
            continue
    sys.exit(f"the kernel did not start: {log.read_text(errors='replace')[-4000:]}")


def become_kernel(connection: str, log: Path, variables: dict[str, str]) -> None:
    """Be the kernel from here on; never returns."""
    nothing, sink = os.open(os.devnull, os.O_RDONLY), os.open(log, os.O_WRONLY | os.O_CREAT, 0o600)
    for descriptor, source in enumerate((nothing, sink, sink)):
        os.dup2(source, descriptor)
    os.close(nothing)
    os.close(sink)
    os.environ.update(variables)
    gc.disable()  # loads faster; `driver` enables it again
    options = ["--ext=grading.driver", "--InteractiveShellApp.reraise_ipython_extension_failures=True"]
    sys.argv[1:] = ["-f", connection, "--HistoryManager.enabled=False", *options]
    launch_new_instance()
    raise SystemExit  # not sys.exit, which a cell may have replaced


def ended(kernel: int) -> bool:
    return os.waitpid(kernel, os.WNOHANG) != (0, 0)


def execute(kernel: int, client: BlockingKernelClient, source: str, room: int):
    """Run one cell; return its outputs, cut to `room` bytes, and the room that is left."""
    request = client.execute(source, allow_stdin=False, stop_on_error=False)
    outputs, answered = [], None
    while True:
        if ended(kernel):
            sys.exit("the kernel ended")
        try:
            message = client.get_iopub_msg(timeout=0.2)
        except Empty:
            answered = answered or _answered(client, request)
            if answered and time.monotonic() - answered > _SILENCE:
                return outputs, room
            continue
        if message["parent_header"].get("msg_id") != request:
            continue
        if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
            return outputs, room
        room = collect(outputs, message["msg_type"], message["content"], room)


def collect(outputs: list, kind: str, content: dict, room: int) -> int:
    """Append what a message shows to `outputs` unless there is no room; return the room left."""
    if kind not in ("stream", "display_data", "execute_result", "error", "clear_output"):
        return room
    if kind == "clear_output":
        outputs.clear()
        return room
    size = len(json.dumps(content))
    if size > room:
        note = {"kind": "stream", "name": "stdout", "text": ["\n(more was shown than is kept)\n"]}
        if not outputs or outputs[-1] != note:
            outputs.append(note)
        return room
    last = outputs[-1] if outputs else {}
    if kind == "stream" and last.get("kind") == "stream" and last["name"] == content["name"]:
        last["text"].append(content["text"])
    elif kind == "stream":
        outputs.append({"kind": kind, "name": content["name"], "text": [content["text"]]})
    else:
        outputs.append({"kind": kind, **content})
    return room - size


def _answered(client: BlockingKernelClient, request: str) -> float | None:
    """When the kernel had answered `request` on the shell channel, if it has."""
    while client.shell_channel.msg_ready():
        if client.get_shell_msg()["parent_header"].get("msg_id") == request:
            return time.monotonic()
    return None


def _send(report: socket.socket, content: dict) -> None:
    frames.send(report, json.dumps(content).encode())


if __name__ == "__main__":
    main()
