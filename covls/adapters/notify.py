"""Messages to services outside, through apprise: Slack, Teams, e-mail, webhooks and many more.

An address has a password or a token in it. None is ever shown: not here, not in an error, and not
by the libraries that send, whose own words go nowhere.
"""

import logging
import os
import re
import threading
import time
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from covls.core.alerts import Message

_WAITS: Final = 3
"""How often the time that a service has is waited for in all: e-mail takes several answers."""


class CannotNotifyError(Exception):
    """Nothing can be sent at all: apprise is not installed."""


@dataclass(frozen=True, slots=True)
class Service:
    """One address that messages go to."""

    name: str
    """What it is called, without what is secret: "slack 1", the first address that is of Slack."""
    address: str = field(repr=False)


def services(variable: str) -> list[Service]:
    """The addresses that a variable of the environment has, with white space between them."""
    seen: Counter[str] = Counter()
    found = []
    for address in os.environ.get(variable, "").split():
        scheme = re.match(r"[a-zA-Z][a-zA-Z0-9+.-]{0,30}(?=://)", address)
        kind = scheme[0].lower() if scheme else "address"
        seen[kind] += 1
        found.append(Service(f"{kind} {seen[kind]}", address))
    return found


def send(to: Sequence[tuple[Service, Message]], seconds: float) -> list[str]:
    """Send messages, to all services at once. Returns of each what went wrong, "" where nothing.

    `seconds` is what a service may take to connect, and again to answer. Raises CannotNotifyError
    where apprise is not installed.
    """
    try:
        import apprise  # noqa: F401  # It takes half a second, and the threads need it at once.
    except ImportError:
        raise CannotNotifyError("apprise is not installed") from None
    results = ["it did not answer in time"] * len(to)

    def work(place: int, service: Service, message: Message) -> None:
        try:
            results[place] = _send(service.address, message, seconds)
        except Exception as error:  # noqa: BLE001
            # Each of the libraries that send fails in its own way, and may name the address.
            results[place] = f"it failed ({type(error).__name__})"

    threads = [
        # Whoever drips an answer, byte by byte, is not waited for: the process ends without.
        threading.Thread(target=work, args=(place, *each), daemon=True)
        for place, each in enumerate(to)
    ]
    # What the libraries log and warn of has addresses in it.
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for thread in threads:
            thread.start()
        until = time.monotonic() + _WAITS * seconds
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
    if not any(thread.is_alive() for thread in threads):
        # Else what comes too late would be logged where everybody sees it.
        logging.disable(before)
    return list(results)


def _send(address: str, message: Message, seconds: float) -> str:
    import apprise

    asset = apprise.AppriseAsset(
        app_id="covls", app_desc="covls", async_mode=False, storage_mode="memory"
    )
    service = apprise.Apprise.instantiate(address, asset=asset)
    if service is None:
        return "it is no address that apprise knows"
    service.socket_connect_timeout = service.socket_read_timeout = seconds
    kind = apprise.NotifyType.SUCCESS if message.is_over else apprise.NotifyType.FAILURE
    sent = service.notify(
        title=message.title,
        body=message.body,
        notify_type=kind,
        body_format=apprise.NotifyFormat.TEXT,
    )
    return "" if sent else "it did not take the message"
