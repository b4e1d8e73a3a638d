"""Bodies of the routes of members and invitations."""

from typing import Any

from pydantic import BaseModel, Field

from iafa.api.account_models import EMAIL, REQUEST
from iafa.meta.invitations import TOKEN_CHARS_MAX
from iafa.meta.roles import Role

_TIME: dict[str, Any] = {"format": "date-time"}
_AT = "2026-11-20T09:15:02.123456Z"


class Member(BaseModel):
    id: str = Field(examples=["k3v9x2m5q8w1z7t4r6y0"])
    email: str = Field(examples=["grace@example.org"])
    full_name: str = Field(examples=["Grace Hopper"])
    role: Role = Field(examples=["editor"])
    version: int = Field(description="For `If-Match`.", examples=[1])
    created_at: str = Field(json_schema_extra=_TIME, examples=[_AT])


class MemberList(BaseModel):
    members: list[Member]


class MemberChange(BaseModel):
    model_config = REQUEST

    role: Role = Field(examples=["editor"])


class InvitationRequest(BaseModel):
    model_config = REQUEST

    email: EMAIL = Field(description="Only this address can join.", examples=["grace@example.org"])
    role: Role = Field(examples=["editor"])


class Invitation(BaseModel):
    id: str = Field(examples=["n4b8r1c6t9f2w5j0z3q7"])
    email: str = Field(examples=["grace@example.org"])
    role: Role = Field(examples=["editor"])
    invited_by: str = Field(description="A member's id.", examples=["k3v9x2m5q8w1z7t4r6y0"])
    created_at: str = Field(json_schema_extra=_TIME, examples=[_AT])
    expires_at: str = Field(json_schema_extra=_TIME, examples=["2026-11-27T09:15:02.123456Z"])


class InvitationList(BaseModel):
    invitations: list[Invitation]


class NewInvitation(Invitation):
    """With what is shown this once."""

    url: str = Field(
        description="The link to give to the invited one. The token stands behind the `#`: browsers do not send it.",
        examples=["https://iafa.example.org/join#iafa_i_..."],
    )
    token: str = Field(examples=["iafa_i_..."])


class InvitationToken(BaseModel):
    model_config = REQUEST

    token: str = Field(max_length=TOKEN_CHARS_MAX, examples=["iafa_i_..."])


class InvitationShown(BaseModel):
    """What the invited one may know before joining."""

    organization_name: str = Field(examples=["Analytical Engines"])
    email: str = Field(examples=["grace@example.org"])
    role: Role = Field(examples=["editor"])
    expires_at: str = Field(json_schema_extra=_TIME, examples=["2026-11-27T09:15:02.123456Z"])
