import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / 'tools' / 'bootstrap.py'


@pytest.mark.parametrize('version', ['(3, 9, 18)', '(3, 13, 0)'])
def test_a_python_outside_the_range_is_refused_in_one_line(version):
    code = f'import sys, runpy; sys.version_info = {version}; runpy.run_path({str(SCRIPT)!r}, run_name="__main__")'
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stdout == ''
    assert done.stderr.count('\n') == 1
    assert 'Python 3.10 to 3.12 is needed' in done.stderr and 'PYTHON=' in done.stderr
