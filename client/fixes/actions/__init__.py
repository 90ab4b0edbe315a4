"""The closed list of what can be done to a computer. A fix, an article or a pack can name these; nothing can add to them."""

from __future__ import annotations

from typing import Final

from client.fixes.actions import (
    ask_helper,
    browser_cache,
    clear_caches,
    default_printer,
    empty_trash,
    flush_dns,
    forget_network,
    large_files,
    open_settings,
    print_jobs,
    reconnect_network,
    reset_proxy,
    restart_audio,
    restart_program,
    run_script,
    set_aside,
    small_caches,
    startup_item,
    unmute,
)
from client.fixes.plan import Action

ACTIONS: Final[dict[str, Action]] = {
    module.ACTION.name: module.ACTION
    for module in (
        ask_helper,
        browser_cache,
        clear_caches,
        default_printer,
        empty_trash,
        flush_dns,
        forget_network,
        large_files,
        open_settings,
        print_jobs,
        reconnect_network,
        reset_proxy,
        restart_audio,
        restart_program,
        run_script,
        set_aside,
        small_caches,
        startup_item,
        unmute,
    )
}
