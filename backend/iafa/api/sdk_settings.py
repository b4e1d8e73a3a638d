"""The documents that other tools' clients fetch before they send: made in memory, for any key, without asking who."""

import re

import msgspec

KEY = re.compile(r"[A-Za-z0-9_-]{1,200}")
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")
_POSTHOG = {
    "supportedCompression": ["gzip", "gzip-js"],
    "hasFeatureFlags": False,
    "sessionRecording": False,
    "surveys": False,
    "heatmaps": False,
    "capturePerformance": False,
    "autocapture_opt_out": True,
    "siteApps": [],
}


def segment_settings(key: str, base_url: str) -> bytes:
    """Where analytics-next sends: the key is in the path and in no header, so that no request needs a preflight."""
    protocol, _, host = base_url.partition("://")
    integration = {"apiKey": "", "apiHost": f"{host}/k/{key}", "protocol": protocol}
    return msgspec.json.encode({"integrations": {"Segment.io": integration}, "metrics": {"sampleRate": 0}})


def rudder_settings(key: str) -> bytes:
    """What RudderStack's browser SDK wants to know before it sends: no destinations, nothing measured about itself."""
    config = {"statsCollection": {"errors": {"enabled": False}, "metrics": {"enabled": False}}}
    source = {"id": key, "writeKey": key, "name": "IAFA", "enabled": True, "config": config}
    return msgspec.json.encode({"source": {**source, "destinations": [], "connections": [], "dataplanes": {}}})


def posthog_config() -> bytes:
    return msgspec.json.encode(_POSTHOG)


def base_url_of(public_url: str, scheme: str, host: str) -> str:
    """Where this server is for its clients: the setting, else what the request was sent to."""
    if public_url:
        return public_url.rstrip("/")
    return f"{scheme}://{host if _HOST.fullmatch(host) else 'localhost'}"
