"""The client's settings: asked for where it can be asked, else taken as it sends them."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lsprotocol import types

from covls.core.settings import Layer, client_layer
from covls.server.session import Session

logger = logging.getLogger(__name__)

SECTION = "covls"


async def fetch(session: Session, sent: object = None) -> None:
    """Get the settings of each folder. `sent` are those that came along with a notification."""
    layers: dict[Path | None, Layer] = {}
    if isinstance(sent, Mapping):
        layers[None] = client_layer(sent, SECTION)
    if session.capabilities.configuration:
        scopes: list[Path | None] = [None, *session.folders]
        items = [
            types.ConfigurationItem(
                scope_uri=None if scope is None else session.folder_uris[scope], section=SECTION
            )
            for scope in scopes
        ]
        answer = await session.request(
            session.server.workspace_configuration_async(types.ConfigurationParams(items=items))
        )
        for scope, values in zip(scopes, answer or (), strict=False):
            if isinstance(values, Mapping):
                layers[scope] = client_layer(values, SECTION)
    changed = layers != session.client_settings
    session.client_settings = layers
    was_configured = session.configured.is_set()
    session.configured.set()
    if changed and was_configured:
        session.configuration_changed()


async def did_change(session: Session, params: types.DidChangeConfigurationParams) -> None:
    """Take over new settings, live."""
    await fetch(session, params.settings)


async def register(session: Session) -> None:
    """Ask to be told of changes, where the client tells only who asks."""
    if session.capabilities.registers_configuration:
        options: Any = types.DidChangeConfigurationRegistrationOptions(section=SECTION)
        registration = types.Registration(
            id="covls-configuration",
            method=types.WORKSPACE_DID_CHANGE_CONFIGURATION,
            register_options=options,
        )
        params = types.RegistrationParams(registrations=[registration])
        await session.request(session.server.client_register_capability_async(params))
