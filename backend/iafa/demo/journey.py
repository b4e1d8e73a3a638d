"""What a visitor does from landing to leaving: browsing, accounts, errands; checkout.py has the buying."""

from iafa.demo.catalog import CATEGORIES, POSTS, PRODUCTS, Product
from iafa.demo.checkout import Outage, return_to_cart, shop_for
from iafa.demo.draws import SECOND_US, Weighted
from iafa.demo.visit import Visit

DAY_US = 86_400 * SECOND_US
REFUND_AFTER_US = 2 * DAY_US
REFUND_BEFORE_US = 21 * DAY_US

LANDINGS = {
    "direct": Weighted([("home", 7.0), ("category", 2.0), ("product", 1.0)]),
    "organic search": Weighted([("product", 4.0), ("category", 3.0), ("post", 2.0), ("home", 1.5)]),
    "paid search": Weighted([("product", 5.5), ("category", 4.0), ("home", 0.5)]),
    "referral": Weighted([("post", 4.0), ("product", 3.0), ("home", 3.0)]),
    "email": Weighted([("category", 5.0), ("product", 4.0), ("post", 1.0)]),
    "social": Weighted([("post", 5.0), ("product", 3.0), ("home", 2.0)]),
}
NEXT_LOOKS = Weighted([("product", 54.0), ("category", 30.0), ("search", 11.0), ("post", 3.0), ("home", 2.0)])


def walk(visit: Visit, outage: Outage) -> None:
    """Write one whole visit to the tape."""
    person, draws = visit.person, visit.draws
    product = _land(visit)
    leaves = draws.chance(visit.channel.bounce * (1.15 - 0.6 * person.intent))
    if leaves and not person.complaint:
        return
    visit.pause(14)
    if not visit.screen.is_signed_in:
        product = _visit_account(visit, product)
    _run_errands(visit)
    if person.cart and draws.chance(0.30 + 0.45 * person.intent):
        return_to_cart(visit, outage)
    elif product is not None:
        shop_for(visit, product, outage)
    _browse(visit, outage)
    _leave(visit)


def _land(visit: Visit) -> Product | None:
    """The first page. Returns the product if it was one."""
    return _look(visit, visit.draws.weighted(LANDINGS[visit.channel.name]))


def _look(visit: Visit, kind: str) -> Product | None:
    if kind == "product":
        product = visit.draws.weighted(PRODUCTS[_category(visit)])
        _view_product(visit, product)
        return product
    if kind == "category":
        category = _category(visit)
        visit.page(f"/category/{category}", title=category.capitalize())
    elif kind == "search":
        _search(visit)
    elif kind == "post":
        post = visit.draws.pick(POSTS)
        visit.page(f"/blog/{post}", title=post.replace("-", " ").capitalize())
    else:
        visit.page("/", title="Home and garden")
    return None


def _category(visit: Visit) -> str:
    return visit.person.favourite if visit.draws.chance(0.6) else visit.draws.weighted(CATEGORIES)


def _view_product(visit: Visit, product: Product) -> None:
    visit.page(f"/product/{product.slug}", title=product.name)
    visit.blink()
    visit.record(
        "product_view",
        {"product_id": product.slug, "category": product.category, "price": product.price, "currency": "EUR"},
    )


def _search(visit: Visit) -> None:
    words = visit.draws.weighted(PRODUCTS[_category(visit)]).name.lower().split()
    text = " ".join(words[-visit.draws.whole(1, 2) :])
    visit.search_page(text)
    visit.blink()
    found = 0 if visit.draws.chance(0.06) else visit.draws.whole(1, 24)
    visit.record("search", {"query": text, "results": found})


def _visit_account(visit: Visit, product: Product | None) -> Product | None:
    """Sign in or sign up, then go back to where the visitor came from."""
    person, draws = visit.person, visit.draws
    if person.has_account:
        if not draws.chance(0.9):
            return product
        visit.page("/account/sign-in", title="Sign in")
        visit.pause(9)
        visit.record("sign_in", {"method": "password" if draws.chance(0.8) else "passkey"})
        visit.identify()
    elif not (draws.chance(0.03 + 0.06 * person.intent) and _sign_up(visit, origin="menu")):
        return product
    visit.pause(3)
    if product is None:
        visit.page("/", title="Home and garden")
        return None
    _view_product(visit, product)
    return product


def _sign_up(visit: Visit, *, origin: str) -> bool:
    """The sign-up form. Returns whether it was sent."""
    draws = visit.draws
    visit.page("/account/sign-up", title="Create an account")
    visit.pause(10)
    if not draws.chance(0.74):
        return False
    visit.record("sign_up_start", {"origin": origin})
    visit.pause(35)
    if not draws.chance(0.71):
        return False
    visit.record("sign_up", {"origin": origin, "method": "password" if draws.chance(0.8) else "passkey"})
    visit.person.has_account = True
    visit.identify()
    return True


def _run_errands(visit: Visit) -> None:
    person, draws = visit.person, visit.draws
    if person.complaint and draws.chance(0.5):
        visit.page("/help/contact", title="Contact us")
        visit.pause(60)
        visit.record("support_contact", {"topic": person.complaint, "method": "form"})
        visit.pause(10)
    person.complaint = ""
    order = person.orders[-1] if person.orders else None
    if order is None or order.is_refunded or not draws.chance(0.05):
        return
    if REFUND_AFTER_US <= visit.at_us - order.at_us <= REFUND_BEFORE_US:
        visit.page("/account/orders", title="Your orders")
        visit.pause(30)
        reason = draws.pick(("too small", "changed my mind", "damaged", "not as shown"))
        visit.record("refund", {"order_id": order.id, "value": order.value, "currency": "EUR", "reason": reason})
        order.is_refunded = True
        visit.pause(10)


def _browse(visit: Visit, outage: Outage) -> None:
    draws = visit.draws
    stay = 0.42 + 0.34 * visit.person.intent
    while draws.chance(stay):
        visit.pause(16)
        product = _look(visit, draws.weighted(NEXT_LOOKS))
        if product is not None:
            shop_for(visit, product, outage)


def _leave(visit: Visit) -> None:
    person, draws = visit.person, visit.draws
    if not person.is_subscribed and draws.chance(0.018):
        visit.pause(12)
        visit.record("newsletter_subscribe", {"place": draws.pick(("footer", "popup"))})
        person.is_subscribed = True
    has_just_bought = bool(person.orders) and visit.at_us - person.orders[-1].at_us < DAY_US // 24
    if has_just_bought and not person.has_account and draws.chance(0.35):
        visit.pause(8)
        _sign_up(visit, origin="thank-you")
