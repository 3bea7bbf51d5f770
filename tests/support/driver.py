"""A Node process that answers requests, one line each: the Python side of `driver.cjs`."""

from __future__ import annotations

import json
import queue
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Any

from support.node import Node, NodeError

_SCRIPT = Path(__file__).with_name("driver.cjs")


class Driver:
    """Asks `driver.cjs`; the process starts at the first request and again after one that hung or died."""

    def __init__(self, node: Node, *, timeout: float = 60) -> None:
        self._node = node
        self._timeout = timeout
        self._process: subprocess.Popen[str] | None = None
        self._answers: queue.Queue[str | None] = queue.Queue()
        self._stderr = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115, closed by close()

    def ask(self, task: str, **request: object) -> Any:
        """The value that the task answers with; `NodeError` if it failed or did not answer in time."""
        process = self._running()
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps({"task": task, **request}) + "\n")
            process.stdin.flush()
            line = self._answers.get(timeout=self._timeout)
        except (OSError, queue.Empty) as error:
            self._end()
            raise NodeError(f"{task}: no answer within {self._timeout} s\n{self._said()}") from error
        if line is None:
            self._end()
            raise NodeError(f"{task}: Node ended\n{self._said()}")
        answer = json.loads(line)
        if "error" in answer:
            raise NodeError(f"{task}: {answer['error']['stack'] or answer['error']['message']}")
        if isinstance(answer["value"], dict) and answer["rejections"]:
            answer["value"]["rejections"] = answer["rejections"]
        return answer["value"]

    def close(self) -> None:
        self._end()
        self._stderr.close()

    def _running(self) -> subprocess.Popen[str]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._answers = queue.Queue()
        self._process = subprocess.Popen(
            # tsx, because users' migrations need it: Node strips types, but does not turn them into CommonJS.
            [self._node.binary, "--import", self._tsx(), _SCRIPT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            text=True,
            encoding="utf-8",
            env=self._node.environment({"TSX_DISABLE_CACHE": "1", "NO_COLOR": "1"}),
        )
        threading.Thread(target=_read, args=(self._process, self._answers), daemon=True).start()
        return self._process

    def _tsx(self) -> str:
        return (self._node.project / "node_modules" / "tsx" / "dist" / "loader.mjs").as_uri()

    def _end(self) -> None:
        if self._process is not None:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.kill()
            self._process.wait()
            self._process.stdin.close()
        self._process = None

    def _said(self) -> str:
        self._stderr.seek(0)
        return self._stderr.read()[-4000:]


def _read(process: subprocess.Popen[str], answers: queue.Queue[str | None]) -> None:
    assert process.stdout is not None
    with process.stdout as lines:
        for line in lines:
            answers.put(line)
    answers.put(None)
