"""A clip as the network sees it: a row of frames with the boxes really used."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from .canvas import blend, fill, text_mask
from .palette import person_rgb, text_rgb

INK_RGB, PAPER_RGB = (34, 38, 43), (255, 255, 255)
FONT_PX, GAP_PX = 13, 4
LEAST_HEIGHT_PX = 160  # smaller frames are drawn larger


def clip_sheet(
    frames_bgr: Sequence[np.ndarray],
    boxes_px: np.ndarray,
    valid: np.ndarray,
    person_ids: Sequence[int],
    captions: Sequence[str],
    title: str,
    times: Sequence[str] = (),
    exact: np.ndarray | None = None,
) -> np.ndarray:
    """Draw frames side by side, each with the boxes of its time, and below them what each person does.

    Args:
        frames_bgr (Sequence[np.ndarray]): F images (H, W, 3) uint8 of one size; small ones are enlarged.
        boxes_px (np.ndarray): (n, F, 4) xyxy in pixels of the frames.
        valid (np.ndarray): (n, F) bool, whether the person has a box in the frame.
        person_ids (Sequence[int]): n IDs, which choose the colours.
        captions (Sequence[str]): n lines of text.
        title (str): Line above the frames.
        times (Sequence[str]): What stands in the corner of each frame. Defaults to nothing.
        exact (np.ndarray | None): (F,) bool, whether the boxes of a frame are of its own time; others are drawn thin.
            Defaults to None, all.

    Returns:
        np.ndarray: (H', W', 3) uint8 BGR.
    """
    drawn = []
    zoom = max(1, -(-LEAST_HEIGHT_PX // frames_bgr[0].shape[0]))
    for number, frame in enumerate(frames_bgr):
        frame = frame.repeat(zoom, axis=0).repeat(zoom, axis=1)
        line_px = 2 if exact is None or exact[number] else 1
        for box, shown, person_id in zip(boxes_px[:, number], valid[:, number], person_ids):
            if shown:
                corners = [round(float(edge) * zoom) for edge in box]
                cv2.rectangle(frame, corners[:2], corners[2:], person_rgb(int(person_id))[::-1], line_px)
        if times:
            mask = text_mask(times[number], FONT_PX, True)
            fill(frame, (0, 0, mask.shape[1] + 2 * GAP_PX, mask.shape[0]), INK_RGB, 0.6)
            blend(frame, mask, GAP_PX, 0, PAPER_RGB)
        drawn += [frame, np.full((frame.shape[0], GAP_PX, 3), 255, np.uint8)]
    strip = np.concatenate(drawn[:-1], axis=1)
    line_px = text_mask('Ag', FONT_PX).shape[0] + GAP_PX
    sheet = np.full((strip.shape[0] + line_px * (1 + len(captions)) + GAP_PX, strip.shape[1], 3), 255, np.uint8)
    sheet[line_px : line_px + strip.shape[0]] = strip
    room = strip.shape[1] - 4 * GAP_PX
    blend(sheet, text_mask(title, FONT_PX, True, room), GAP_PX, GAP_PX // 2, INK_RGB)
    for row, (person_id, caption) in enumerate(zip(person_ids, captions)):
        top = line_px + strip.shape[0] + GAP_PX + row * line_px
        tag, rgb = text_mask(f' {person_id} ', FONT_PX, True), person_rgb(int(person_id))
        fill(sheet, (GAP_PX, top, GAP_PX + tag.shape[1], top + tag.shape[0]), rgb)
        blend(sheet, tag, GAP_PX, top, text_rgb(rgb))
        blend(sheet, text_mask(caption, FONT_PX, False, room - tag.shape[1]), 3 * GAP_PX + tag.shape[1], top, INK_RGB)
    return sheet
