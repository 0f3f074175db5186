"""One colour per person, the same in the film and in the timeline."""

from __future__ import annotations

# Okabe and Ito's colours for all kinds of colour vision (Color Universal Design, 2008), without black, the most
# different ones first; then each once more lighter and once more darker.
BASE_RGB = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (204, 121, 167),
    (240, 228, 66),
    (213, 94, 0),
    (0, 114, 178),
)
SHADES = ((0.0, 255), (0.5, 255), (0.4, 0))  # how much of white or black is mixed in


def person_rgb(track_id: int) -> tuple[int, int, int]:
    """Return the colour of a person, stable and different for 21 consecutive IDs.

    Args:
        track_id (int): The person's ID, >= 0.

    Returns:
        tuple[int, int, int]: Red, green and blue in [0, 255].
    """
    share, other = SHADES[track_id // len(BASE_RGB) % len(SHADES)]
    red, green, blue = (round(value + (other - value) * share) for value in BASE_RGB[track_id % len(BASE_RGB)])
    return red, green, blue


def text_rgb(background: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return black or white, whichever is read better on ``background`` (WCAG 2 contrast of relative luminance)."""
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in (c / 255 for c in background)]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return (0, 0, 0) if (luminance + 0.05) ** 2 > 0.05 * 1.05 else (255, 255, 255)
