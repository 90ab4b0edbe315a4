"""Reads and works widgets as a screen reader does; answers one JSON request a line with one JSON line.

Run by the system's Python (python3-gi and gir1.2-atspi-2.0 are system packages), never by the project's. Started by
`desktop_hands.py` only. Requests: {"do": "find", "app", "role", "name", "exact", "showing"}, {"do": "press" | "focus" | "text",
"id"}, {"do": "write", "id", "text"}. A widget is given as {"id", "role", "name", "description", "box", "states", "text"}.
"""

import json
import sys

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, GLib  # noqa: E402

STATES = (
    "showing",
    "visible",
    "enabled",
    "focused",
    "checked",
    "selected",
    "expanded",
    "active",
    "editable",
    "focusable",
)
held = {}  # id -> accessible, so that a later request can name what was found


def states_of(node):
    """The names of the states that hold, of those a test asks about."""
    states = node.get_state_set()
    return [name for name in STATES if states.contains(getattr(Atspi.StateType, name.upper()))]


def text_of(node):
    """What a text widget holds, an empty string for others."""
    interface = node.get_text_iface()
    return Atspi.Text.get_text(interface, 0, -1) if interface else ""


def describe(node):
    """The widget as a JSON value; it can be named by its id from now on."""
    number = len(held)
    held[number] = node
    part = node.get_component_iface()
    box = part.get_extents(Atspi.CoordType.SCREEN) if part else None
    return {
        "id": number,
        "role": node.get_role_name(),
        "name": node.get_name() or "",
        "description": node.get_description() or "",
        "box": [box.x, box.y, box.width, box.height] if box else None,
        "states": states_of(node),
        "text": text_of(node),
    }


def walk(node, depth=0):
    """Every widget below a node, windows first; what vanishes meanwhile is passed over."""
    try:
        count = node.get_child_count()
    except GLib.Error:
        return
    for index in range(count):
        try:
            child = node.get_child_at_index(index)
        except GLib.Error:
            continue
        if child is not None and depth < 60:
            yield child
            yield from walk(child, depth + 1)


def programs(name):
    """The programs on this desktop whose name holds the given word."""
    root = Atspi.get_desktop(0)
    root.clear_cache()
    for index in range(root.get_child_count()):
        one = root.get_child_at_index(index)
        if one is not None and name.lower() in (one.get_name() or "").lower():
            one.clear_cache()
            yield one


def find(request):
    """Every widget of the named program that fits."""
    found = []
    for program in programs(request["app"]):
        for node in walk(program):
            try:
                label = node.get_name() or ""
                wanted = request.get("name", "")
                if request.get("exact") and label != wanted:
                    continue
                if wanted.lower() not in label.lower():
                    continue
                if request.get("role") and node.get_role_name() != request["role"]:
                    continue
                if request.get("showing") and "showing" not in states_of(node):
                    continue
                found.append(describe(node))
            except GLib.Error:
                continue
    return found


def act(request):
    """Does one thing with one widget."""
    if request["do"] == "find":
        return find(request)
    node = held[request["id"]]
    if request["do"] == "text":
        return text_of(node)
    if request["do"] == "focus":
        return node.get_component_iface().grab_focus()
    if request["do"] == "write":
        return node.get_editable_text_iface().set_text_contents(request["text"])
    if request["do"] == "press":
        interface = node.get_action_iface()
        names = [Atspi.Action.get_action_name(interface, index) for index in range(interface.get_n_actions())]
        for wanted in ("Press", "Toggle", "click", "ShowMenu", "SetFocus"):
            if wanted in names:
                return Atspi.Action.do_action(interface, names.index(wanted))
        raise LookupError(f"nothing to press; actions: {names}")
    raise LookupError(request["do"])


def main():
    """Answers until the input ends."""
    Atspi.init()
    Atspi.set_timeout(3000, 10000)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        try:
            answer = {"ok": act(json.loads(line))}
        except (GLib.Error, LookupError, AttributeError) as fault:
            answer = {"error": f"{type(fault).__name__}: {fault}"}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


main()
