"""What the demo shop sells and writes about. Constants only."""

from typing import NamedTuple

from iafa.demo.draws import Weighted


class Product(NamedTuple):
    slug: str
    name: str
    category: str
    price: float


SHELVES: dict[str, tuple[tuple[str, float], ...]] = {
    "kitchen": (
        ("Cast iron pan", 49.90),
        ("Oak cutting board", 34.90),
        ("Enamel kettle", 42.50),
        ("Chef knife", 79.00),
        ("Espresso pot", 29.95),
        ("Spice grinder", 19.90),
        ("Linen tea towels", 14.90),
        ("Copper saucepan", 119.00),
    ),
    "garden": (
        ("Balcony planter", 24.90),
        ("Pruning shears", 27.50),
        ("Watering can", 18.90),
        ("Herb seed set", 9.95),
        ("Folding bistro table", 89.00),
        ("Raised bed", 149.00),
        ("Garden gloves", 12.90),
        ("Bird feeder", 21.50),
    ),
    "lighting": (
        ("Paper floor lamp", 69.00),
        ("Desk lamp", 54.90),
        ("String lights", 16.90),
        ("Pendant lamp", 129.00),
        ("Bedside lamp", 39.90),
        ("Solar lantern", 22.90),
    ),
    "textiles": (
        ("Wool blanket", 84.90),
        ("Linen bedding", 119.00),
        ("Cotton towels", 32.90),
        ("Cushion cover", 17.90),
        ("Jute rug", 99.00),
        ("Velvet curtain", 59.90),
    ),
    "furniture": (
        ("Oak stool", 79.00),
        ("Bookshelf", 189.00),
        ("Lounge chair", 349.00),
        ("Coat rack", 64.90),
        ("Standing desk", 429.00),
        ("Bench", 159.00),
    ),
    "tableware": (
        ("Stoneware plates", 44.90),
        ("Water glasses", 24.90),
        ("Ceramic mug", 13.90),
        ("Cutlery set", 89.90),
        ("Carafe", 27.90),
        ("Serving bowl", 33.50),
    ),
    "decor": (
        ("Wall clock", 49.00),
        ("Glass vase", 28.90),
        ("Picture frame", 15.90),
        ("Scented candle", 18.50),
        ("Round mirror", 94.90),
        ("Storage basket", 26.90),
    ),
    "sale": (
        ("Last season lantern", 11.90),
        ("Striped deck chair", 39.00),
        ("Bamboo tray", 12.50),
        ("Tin box set", 9.90),
    ),
}


def slug_of(name: str) -> str:
    return name.lower().replace(" ", "-")


# The front of a shelf sells best: the n-th product of a category is seen 1/n as often as the first.
PRODUCTS = {
    category: Weighted(
        (Product(slug_of(name), name, category, price), 1.0 / place)
        for place, (name, price) in enumerate(shelf, start=1)
    )
    for category, shelf in SHELVES.items()
}

CATEGORIES = Weighted(
    [
        ("kitchen", 20.0),
        ("garden", 19.0),
        ("lighting", 13.0),
        ("textiles", 14.0),
        ("furniture", 12.0),
        ("tableware", 9.0),
        ("decor", 8.0),
        ("sale", 5.0),
    ]
)

POSTS = (
    "five-herbs-for-a-small-balcony",
    "how-to-season-a-cast-iron-pan",
    "light-a-room-with-three-lamps",
    "linen-or-cotton",
    "the-kitchen-knife-guide",
    "rugs-for-rooms-with-children",
)

COUPONS = Weighted([("WELCOME10", 5.0), ("NEWS5", 4.0), ("SALE15", 1.5)])
COUPON_PERCENT = {"WELCOME10": 10, "NEWS5": 5, "SALE15": 15}

PAYMENT_METHODS = Weighted([("card", 52.0), ("paypal", 33.0), ("invoice", 15.0)])
# On an iPhone most people pay with the stored card.
WALLET_METHODS = Weighted([("card", 84.0), ("paypal", 12.0), ("invoice", 4.0)])
