"""How long a user waits: imports, and from the command to the first person on the progress line of the demo."""

from __future__ import annotations

import argparse
import os
import pty
import subprocess
import sys
import tempfile
import time
from pathlib import Path

DEMO = Path(__file__).parents[2] / 'demo' / 'tube_demo.py'


def import_s(modules: str) -> float:
    """Return the seconds of a Python that does nothing but import ``modules``."""
    start = time.perf_counter()
    subprocess.run([sys.executable, '-W', 'ignore', '-c', f'import {modules}'], check=True)
    return time.perf_counter() - start


def first_person_s(video: str) -> float:
    """Return the seconds until the demo, on a terminal of its own, shows a person; the demo then ends."""
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = pty.openpty()
        command = [sys.executable, str(DEMO), video, '--out-dir', folder, '--actions', 'none']
        start = time.perf_counter()
        demo = subprocess.Popen(command, stdout=theirs, stderr=theirs, env={**os.environ, 'COLUMNS': '200'})
        shown = b''
        while b' person' not in shown and b' people' not in shown:
            if demo.poll() is not None:
                raise RuntimeError(f'the demo ended without a person on {video}')
            shown = shown[-20:] + os.read(ours, 1 << 16)
        seconds = time.perf_counter() - start
        demo.terminate()
        demo.wait()
    return seconds


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('video')
    video = parser.parse_args().video
    for modules in ('mmtube', 'mmdet, mmaction', 'mmdet, mmaction, mmtube'):
        print(f'import {modules}: {import_s(modules):.2f} s')
    print(f'first person on the progress line: {first_person_s(video):.1f} s')


if __name__ == '__main__':
    main()
