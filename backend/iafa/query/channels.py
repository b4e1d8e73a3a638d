"""The channel that brought a visitor, as SQL over an event's own columns: a table of ours, applied when it is asked.

Nothing of it is stored, so that a better table speaks for all events at once and no file is ever rewritten.
"""

CHANNEL = "channel"
CHANNEL_COLUMNS = frozenset({"url", "referrer", "utm_source", "utm_medium", "utm_campaign"})
CHANNELS = ("email", "paid", "social", "search", "referral", "internal", "direct")

_EMAIL = "e-?mail|newsletter|mailing"
_PAID = "cpc|ppc|cpm|cpv|cpa|cpp|retargeting|remarketing|display|banner|(.*[_ -])?paid([_ -].*)?|paid(search|social)"
_PAID_CLICK = "[?&](gclid|gbraid|wbraid|dclid|msclkid|ttclid|twclid|li_fat_id)="
_SOCIAL_MEDIUM = "social|social[_ -]?(media|network)|sm"
_SOCIAL_NAME = "facebook|instagram|twitter|x|linkedin|reddit|pinterest|tiktok|youtube|threads|mastodon|bluesky|whatsapp"
_SEARCH_NAME = "google|bing|duckduckgo|yahoo|ecosia|baidu|yandex|qwant|startpage|brave"
_MAIL_HOST = r"((mail|inbox)\.google|outlook\.(live|office|office365)|mail\.(yahoo|aol|proton|ru)|webmail\..+)\.[a-z.]+"
_SOCIAL_HOST = (
    r"(.+\.)?((facebook|instagram|twitter|x|linkedin|reddit|pinterest|tiktok|youtube|threads|whatsapp|vk|snapchat)"
    r"\.(com|net)|t\.co|lnkd\.in|youtu\.be|bsky\.app|fb\.me|pin\.it|mastodon\.social|news\.ycombinator\.com)"
)
_SEARCH_HOST = (
    r"(.+\.)?(google|bing|duckduckgo|yahoo|ecosia|baidu|yandex|qwant|startpage|naver|seznam|sogou)\.[a-z]{2,3}"
    r"(\.[a-z]{2})?|search\.(brave\.com|yahoo\..+)"
)


def host_sql(column: str) -> str:
    """The host of an address, in lower case and without `www.`; '' where there is none."""
    return f"regexp_extract(lower({column}), '^[a-z][a-z0-9+.-]*://([^/?#@]*@)?(www[.])?([^/:?#]+)', 3)"


def origin_sql(column: str) -> str:
    """The part of an address that tells its host, for a sixth of what finding the host costs."""
    return f"regexp_extract({column}, '^[^/]*//[^/?#]*')"


def channel_address_sql() -> str:
    """An event's own address, cut to what it tells a channel. All marks of a paid click end alike."""
    clicked = f"{origin_sql('url')} || '/' || regexp_extract(url, '{_PAID_CLICK}')"
    return f"case when contains(url, 'id=') then {clicked} else {origin_sql('url')} end"


def _is(column: str, pattern: str) -> str:
    return f"regexp_full_match(lower({column}), '{pattern}')"


def channel_sql(referrer_host: str, url_host: str) -> str:
    """The first that holds. What a campaign says counts before where the visitor came from. The two hosts are as
    `host_sql` gives them.
    """

    def is_host(pattern: str) -> str:
        return f"regexp_full_match({referrer_host}, '{pattern}')"

    return f"""(case
    when {_is("utm_medium", _EMAIL)} or {_is("utm_source", _EMAIL)} then 'email'
    when {_is("utm_medium", _PAID)} or regexp_matches(url, '{_PAID_CLICK}') then 'paid'
    when {_is("utm_medium", _SOCIAL_MEDIUM)} or {_is("utm_source", _SOCIAL_NAME)} then 'social'
    when {_is("utm_medium", "organic|search")} or {_is("utm_source", _SEARCH_NAME)} then 'search'
    when coalesce(utm_source, utm_medium, utm_campaign) is not null then 'referral'
    when {referrer_host} <> '' and {referrer_host} = {url_host} then 'internal'
    when {is_host(_MAIL_HOST)} then 'email'
    when {is_host(_SOCIAL_HOST)} then 'social'
    when {is_host(_SEARCH_HOST)} then 'search'
    when {referrer_host} <> '' then 'referral'
    when url is not null then 'direct'
end)"""


REFERRER_HOST_SQL = f"nullif({host_sql('referrer')}, '')"
CHANNEL_SQL = channel_sql(host_sql("referrer"), host_sql("url"))
