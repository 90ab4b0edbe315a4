"""Tokens and keys."""

from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Makes both tables."""

    initial = True
    dependencies: ClassVar = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("helpdesk", "0043_fix_on_delete_behaviour"),
    ]
    operations: ClassVar = [
        migrations.CreateModel(
            name="EmployeeToken",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("sha256", models.CharField(max_length=64, unique=True)),
                (
                    "employee",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Sent",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("key", models.CharField(max_length=128)),
                ("fingerprint", models.CharField(max_length=64)),
                ("is_reply", models.BooleanField(default=False)),
                ("created", models.DateTimeField(auto_now_add=True)),
                (
                    "employee",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL),
                ),
                (
                    "followup",
                    models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, to="helpdesk.followup"),
                ),
                (
                    "ticket",
                    models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, to="helpdesk.ticket"),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("employee", "key"), name="deskside_one_key_once")],
            },
        ),
    ]
