"""A cable in user space between two taps in two namespaces, with delay and loss (this kernel has no netem).

`python wire.py NS_A TAP_A NS_B TAP_B DELAY_MS LOSS_PERCENT`; prints "ready". Loses frames of a shuffled hundred, so that the share
is exact, and never ARP, so that delay and loss are what is measured.
"""

import contextlib
import ctypes
import fcntl
import heapq
import os
import random
import select
import struct
import sys
import time

TUNSETIFF, IFF_TAP_NO_PI, CLONE_NEWNET = 0x400454CA, 0x1002, 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def open_tap(namespace, name):
    with open(f"/run/netns/{namespace}") as file:  # noqa: PTH123 -- its number is what setns wants
        if libc.setns(file.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), namespace)
    tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TAP_NO_PI))
    return tap


def main():
    first, first_tap, second, second_tap, delay_ms, loss_percent = sys.argv[1:]
    ends = (open_tap(first, first_tap), open_tap(second, second_tap))
    delay, loss = float(delay_ms) / 1000, float(loss_percent)
    dice = random.Random(7)  # noqa: S311 -- repeatable, not secret
    fate = []
    queue = []
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    count = 0
    while True:
        wait = max(0.0, queue[0][0] - time.monotonic()) if queue else None
        readable, _, _ = select.select(ends, (), (), wait)
        for end in readable:
            frame = os.read(end, 65536)
            if not fate:
                fate = [number < loss for number in range(100)]
                dice.shuffle(fate)
            is_ip = frame[12:14] in {b"\x08\x00", b"\x86\xdd"}
            if is_ip and fate.pop():
                continue
            count += 1
            heapq.heappush(queue, (time.monotonic() + delay, count, ends[1] if end == ends[0] else ends[0], frame))
        while queue and queue[0][0] <= time.monotonic():
            _, _, end, frame = heapq.heappop(queue)
            with contextlib.suppress(OSError):  # the other end is down: as on a real cable, it is lost
                os.write(end, frame)


main()
