"""The Django application that adds what the employee API must remember to django-helpdesk."""

from __future__ import annotations

from django.apps import AppConfig


class DemoConfig(AppConfig):
    """Names the application; its tables begin with `deskside_`."""

    name = "client.demo"
    label = "deskside"
    default_auto_field = "django.db.models.BigAutoField"
