"""Protocols by name: each is a module with a help text, ``add_arguments(parser)`` and ``evaluate(args)``."""

from __future__ import annotations

import importlib
from types import ModuleType

# Name on the command line: one line of help. The module has the same name and is imported when it is asked for.
PROTOCOLS = {
    'ava': 'frame mAP at IoU 0.5 of AVA and SEAL Clips, as the official script',
    'frame-map': 'frame mAP of UCF101-24, JHMDB and MultiSports, every annotated frame',
    'video-map': 'video mAP of UCF101-24, JHMDB and MultiSports: whole tubes',
    'tubelet': 'temporal mAP .5:.05:.95 with the tubelet given: SEAL Tubes',
    'tubelet-predicted': 'spatio-temporal mAP of predicted tubes against SEAL Tubes',
    'activitynet': 'temporal mAP .5:.05:.95 of ActivityNet, HACS and FineAction',
    'thumos': 'temporal mAP .3:.1:.7 of THUMOS14',
    'proposals': 'AR@AN and AUC of proposals, also by duration and by class',
    'detad': 'what kinds of errors a temporal detector makes and what each costs',
    'recognition': 'top-k, mean class accuracy or multi-label mAP; fusion; confusion by attribute',
    'detection': 'people in frames: recall and false boxes at a score threshold, AP, misses by height and cover',
    'mot': 'tracking: MOTA, IDF1, HOTA and their parts',
    'reid': 're-identification: CMC and mAP of images or tracklets',
    'linking': 'wrong and missed merges of tubes and how pure their IDs are',
}


def protocol(name: str) -> ModuleType:
    """Return the module of a protocol.

    Raises:
        KeyError: If there is none of this name.
    """
    if name not in PROTOCOLS:
        raise KeyError(name)
    return importlib.import_module(f'{__name__}.{name.replace("-", "_")}')
