"""The closed list of what can be done to a computer. A fix, an article or a pack can name these; nothing can add to them."""

from __future__ import annotations

from typing import Final

from client.fixes.actions import ask_helper, clear_caches, empty_trash, flush_dns, open_settings, reconnect_network
from client.fixes.plan import Action

ACTIONS: Final[dict[str, Action]] = {
    module.ACTION.name: module.ACTION
    for module in (ask_helper, clear_caches, empty_trash, flush_dns, open_settings, reconnect_network)
}
