"""covls's settings as the VS Code extension contributes them in its package.json."""

import json
from collections.abc import Mapping
from typing import Any

from covls.core.settings import all_settings, settings_schema
from scripts.vscode_protocol import camel

SERVER_TITLE = "Server"

# One server serves all folders, and these are for the machine it stands on.
_WINDOW = ("cache.", "ledger.")


def package_json(text: str) -> str:
    """The extension's package.json, with the settings that covls has now."""
    package: dict[str, Any] = json.loads(text)
    contributes = package["contributes"]
    own = [part for part in contributes["configuration"] if part["title"] != SERVER_TITLE]
    contributes["configuration"] = [*own, {"title": SERVER_TITLE, "properties": _properties()}]
    limited = package["capabilities"]["untrustedWorkspaces"]
    limited["restrictedConfigurations"] = [
        name
        for part in contributes["configuration"]
        for name, setting in part["properties"].items()
        if setting["scope"] == "machine-overridable"
    ]
    return json.dumps(package, indent=2, ensure_ascii=False) + "\n"


def _properties() -> dict[str, dict[str, Any]]:
    schema = settings_schema()
    found: dict[str, dict[str, Any]] = {}
    for setting in all_settings():
        if setting.about.client_only:
            continue
        scope = "window" if setting.path.startswith(_WINDOW) else "resource"
        if setting.about.restricted:
            scope = "machine-overridable"
        shape = dict(_at(schema, setting.path))
        description = shape.pop("description")
        found[f"covls.{camel(setting.path)}"] = {
            "markdownDescription": description,
            **_nullable(shape, setting.default),
            "scope": scope,
        }
    return found


def _at(schema: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    for name in path.split("."):
        schema = schema["properties"][name]
    return schema


def _nullable(shape: dict[str, Any], default: object) -> dict[str, Any]:
    """A schema that takes null, too, where the setting is unset by default."""
    if default is not None:
        return shape
    if "enum" in shape:
        return {**shape, "enum": [*shape["enum"], None], "default": None}
    return {**shape, "type": [shape["type"], "null"], "default": None}
