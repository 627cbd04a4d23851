"""What a parcel costs, in cents."""

EUROPE = {"AT", "BE", "DK", "FR", "IT", "NL", "PL"}
LIMITS = ((1_000, 449), (5_000, 699), (10_000, 1_049), (31_500, 1_999))


def price(grams, country="DE", insured=False, discount=0):
    cents = _by_weight(grams)
    if country in EUROPE:
        cents += 500
    elif country != "DE":
        cents += 1_500
        if grams > 10_000:
            cents += 1_000
    if insured:
        cents += 250
    return cents * (100 - discount) // 100


def _by_weight(grams):
    for limit, cents in LIMITS:
        if grams <= limit:
            return cents
    raise ValueError("too heavy")
