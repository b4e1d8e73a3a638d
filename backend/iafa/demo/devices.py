"""The devices and countries that visit the demo shop. Constants only."""

from typing import NamedTuple

from iafa.demo.draws import Weighted

MOZILLA = "Mozilla/5.0"
WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
BLINK = "AppleWebKit/537.36 (KHTML, like Gecko)"


class Device(NamedTuple):
    source: str
    form: str
    browser: str
    os: str
    user_agent: str


class Country(NamedTuple):
    code: str
    language: str


IPHONE = Device(
    "web",
    "mobile",
    "Mobile Safari",
    "iOS",
    f"{MOZILLA} (iPhone; CPU iPhone OS 18_7 like Mac OS X) {WEBKIT} Version/26.1 Mobile/15E148 Safari/604.1",
)
ANDROID_CHROME = Device(
    "web",
    "mobile",
    "Chrome",
    "Android",
    f"{MOZILLA} (Linux; Android 10; K) {BLINK} Chrome/156.0.0.0 Mobile Safari/537.36",
)
SAMSUNG = Device(
    "web",
    "mobile",
    "Samsung Internet",
    "Android",
    f"{MOZILLA} (Linux; Android 10; K) {BLINK} SamsungBrowser/29.0 Chrome/144.0.0.0 Mobile Safari/537.36",
)
IPAD = Device(
    "web",
    "tablet",
    "Safari",
    "iPadOS",
    f"{MOZILLA} (iPad; CPU OS 18_7 like Mac OS X) {WEBKIT} Version/26.1 Mobile/15E148 Safari/604.1",
)
WINDOWS_CHROME = Device(
    "web",
    "desktop",
    "Chrome",
    "Windows",
    f"{MOZILLA} (Windows NT 10.0; Win64; x64) {BLINK} Chrome/156.0.0.0 Safari/537.36",
)
WINDOWS_EDGE = Device(
    "web",
    "desktop",
    "Edge",
    "Windows",
    f"{MOZILLA} (Windows NT 10.0; Win64; x64) {BLINK} Chrome/156.0.0.0 Safari/537.36 Edg/156.0.0.0",
)
WINDOWS_FIREFOX = Device(
    "web",
    "desktop",
    "Firefox",
    "Windows",
    f"{MOZILLA} (Windows NT 10.0; Win64; x64; rv:158.0) Gecko/20100101 Firefox/158.0",
)
MAC_SAFARI = Device(
    "web",
    "desktop",
    "Safari",
    "macOS",
    f"{MOZILLA} (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Version/26.1 Safari/605.1.15",
)
MAC_CHROME = Device(
    "web",
    "desktop",
    "Chrome",
    "macOS",
    f"{MOZILLA} (Macintosh; Intel Mac OS X 10_15_7) {BLINK} Chrome/156.0.0.0 Safari/537.36",
)
LINUX_FIREFOX = Device(
    "web",
    "desktop",
    "Firefox",
    "Linux",
    f"{MOZILLA} (X11; Linux x86_64; rv:158.0) Gecko/20100101 Firefox/158.0",
)
IOS_APP = Device("ios", "mobile", "Shop app", "iOS", "DemoShop/4.12.0 (iPhone; iOS 26.1; Scale/3.00)")
ANDROID_APP = Device("android", "mobile", "Shop app", "Android", "DemoShop/4.12.1 (Android 16; Pixel 9)")

FIRST_DEVICES = Weighted(
    [
        (IPHONE, 35.0),
        (ANDROID_CHROME, 17.0),
        (SAMSUNG, 4.0),
        (IPAD, 3.0),
        (WINDOWS_CHROME, 11.0),
        (WINDOWS_EDGE, 7.0),
        (WINDOWS_FIREFOX, 4.5),
        (MAC_SAFARI, 5.0),
        (MAC_CHROME, 4.0),
        (LINUX_FIREFOX, 1.5),
        (IOS_APP, 4.5),
        (ANDROID_APP, 3.5),
    ]
)
# The other screen of a customer: a computer for most, else the app.
OTHER_DEVICES = Weighted(
    [(WINDOWS_CHROME, 40.0), (MAC_SAFARI, 15.0), (WINDOWS_EDGE, 15.0), (IPAD, 10.0), (ANDROID_APP, 20.0)]
)

COUNTRIES = Weighted(
    [
        (Country("DE", "de-DE"), 71.0),
        (Country("AT", "de-AT"), 11.0),
        (Country("CH", "de-CH"), 7.0),
        (Country("NL", "nl-NL"), 4.0),
        (Country("FR", "fr-FR"), 3.0),
        (Country("PL", "pl-PL"), 2.0),
        (Country("GB", "en-GB"), 2.0),
    ]
)
