"""What the employee API remembers beside django-helpdesk's own tables: employees' tokens and the keys of what they sent."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models


class EmployeeToken(models.Model):
    """A bearer token of one employee. Only its SHA-256 is kept: whoever reads the database cannot use it."""

    employee = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    sha256 = models.CharField(max_length=64, unique=True)

    def __str__(self) -> str:
        return f"token of {self.employee}"


class Sent(models.Model):
    """One message of an employee under its `Idempotency-Key`, written in the same transaction as the ticket or reply itself.

    `fingerprint` is the SHA-256 of everything that was sent. `ticket` becomes null when an agent deletes it: a late repetition
    must not bring it back.
    """

    employee = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    key = models.CharField(max_length=128)
    fingerprint = models.CharField(max_length=64)
    ticket = models.ForeignKey("helpdesk.Ticket", null=True, on_delete=models.SET_NULL)
    followup = models.ForeignKey("helpdesk.FollowUp", null=True, on_delete=models.SET_NULL)
    is_reply = models.BooleanField(default=False)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        """One key is used once per employee; the database sees to it."""

        constraints: ClassVar = [models.UniqueConstraint(fields=["employee", "key"], name="deskside_one_key_once")]

    def __str__(self) -> str:
        return f"{self.key} of {self.employee}"
