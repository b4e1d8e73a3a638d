"""Bodies of the account routes: what is asked and what is answered."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from iafa.api.text import email_address, plain_text
from iafa.meta.invitations import TOKEN_CHARS_MAX
from iafa.meta.roles import Role

REQUEST = ConfigDict(extra="forbid", strict=True)
PERSON_NAME = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(plain_text)]
EMAIL = Annotated[str, Field(max_length=254, json_schema_extra={"format": "email"}), AfterValidator(email_address)]
PASSWORD = Annotated[str, Field(max_length=1024, json_schema_extra={"format": "password"})]


class Registration(BaseModel):
    model_config = REQUEST

    email: EMAIL = Field(examples=["ada@example.org"])
    password: PASSWORD = Field(
        description="8 to 1024 characters; 15 or more are advised. Passwords that are guessed first are refused.",
        examples=["a long walk on the beach"],
    )
    full_name: PERSON_NAME = Field(examples=["Ada Byron"])
    organization_name: PERSON_NAME | None = Field(None, examples=["Analytical Engines"])
    invitation: str | None = Field(
        None,
        max_length=TOKEN_CHARS_MAX,
        description="The token of an invitation: join its organization instead of making one. The e-mail address must "
        "be the invited one.",
        examples=[None],
    )


class Login(BaseModel):
    model_config = REQUEST

    email: str = Field(max_length=254, examples=["ada@example.org"])
    password: PASSWORD = Field(examples=["a long walk on the beach"])


class RefreshRequest(BaseModel):
    """Programs send the token; the dashboard sends an empty object or nothing and is known by its cookie."""

    model_config = REQUEST

    refresh_token: str | None = Field(None, max_length=200, examples=["iafa_r_..."])


class AccountChange(BaseModel):
    """Fields that are absent stay as they are."""

    model_config = REQUEST

    full_name: PERSON_NAME | None = Field(None, examples=["Ada Lovelace"])
    password: PASSWORD | None = Field(
        None, description="The new password; needs `current_password`.", examples=["a longer walk on the beach"]
    )
    current_password: PASSWORD | None = Field(None, examples=["a long walk on the beach"])


class UserAnswer(BaseModel):
    id: str = Field(examples=["k3v9x2m5q8w1z7t4r6y0"])
    email: str = Field(examples=["ada@example.org"])
    full_name: str = Field(examples=["Ada Byron"])
    role: Role = Field(examples=["owner"])
    created_at: str = Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-20T09:15:02.123456Z"])


class OrganizationAnswer(BaseModel):
    id: str = Field(examples=["a8d2f5h1k9l3p6s0v4x7"])
    name: str = Field(examples=["Analytical Engines"])
    created_at: str = Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-20T09:15:02.123456Z"])


class Me(BaseModel):
    user: UserAnswer
    organization: OrganizationAnswer


class KeyOwner(BaseModel):
    """The project that a key belongs to."""

    project_id: str = Field(examples=["p7c1n4d8j2g5b9f3h6m0"])
    project_name: str = Field(examples=["Web shop"])
    timezone: str = Field(examples=["Europe/Vienna"])


class SessionAnswer(Me):
    """Tokens for programs. The same tokens are set as HttpOnly cookies for the dashboard, which ignores these."""

    access_token: str = Field(description="A JWT, to be sent as `Authorization: Bearer ...`.", examples=["eyJ..."])
    refresh_token: str = Field(
        description="Opaque; good for one use, which gives the next one.", examples=["iafa_r_..."]
    )
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - the name of a scheme
    expires_in: int = Field(description="Seconds that the access token lives.", examples=[900])
