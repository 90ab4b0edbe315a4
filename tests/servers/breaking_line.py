"""A line to a real help desk that breaks where a test says: before what is written reaches the desk, or before its answer is back.

with BreakingLine(request_tracker.url) as line:
    line.breaks = {3: True}  # the third that writes
    ... talk to line.url ...
"""

from __future__ import annotations

import httpx

from tests.servers.small_server import Asked, Reply, SmallServer

HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding", "date", "server"}


class BreakingLine(SmallServer):
    """A small server that hands every request on. `breaks` and `asked` are those of `SmallServer`, and count only what writes: a
    question that breaks changes nothing at the desk, and real desks take their time.
    """

    def __init__(self, upstream: str) -> None:
        super().__init__()
        self._upstream = upstream
        self._client = httpx.Client(trust_env=False, timeout=60)

    def counts(self, asked: Asked) -> bool:
        return asked.method != "GET"

    def answer(self, asked: Asked) -> Reply:
        headers = {
            name: value.replace(self.url, self._upstream)  # where a request comes from must be the desk's own address
            for name, value in asked.headers.items()
            if name not in HOP | {"host", "accept-encoding"}
        }
        url = self._upstream + asked.target
        found = self._client.request(asked.method, url, headers=headers, content=asked.body or None)
        kept = {name.title(): value for name, value in found.headers.items() if name not in HOP}
        return Reply(found.status_code, found.content, kept)

    def __exit__(self, *reason: object) -> None:
        super().__exit__(*reason)
        self._client.close()
