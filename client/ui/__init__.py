"""The window and the tray icon: the only package that imports PySide6. `start` opens it, `page` says how pages plug in."""
