"""Imports go down the list of rooms only, as the map in README.md says."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / 'mmtube'
# Each layer may import itself and those below it; rooms of one layer do not import one another.
LAYERS = [
    {'apis'},
    {'engine'},
    {'models', 'datasets', 'evaluation', 'visualization'},
    {'structures', 'ops'},
    {'registry', 'config', 'errors', 'fileio', 'compat', 'version', 'testing'},
]
LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}
MODULES = sorted(PACKAGE.rglob('*.py'))


def room_of(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix('.py')


def imported_rooms(path):
    """Rooms of mmtube that a module imports when it runs; what stands under TYPE_CHECKING does not run."""
    tree = ast.parse(path.read_text())
    typing_only = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and 'TYPE_CHECKING' in ast.unparse(block.test)
        for node in ast.walk(block)
    }
    package = ['mmtube', *path.relative_to(PACKAGE).parent.parts]
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = '.'.join([*base, *([node.module] if node.module else [])])
            names = [f'{module}.{alias.name}' for alias in node.names] if module == 'mmtube' else [module]
        for name in names:
            parts = name.split('.')
            if parts[0] == 'mmtube' and len(parts) > 1:
                yield parts[1]


def test_every_room_is_in_the_list():
    assert {room_of(path) for path in MODULES} - {'__init__'} <= set(LEVEL)


@pytest.mark.parametrize('path', MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_down(path):
    room = room_of(path)
    if room == '__init__':
        return
    for other in set(imported_rooms(path)) & set(LEVEL):
        same_room = other == room
        # structures and ops, and the helpers at the bottom, share a layer and may use one another.
        below = LEVEL[other] > LEVEL[room] or (LEVEL[other] == LEVEL[room] >= LEVEL['structures'])
        assert same_room or below, f'{path}: {room} must not import {other}'


@pytest.mark.parametrize('path', MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_torchvision_and_torchaudio_are_not_used(path):
    tree = ast.parse(path.read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or '' for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not {name.split('.')[0] for name in names} & {'torchvision', 'torchaudio'}
