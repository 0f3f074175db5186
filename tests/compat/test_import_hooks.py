import importlib
import importlib.util
import subprocess
import sys

import mmtube
from mmtube import compat
from mmtube.compat import import_hooks


def run_python(code: str, *path: object) -> str:
    search = [str(entry) for entry in path]
    code = f'import sys; sys.path[:0] = {search!r}\n{code}'
    return subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True).stdout.strip()


def test_importing_the_package_imports_nothing_heavy():
    code = 'import mmtube; print([n for n in ("torch", "numpy", "mmcv", "mmengine", "mmdet") if n in sys.modules])'
    assert run_python(code) == '[]'


def test_a_second_install_changes_nothing():
    before = list(sys.meta_path)
    compat.install()
    importlib.reload(mmtube)
    assert sys.meta_path == before


def test_a_supplied_module_is_imported_when_there_is_no_real_one(monkeypatch):
    monkeypatch.setitem(import_hooks._supplied, 'supplied_top', lambda module: setattr(module, 'answer', 42))
    monkeypatch.setitem(import_hooks._supplied, 'supplied_top.leaf', lambda module: setattr(module, 'answer', 43))
    try:
        assert importlib.import_module('supplied_top.leaf').answer == 43
        assert sys.modules['supplied_top'].answer == 42
    finally:
        sys.modules.pop('supplied_top', None), sys.modules.pop('supplied_top.leaf', None)


def test_a_real_module_goes_before_a_supplied_one(monkeypatch, tmp_path):
    (tmp_path / 'real_top.py').write_text('answer = 1')
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(import_hooks._supplied, 'real_top', lambda module: setattr(module, 'answer', 42))
    try:
        assert importlib.import_module('real_top').answer == 1
    finally:
        sys.modules.pop('real_top', None)


def test_a_patch_follows_the_import_once_and_the_loader_stays_usable(monkeypatch, tmp_path):
    (tmp_path / 'patched_top.py').write_text('answer = 1')
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(import_hooks, '_after', dict(import_hooks._after))
    calls = []
    import_hooks.after_import('patched_top', lambda module: calls.append(module.answer))
    import_hooks.after_import('patched_top', lambda module: calls.append('second'))
    assert calls == []
    try:
        module = importlib.import_module('patched_top')
        assert calls == [1]
        assert module.__loader__.get_source('patched_top') == 'answer = 1'
    finally:
        sys.modules.pop('patched_top', None)


def test_a_patch_reaches_a_module_that_is_imported_already(monkeypatch, tmp_path):
    (tmp_path / 'early_top.py').write_text('answer = 1')
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(import_hooks, '_after', dict(import_hooks._after))
    early = importlib.import_module('early_top')
    try:
        import_hooks.after_import('early_top', lambda module: setattr(module, 'answer', 2))
        assert early.answer == 2
    finally:
        sys.modules.pop('early_top', None)


def test_a_module_that_nobody_has_is_still_missing():
    assert importlib.util.find_spec('no_such_module_at_all') is None
