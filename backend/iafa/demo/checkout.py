"""Cart, checkout and payment of the demo shop, with the broken card form of the outage."""

from iafa.demo.catalog import COUPON_PERCENT, COUPONS, PAYMENT_METHODS, WALLET_METHODS, Product
from iafa.demo.people import Order
from iafa.demo.visit import Properties, Visit

FREE_SHIPPING_FROM = 60.0
SHIPPING = 4.90
CART_LINES_MAX = 8

# From and until (epoch microseconds) in which the card form of Mobile Safari is broken.
Outage = tuple[int, int] | None


def shop_for(visit: Visit, product: Product, outage: Outage) -> None:
    """The visitor looks at a product page: may wish, may add it to the cart, may go on to pay."""
    person, draws = visit.person, visit.draws
    if draws.chance(0.03):
        visit.pause(12)
        visit.record("wishlist_add", {"product_id": product.slug, "category": product.category})
    if len(person.cart) >= CART_LINES_MAX or not draws.chance(0.05 + 0.42 * person.intent):
        return
    visit.pause(20)
    quantity = 1 if draws.chance(0.85) else draws.whole(2, 4)
    person.cart.append((product, quantity))
    visit.record("add_to_cart", _cart_line(product, quantity))
    if draws.chance(0.62):
        _open_cart(visit)
        if person.cart and draws.chance(0.52 + 0.35 * person.intent):
            _check_out(visit, outage)


def return_to_cart(visit: Visit, outage: Outage) -> None:
    """A visitor who comes back to a cart that was left behind."""
    _open_cart(visit)
    if visit.person.cart and visit.draws.chance(0.62):
        _check_out(visit, outage)


def _open_cart(visit: Visit) -> None:
    visit.pause(4)
    visit.page("/cart", title="Cart")
    if visit.draws.chance(0.09):
        visit.pause(9)
        product, quantity = visit.person.cart.pop()
        visit.record("remove_from_cart", _cart_line(product, quantity))
    visit.pause(10)


def _check_out(visit: Visit, outage: Outage) -> None:
    draws, cart = visit.draws, visit.person.cart
    visit.page("/checkout", title="Checkout")
    visit.blink()
    goods = round(sum(product.price * quantity for product, quantity in cart), 2)
    visit.record("checkout_start", {"value": goods, "items": len(cart), "currency": "EUR"})
    coupon = ""
    if draws.chance(0.16):
        visit.pause(15)
        coupon = draws.weighted(COUPONS)
        visit.record("coupon_applied", {"coupon": coupon, "discount_percent": COUPON_PERCENT[coupon]})
    visit.pause(40)
    if draws.chance(0.17):
        return
    is_safari = visit.screen.device.browser == "Mobile Safari"
    method = draws.weighted(WALLET_METHODS if is_safari else PAYMENT_METHODS)
    visit.page("/checkout/payment", title="Payment")
    visit.pause(25)
    visit.record("payment_info", {"payment_method": method, "value": goods, "currency": "EUR"})
    if draws.chance(0.05):
        return
    visit.pause(6)
    if _pay(visit, method=method, outage=outage):
        _thank(visit, method=method, goods=goods, coupon=coupon)


def _pay(visit: Visit, *, method: str, outage: Outage) -> bool:
    """Try to pay, up to three times. Returns whether it worked."""
    person, draws = visit.person, visit.draws
    is_card_form = method == "card" and visit.screen.device.browser == "Mobile Safari"
    is_broken = is_card_form and outage is not None and outage[0] <= visit.at_us < outage[1]
    for _ in range(draws.whole(1, 3)):
        if is_broken and not draws.chance(0.03):
            reason = "card_form_error"
        elif draws.chance(0.27):
            reason = "card_declined" if method == "card" else "provider_timeout"
        else:
            return True
        visit.record("payment_failed", {"payment_method": method, "reason": reason})
        visit.pause(18)
    if draws.chance(0.5):
        person.complaint = "payment"
    return False


def _thank(visit: Visit, *, method: str, goods: float, coupon: str) -> None:
    person = visit.person
    discount = round(goods * COUPON_PERCENT.get(coupon, 0) / 100, 2)
    shipping = 0.0 if goods >= FREE_SHIPPING_FROM else SHIPPING
    order = Order(visit.new_order_id(), round(goods - discount + shipping, 2), visit.at_us)
    visit.page("/thank-you", title="Thank you")
    visit.blink()
    receipt: Properties = {
        "order_id": order.id,
        "value": order.value,
        "currency": "EUR",
        "items": sum(quantity for _, quantity in person.cart),
        "products": [product.slug for product, _ in person.cart],
        "shipping": shipping,
        "discount": discount,
        "payment_method": method,
        "is_first_order": not person.orders,
    }
    if coupon:
        receipt["coupon"] = coupon
    visit.record("purchase", receipt)
    person.orders.append(order)
    person.cart.clear()
    visit.pause(12)


def _cart_line(product: Product, quantity: int) -> Properties:
    return {
        "product_id": product.slug,
        "category": product.category,
        "price": product.price,
        "quantity": quantity,
        "currency": "EUR",
    }
