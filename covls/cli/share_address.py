"""How a command comes to its share, and what it may tell it."""

import os

from covls.adapters.share import HEADER, HttpShare, Share, ShareError, open_share
from covls.cli.invocation import Invocation, SettingsError
from covls.cli.project_data import warn
from covls.project import Project


def share_of(invocation: Invocation, project: Project, given: str | None, option: str) -> Share:
    """The share that was typed, or else the one of the settings. Raises SettingsError.

    An address out of a workspace that is not trusted is not told the header of the environment: it
    may be anybody's.
    """
    address = given or project.settings.share.url
    if address is None:
        raise SettingsError(
            f"No share is known: name one with {option}, or as `share.url` in the settings."
        )
    told = given is not None or invocation.trusted is True
    try:
        share = open_share(
            address,
            project.root,
            project.settings,
            trusted=invocation.trusted is not False,
            with_header=told,
        )
    except ShareError as error:
        raise SettingsError(str(error)) from error
    if not told and isinstance(share, HttpShare) and os.environ.get(HEADER):
        warn(
            f"{HEADER} is not sent, as the address is the workspace's own word: name it "
            f"with {option}, or say --trusted"
        )
    return share
