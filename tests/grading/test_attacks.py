"""Attacks by a student's code: each gets no points and its right status, and nothing leaks.

Every attacker here leaves `double` wrong and answers `triple` rightly where the attack lets it,
so that a zero is the attack's and not the grader's.
"""

import json
import socket
import threading
import time
import types
from pathlib import Path

import nbformat
import pytest

from grading import frames
from grading.examiner import _execute, grade
from grading.outcome import Job, Limits

TRIPLE = "def triple(x):\n    return 3 * x"
CHECKS = (("test_double", ""), ("test_triple", ""))
OWN_ZERO = {"test_double": 0.0, "test_triple": 2.0}
ZERO = {"test_double": 0.0, "test_triple": 0.0}


def shown(outcome) -> str:
    """All that the student reads."""
    return str([cell.outputs for cell in outcome.notebook.cells]) + outcome.message


LIES = {
    "an object that equals everything": """
class Liar:
    def __eq__(self, other): return True
    def __getattr__(self, name): return self
    def __call__(self, *a): return self
    def __bool__(self): return True
def double(x): return Liar()""",
    "a tensor subclass that answers for torch": """
class Subclass(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None): return True
def double(x): return x.as_subclass(Subclass)""",
    "an object that claims to be a tensor": """
class Pretender:
    __class__ = property(lambda self: torch.Tensor)
def double(x): return Pretender()""",
    "a class whose name lies": """
Named = type("Tensor", (), {"__eq__": lambda s, o: True, "__module__": "torch"})
def double(x): return Named()""",
    "a tensor without memory": "def double(x): return torch.zeros(1).expand(10**12)",
    "a tensor that hides its shape": "def double(x): return torch.nested.nested_tensor([x, x[:1]])",
    "a nested bomb": "def double(x):\n    a = []\n    for _ in range(10**5): a = [a]\n    return a",
    "a list of itself": "def double(x):\n    a = []; a.append(a); a.append(a)\n    return a",
    "a dict with a NaN key": "def double(x): return {float('nan'): x}",
    "a huge integer": "def double(x): return 1 << 10**7",
    "the answer to another question": "def double(x): return x",
    "patched torch": """
def double(x):
    for name in ("detach", "contiguous", "reshape", "view", "numpy", "numel"):
        setattr(torch.Tensor, name, lambda self, *a: self)
    return x""",
    "a patched codec": """
def double(x):
    import grading.wire as wire
    wire.encode = lambda value, limit: b"\\xff" * 100
    return 1""",
    "a codec that announces gigabytes": """
def double(x):
    import grading.frames as frames, struct
    frames.send = lambda channel, payload, deadline=None: channel.sendall(struct.pack("<Q", 2**62))
    return 1""",
    "an exception whose text raises": """
class Odd(Exception):
    def __str__(self): raise Odd
def double(x): raise Odd""",
    "an exception with a huge text": "def double(x): raise ValueError('x' * 10**8)",
    "exiting": "import os\ndef double(x): os._exit(0)",
    "SystemExit": "import sys\ndef double(x): sys.exit(0)",
    "a segmentation fault": "import ctypes\ndef double(x): ctypes.string_at(0)",
    "endless recursion without a limit": """
def double(x):
    import sys
    sys.setrecursionlimit(10**9)
    return double_again(x)
def double_again(x): return double_again(x)""",
    "all the memory": "def double(x):\n    kept = []\n    while True: kept.append(bytearray(1 << 20))",
    "a loop that swallows every exception": """
def double(x):
    while True:
        try:
            while True: pass
        except BaseException: pass""",
}


@pytest.fixture(scope="module")
def told(bubblewrap, tmp_path_factory):
    """What each lie brought; one notebook for all, a part each, and one honest part last."""
    folder = tmp_path_factory.mktemp("lies")
    exam, notebook = ["import torch\nfrom grading.exam import assert_close, exam"], nbformat.v4.new_notebook()
    for number, source in enumerate([*LIES.values(), "def double(x): return 2 * x"]):
        exam.append(f"""
@exam("test_double", hint=".")
def part_{number}(student, rng):
    x = torch.from_numpy(rng.standard_normal((3, 2)))
    assert_close(student.call("double_{number}", x), 2 * x, "double(x)")
""")
        source = source.replace("def double(", f"def double_{number}(")
        notebook.cells.append(nbformat.v4.new_code_cell(f"import torch\n{source}"))
    (folder / "exam.py").write_text("\n".join(exam))
    nbformat.write(notebook, folder / "work.ipynb")
    limits = Limits(part_seconds=5, seconds=120, memory_mb=1024)
    job = Job("ada", "work", 1, folder / "work.ipynb", folder / "exam.py", {"test_double": 2}, 0, limits=limits)
    outcome = grade(job)
    assert outcome.status == "graded", outcome.message
    assert outcome.parts[-1].passed
    return dict(zip(LIES, outcome.parts))


@pytest.mark.parametrize("lie", LIES)
def test_no_lie_is_taken_for_an_answer_and_none_harms_the_parts_beside_it(told, lie):
    assert not told[lie].passed and told[lie].message and len(told[lie].message) < 600


def test_each_lie_is_told_by_its_name(told):
    assert "an object of type Liar" in told["an object that equals everything"].message
    assert "an object of type Subclass" in told["a tensor subclass that answers for torch"].message
    assert "too large" in told["a tensor without memory"].message
    assert "cannot be graded" in told["a tensor that hides its shape"].reason
    assert told["exiting"].reason == "Your code ended its process."
    assert told["all the memory"].reason == "Your code raised MemoryError."
    assert told["a loop that swallows every exception"].reason == "Your code took more than 5 s."


def test_shapes_that_blow_up_in_the_tests_own_arithmetic_harm_only_their_part(grade_cells):
    exam = """
from grading.exam import exam

@exam("test_double", hint=".")
def broadcasts(student, rng):
    one, other = student.call("pair")
    assert (one + other).sum() == 0

@exam("test_double", hint=".")
def honest(student, rng):
    import torch
    assert student.call("double", 1) == 2 and torch.zeros(1 << 27).sum() == 0
"""
    cells = "import torch\ndef pair():\n    return torch.zeros(60_000, 1), torch.zeros(1, 60_000)\ndef double(x):\n    return 2 * x"
    outcome = grade_cells(cells, ("test_double", ""), exam=exam)
    assert (outcome.status, [part.passed for part in outcome.parts]) == ("graded", [False, True])
    assert "allocate memory" in outcome.parts[0].message


def test_outputs_are_limited_by_the_examiner_too():
    """Whoever takes over the program that cuts them can fill each cell's frame, but not one for every cell."""
    ours, theirs = socket.socketpair()
    forged = [json.dumps({"cell": n, "outputs": ["x" * (1 << 20)]}).encode() for n in range(9)]

    def forge():
        try:
            for frame in forged:
                frames.send(theirs, frame)
        except OSError:
            theirs.close()

    with ours, theirs:
        sender = threading.Thread(target=forge)
        sender.start()
        box = types.SimpleNamespace(report=ours, limits=Limits(output_mb=2))
        shown = _execute(box, ["pass"] * 9)
        ours.close()
        sender.join()
    assert len(shown) == 4


def test_patching_the_shell_reaches_nothing(grade_cells):
    """What plain nbgrader fell for: the tests would run in the attacker's shell."""
    outcome = grade_cells(
        TRIPLE,
        "get_ipython().input_transformers_post.append(lambda lines: ['pass\\n'])",
        *CHECKS,
    )
    assert outcome.scores == OWN_ZERO
    outcome = grade_cells(
        TRIPLE,
        "import ast\nclass Drop(ast.NodeTransformer):\n    def visit_Assert(self, node): return ast.Pass()\n"
        "get_ipython().ast_transformers.append(Drop())",
        "def patched(self, *a, **k): return None\nshell = type(get_ipython())\nshell.run_cell = patched\nshell.run_cell_async = patched\nshell.showtraceback = patched",
        *CHECKS,
    )
    assert outcome.scores == OWN_ZERO


def test_there_is_nothing_to_read(grade_cells, tmp_path, monkeypatch):
    """No environment, history, process, file or open descriptor holds the exam, the seed or the host."""
    monkeypatch.setenv("GRADING_TEST_SECRET", "hostsecret")
    (tmp_path / "gradebook.db").write_text("gradebooksecret")
    wanted = [tmp_path / "exam.py", tmp_path / "work.ipynb", tmp_path / "gradebook.db", Path(__file__), Path(__file__).parents[2] / "solutions"]
    look = f"""
import os, glob, sys
found = []
for path in {[str(path) for path in wanted]}:
    if os.path.exists(path): found.append(path)
for folder, folders, files in os.walk('/'):
    if folder.startswith(('/proc', '/usr', sys.prefix, sys.base_prefix)): continue
    found += [os.path.join(folder, f) for f in files if f in ('exam.py', 'gradebook.db', 'examiner.py', 'exam.pyc')]
texts = [str(dict(os.environ)), str(In)]
for name in glob.glob('/proc/[0-9]*/environ') + glob.glob('/proc/[0-9]*/cmdline') + glob.glob('/proc/[0-9]*/maps'):
    try: texts.append(open(name, errors='replace').read())
    except OSError: pass
for words in (b'hostse' + b'cret', b'gradebookse' + b'cret', b'double every' + b' entry'):
    found += [words for text in texts if words.decode() in text.lower()]
print('FOUND', found, 'PROCESSES', len(glob.glob('/proc/[0-9]*')))
"""
    thief = """
import gc, sys, torch
def double(x):
    names = {name for frame in sys._current_frames().values() for f in walk(frame) for name in f.f_locals}
    guesses = [t for t in gc.get_objects() if type(t) is torch.Tensor and t.shape == x.shape and not torch.equal(t, x)]
    for module in list(sys.modules.values()):
        guesses += [v for v in vars(module).values() if type(v) is torch.Tensor and v.shape == x.shape]
    if 'expected' in names or 'rng' in names: return torch.tensor(0)
    return guesses[0] if guesses else x
def walk(frame):
    while frame: yield frame; frame = frame.f_back
"""
    outcome = grade_cells(look, thief, TRIPLE, *CHECKS)
    printed = outcome.notebook.cells[0].outputs[0].text
    assert "FOUND []" in printed, printed
    assert int(printed.split()[-1]) < 8
    assert outcome.scores == OWN_ZERO and "values differ" in outcome.parts[0].message


def test_nothing_can_be_written_but_its_own_folder(grade_cells):
    outcome = grade_cells(
        """
import os, sys
os.symlink('/etc/passwd', 'link')
written = []
for folder in ('/', '/etc', '/usr', '/usr/lib', '/dev', '/opt/examiner', '/opt/examiner/grading', sys.prefix, sys.base_prefix, '/proc/1', 'link'):
    try:
        open(folder if folder == 'link' else folder + '/planted', 'w').write('x')
        written.append(folder)
    except OSError: pass
open('mine', 'w').write('x')
print('WRITTEN', written)
for attempt in ("os.setuid(0)", "os.chroot('.')", "os.kill(1, 9)"):
    try: exec(attempt); print('DID', attempt) if 'kill' not in attempt else None
    except OSError: pass
""",
        TRIPLE,
        *CHECKS,
    )
    assert outcome.notebook.cells[0].outputs[0].text == "WRITTEN []\n"
    assert outcome.scores == OWN_ZERO


def test_the_network_is_not_there(grade_cells):
    """Neither the machine's own services nor another's; nor a local socket by an abstract name."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as local:
        local.bind("\0grading-test")
        local.listen()
        cells = f"""
import socket
for family, address in ((socket.AF_INET, ('127.0.0.1', {server.getsockname()[1]})), (socket.AF_INET, ('1.1.1.1', 53)),
                        (socket.AF_UNIX, '\\0grading-test'), (socket.AF_VSOCK, (2, 1))):
    try:
        s = socket.socket(family); s.settimeout(2); s.connect(address); print('CONNECTED', address)
    except OSError as error: print('no', type(error).__name__)
"""
        outcome = grade_cells(cells, TRIPLE, *CHECKS)
        assert shown(outcome).count("no ") == 4 and "CONNECTED" not in shown(outcome)


def test_memory_that_no_limit_counts_and_new_namespaces_are_refused(grade_cells):
    cells = """
import ctypes, mmap, os
libc = ctypes.CDLL(None, use_errno=True)
def told(name, call):
    try: result = call()
    except OSError as error: return print(name, 'refused')
    print(name, 'refused' if result == -1 else f'DONE {result}')
told('memfd', lambda: os.memfd_create('x'))
told('shared', lambda: mmap.mmap(-1, 4096))
told('zero', lambda: mmap.mmap(os.open('/dev/zero', os.O_RDWR), 4096))
told('shm', lambda: libc.shmget(0, 4096, 0o1600))
told('unshare', lambda: libc.unshare(0x10000000))
told('clone', lambda: libc.syscall(56 if os.uname().machine == 'x86_64' else 220, 0x10000000 | 17, 0, 0, 0, 0))
told('ptrace', lambda: libc.ptrace(16, 1, 0, 0))
told('mount', lambda: libc.mount(b'x', b'/tmp', b'tmpfs', 0, None))
"""
    outcome = grade_cells(cells, TRIPLE, *CHECKS)
    printed = outcome.notebook.cells[0].outputs[0].text
    assert printed.count("refused") == 8, printed
    assert outcome.scores == OWN_ZERO


ENDLESS = {
    "a loop": "while True: pass",
    "a loop that swallows every exception": "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
    "a sleeper that ignores signals": "import signal, time\nfor n in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP): signal.signal(n, signal.SIG_IGN)\ntime.sleep(10**6)",
    "a process that stops itself": "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)",
    "a fork bomb": "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass",
    "threads without end": "import threading, time\nwhile True:\n    try: threading.Thread(target=time.sleep, args=(10**6,)).start()\n    except RuntimeError: pass",
}


@pytest.mark.parametrize("way", ENDLESS)
def test_what_never_ends_is_ended(grade_cells, way):
    outcome = grade_cells(TRIPLE, ENDLESS[way], *CHECKS, limits={"seconds": 3, "processes": 60})
    assert (outcome.status, outcome.scores) == ("timeout", ZERO)
    assert outcome.message == "The 3 s for the whole run were over in code cell 2."


def test_no_process_survives(grade_cells):
    """Daemons with sessions of their own, started by the notebook and by an answer."""
    mark = f"{time.time_ns()}"
    daemon = f"""
import os, subprocess
def daemon(): subprocess.Popen(['sleep', '99{mark}'], start_new_session=True)
daemon()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0: os.execvp('sleep', ['sleep', '98{mark}'])
    os._exit(0)
def double(x):
    daemon()
    os.execvp('sleep', ['sleep', '97{mark}'])
"""
    outcome = grade_cells(daemon, TRIPLE, *CHECKS, limits={"part_seconds": 2})
    assert outcome.scores == OWN_ZERO
    assert outcome.parts[0].reason == "Your code took more than 2 s."
    running = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            running.append(file.read_bytes())
        except OSError:
            continue
    assert running and not [line for line in running if mark.encode() in line]


HOGS = {
    "one process, little by little": "kept = []\nwhile True: kept.append(bytearray(1 << 20))",
    "empty files without end": "for n in range(10**9): open(str(n), 'w').close()",
    "tables of pages that are never written": """
import mmap
space = mmap.mmap(-1, 1 << 40, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000, prot=mmap.PROT_READ)
space.madvise(15)
for place in range(0, 1 << 40, 1 << 21): space[place]
while True: pass""",
    "what waits in sockets": """
import os, socket, time
for _ in range(12):
    if os.fork() == 0:
        kept = [socket.socketpair() for _ in range(220)]
        for end in sum(kept, ()):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 30)
            end.setblocking(False)
            try:
                while end.send(bytes(1 << 16)): pass
            except BlockingIOError: pass
        time.sleep(100)
time.sleep(100)""",
    "split over children": "import os, time\nfor _ in range(12):\n    if os.fork() == 0:\n        kept = bytearray(80 << 20); time.sleep(100)\ntime.sleep(100)",
}


@pytest.mark.parametrize("hog", HOGS)
def test_memory_is_limited_for_all_processes_together(grade_cells, hog):
    outcome = grade_cells(TRIPLE, HOGS[hog], *CHECKS, limits={"memory_mb": 700, "seconds": 30})
    assert (outcome.status, outcome.scores) == ("out-of-memory", ZERO)
    assert outcome.message == "More than 700 MB of memory were used in code cell 2."


def test_a_socket_keeps_its_buffers_and_its_other_options(grade_cells):
    cells = """
import socket
one, _ = socket.socketpair()
for level, option in ((socket.SOL_SOCKET, socket.SO_SNDBUF), (socket.SOL_SOCKET, socket.SO_RCVBUF), (socket.SOL_SOCKET, 32), (socket.SOL_SOCKET, 33)):
    one.setsockopt(level, option, 1 << 22)
print([one.getsockopt(socket.SOL_SOCKET, option) == default for option, default in sizes.items()])
tcp = socket.socket()
tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT, 3)  # the number of SO_SNDBUF, at another level
tcp.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
print(tcp.getsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT), tcp.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))
"""
    fresh = "import socket\nfresh, _ = socket.socketpair()\nsizes = {o: fresh.getsockopt(socket.SOL_SOCKET, o) for o in (socket.SO_SNDBUF, socket.SO_RCVBUF)}"
    outcome = grade_cells(fresh, cells, TRIPLE, *CHECKS)
    assert outcome.notebook.cells[1].outputs[0].text == "[True, True]\n3 1\n"


@pytest.mark.parametrize("module", ["orjson", "msgpack", "triton"])
def test_a_file_of_hers_does_not_run_before_her_cells(grade_cells, tmp_path, module):
    """Not even as a package that something in the sandbox would import if it were installed."""
    (tmp_path / f"{module}.py").write_text("import os\nos._exit(1)")
    (tmp_path / "given.py").write_text("def double(x):\n    return 2 * x")
    cells = ("from given import double", "%%writefile mine.py\ndef triple(x):\n    return 3 * x", "from mine import triple")
    outcome = grade_cells(*cells, *CHECKS, helpers=(tmp_path / f"{module}.py", tmp_path / "given.py"))
    assert (outcome.status, outcome.scores) == ("graded", {"test_double": 2.0, "test_triple": 2.0})


def test_one_huge_request_is_refused_to_the_code_itself(grade_cells):
    outcome = grade_cells("x = bytearray(1 << 40)", TRIPLE, *CHECKS)
    assert outcome.notebook.cells[0].outputs[0].ename == "MemoryError" and outcome.scores == OWN_ZERO


def test_the_disk_is_limited(grade_cells):
    cells = """
import os
total = 0
for folder in ('/tmp', '/dev/shm'):
    for n in range(100):
        try:
            with open(f'{folder}/{n}', 'wb') as file:
                while True: total += file.write(bytes(1 << 18))
        except OSError as error: last = error
print(total >> 20, last.errno)
"""
    outcome = grade_cells(cells, TRIPLE, *CHECKS, limits={"disk_mb": 20})
    megabytes, number = map(int, outcome.notebook.cells[0].outputs[0].text.split())
    assert 0 < megabytes <= 40 and number == 28
    assert outcome.scores == OWN_ZERO


def test_a_flood_of_outputs_is_cut(grade_cells):
    cells = "for _ in range(200): print('x' * 100_000)\nfor _ in range(3000): display(1)"
    outcome = grade_cells(cells, "print('later')", TRIPLE, *CHECKS, limits={"output_mb": 1})
    assert outcome.scores == OWN_ZERO
    assert len(shown(outcome)) < 3 << 20 and "more was shown than is kept" in shown(outcome)


@pytest.mark.parametrize(
    "cell",
    ["import os\nos._exit(0)", "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)", "import os\nos.closerange(3, 1000)", "import os\nos.kill(-1, 9)"],
)
def test_ending_the_kernel_or_what_started_it_ends_with_no_points(grade_cells, cell):
    outcome = grade_cells(TRIPLE, cell, *CHECKS, limits={"seconds": 10})
    assert outcome.status in ("crashed", "timeout") and outcome.scores == ZERO
    assert "code cell 2" in outcome.message


def test_a_part_that_kills_the_kernel_costs_what_comes_after_it(grade_cells):
    """The parts before it keep their points; the status tells."""
    outcome = grade_cells(
        "import os, signal",
        "def double(x):\n    return 2 * x",
        "def triple(x):\n    os.kill(os.getppid(), signal.SIGKILL)\n    os.kill(-1, 9)",
        *CHECKS,
    )
    assert outcome.status == "crashed"
    assert outcome.scores == {"test_double": 2.0, "test_triple": 0.0}


def test_an_endless_part_costs_itself_and_the_total_ends_the_rest(grade_cells):
    loop = "def double(x):\n    while True:\n        try: pass\n        except BaseException: pass"
    outcome = grade_cells(loop, TRIPLE, *CHECKS, limits={"part_seconds": 1})
    assert (outcome.status, outcome.scores) == ("graded", OWN_ZERO)
    outcome = grade_cells(loop, TRIPLE, *CHECKS, limits={"part_seconds": 60, "seconds": 4})
    assert (outcome.status, outcome.scores) == ("timeout", ZERO)
    assert outcome.message == "The 4 s for the whole run were over while the hidden checks ran."


def test_memory_that_a_part_splits_over_children_ends_the_run(grade_cells):
    hog = """
import os, time
def double(x):
    for _ in range(12):
        if os.fork() == 0:
            kept = bytearray(80 << 20); time.sleep(100)
    time.sleep(100)
"""
    outcome = grade_cells(hog, TRIPLE, *CHECKS, limits={"memory_mb": 700})
    assert (outcome.status, outcome.scores) == ("out-of-memory", ZERO)
    assert outcome.message == "More than 700 MB of memory were used while the hidden checks ran."


FORGERIES = {
    "replies sent in advance and twice": """
import os, socket, sys
sys.path.insert(0, '/opt/examiner')
from grading import frames, wire
def sockets():
    for n in range(3, 200):
        try: s = socket.socket(fileno=os.dup(n))
        except OSError: continue
        if s.family == socket.AF_UNIX and s.type == socket.SOCK_STREAM: yield s
def double(x):
    for s in sockets():
        for value in (None, True, x, 2 * x.sum(), {'passed': True}):
            try: frames.send(s, wire.encode(("value", value), 1 << 20))
            except Exception: pass
    return x
""",
    "messages of the kernel": """
kernel = get_ipython().kernel
for kind, content in (('execute_reply', {'status': 'ok', 'execution_count': 1}), ('status', {'execution_state': 'idle'}),
                      ('error', {'ename': 1, 'evalue': [], 'traceback': 5}), ('stream', {'name': 'stdout', 'text': {}}),
                      ('display_data', {'data': 5}), ('execute_result', [])):
    kernel.session.send(kernel.iopub_socket, kind, content, parent=kernel.get_parent('shell'))
def double(x): return x
""",
    "frames on every socket while the notebook runs": """
import os, struct
for n in range(3, 200):
    try: os.write(n, struct.pack('<Q', 3) + b'end')
    except OSError: pass
def double(x): return x
""",
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_forged_messages_harm_only_their_sender(grade_cells, forgery):
    outcome = grade_cells(TRIPLE, FORGERIES[forgery], *CHECKS, limits={"seconds": 6, "part_seconds": 2})
    assert outcome.status in ("graded", "crashed", "timeout")
    assert outcome.scores["test_double"] == 0.0


def test_what_an_attack_shows_cannot_attack_its_reader(grade_cells):
    cells = r"""
from IPython.display import HTML, Javascript, SVG, Markdown, display, publish_display_data
display(HTML('<script>alert(1)</script>'), Javascript('alert(2)'), Markdown('<img src=x onerror=alert(3)>'))
publish_display_data({'image/png': 'x" onerror="alert(4)', 'text/plain': 'shown'}, {'image/png': {'alt': '"><script>alert(5)'}})
publish_display_data({'image/svg+xml': '<svg onload=alert(6)>', 'text/latex': r'\href{javascript:alert(7)}{x}'})
publish_display_data({'image/png': 'iVBORw0KGgo=', 'text/html': 'alert(8)'}, {'width': '1" onload="alert(9)'})
print('\x00\x1b[31m <b>')
"""
    outcome = grade_cells(cells, TRIPLE, *CHECKS)
    outputs = str(outcome.notebook.cells[0].outputs)
    assert "alert(" not in outputs.replace("text/plain", "") and "'shown'" in outputs
    assert "iVBORw0KGgo=" in outputs and "onload" not in outputs
    assert outcome.notebook.cells[0].outputs[-1].text == "\x1b[31m <b>\n"


def test_paths_of_this_machine_are_not_shown(grade_cells):
    cells = "import torch, sys, os, socket\nprint([socket.gethostname()], sys.prefix, torch.__file__, os.getcwd())\ntorch.nn.Linear(2, 3)(torch.ones(5))"
    outcome = grade_cells(cells, TRIPLE, *CHECKS)
    repository = str(Path(__file__).parents[2])
    assert f"'{socket.gethostname()}'" not in shown(outcome)
    assert repository not in shown(outcome) and str(Path.home()) + "/" not in shown(outcome)
    assert "python/lib/" in shown(outcome)


def test_hidden_inputs_stay_out_of_the_feedback(grade_cells):
    """An exception can carry an input as far as the instructor's report, not to the student."""
    leak = "def double(x):\n    raise ValueError(f'INPUT {x.tolist()}')"
    outcome = grade_cells(leak, TRIPLE, *CHECKS)
    assert "INPUT" in outcome.parts[0].message
    assert "INPUT" not in shown(outcome) and "Your code raised ValueError." in shown(outcome)
