"""The error that a user sees: what is wrong, where, and what to do next."""


class WorkbookError(Exception):
    """An error that the user can act on.

    ``message`` names the file, key, line or command that is wrong. ``hint`` is the next
    step. ``log`` holds longer evidence, such as the last lines of a log, which a terminal
    shows below the message.
    """

    def __init__(self, message: str, *, hint: str = "", log: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.log = log

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.message, self.hint, self.log)

    def __str__(self) -> str:
        parts = [self.message]
        if self.log:
            parts.append(self.log.rstrip())
        if self.hint:
            parts.append(f"Next step: {self.hint}")
        return "\n".join(parts)


def _rebuild(kind: type[WorkbookError], message: str, hint: str, log: str) -> WorkbookError:
    return kind(message, hint=hint, log=log)
