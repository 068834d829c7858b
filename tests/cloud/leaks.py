"""Looks for secrets in what programs leave behind, in whichever way a program would write them."""

import base64
import urllib.parse


def forms(secret):
    """The ways to write it that a text may hold: as it is, percent-encoded, hexadecimal, in base64 at any place."""
    yield secret
    yield urllib.parse.quote(secret)
    yield urllib.parse.quote(secret, safe="")
    yield secret.encode().hex()
    for before in range(3):  # bytes of the group of three in which it begins
        text = base64.b64encode(bytes(before) + secret.encode()).decode()
        yield text[-(-4 * before // 3) : -4]  # without digits that hang on its neighbours


def expect_none(secrets, found, where):
    """Fails where one of them is in `found`, text or bytes."""
    text = found.decode("latin-1") if isinstance(found, bytes) else found
    for secret in secrets:
        for form in forms(secret):
            assert form not in text, f"a secret in {where}"
