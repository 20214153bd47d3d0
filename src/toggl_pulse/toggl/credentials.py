"""What proves to Toggl who asks; the one object that holds the secret, and shows it to nobody by accident."""

from __future__ import annotations

from base64 import b64encode

from toggl_pulse.errors import NeedsUser

__all__ = ["Credentials"]


class Credentials:
    """An API token, or an e-mail address and password; immutable, and its text forms show neither."""

    __slots__ = ("_password", "_secret", "_user")

    _user: str
    _password: str
    _secret: str

    def __init__(self, user: str, password: str, secret: str) -> None:
        for name, value in (("_user", user), ("_password", password), ("_secret", secret)):
            object.__setattr__(self, name, value)

    @classmethod
    def token(cls, token: str) -> Credentials:
        """Toggl takes the token as user with the literal password `api_token`."""
        token = token.strip()
        if not token:
            raise NeedsUser("The Toggl API token is empty; set TOGGL_API_TOKEN.", code="no_credentials")
        return cls(token, "api_token", token)

    @classmethod
    def password(cls, email: str, password: str) -> Credentials:
        email = email.strip()
        if not email or not password:
            raise NeedsUser(
                "The Toggl e-mail address or password is empty; set TOGGL_EMAIL and TOGGL_PASSWORD.",
                code="no_credentials",
            )
        return cls(email, password, password)

    def basic(self) -> tuple[str, str]:
        """User and password for HTTP Basic authentication."""
        return self._user, self._password

    def hide_in(self, text: str) -> str:
        """`text` without the secret, plain or as it stands in a header."""
        encoded = b64encode(f"{self._user}:{self._password}".encode()).decode()
        for secret in (self._secret, encoded):
            text = text.replace(secret, "[hidden]")
        return text

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("Credentials cannot be changed")

    def __repr__(self) -> str:
        return "Credentials([hidden])"

    def __reduce__(self) -> str:
        raise TypeError("Credentials are not stored")
