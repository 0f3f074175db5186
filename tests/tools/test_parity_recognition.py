import importlib.util

import pytest


@pytest.mark.skipif(importlib.util.find_spec('sklearn') is not None, reason='scikit-learn is here')
def test_without_scikit_learn_it_says_so(run_tool):
    done = run_tool('tools/parity_recognition.py')
    assert done.returncode == 2 and done.stderr == 'scikit-learn is not installed here\n'


@pytest.mark.skipif(importlib.util.find_spec('sklearn') is None, reason='scikit-learn is not here')
def test_with_scikit_learn_all_is_within_tolerance(run_tool):
    done = run_tool('tools/parity_recognition.py', '--cases', 100)
    assert done.returncode == 0 and 'micro mAP' in done.stdout
