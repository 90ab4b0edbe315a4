"""What OpenAPI cannot say of a multipart body: how many names belong to how many files, and which kinds of files are taken.

Valid requests are made without files here (files have tests of their own); invalid ones stay as they were made.
"""

from __future__ import annotations

import schemathesis


@schemathesis.hook
def before_call(context: object, case: schemathesis.Case, kwargs: dict[str, object]) -> None:
    if case.meta is not None and case.meta.generation.mode.is_positive and isinstance(case.body, dict):
        case.body.pop("files", None)
        for part in case.body.values():
            if isinstance(part, dict):
                part.pop("file_names", None)
