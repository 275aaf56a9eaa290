"""The system calls that a sandbox refuses, as a program for the kernel's seccomp filter.

Namespaces take the files, the network and the other processes away. What is refused here is
memory that no limit counts (memfd, System V and anonymous shared memory), new namespaces (they
would bring their own unsized tmpfs), sockets other than local and internet ones, and calls
that only help to look into or attack the kernel or other processes. To ask for larger buffers
of a socket has no effect: they are memory that no limit counts, too.
"""

import errno
import platform
import struct

_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _AND, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data
_X32 = 0x40000000
_NEW_NAMESPACES = 0x7E020000  # every CLONE_NEW* flag that clone understands
_SHARED_ANONYMOUS = 0x21  # MAP_SHARED | MAP_ANONYMOUS
_FAMILIES = (1, 2, 10, 16)  # unix, inet, inet6, netlink (getifaddrs uses it)
_SOL_SOCKET, _BUFFERS = 1, (7, 8, 32, 33)  # SO_SNDBUF, SO_RCVBUF and the forms for the privileged

# The audit number of the architecture, then each call's number on it.
MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_CALLS = {
    "x86_64": {"mmap": 9, "socket": 41, "setsockopt": 54, "clone": 56, "clone3": 435},
    "aarch64": {"mmap": 222, "socket": 198, "setsockopt": 208, "clone": 220, "clone3": 435},
}
_REFUSED = {
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "semget": (64, 190),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsmount": (432, 432),
    "mount_setattr": (442, 442),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
}


def program(machine: str = platform.machine()) -> bytes:
    """The filter for one architecture; raise `KeyError` for one that is not known here."""
    calls, column = _CALLS[machine], list(MACHINES).index(machine)
    steps = [_load(_ARCHITECTURE), *_unless_equal(MACHINES[machine], _KILL), _load(_NUMBER)]
    if machine == "x86_64":
        steps += [_step(_AT_LEAST, _X32, 0, 1), _refuse(errno.EPERM)]
    for numbers in _REFUSED.values():
        steps += [_step(_EQUAL, numbers[column], 0, 1), _refuse(errno.EPERM)]
    # glibc falls back to clone, whose flags can be read; those of clone3 lie behind a pointer.
    steps += [_step(_EQUAL, calls["clone3"], 0, 1), _refuse(errno.ENOSYS)]
    steps += _only(calls["clone"], [_argument(0), _step(_ANY_BIT, _NEW_NAMESPACES, 0, 1), _refuse(errno.EPERM)])
    masked = [_argument(3), _step(_AND, _SHARED_ANONYMOUS)]
    steps += _only(calls["mmap"], [*masked, _step(_EQUAL, _SHARED_ANONYMOUS, 0, 1), _refuse(errno.EPERM)])
    families = [_step(_EQUAL, family, len(_FAMILIES) - n, 0) for n, family in enumerate(_FAMILIES)]
    steps += _only(calls["socket"], [_argument(0), *families, _refuse(errno.EAFNOSUPPORT)])
    ignored = [step for option in _BUFFERS for step in (_step(_EQUAL, option, 0, 1), _refuse(0))]
    of_sockets = [_argument(1), _step(_EQUAL, _SOL_SOCKET, 0, 1 + len(ignored)), _argument(2), *ignored]
    steps += _only(calls["setsockopt"], of_sockets)
    return b"".join([*steps, _step(_RETURN, _ALLOW)])


def _only(number: int, steps: list[bytes]) -> list[bytes]:
    """Run `steps` for one system call and allow what they do not refuse; others go on."""
    return [_step(_EQUAL, number, 0, len(steps) + 1), *steps, _step(_RETURN, _ALLOW)]


def _unless_equal(value: int, verdict: int) -> list[bytes]:
    return [_step(_EQUAL, value, 1, 0), _step(_RETURN, verdict)]


def _refuse(code: int) -> bytes:
    return _step(_RETURN, _ERRNO | code)


def _load(offset: int) -> bytes:
    return _step(_LOAD, offset)


def _argument(number: int) -> bytes:
    """Load the low half of an argument."""
    return _load(_ARGUMENTS + 8 * number)


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
