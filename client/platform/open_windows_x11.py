"""Windows of an X server, asked with libxcb, which Qt's own plugin needs anyway. A request that fails is an empty answer here.

Frames, menus and tooltips are children of the root window too: whatever of a program can be seen is found by going through them
and looking inside for the title and class that the program has set (ICCCM 4.1.2.5, EWMH _NET_WM_NAME).
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from ctypes import POINTER, Structure, byref, c_char_p, c_int, c_uint8, c_uint16, c_uint32, c_void_p
from typing import Any, Final

from client.platform.open_windows import OpenWindow

VIEWABLE: Final = 2  # XCB_MAP_STATE_VIEWABLE
ANY: Final = 0  # XCB_GET_PROPERTY_TYPE_ANY
WM_NAME: Final = 39
WM_CLASS: Final = 67
LONGEST: Final = 256  # of a property, in units of four bytes
DEEPEST: Final = 4  # window managers put one to three windows around a program's own
MOST: Final = 2000  # windows that are looked at


class _Cookie(Structure):
    _fields_ = (("sequence", c_uint32),)


class _Screens(Structure):
    _fields_ = (("data", c_void_p), ("rem", c_int), ("index", c_int))


class _Geometry(Structure):
    _fields_ = (
        ("response_type", c_uint8),
        ("depth", c_uint8),
        ("sequence", c_uint16),
        ("length", c_uint32),
        ("root", c_uint32),
        ("x", ctypes.c_int16),
        ("y", ctypes.c_int16),
        ("width", c_uint16),
        ("height", c_uint16),
        ("border_width", c_uint16),
    )


class _Attributes(Structure):
    _fields_ = (
        ("response_type", c_uint8),
        ("backing_store", c_uint8),
        ("sequence", c_uint16),
        ("length", c_uint32),
        ("visual", c_uint32),
        ("class_", c_uint16),
        ("bit_gravity", c_uint8),
        ("win_gravity", c_uint8),
        ("backing_planes", c_uint32),
        ("backing_pixel", c_uint32),
        ("save_under", c_uint8),
        ("map_is_installed", c_uint8),
        ("map_state", c_uint8),
    )


class _Atom(Structure):
    _fields_ = (
        ("response_type", c_uint8),
        ("pad", c_uint8),
        ("sequence", c_uint16),
        ("length", c_uint32),
        ("atom", c_uint32),
    )


def look() -> tuple[OpenWindow, ...] | None:
    """The windows that can be seen; None where the server or the library cannot be had."""
    try:
        server = _Server()
    except (OSError, AttributeError):  # no library, an old one, no server
        return None
    try:
        return tuple(server.windows())
    finally:
        server.close()


class _Server:
    def __init__(self) -> None:
        self._x: Any = ctypes.CDLL("libxcb.so.1")
        self._free: Any = ctypes.CDLL(None).free
        self._free.argtypes = (c_void_p,)
        self._x.xcb_connect.restype = c_void_p
        self._x.xcb_connect.argtypes = (c_char_p, c_void_p)
        self._line = self._x.xcb_connect(None, None)
        self._x.xcb_connection_has_error.argtypes = (c_void_p,)
        self._x.xcb_disconnect.argtypes = (c_void_p,)
        if self._x.xcb_connection_has_error(self._line):
            self.close()
            raise OSError("no X server")
        self._left = MOST
        self._title = self._atom(b"_NET_WM_NAME")

    def close(self) -> None:
        self._x.xcb_disconnect(self._line)

    def windows(self) -> Iterator[OpenWindow]:
        for root in self._roots():
            for window in self._children(root):
                if not self._viewable(window):
                    continue
                place = self._ask("xcb_get_geometry", _Geometry, c_uint32(window))
                found = list(self._said(window, DEEPEST))
                if place is None or not found:
                    continue
                wide, high = place.width + 2 * place.border_width, place.height + 2 * place.border_width
                for title, names in found:
                    yield OpenWindow(title, names, place.x, place.y, wide, high)

    def _said(self, window: int, deep: int) -> Iterator[tuple[str, tuple[str, ...]]]:
        """The titles and classes of a window and of those inside it."""
        self._left -= 1
        title = self._property(window, self._title) or self._property(window, WM_NAME)
        names = tuple(name for name in self._property(window, WM_CLASS).split("\0") if name)
        if title or names:
            yield title.rstrip("\0"), names
        if deep and self._left > 0:
            for inner in self._children(window):
                if self._viewable(inner):
                    yield from self._said(inner, deep - 1)

    def _roots(self) -> Iterator[int]:
        self._x.xcb_get_setup.restype = c_void_p
        self._x.xcb_get_setup.argtypes = (c_void_p,)
        self._x.xcb_setup_roots_iterator.restype = _Screens
        self._x.xcb_setup_roots_iterator.argtypes = (c_void_p,)
        screens = self._x.xcb_setup_roots_iterator(self._x.xcb_get_setup(self._line))
        while screens.rem > 0 and screens.data:
            yield c_uint32.from_address(screens.data).value  # `root` is the first field of a screen
            self._x.xcb_screen_next(byref(screens))

    def _children(self, window: int) -> tuple[int, ...]:
        answer = self._raw("xcb_query_tree", c_uint32(window))
        if not answer:
            return ()
        try:
            self._x.xcb_query_tree_children.restype = POINTER(c_uint32)
            many = self._x.xcb_query_tree_children_length(c_void_p(answer))
            return tuple(self._x.xcb_query_tree_children(c_void_p(answer))[:many])
        finally:
            self._free(answer)

    def _viewable(self, window: int) -> bool:
        answer = self._ask("xcb_get_window_attributes", _Attributes, c_uint32(window))
        return answer is not None and answer.map_state == VIEWABLE

    def _property(self, window: int, name: int) -> str:
        answer = self._raw(
            "xcb_get_property",
            c_uint8(0),
            c_uint32(window),
            c_uint32(name),
            c_uint32(ANY),
            c_uint32(0),
            c_uint32(LONGEST),
        )
        if not answer:
            return ""
        try:
            self._x.xcb_get_property_value.restype = c_void_p
            size = self._x.xcb_get_property_value_length(c_void_p(answer))
            value = ctypes.string_at(self._x.xcb_get_property_value(c_void_p(answer)), size)
        finally:
            self._free(answer)
        return value.decode("utf-8" if name == self._title else "latin-1", errors="replace")

    def _atom(self, name: bytes) -> int:
        answer = self._ask("xcb_intern_atom", _Atom, c_uint8(1), c_uint16(len(name)), c_char_p(name))
        return answer.atom if answer is not None else 0

    def _ask(self, request: str, shape: type[Structure], *words: Any) -> Any:
        """The answer as a structure of our own, or None."""
        answer = self._raw(request, *words)
        if not answer:
            return None
        try:
            return shape.from_buffer_copy(ctypes.string_at(answer, ctypes.sizeof(shape)))
        finally:
            self._free(answer)

    def _raw(self, request: str, *words: Any) -> int | None:
        """The address of the answer, to be freed by the caller; None where the server has refused (a window that has gone)."""
        ask, reply = getattr(self._x, request), getattr(self._x, f"{request}_reply")
        ask.restype = _Cookie
        reply.restype = c_void_p
        cookie = ask(c_void_p(self._line), *words)
        error = c_void_p()
        answer: int | None = reply(c_void_p(self._line), cookie, byref(error))
        if error.value:
            self._free(error)
        return answer
