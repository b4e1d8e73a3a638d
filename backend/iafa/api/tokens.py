"""Access tokens: the only module that makes and reads JWTs. Knows no user and no route."""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Any

from jose import jwt
from jose.exceptions import JOSEError

from iafa.clock import US_PER_S, Clock
from iafa.errors import InvalidCredentials, TokenExpired

ACCESS_S = 15 * 60
TYPE = "at+jwt"
ISSUER = "iafa"
AUDIENCE = "iafa-api"
TOKEN_CHARS_MAX = 2000


@dataclass(frozen=True)
class Claims:
    user_id: str
    session_id: str


class Tokens:
    """One algorithm and one key, fixed at start."""

    def __init__(self, secret: str, *, algorithm: str, clock: Clock) -> None:
        # A key of its own, so that the setting can serve other purposes without one weakening the other.
        self._key = hmac.new(secret.encode(), b"iafa access token", hashlib.sha512).hexdigest()
        self._algorithm = algorithm
        self._clock = clock

    def issue(self, user_id: str, session_id: str) -> str:
        now_s = self._clock.now_us() // US_PER_S
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": user_id,
            "sid": session_id,
            "iat": now_s,
            "nbf": now_s,
            "exp": now_s + ACCESS_S,
        }
        return jwt.encode(claims, self._key, algorithm=self._algorithm, headers={"typ": TYPE})

    def verify(self, token: str) -> Claims:
        if len(token) > TOKEN_CHARS_MAX:
            raise _refused()
        try:
            header = jwt.get_unverified_header(token)
            claims = jwt.decode(
                token,
                self._key,
                algorithms=[self._algorithm],
                audience=AUDIENCE,
                issuer=ISSUER,
                # exp and nbf are demanded and checked below: jose would read the wall clock past our own, and its
                # "require_exp" would switch its own check on again.
                options={
                    "require_iss": True,
                    "require_aud": True,
                    "require_sub": True,
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except (JOSEError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise _refused() from error
        if header.get("typ") != TYPE:
            raise _refused()
        return self._checked(claims)

    def _checked(self, claims: dict[str, Any]) -> Claims:
        now_s = self._clock.now_us() / US_PER_S
        user_id, session_id = claims.get("sub"), claims.get("sid")
        expires_s, from_s = claims.get("exp"), claims.get("nbf")
        # bool is an int in Python: type() and not isinstance()
        if type(expires_s) is not int or type(from_s) is not int:
            raise _refused()
        if not isinstance(user_id, str) or not isinstance(session_id, str) or from_s > now_s + 1:
            raise _refused()
        if expires_s <= now_s:
            raise TokenExpired("the access token has expired; refresh it")
        return Claims(user_id, session_id)


def _refused() -> InvalidCredentials:
    return InvalidCredentials("the access token is not valid")
