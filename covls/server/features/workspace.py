"""Folders that come and go, and files that change behind the editor's back."""

from pathlib import Path

from lsprotocol import types

from covls.server.convert import path_of
from covls.server.features import configuration, failed_tests
from covls.server.root import CONFIGURATION_FILES
from covls.server.session import Session

WATCHED = (*(f"**/{name}" for name in CONFIGURATION_FILES), "**/*.py", "**/.coverage*")


async def did_change_folders(
    session: Session, params: types.DidChangeWorkspaceFoldersParams
) -> None:
    """Take folders in and out; each file finds the root it then belongs to."""
    removed = {path_of(folder.uri) for folder in params.event.removed}
    folders = [(path, session.folder_uris[path]) for path in session.folders if path not in removed]
    for folder in params.event.added:
        path = path_of(folder.uri)
        if path is not None:
            folders.append((path, folder.uri))
    session.set_folders(folders)
    # A folder may have settings of its own.
    await configuration.fetch(session)


def did_change_watched_files(session: Session, params: types.DidChangeWatchedFilesParams) -> None:
    """Look again where settings, data or open sources changed."""
    open_paths = {document.path: document for document in session.documents.values()}
    settings_changed = False
    data_changed = python_changed = False
    for change in params.changes:
        path = path_of(change.uri)
        if path is None:
            continue
        settings_changed = settings_changed or path.name in CONFIGURATION_FILES
        data_changed = data_changed or path.name.startswith(".coverage")
        if document := open_paths.get(path):
            session.file_changed(document)
        elif path.suffix == ".py":
            session.other_file_changed(path)
            python_changed = True
    if python_changed:
        failed_tests.show_all_closed(session)
    if settings_changed or data_changed:
        for root in session.roots.values():
            if settings_changed or root.settings.watch.mode != "off":
                session.look(root)
        # Data or settings of its own may have made a folder a root.
        if _could_move(session, params):
            session.find_roots_anew()


def _could_move(session: Session, params: types.DidChangeWatchedFilesParams) -> bool:
    """Whether a file appeared or went away, where it may decide what is a root."""
    folders: set[Path] = set()
    for change in params.changes:
        path = path_of(change.uri)
        if path is not None and change.type != types.FileChangeType.Changed:
            folders.add(path.parent)
    return any(
        document.path.is_relative_to(folder)
        for document in session.documents.values()
        for folder in folders
    )


async def register_watched_files(session: Session) -> None:
    """Ask for changes of files, where the client watches for servers."""
    if session.capabilities.registers_watched_files:
        watchers = [types.FileSystemWatcher(glob_pattern=pattern) for pattern in WATCHED]
        registration = types.Registration(
            id="covls-files",
            method=types.WORKSPACE_DID_CHANGE_WATCHED_FILES,
            register_options=types.DidChangeWatchedFilesRegistrationOptions(watchers=watchers),
        )
        params = types.RegistrationParams(registrations=[registration])
        await session.request(session.server.client_register_capability_async(params))
