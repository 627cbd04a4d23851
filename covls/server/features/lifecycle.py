"""The session's beginning and end: `initialize`, `initialized`, `shutdown`, `exit`."""

import asyncio
import logging
import os
from pathlib import Path
from typing import Any

from lsprotocol import types

from covls.core.settings import client_layer
from covls.server.capabilities import capabilities_of
from covls.server.convert import path_of, uri_of
from covls.server.features import configuration, diagnostics, workspace
from covls.server.session import Session

logger = logging.getLogger(__name__)

PARENT_LOOKS = 1.0
"""Seconds between looks whether the client's process is alive."""


def initialize(session: Session, params: types.InitializeParams) -> None:
    """Learn what the client can do, and what it has open."""
    session.capabilities = capabilities_of(params.capabilities)
    if isinstance(params.initialization_options, dict):
        options = client_layer(params.initialization_options, "initializationOptions")
        session.initialization_options = options
    session.set_folders(_folders(params))
    if session.capabilities.pulls_diagnostics:
        diagnostics.register_pull(session)
    if params.process_id is not None and _alive(params.process_id):
        session.spawn(_watch_parent(session, params.process_id), "Watching the client's process")


async def initialized(session: Session, _params: Any) -> None:
    """Ask for what a client may be asked once it is ready."""
    await configuration.fetch(session)
    await workspace.register_watched_files(session)
    await configuration.register(session)


async def shutdown(session: Session, _params: Any) -> None:
    """End all work; the answer tells that it has ended."""
    protocol = session.server.protocol
    own: object = asyncio.current_task()
    for future in tuple(protocol._request_futures.values()):
        if future is not own:
            future.cancel()
    await session.close()


def exit_server(session: Session, _params: Any) -> None:
    """End the server: with 1 if it was not shut down before, as the protocol says."""
    protocol = session.server.protocol
    if protocol.end is not None:
        protocol.end(protocol.code_without_exit())


def _folders(params: types.InitializeParams) -> list[tuple[Path, str]]:
    if params.workspace_folders:
        uris = [folder.uri for folder in params.workspace_folders]
    elif params.root_uri:
        uris = [params.root_uri]
    elif params.root_path:
        uris = [uri_of(params.root_path)]
    else:
        uris = []
    return [(path, uri) for uri in uris if (path := path_of(uri)) is not None]


async def _watch_parent(session: Session, process: int) -> None:
    """End the server when the client's process is gone, even if its pipe is held by another."""
    while _alive(process):  # noqa: ASYNC110 - the system tells of no other's process
        await asyncio.sleep(PARENT_LOOKS)
    logger.warning("The client's process %d is gone.", process)
    exit_server(session, None)


def _alive(process: int) -> bool:
    """Whether a process is there, as far as it can be seen; always on Windows."""
    if os.name == "nt" or process <= 0:
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
