"""The addresses of the embedded help desk: the employee API, tickets' files behind login, and django-helpdesk's own pages."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path, re_path

from client.demo.media import media
from client.demo.problems import API_PREFIX

urlpatterns = [
    path(f"{API_PREFIX.lstrip('/')}/", include("client.demo.api")),
    re_path(r"^media/(?P<name>.+)$", media),
    path("admin/", admin.site.urls),
    path("", include("helpdesk.urls")),
]
