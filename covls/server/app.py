"""The server put together: which feature answers which message, all in one place."""

from collections.abc import Callable
from functools import partial
from typing import Any

from lsprotocol import types

from covls.server import messages, progress
from covls.server.features import (
    code_actions,
    code_lens,
    commands,
    configuration,
    diagnostics,
    documents,
    file_coverage,
    hover,
    inlay_hint,
    lifecycle,
    priorities,
    project_coverage,
    project_tests,
    run_on_save,
    statements,
    status,
    tests_at,
    workspace,
)
from covls.server.protocol import Server
from covls.server.session import Session
from covls.server.transport import Read, Write, serve

FEATURES: dict[str, Callable[..., Any]] = {
    types.INITIALIZE: lifecycle.initialize,
    types.INITIALIZED: lifecycle.initialized,
    types.SHUTDOWN: lifecycle.shutdown,
    types.EXIT: lifecycle.exit_server,
    types.TEXT_DOCUMENT_DID_OPEN: documents.did_open,
    types.TEXT_DOCUMENT_DID_CHANGE: documents.did_change,
    types.TEXT_DOCUMENT_DID_SAVE: documents.did_save,
    types.TEXT_DOCUMENT_DID_CLOSE: documents.did_close,
    types.TEXT_DOCUMENT_HOVER: hover.hover,
    types.TEXT_DOCUMENT_CODE_LENS: code_lens.code_lens,
    types.TEXT_DOCUMENT_INLAY_HINT: inlay_hint.inlay_hint,
    types.WORKSPACE_EXECUTE_COMMAND: commands.execute,
    types.WORKSPACE_DID_CHANGE_CONFIGURATION: configuration.did_change,
    types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS: workspace.did_change_folders,
    types.WORKSPACE_DID_CHANGE_WATCHED_FILES: workspace.did_change_watched_files,
    types.WINDOW_WORK_DONE_PROGRESS_CANCEL: progress.cancel,
    messages.FILE_COVERAGE: file_coverage.file_coverage,
    messages.PROJECT_COVERAGE: project_coverage.project_coverage,
    messages.PRIORITIES: priorities.priorities,
    messages.TESTS_AT: tests_at.tests_at,
    messages.STATEMENTS: statements.statements,
    messages.PROJECT_TESTS: project_tests.project_tests,
}
"""Code actions are registered with their kinds; pulled diagnostics by `lifecycle.initialize`, if
the client can be refreshed."""


def create_server() -> Server:
    """A server with every feature, for one client."""
    server = Server()
    session = Session(server)
    for method, feature in FEATURES.items():
        server.feature(method)(partial(feature, session))
    commands.announce(session)
    code_actions.register(session)
    session.on_shown += [diagnostics.show, file_coverage.show, code_lens.show, inlay_hint.show]
    session.on_shown += [hover.prepare]
    session.on_status += [status.tell, run_on_save.obey]
    server.on_close = session.close
    return server


def run(read: Read, write: Write) -> int:
    """Serve one client until it is done or gone; returns the exit code."""
    return serve(create_server().protocol, read, write)
