"""Make .venv and put everything into it that the project needs, with the package index alone; a second call is instant.

Usage: python3 tools/bootstrap.py [--dev]

It runs on any Python 3, if only to say that it is the wrong one, so its syntax is kept plain.
"""

import hashlib
import os
import subprocess
import sys

OLDEST, NEWEST = (3, 10), (3, 12)
if not OLDEST <= sys.version_info[:2] <= NEWEST:
    sys.stderr.write(
        'error: Python %d.%d to %d.%d is needed, this is %d.%d; name another one: make ... PYTHON=python3.11\n'
        % (OLDEST + NEWEST + tuple(sys.version_info[:2]))
    )
    sys.exit(2)

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, '.venv')
PYTHON = os.path.join(VENV, 'Scripts' if os.name == 'nt' else 'bin', 'python')
# torch brings its own dependencies, since they differ between CPU and CUDA builds; all else is locked.
TORCH = 'torch==2.13.0'
STAMPS = ('mmtube.stamp', 'mmtube-dev.stamp')  # without and with the development tools


def lock_files(dev):
    """Return the lock files to install."""
    names = ['lock.txt', 'lock-dev.txt'] if dev else ['lock.txt']
    return [os.path.join(ROOT, 'requirements', name) for name in names]


def fingerprint(dev):
    """Return a digest of everything that the contents of .venv follow from."""
    digest = hashlib.sha256((TORCH + sys.version).encode())
    for path in [*lock_files(dev), os.path.join(ROOT, 'setup.py'), os.path.abspath(__file__)]:
        with open(path, 'rb') as file:
            digest.update(file.read())
    return digest.hexdigest()


def pip_install(*arguments):
    """Run pip in .venv and stop on its failure."""
    command = [PYTHON, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', *arguments]
    if subprocess.call(command, cwd=ROOT):
        sys.stderr.write('error: pip could not install %s\n' % ' '.join(arguments))
        sys.exit(2)


def main():
    """Bring .venv up to date."""
    dev = '--dev' in sys.argv[1:]
    for stamp_of in (dev, True):  # an environment with the development tools serves without them too
        stamp = os.path.join(VENV, STAMPS[stamp_of])
        if os.path.exists(stamp):
            with open(stamp) as file:
                if file.read() == fingerprint(stamp_of):
                    return
    for name in STAMPS:  # from here on .venv is neither the old nor the new one
        if os.path.exists(os.path.join(VENV, name)):
            os.remove(os.path.join(VENV, name))
    print('setting up .venv (once; a few minutes)', flush=True)
    if subprocess.call([sys.executable, '-m', 'venv', VENV]):
        sys.stderr.write('error: %s cannot make environments; name another one: make ... PYTHON=...\n' % sys.executable)
        sys.exit(2)
    print('  1/3 ' + TORCH, flush=True)
    pip_install(TORCH)
    print('  2/3 locked packages', flush=True)
    pip_install('--no-deps', *[word for path in lock_files(dev) for word in ('-r', path)])
    print('  3/3 mmtube', flush=True)
    pip_install('--no-deps', '--no-build-isolation', '-e', ROOT)
    with open(os.path.join(VENV, STAMPS[dev]), 'w') as file:
        file.write(fingerprint(dev))


if __name__ == '__main__':
    main()
