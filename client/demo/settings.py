"""Django's settings for the embedded help desk, made from one folder and its secrets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

ALLOWED_EXTENSIONS = (".json", ".txt", ".html", ".log", ".gz", ".zip", ".png", ".jpg", ".jpeg", ".pdf")
HERE = Path(__file__).resolve().parent

MAX_FILES_BYTES = 25 * 1024 * 1024  # all files of a message together: the outlook of a common mail server
MAX_REQUEST_BYTES = MAX_FILES_BYTES + 1024 * 1024  # and the text and the multipart frame around them
MAX_FILES = 20
MAX_JSON_BYTES = 256 * 1024
LOCK_TIMEOUT_S = 20  # writers queue behind each other; 40 tickets from 8 threads took under 2 s


def make_settings(folder: Path, *, secret_key: str, base_url: str) -> dict[str, Any]:
    """Settings for `django.conf.settings.configure`.

    Args:
        folder: holds database, files and log; nothing outside it is written.
        secret_key: signs the agent's session; kept in the folder.
        base_url: where the server listens, without a slash at the end.
    """
    return {
        "SECRET_KEY": secret_key,
        "DEBUG": False,
        # Other names would let a web page elsewhere reach this server through a name of its own (DNS rebinding).
        "ALLOWED_HOSTS": ["127.0.0.1", "localhost"],
        "ROOT_URLCONF": "client.demo.urls",
        "DESKSIDE_BASE_URL": base_url,
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "INSTALLED_APPS": [
            "client.demo.apps.DemoConfig",
            "django.contrib.admin",
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
            "django.contrib.sites",
            "django.contrib.staticfiles",
            "django.contrib.humanize",
            "rest_framework",
            "helpdesk",
        ],
        "MIDDLEWARE": [
            "client.demo.problems.problems_for_api",
            "django.middleware.security.SecurityMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
        ],
        "TEMPLATES": [
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "DIRS": [str(HERE / "templates")],
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
        "DATABASES": {
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": str(folder / "desk.sqlite3"),
                "OPTIONS": {
                    "timeout": LOCK_TIMEOUT_S,
                    # The lock is taken where a transaction begins, so that "is this key known?" and "write it" cannot be overtaken.
                    "transaction_mode": "IMMEDIATE",
                    # FULL: what was answered with 201 survives a power cut.
                    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
                },
            }
        },
        "SITE_ID": 1,
        "USE_TZ": True,
        "TIME_ZONE": "UTC",
        "LANGUAGE_CODE": "en",
        "STATIC_URL": "/static/",
        "MEDIA_URL": "/media/",
        "MEDIA_ROOT": str(folder / "files"),
        "FILE_UPLOAD_TEMP_DIR": str(folder / "uploads"),  # beside MEDIA_ROOT: a large file is renamed, not copied
        "FILE_UPLOAD_PERMISSIONS": 0o600,
        "FILE_UPLOAD_DIRECTORY_PERMISSIONS": 0o700,
        "DATA_UPLOAD_MAX_MEMORY_SIZE": 2 * 1024 * 1024,
        "DATA_UPLOAD_MAX_NUMBER_FILES": MAX_FILES + 1,
        "EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend",
        "LOGIN_URL": "/login/",
        "LOGIN_REDIRECT_URL": "/tickets/",
        "LOGOUT_REDIRECT_URL": "/login/",
        # Cookies do not know ports: without a name of its own, another site on this machine would sign the agent out.
        "SESSION_COOKIE_NAME": "deskside_demo_session",
        "CSRF_COOKIE_NAME": "deskside_demo_csrf",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "X_FRAME_OPTIONS": "DENY",
        "HELPDESK_TEAMS_MODE_ENABLED": False,
        "HELPDESK_API_ENABLED": False,
        "HELPDESK_REDIRECT_TO_LOGIN_BY_DEFAULT": True,
        "HELPDESK_SUBMIT_A_TICKET_PUBLIC": False,
        "HELPDESK_VIEW_A_TICKET_PUBLIC": False,
        "HELPDESK_ENABLE_PASSWORD_RESET": False,
        "HELPDESK_STAFF_ONLY_TICKET_OWNERS": True,
        "HELPDESK_STAFF_ONLY_TICKET_CC": True,
        "HELPDESK_VALID_EXTENSIONS": list(ALLOWED_EXTENSIONS),
        # The reply form saves every custom field it knows, empty where the page did not carry it (the "Assigned to" box does
        # not): naming only a field that does not exist keeps cause, device and key out of its reach.
        "HELPDESK_SHOW_CUSTOM_FIELDS_FOLLOW_UP_LIST": ["none"],
        "HELPDESK_GET_FOLLOWUP_WEBHOOK_URLS": lambda: None,
        "HELPDESK_GET_NEW_TICKET_WEBHOOK_URLS": lambda: None,
        "LOGGING": {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
            "root": {"handlers": ["stderr"], "level": "WARNING"},
            # Below that it repeats every refused address, and addresses carry keys and search words.
            "loggers": {"django.request": {"level": "ERROR"}},
        },
    }
