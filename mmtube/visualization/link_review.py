"""One page on which a person reviews proposed merges."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from mmtube.fileio import read_text
from mmtube.structures import LinkProposal, TubeletSplit

from .report.markup import Html, join, tag
from .report.thumbnails import Picture, encode

ASSETS = Path(__file__).parents[1] / 'assets'
CROP_SIZE_PX = (96, 160)  # width and height
MARGIN = 0.12  # of the box, around it
STYLE = """
body { display: block; max-width: 1100px; }
.merges { list-style: none; margin: 0; padding: 0; }
.merge { border: 1px solid var(--line); border-radius: 8px; padding: .8rem 1rem; margin: 0 0 .9rem; }
.merge h3 { margin: 0 0 .3rem; display: flex; flex-wrap: wrap; gap: .2rem .8rem; align-items: baseline; }
.merge p { max-width: 90ch; }
.state { font-size: .8rem; font-weight: 600; padding: 0 .6em; border-radius: 1em; border: 1px solid var(--line); }
.made .state { background: var(--accent); color: var(--paper); border-color: var(--accent); }
.open .state { background: var(--warn); border-color: var(--warn-line); }
.sides { display: grid; grid-template-columns: 1fr auto 1fr; gap: .8rem; align-items: center; }
.side > div { display: flex; flex-wrap: wrap; gap: .4rem; }
.side.earlier > div { justify-content: flex-end; }
.side.earlier figcaption { text-align: right; }
.side img { display: block; height: 160px; width: auto; border-radius: 6px; background: #000; }
.side figcaption { font-size: .85rem; color: var(--soft); margin-top: .25rem; }
.gap { text-align: center; color: var(--soft); font-size: .85rem; white-space: nowrap; }
.gap b { display: block; color: var(--ink); font-size: 1.05rem; font-variant-numeric: tabular-nums; }
@media (max-width: 700px) { .side img { height: 96px; } .sides { gap: .4rem; } }
"""


def person_crop(frame_bgr: np.ndarray, box_px: np.ndarray) -> Picture:
    """Cut a person out of a frame, with a little around, in the size that the page shows.

    Args:
        frame_bgr (np.ndarray): (H, W, 3) uint8.
        box_px (np.ndarray): (4,) xyxy in pixels; what lies outside the frame is left out.

    Returns:
        Picture: At most 96 x 160 pixels; a black one for a box outside the frame.
    """
    height, width = frame_bgr.shape[:2]
    box = np.asarray(box_px, np.float64)
    around = (box[2:] - box[:2]) * MARGIN
    left, top = np.floor(np.clip(box[:2] - around, 0, (width, height))).astype(int).tolist()
    right, bottom = np.ceil(np.clip(box[2:] + around, 0, (width, height))).astype(int).tolist()
    if right <= left or bottom <= top:
        return encode(np.zeros((CROP_SIZE_PX[1], CROP_SIZE_PX[0], 3), np.uint8), 'the box is not inside the frame')
    crop = frame_bgr[top:bottom, left:right]
    zoom = min(CROP_SIZE_PX[0] / crop.shape[1], CROP_SIZE_PX[1] / crop.shape[0])
    shape = max(1, round(crop.shape[1] * zoom)), max(1, round(crop.shape[0] * zoom))
    return encode(cv2.resize(crop, shape, interpolation=cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC))


def link_review_page(
    film: str,
    proposals: Sequence[LinkProposal],
    crops: Mapping[int, tuple[Sequence[Picture], Sequence[Picture]]],
    spans_s: Mapping[int, tuple[float, float]],
    splits: Sequence[TubeletSplit] = (),
) -> str:
    """Return a page that shows proposed merges, self-contained, in light and dark.

    Args:
        film (str): Name of the film.
        proposals (Sequence[LinkProposal]): Numbered from 1 in this order.
        crops (Mapping[int, tuple]): First and last pictures of each tubelet.
        spans_s (Mapping[int, tuple[float, float]]): First and last second of each tubelet.
        splits (Sequence[TubeletSplit]): Tubelets that were parted. Defaults to none.

    Returns:
        str: HTML; nothing is loaded from anywhere.
    """
    made = sum(proposal.made for proposal in proposals)
    title = f'Merges of {film}'
    rows = [_merge(number, proposal, crops, spans_s) for number, proposal in enumerate(proposals, start=1)]
    parted = [
        tag(
            'li',
            f'tubelet {split.earlier_id} goes over to another person at frame {split.frame_ind}: from there it is '
            f'tubelet {split.later_id} (appearance distance {split.distance:.3f})',
        )
        for split in splits
    ]
    head = tag(
        'head',
        tag('meta', charset='utf-8'),
        tag(
            'meta',
            http_equiv='Content-Security-Policy',
            content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'",
        ),
        tag('meta', name='viewport', content='width=device-width, initial-scale=1'),
        tag('meta', name='color-scheme', content='light dark'),
        tag('title', title),
        tag('link', rel='icon', href='data:,'),
        tag('style', Html(read_text(ASSETS / 'report.css') + STYLE)),
    )
    summary = f'{made} made, {len(proposals) - made} not made but close. Decide in the JSON beside this page: '
    body = tag(
        'body',
        tag(
            'header',
            tag('h1', title),
            tag('p', summary, tag('code', 'accepted'), ' of the same number.', class_='aside'),
            class_='top',
        ),
        tag(
            'main',
            tag('section', tag('h2', 'Parted tubelets'), tag('ul', *parted), class_='chapter') if parted else None,
            tag(
                'section',
                tag('h2', 'Proposals'),
                tag('ol', join(rows), class_='merges') if rows else tag('p', 'Nothing is proposed.'),
                class_='chapter',
            ),
        ),
        tag('footer', tag('p', 'Made by mmtube, tools/link_tubes.py --propose')),
    )
    return f'<!DOCTYPE html>\n{tag("html", head, body, lang="en")}\n'


def _merge(
    number: int,
    proposal: LinkProposal,
    crops: Mapping[int, tuple[Sequence[Picture], Sequence[Picture]]],
    spans_s: Mapping[int, tuple[float, float]],
) -> Html:
    state = 'made' if proposal.made else 'not made'
    earlier, later = proposal.earlier_id, proposal.later_id
    return tag(
        'li',
        tag('h3', f'{number}. {earlier} + {later}', tag('span', state, class_='state')),
        tag(
            'div',
            _side(earlier, crops.get(earlier, ((), ()))[1], spans_s.get(earlier), 'earlier'),
            tag(
                'p', tag('b', f'{proposal.gap_s:.2f} s'), 'gap', tag('b', f'{proposal.cost:.3f}'), 'cost', class_='gap'
            ),
            _side(later, crops.get(later, ((), ()))[0], spans_s.get(later), 'later'),
            class_='sides',
        ),
        tag('p', proposal.reason, class_='aside'),
        class_=f'merge {"made" if proposal.made else "open"}',
        id=f'merge-{number}',
    )


def _side(track_id: int, pictures: Sequence[Picture], span_s: tuple[float, float] | None, place: str) -> Html:
    told = f'tubelet {track_id}' + (f', {span_s[0]:.1f} to {span_s[1]:.1f} s' if span_s else '')
    images = [
        tag(
            'img',
            src=f'data:image/jpeg;base64,{b64encode(picture.jpeg).decode("ascii")}',
            width=picture.width,
            height=picture.height,
            alt=f'tubelet {track_id}' + (f': {picture.note}' if picture.note else ''),
        )
        for picture in pictures
    ]
    shown = tag('div', *images) if images else tag('p', 'no picture', class_='aside')
    return tag('figure', shown, tag('figcaption', told), class_=f'side {place}')
