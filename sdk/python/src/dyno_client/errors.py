"""What can go wrong between a client and a server."""

from __future__ import annotations

import httpx


class DynoError(Exception):
    """The server refused, or cannot be reached. ``status`` is 0 where there was no answer."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


class RunFailed(DynoError):
    """A run that was waited for ended without a result."""


def refused(response: httpx.Response) -> DynoError:
    """The error of an answer that is a refusal."""
    try:
        detail = response.json()["detail"]
    except (ValueError, KeyError, TypeError):
        detail = response.text or response.reason_phrase
    return DynoError(response.status_code, str(detail))


def unreachable(url: str, error: Exception) -> DynoError:
    """The error where there was no answer."""
    return DynoError(0, f"the server {url} cannot be reached: {error}; is `dyno serve` running there?")
