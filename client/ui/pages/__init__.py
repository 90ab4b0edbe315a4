"""One module per page; `client.ui.page` says how a page plugs in, `client.ui.window.PAGES` names them all."""
