"""A keyring in a file, for the processes that a test starts. Chosen by PYTHON_KEYRING_BACKEND."""

from __future__ import annotations

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError


class FileKeyring(KeyringBackend):
    priority = 1  # type: ignore[assignment]

    @property
    def file(self) -> Path:
        return Path(os.environ["TEST_KEYRING"])

    def read(self) -> dict[str, str]:
        return json.loads(self.file.read_text()) if self.file.exists() else {}  # type: ignore[no-any-return]

    def get_password(self, service: str, username: str) -> str | None:
        return self.read().get(f"{service} {username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self.file.write_text(json.dumps(self.read() | {f"{service} {username}": password}))

    def delete_password(self, service: str, username: str) -> None:
        kept = self.read()
        if f"{service} {username}" not in kept:
            raise PasswordDeleteError
        del kept[f"{service} {username}"]
        self.file.write_text(json.dumps(kept))
