"""A process that dies at a chosen moment: it counts what it does to files in one folder and kills
itself at the n-th time."""

import functools
import os
import signal
import subprocess
import sys
import threading

from tqdm import tqdm

EVENTS = {
    "open",
    "os.rename",
    "os.remove",
    "os.mkdir",
    "os.rmdir",
    "shutil.rmtree",
    "shutil.copyfile",
}


def below(folder, event, args):
    """Whether an event is about something in a folder. Deleting a tree names each file by its open
    folder."""
    inside = args[1] if event in ("os.remove", "os.rmdir") else -1
    place = os.readlink(f"/proc/self/fd/{inside}") if inside >= 0 else str(args[0])
    return str(folder) in place


def bars(cls=tqdm):
    "All classes of progress bars."
    return [cls, *(found for sub in cls.__subclasses__() for found in bars(sub))]


def fork(prepare, work):
    "The id of a child that does `prepare()` and `work()`, and ends with 0 if neither raises."
    child = os.fork()
    if child:
        return child
    code = 1
    # The lock of its bars is shared with the parent, which would wait for a dead holder for ever.
    lock = threading.RLock()
    for cls in bars():
        cls.set_lock(lock)
    try:
        prepare()
        work()
        code = 0
    except BaseException as e:
        print(type(e).__name__, e, file=sys.stderr)
    finally:
        os._exit(code)


def died(child):
    "Wait for a child; whether a signal killed it."
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the child failed by itself"
    return os.WIFSIGNALED(status)


def at(n, folder, work):
    """Fork; the child does `work()` and dies by SIGKILL at its n-th event below `folder`. Returns
    whether it died."""
    left = [n]

    def count(event, args):
        if event in EVENTS and below(folder, event, args):
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)

    return died(fork(lambda: sys.addaudithook(count), work))


def everywhere(folder, work, after):
    """Kill `work(n)` at its first event, its second, and so on until it lives; call `after(n)`
    after each. Returns how often it died."""
    for n in range(1, 1000):
        if not at(n, folder, functools.partial(work, n)):
            return n - 1
        after(n)
    raise AssertionError("it dies for ever")


# System calls that change files, or that decide who may.
CALLS = """
    openat creat write pwrite64 writev ftruncate fallocate copy_file_range sendfile close
    rename renameat renameat2 unlink unlinkat mkdir mkdirat rmdir link linkat symlink symlinkat
    chmod fchmod fchmodat fsync fdatasync flock
""".split()


def at_call(n, work):
    """As `at`, but by system calls, so also those of libraries in Rust and C: `strace` kills the
    child when it enters the n-th of them."""
    child = fork(lambda: os.kill(os.getpid(), signal.SIGSTOP), work)
    os.waitpid(child, os.WUNTRACED)
    calls = ",".join(f"?{name}" for name in CALLS)
    inject = f"inject={calls}:signal=KILL:when={n}"
    command = ["strace", "-f", "-o", os.devnull, "-e", inject, "-p", str(child)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as tracer:
        line = tracer.stderr.readline()
        os.kill(child, signal.SIGCONT if "attached" in line else signal.SIGKILL)
        killed = died(child)
    assert "attached" in line, line
    return killed
