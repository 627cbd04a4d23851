"""How other companies' services are called: with patience, and one kind of error."""

import json
import logging
import time
import urllib.error
import urllib.request
from abc import ABC, abstractmethod

logger = logging.getLogger(__name__)


class ServiceError(Exception):
    """A service did not do what it was asked to do."""


class Executor(ABC):
    tries = 3
    pause = 0.5
    timeout = 10

    @abstractmethod
    def run(self, subject):
        raise NotImplementedError

    def call(self, url, values=None, headers=None):
        body = None if values is None else json.dumps(values).encode()
        request = urllib.request.Request(url, body, headers or {})
        for attempt in range(1, self.tries + 1):
            try:
                with urllib.request.urlopen(request, timeout=self.timeout) as answer:
                    return answer.read()
            except urllib.error.HTTPError as error:
                if error.code < 500:
                    raise ServiceError(f"refused: {error.code}") from error
                logger.warning("%s failed with %s (%s)", url, error.code, attempt)
            except OSError as error:
                logger.warning("%s cannot be reached: %s (%s)", url, error, attempt)
            time.sleep(self.pause * attempt)
        raise ServiceError(f"no answer after {self.tries} attempts")

    def call_json(self, url, values=None, headers=None):
        answer = self.call(url, values, {"Content-Type": "application/json", **(headers or {})})
        try:
            return json.loads(answer)
        except ValueError as error:
            raise ServiceError("not understood") from error
