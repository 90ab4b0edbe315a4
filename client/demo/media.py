"""The files of tickets, for signed-in agents only."""

from __future__ import annotations

from pathlib import PurePosixPath

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest
from django.http.response import HttpResponseBase
from helpdesk.decorators import helpdesk_staff_member_required
from helpdesk.models import FollowUpAttachment

# What a browser may show by itself; everything else is saved. The media type follows the extension, never what the sender said.
SHOWN = {
    ".txt": "text/plain; charset=utf-8",
    ".log": "text/plain; charset=utf-8",
    ".json": "application/json",
    ".html": "text/html; charset=utf-8",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
}
# A file came from somebody else's computer: it may bring its own style and images, but runs nothing, loads nothing and has no
# part in the agent's session.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"


@login_required
@helpdesk_staff_member_required
def media(request: HttpRequest, name: str) -> HttpResponseBase:
    """One attachment, byte for byte. Only what the database knows is served, so no path leads anywhere else."""
    del request
    kept = FollowUpAttachment.objects.filter(file=name).first()
    if kept is None:
        raise Http404
    try:
        stream = kept.file.open("rb")
    except FileNotFoundError as error:
        raise Http404 from error
    shown = SHOWN.get(PurePosixPath(kept.filename).suffix.lower())
    answer = FileResponse(
        stream,
        as_attachment=shown is None,
        filename=kept.filename,
        content_type=shown or "application/octet-stream",
    )
    answer["Content-Security-Policy"] = POLICY
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Referrer-Policy"] = "no-referrer"
    answer["Cache-Control"] = "private, no-store"
    return answer
