"""Access tokens: every way of forging one that is known is refused."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jose import jwt

from iafa.api.tokens import ACCESS_S, Claims, Tokens
from iafa.clock import US_PER_S, FakeClock
from iafa.errors import InvalidCredentials, TokenExpired
from tests.unit.api.house import NOON_US, SECRET

NOW_S = NOON_US // US_PER_S
CLAIMS: dict[str, Any] = {
    "iss": "iafa",
    "aud": "iafa-api",
    "sub": "user00000001",
    "sid": "session00001",
    "iat": NOW_S,
    "nbf": NOW_S,
    "exp": NOW_S + 60,
}
KEY = hmac.new(SECRET.encode(), b"iafa access token", hashlib.sha512).hexdigest()
TYPE = {"typ": "at+jwt"}


def part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def by_hand(header: dict[str, Any], claims: dict[str, Any], key: bytes) -> str:
    signed = f"{part(header)}.{part(claims)}"
    signature = hmac.new(key, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


@pytest.fixture
def tokens() -> Tokens:
    return Tokens(SECRET, algorithm="HS256", clock=FakeClock(NOON_US))


def test_a_token_of_its_own_is_accepted(tokens: Tokens) -> None:
    assert tokens.verify(tokens.issue("user00000001", "session00001")) == Claims("user00000001", "session00001")
    # The forgeries below differ from this one in one thing each.
    assert tokens.verify(jwt.encode(CLAIMS, KEY, algorithm="HS256", headers=TYPE)).user_id == "user00000001"
    assert tokens.verify(by_hand({"alg": "HS256", **TYPE}, CLAIMS, KEY.encode())).user_id == "user00000001"


def forged(**over: Any) -> str:
    claims = {key: value for key, value in (CLAIMS | over).items() if value is not None}
    return jwt.encode(claims, KEY, algorithm="HS256", headers=TYPE)


FORGERIES = {
    "empty": "",
    "no dots": "abc",
    "dots only": "..",
    "too long": "a" * 3000,
    "not ascii": "ä.ö.ü",
    "none": f"{part({'alg': 'none', **TYPE})}.{part(CLAIMS)}.",
    "None with a signature": by_hand({"alg": "None", **TYPE}, CLAIMS, KEY.encode()),
    "no algorithm": by_hand(TYPE, CLAIMS, KEY.encode()),
    "other length": jwt.encode(CLAIMS, KEY, algorithm="HS512", headers=TYPE),
    "other key": jwt.encode(CLAIMS, "k" * 64, algorithm="HS256", headers=TYPE),
    "the setting as the key": jwt.encode(CLAIMS, SECRET, algorithm="HS256", headers=TYPE),
    "empty key": by_hand({"alg": "HS256", **TYPE}, CLAIMS, b""),
    "other type": jwt.encode(CLAIMS, KEY, algorithm="HS256"),
    "a path as kid": by_hand({"alg": "HS256", "kid": "../../dev/null", **TYPE}, CLAIMS, b""),
    "other issuer": forged(iss="other"),
    "no issuer": forged(iss=None),
    "other audience": forged(aud="other"),
    "no audience": forged(aud=None),
    "no expiry": forged(exp=None),
    "expiry as text": by_hand({"alg": "HS256", **TYPE}, CLAIMS | {"exp": "9999999999"}, KEY.encode()),
    "expiry as true": by_hand({"alg": "HS256", **TYPE}, CLAIMS | {"exp": True}, KEY.encode()),
    "no begin": forged(nbf=None),
    "from tomorrow": forged(nbf=NOW_S + 86_400, exp=NOW_S + 90_000),
    "no subject": forged(sub=None),
    "no session": forged(sid=None),
    "session as a number": by_hand({"alg": "HS256", **TYPE}, CLAIMS | {"sid": 5}, KEY.encode()),
}


@pytest.mark.parametrize("token", FORGERIES.values(), ids=FORGERIES)
def test_a_forged_token_is_refused(tokens: Tokens, token: str) -> None:
    with pytest.raises(InvalidCredentials):
        tokens.verify(token)


@pytest.mark.parametrize("place", range(0, 300, 13))
def test_an_altered_token_is_refused(tokens: Tokens, place: int) -> None:
    token = tokens.issue("user00000001", "session00001")
    place %= len(token) - 1  # the last character's low bits are not part of the signature
    other = "A" if token[place] != "A" else "B"
    with pytest.raises(InvalidCredentials):
        tokens.verify(token[:place] + other + token[place + 1 :])


@pytest.mark.parametrize("encoding", ["PEM", "DER"])
def test_a_public_key_is_not_taken_for_a_shared_secret(encoding: str) -> None:
    public = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    form = {"PEM": serialization.Encoding.PEM, "DER": serialization.Encoding.DER}[encoding]
    known = public.public_bytes(form, serialization.PublicFormat.SubjectPublicKeyInfo)
    tokens = Tokens(SECRET, algorithm="HS256", clock=FakeClock(NOON_US))
    with pytest.raises(InvalidCredentials):
        tokens.verify(by_hand({"alg": "HS256", **TYPE}, CLAIMS, known))


def test_an_rsa_token_is_refused() -> None:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    tokens = Tokens(SECRET, algorithm="HS256", clock=FakeClock(NOON_US))
    with pytest.raises(InvalidCredentials):
        tokens.verify(jwt.encode(CLAIMS, pem.decode(), algorithm="RS256", headers=TYPE))


def test_a_token_expires_by_the_given_clock() -> None:
    clock = FakeClock(NOON_US)
    tokens = Tokens(SECRET, algorithm="HS512", clock=clock)
    token = tokens.issue("user00000001", "session00001")
    clock.advance(ACCESS_S - 1)
    tokens.verify(token)
    clock.advance(1)
    with pytest.raises(TokenExpired):
        tokens.verify(token)
