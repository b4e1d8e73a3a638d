"""Stored records to the bodies that the contract shows. What is not named here never leaves the server."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from iafa.api.account_models import OrganizationAnswer, UserAnswer
from iafa.api.project_models import KeyAnswer, PrivacyChoice, ProjectAnswer, SamplingChoice, SchemaChoice, TrackerChoice
from iafa.clock import iso_or_none, to_iso
from iafa.errors import ValidationFailed
from iafa.meta.api_keys import ApiKey
from iafa.meta.funnels import StoredFunnel
from iafa.meta.organizations import Organization
from iafa.meta.projects import Project
from iafa.meta.users import User


def user_answer(user: User) -> UserAnswer:
    return UserAnswer(
        id=user.id,
        email=user.email,
        full_name=user.full_name,
        role=user.role,
        created_at=to_iso(user.created_us),
    )


def organization_answer(organization: Organization) -> OrganizationAnswer:
    return OrganizationAnswer(id=organization.id, name=organization.name, created_at=to_iso(organization.created_us))


def project_answer(project: Project) -> ProjectAnswer:
    return ProjectAnswer(
        id=project.id,
        organization_id=project.organization_id,
        name=project.name,
        domain=project.domain,
        timezone=project.timezone,
        allowed_origins=list(project.allowed_origins),
        rate_limit_per_minute=project.rate_limit_per_minute,
        rate_limit_per_ip_per_minute=project.rate_limit_per_ip_per_minute,
        monthly_quota=project.monthly_quota,
        sampling=[SamplingChoice.model_validate_json(msgspec.json.encode(rule)) for rule in project.sampling],
        schemas=[
            SchemaChoice(event_type=rule.event_type, schema=msgspec.json.decode(rule.schema))
            for rule in project.schemas
        ],
        privacy=PrivacyChoice.model_validate_json(msgspec.json.encode(project.privacy)),
        retention_days=project.retention_days,
        aggregate_retention_days=project.aggregate_retention_days,
        session_gap_seconds=project.session_gap_seconds,
        tracker=TrackerChoice.model_validate_json(msgspec.json.encode(project.tracker)),
        version=project.version,
        created_at=to_iso(project.created_us),
        updated_at=to_iso(project.updated_us),
    )


def key_answer(key: ApiKey, *, text: str | None = None, used_us: int | None = None) -> KeyAnswer:
    """`text` is the key in clear, which only its maker has; a write key is public and keeps its own."""
    return KeyAnswer(
        id=key.id,
        kind=key.kind,
        name=key.name,
        prefix=key.prefix,
        last4=key.last4,
        created_at=to_iso(key.created_us),
        expires_at=iso_or_none(key.expires_us),
        last_used_at=iso_or_none(used_us),
        key=text or key.public_text,
    )


def funnel_answer(funnel: StoredFunnel) -> dict[str, Any]:
    return {
        **funnel.definition,
        "id": funnel.id,
        "project_id": funnel.project_id,
        "name": funnel.name,
        "version": funnel.version,
        "created_at": to_iso(funnel.created_us),
        "updated_at": to_iso(funnel.updated_us),
    }


def json_answer(content: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """An answer that the read side has already put into its final form."""
    return Response(msgspec.json.encode(content), status, headers=headers, media_type="application/json")


def etag(version: int) -> str:
    return f'"{version}"'


def expected_version(request: Request) -> int | None:
    """The version of `If-Match`; None when the caller overwrites whatever is there."""
    header = request.headers.get("if-match", "*").strip()
    if header == "*":
        return None
    digits = header.strip('"')
    if not digits.isascii() or not digits.isdigit() or len(digits) > 15:
        raise ValidationFailed("If-Match is not a version that this server gave")
    return int(digits)
