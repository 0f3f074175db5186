"""Rules about several files: which film is in which split."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mmtube.structures.seal import Finding, SEALAnnotations

SPLITS = {'train': 'train', 'training': 'train', 'val': 'val', 'valid': 'val', 'validation': 'val', 'test': 'test'}


def split_of_file(name: str) -> str | None:
    """Return the split that a file name tells, None where it tells none or two.

    Examples:
        >>> split_of_file('annotations/people_val.json')
        'val'
    """
    words = re.split(r'[^a-z]+', Path(name).stem.lower())
    told = {SPLITS[word] for word in words if word in SPLITS}
    return told.pop() if len(told) == 1 else None


def split_findings(annotations: SEALAnnotations) -> Iterator[Finding]:
    """Yield the films whose split is not that of their file: what its name tells, else that of most of its films.

    A split that is none of train, val and test is one too.
    """
    counts = Counter(video.split for video in annotations.videos.values())
    if not counts:
        return
    split = split_of_file(annotations.name) or counts.most_common(1)[0][0]
    for vid, video in annotations.videos.items():
        if video.split not in SPLITS.values():
            cause = f'the split is {video.split!r}, there are {", ".join(dict.fromkeys(SPLITS.values()))}'
            yield Finding(annotations.name, f'videos["{vid}"]', 'split', cause)
        elif video.split != split:
            cause = f'the split is {video.split!r} in a file of {split!r}'
            yield Finding(annotations.name, f'videos["{vid}"]', 'split', cause)


def leak_findings(files: Sequence[SEALAnnotations]) -> Iterator[Finding]:
    """Yield the films that are in two files of different splits."""
    first: dict[str, tuple[str, str]] = {}
    for file in files:
        own = split_of_file(file.name)
        for vid, video in file.videos.items():
            split = own or video.split
            name, other = first.setdefault(vid, (file.name, split))
            if name != file.name and other != split:
                cause = f'is in the {other} split too, in {name}'
                yield Finding(file.name, f'videos["{vid}"]', 'leaked-video', cause)


def activitynet_findings(annotations: SEALAnnotations, subsets: Mapping[str, str]) -> Iterator[Finding]:
    """Yield the films that ActivityNet has in another subset, on whose other side features trained here are used.

    A film of ActivityNet's training set must be in SEAL's, and one of its validation or test set must not (SEAL,
    Sec. 4).

    Args:
        annotations (SEALAnnotations): What was read.
        subsets (Mapping[str, str]): ActivityNet's subset of each film: ``'training'``, ``'validation'``, ...
    """
    for vid, video in annotations.videos.items():
        subset = subsets.get(vid, subsets.get(vid.removeprefix('v_')))
        if subset is not None and (subset == 'training') != (video.split == 'train'):
            cause = f'is in the {video.split} split, but in the {subset} set of ActivityNet'
            yield Finding(annotations.name, f'videos["{vid}"]', 'activitynet-split', cause)
