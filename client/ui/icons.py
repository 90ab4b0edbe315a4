"""The tray's icon, one for each state, in every size that trays ask for. Loads nothing but QtGui.

The pictures are drawn by `client.ui.bubble` beforehand: painting needs the namespace `Qt`, whose enumerations take 15 ms and 2 MiB,
and the icon is what the start waits for. The panel's colour cannot be asked for on most systems, so each colour stands on a light
and on a dark one (a test computes it). macOS takes the drawing as a mask and colours it itself.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from PySide6.QtGui import QIcon, QPixmap

FOLDER: Final = Path(__file__).parents[2] / "resources" / "icons" / "tray"
SIZES: Final = (16, 18, 20, 22, 24, 32, 48, 64)


def state_icon(state: str) -> QIcon:
    """The icon of a state.

    Args:
        state: a value of `client.model.State`.
    """
    icon = QIcon()
    if sys.platform == "darwin":
        from client.ui.bubble import state_pixmap  # noqa: PLC0415 -- painting, on this system only

        for size in SIZES:
            icon.addPixmap(state_pixmap(state, size, mask=True))
        icon.setIsMask(True)
        return icon
    for size in SIZES:
        icon.addPixmap(QPixmap(f"{FOLDER}/{state}-{size}.png"))
    return icon
