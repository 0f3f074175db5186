"""Protocols by name: each is a module with ``SUMMARY``, ``add_arguments(parser)`` and ``evaluate(args)``."""

from __future__ import annotations

import importlib
from types import ModuleType

# Name on the command line: module. They are imported when they are asked for.
PROTOCOLS = {
    'ava': 'ava',
    'frame-map': 'frame_map',
    'video-map': 'video_map',
    'tubelet': 'tubelet',
    'tubelet-predicted': 'tubelet_predicted',
    'activitynet': 'activitynet',
    'thumos': 'thumos',
    'proposals': 'proposals',
    'detad': 'detad',
    'recognition': 'recognition',
    'mot': 'mot',
    'reid': 'reid',
    'linking': 'linking',
}


def protocol(name: str) -> ModuleType:
    """Return the module of a protocol.

    Raises:
        KeyError: If there is none of this name.
    """
    return importlib.import_module(f'{__name__}.{PROTOCOLS[name]}')
