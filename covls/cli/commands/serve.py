"""`covls serve`: the language server on standard input and output, or on a loopback port."""

import gc
import ipaddress
import logging
import os
import signal
import socket
import sys
import threading
import time

import click

from covls.cli.invocation import INTERRUPTED

PATIENCE = 0.3
"""Seconds that threads have to end after the session."""

LEVELS = ("debug", "info", "warning", "error")


def _loopback(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> tuple[str, int] | None:
    """`[HOST:]PORT` on this machine: a server that reads files is no service for others."""
    if value is None:
        return None
    host, _, port = value.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if host in ("", "localhost"):
        host = "127.0.0.1"
    if not port.isdecimal() or int(port) > 65535:
        raise click.BadParameter(f"{value!r} is not [HOST:]PORT, such as 2087 or 127.0.0.1:2087.")
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise click.BadParameter(
            f"{host!r} is not an address of this machine alone. covls listens on loopback only: "
            "127.0.0.1 or ::1."
        )
    return host, int(port)


@click.command()
@click.option("--stdio", is_flag=True, help="Serve on standard input and output (the default).")
@click.option(
    "--tcp",
    callback=_loopback,
    metavar="[HOST:]PORT",
    help="Wait for one client on a loopback port instead, for debugging. 0 takes a free one.",
)
@click.option(
    "--log-level",
    type=click.Choice(LEVELS, case_sensitive=False),
    default="warning",
    show_default=True,
    help="How much to write to standard error. Only debug has the messages' bodies.",
)
def serve(stdio: bool, tcp: tuple[str, int] | None, log_level: str) -> int:
    """Run the language server, as editors do."""
    if stdio and tcp is not None:
        raise click.UsageError("--stdio and --tcp cannot be had together.")
    # Thousands of the protocol's classes come in and stay: the collector would go through them
    # again and again meanwhile, which is a tenth of the time to start, and never frees any.
    gc.disable()
    from covls.server.app import run
    from covls.server.transport import take_connection, take_stdio

    gc.freeze()
    gc.enable()
    _log(log_level.upper())
    # What a terminal's Ctrl+C ends in one way, a service manager's TERM shall not end in another,
    # also where whoever started the server lets it ignore Ctrl+C, as a script's `&` does.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        code = run(*(take_stdio() if tcp is None else take_connection(_listen(tcp))))
    except KeyboardInterrupt:
        code = INTERRUPTED
    _leave(code)
    return code


def _listen(address: tuple[str, int]) -> socket.socket:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    try:
        listening = socket.create_server(address, family=family)
    except OSError as error:
        message = f"Cannot listen on {address[0]}:{address[1]}: {error.strerror or error}."
        raise click.ClickException(message) from error
    host, port = listening.getsockname()[:2]
    click.echo(f"covls listens on {host}:{port}", err=True)
    return listening


def _log(level: str) -> None:
    logging.basicConfig(
        stream=sys.stderr,
        level=level,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    # pygls tells every message's body at info, and of what cannot be read also in its errors.
    if level != "DEBUG":
        logging.getLogger("pygls").setLevel("CRITICAL")


def _leave(code: int) -> None:
    """Leave at once if a thread is stuck, which the interpreter would wait for."""
    deadline = time.monotonic() + PATIENCE
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join(max(0.0, deadline - time.monotonic()))
    main = threading.main_thread()
    if any(thread is not main and not thread.daemon for thread in threading.enumerate()):
        logging.getLogger(__name__).warning("Leaving stuck work behind.")
        logging.shutdown()
        sys.stderr.flush()
        os._exit(code)
