"""`covls.pull`: what CI measured, fetched to be shown.

Nothing runs for it. But it talks to an address, and tells that a header out of the environment: so
the address has to be the user's own, or that of a workspace that is trusted, as for all settings
that are restricted.
"""

from typing import Final

from pygls.exceptions import JsonRpcInvalidParams

from covls.server.convert import path_of
from covls.server.progress import Progress, with_progress
from covls.server.root import Root
from covls.server.session import Session

COMMAND: Final = "covls.pull"


async def pull(session: Session, folder: str | None = None) -> None:
    """Fetch what was measured of the commits that roots are at, or of one root. Does not wait."""
    roots = await _roots(session, folder)
    addresses = {root.folder: root.settings.share.url for root in roots}
    if not any(addresses.values()):
        session.warn(
            "There is no `share.url` in the settings to pull coverage from. One in a workspace's "
            "files counts where the workspace is trusted."
        )
        return
    for root in roots:
        address = addresses[root.folder]
        if address is not None and not root.pulling:
            root.pulling = True
            session.spawn(_pull(session, root, address), f"Pulling for {root.folder}")


async def _roots(session: Session, folder: str | None) -> list[Root]:
    if folder is None:
        for each in session.folders:
            await session.root_at_folder(each)
        return list(session.roots.values())
    path = path_of(folder)
    if path is None:
        raise JsonRpcInvalidParams(f"{COMMAND}: {folder!r} is not the URI of a folder")
    return [await session.root_at_folder(path)]


async def _pull(session: Session, root: Root, address: str) -> None:
    async def work(progress: Progress) -> str:
        return await session.in_thread(_fetched, root, address, progress)

    # What takes a network and much memory is imported where it is asked for.
    from covls.adapters.ancestors import NoCommitError
    from covls.adapters.share import ShareError
    from covls.project.pull import NothingPulledError

    try:
        session.inform(await with_progress(session, "Pulling coverage", work))
    except (NoCommitError, ShareError, NothingPulledError) as error:
        session.warn(str(error))
    except OSError as error:
        session.warn(f"What was found cannot be kept: {error}")
    finally:
        root.pulling = False
    session.look(root)


def _fetched(root: Root, address: str, progress: Progress) -> str:
    """Fetch, and say what."""
    from covls.adapters.share import open_share
    from covls.project.pull import pull as pull_data

    settings = root.settings
    share = open_share(
        address,
        root.folder,
        settings,
        trusted=settings.trusted is True,
        with_header=True,
    )
    done = pull_data(
        root.folder,
        share,
        max_mb=settings.share.max_mb,
        going_on=lambda: not progress.cancelled.is_set(),
    )
    before = f", {done.distance} before" if done.distance else ""
    return f"Coverage of commit {done.data.commit[:7]}{before}, from {share.shown}."
