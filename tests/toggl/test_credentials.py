import copy
import pickle
from collections.abc import Callable

import pytest

from toggl_pulse.errors import NeedsUser
from toggl_pulse.toggl import Credentials

SECRET = "f00dfacef00dface"


def test_a_token_is_sent_as_user_with_the_literal_password() -> None:
    assert Credentials.token(f" {SECRET}\n").basic() == (SECRET, "api_token")


def test_an_address_and_a_password_are_sent_as_they_are() -> None:
    assert Credentials.password("kim@example.com", "p w ").basic() == ("kim@example.com", "p w ")


@pytest.mark.parametrize("make", [str, repr, "{}".format, lambda it: f"{it!r:>80}", lambda it: str([it])])
def test_no_text_form_shows_the_secret(make: Callable[[Credentials], str]) -> None:
    both = Credentials.token(SECRET), Credentials.password("kim@example.com", SECRET)

    assert not any(SECRET in make(each) for each in both)


def test_credentials_cannot_be_changed_or_written_to_a_file() -> None:
    credentials = Credentials.token(SECRET)

    with pytest.raises(AttributeError):
        credentials._secret = "other"
    with pytest.raises(TypeError):
        pickle.dumps(credentials)
    with pytest.raises(TypeError):
        copy.copy(credentials)


@pytest.mark.parametrize("make", [lambda: Credentials.token(" "), lambda: Credentials.password("kim@example.com", "")])
def test_empty_credentials_need_the_user(make: Callable[[], Credentials]) -> None:
    with pytest.raises(NeedsUser) as caught:
        make()

    assert caught.value.code == "no_credentials"


def test_the_secret_is_hidden_in_text_plain_and_encoded() -> None:
    credentials = Credentials.token("abc")

    assert credentials.hide_in("x abc y YWJjOmFwaV90b2tlbg== z") == "x [hidden] y [hidden] z"
