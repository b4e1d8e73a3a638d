"""The texts that send events: one for pages, one for each kind of program. They show only what works today."""

import re
from string import Template

from starlette.requests import Request

from iafa.api.project_models import Snippets, TrackingCode
from iafa.errors import WrongUsage
from iafa.settings import Settings

# The host goes into HTML and program texts: nothing that could end a string may pass.
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(:\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?")

_HTML = Template('<script defer src="$base/tracker.js" data-key="$key"></script>')

_CURL = Template("""curl -X POST $base/api/v1/track \\
  -H 'X-API-Key: $key' -H 'Content-Type: application/json' \\
  -d '{"event_type": "signed_up", "user_id": "user-42", "properties": {"plan": "pro"}}'""")

_PYTHON = Template("""import httpx

httpx.post(
    "$base/api/v1/track",
    headers={"X-API-Key": "$key"},
    json={"event_type": "signed_up", "user_id": "user-42", "properties": {"plan": "pro"}},
).raise_for_status()""")

_NODE = Template(
    """const answer = await fetch("$base/api/v1/track", {
  method: "POST",
  headers: { "X-API-Key": "$key", "Content-Type": "application/json" },
  body: JSON.stringify({ event_type: "signed_up", user_id: "user-42", properties: { plan: "pro" } }),
});
if (!answer.ok) throw new Error(`event refused: ${answer.status}`);""".replace("${", "$${")
)


def base_url(request: Request, settings: Settings) -> str:
    """The address under which browsers reach this server, without a slash at the end."""
    if settings.public_url:
        return settings.public_url.rstrip("/")
    host = request.headers.get("host", "")
    if not _HOST.fullmatch(host):
        raise WrongUsage("the Host header is not a host name; set IAFA_PUBLIC_URL")
    return f"{'https' if request.url.scheme == 'https' else 'http'}://{host}"


def tracking_code(key: str, base: str) -> TrackingCode:
    names = {"key": key, "base": base}
    html = _HTML.substitute(names)
    return TrackingCode(
        api_key=key,
        html=html,
        script_url=f"{base}/tracker.js",
        collector_url=base,
        snippets=Snippets(
            html=html,
            curl=_CURL.substitute(names),
            python=_PYTHON.substitute(names),
            node=_NODE.substitute(names),
        ),
    )
