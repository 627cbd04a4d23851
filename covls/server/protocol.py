"""pygls' protocol, with covls's messages, and without what it does that we do not want."""

import json
import logging
import threading
from collections.abc import Callable
from typing import Any, cast

from cattrs import Converter
from lsprotocol import types
from pygls.exceptions import (
    JsonRpcException,
    JsonRpcInternalError,
    JsonRpcInvalidParams,
    JsonRpcInvalidRequest,
    JsonRpcParseError,
    JsonRpcServerNotInitialized,
)
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol, default_converter

from covls import __version__
from covls.server.messages import MESSAGES

logger = logging.getLogger(__name__)

OWN = (
    types.TEXT_DOCUMENT_DID_OPEN,
    types.TEXT_DOCUMENT_DID_CHANGE,
    types.TEXT_DOCUMENT_DID_CLOSE,
    types.NOTEBOOK_DOCUMENT_DID_OPEN,
    types.NOTEBOOK_DOCUMENT_DID_CHANGE,
    types.NOTEBOOK_DOCUMENT_DID_CLOSE,
    types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS,
    types.WORKSPACE_EXECUTE_COMMAND,
    types.WINDOW_WORK_DONE_PROGRESS_CANCEL,
    types.SHUTDOWN,
    types.EXIT,
)
"""What pygls handles itself and covls does in its place: its documents are kept by the session,
its commands and progress are checked and cancelled there, and its end has the right exit code."""


class Protocol(LanguageServerProtocol):
    """Messages between bytes and handlers; an `Endpoint` of the transport.

    What pygls leaves unanswered is answered here: a request that cannot be read, one before
    `initialize`, one after `shutdown`.
    """

    def __init__(self, server: "Server", converter: Any) -> None:
        super().__init__(server, converter)
        self._coverage_server = server
        for method in OWN:
            self.fm.builtin_features.pop(method, None)
        # The reader's and the writer's threads share the converter, which is not made for that.
        self._converting = threading.Lock()
        self._send: Callable[[object], None] | None = None
        self.end: Callable[[int], None] | None = None

    # From and to the transport

    def start(self, send: Callable[[object], None], end: Callable[[int], None]) -> None:
        """Take the functions that send a message and that end the server with an exit code."""
        self._send, self.end = send, end

    def parse(self, body: bytes) -> object | None:
        """A message from its body; None where it cannot be read, and was answered so."""
        try:
            data = json.loads(body.decode())
        except ValueError as error:
            logger.warning("The client sent what is not JSON: %s", error)
            self._send_data(_error(None, JsonRpcParseError(f"Not JSON: {error}")))
            return None
        if not isinstance(data, dict) or "jsonrpc" not in data:
            logger.warning("The client sent what is no message.")
            self._send_data(_error(None, JsonRpcInvalidRequest("No JSON-RPC message")))
            return None
        try:
            with self._converting:
                return self.structure_message(data)  # type: ignore[no-any-return]
        except JsonRpcException:
            method = str(data.get("method", "a response"))
            logger.warning("The client's %s cannot be understood.", method)
            if "id" in data and "method" in data:
                problem = JsonRpcInvalidParams(f"{method} has parameters of the wrong shape")
                self._send_data(_error(data["id"], problem))
            return None

    def serialise(self, message: object) -> bytes:
        """The body of a message; where it has none, of an error in its place."""
        try:
            with self._converting:
                return json.dumps(message, default=self._serialize_message).encode()
        except (TypeError, ValueError, AttributeError):
            logger.exception("A message cannot be written.")
            problem = JsonRpcInternalError("The answer cannot be written")
            error = _error(getattr(message, "id", None), problem)
            return json.dumps(error, default=self._serialize_message).encode()

    def handle(self, message: Any) -> None:
        """Handle a message that came in."""
        is_request = hasattr(message, "id") and hasattr(message, "method")
        method = getattr(message, "method", None)
        refusal: JsonRpcException | None = None
        if self._shutdown:
            refusal = JsonRpcInvalidRequest("The server is shutting down")
        elif self._workspace is None and method != types.INITIALIZE:
            refusal = JsonRpcServerNotInitialized("The server is not initialized")
        elif self._workspace is not None and method == types.INITIALIZE:
            refusal = JsonRpcInvalidRequest("The server is initialized already")
        if refusal is not None and method != types.EXIT:
            if is_request:
                self._send_data(_error(message.id, refusal))
            return
        try:
            # The server serves on, whatever one message does.
            self.handle_message(message)
            if method == types.SHUTDOWN:
                # Now, and not when its handler comes to run: `exit` may be the next message.
                self._shutdown = True
        except Exception:
            logger.exception("Handling %s failed.", method or "a response")

    async def close(self) -> None:
        """End all work, soon."""
        await self._coverage_server.close()

    def code_without_exit(self) -> int:
        """The exit code where the client went away without a word: right only after `shutdown`."""
        return 0 if self._shutdown else 1

    # What pygls does otherwise

    def get_message_type(  # type: ignore[override]  # pygls caches its own
        self, method: str
    ) -> type[Any] | None:
        """The type of a message, covls's own included."""
        return MESSAGES.get(method) or super().get_message_type(method)

    def _send_data(self, data: Any) -> None:
        if self._send is not None:
            self._send(data)

    def _handle_response(
        self, msg_id: Any, result: Any | None = None, error: types.ResponseError | None = None
    ) -> None:
        # pygls sets the result of a request that was given up meanwhile, and raises.
        future = self._request_futures.get(msg_id)
        if future is not None and future.done():
            del self._request_futures[msg_id]
            return
        super()._handle_response(msg_id, result, error)


class Server(LanguageServer):
    """pygls' server: where features are registered, and messages are sent from."""

    protocol: Protocol

    def __init__(self) -> None:
        super().__init__(
            "covls",
            __version__,
            # pygls edits its texts wrongly where there are form feeds, and keeps none here.
            text_document_sync_kind=types.TextDocumentSyncKind.Full,
            protocol_cls=Protocol,
            converter_factory=converter,
        )
        self.on_close: Callable[[], Any] | None = None

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Log an error; a client is told in answers, and never by a stream of messages."""
        if isinstance(error, JsonRpcException) and error.data:
            trace = "".join(error.data.get("traceback", ())) if isinstance(error.data, dict) else ""
            logger.error("%s: %s\n%s", source.__name__, error, trace)
        else:
            logger.warning("%s: %s", source.__name__, error)

    async def close(self) -> None:
        """End all work, soon."""
        if self.on_close is not None:
            await self.on_close()


def converter() -> Converter:
    """Pygls' converter, which writes down diagnostics faster: a long file has hundreds of them."""
    made: Converter = default_converter()  # type: ignore[no-untyped-call]
    in_general = made.get_unstructure_hook(types.Diagnostic)

    def plain(diagnostic: types.Diagnostic) -> dict[str, Any]:
        if diagnostic.tags or diagnostic.data is not None or diagnostic.code_description:
            return cast(dict[str, Any], in_general(diagnostic))
        found: dict[str, Any] = {"range": _plain_range(diagnostic.range)}
        if diagnostic.severity is not None:
            found["severity"] = diagnostic.severity.value
        if diagnostic.code is not None:
            found["code"] = diagnostic.code
        if diagnostic.source is not None:
            found["source"] = diagnostic.source
        found["message"] = diagnostic.message
        if diagnostic.related_information is not None:
            found["relatedInformation"] = [
                {
                    "location": {"uri": of.location.uri, "range": _plain_range(of.location.range)},
                    "message": of.message,
                }
                for of in diagnostic.related_information
            ]
        return found

    made.register_unstructure_hook(types.Diagnostic, plain)
    return made


def _plain_range(of: types.Range) -> dict[str, Any]:
    return {
        "start": {"line": of.start.line, "character": of.start.character},
        "end": {"line": of.end.line, "character": of.end.character},
    }


def _error(message_id: Any, problem: JsonRpcException) -> types.ResponseErrorMessage:
    return types.ResponseErrorMessage(id=message_id, error=problem.to_response_error())
