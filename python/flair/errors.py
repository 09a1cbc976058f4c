# SPDX-License-Identifier: Apache-2.0
"""What can go wrong, by what a caller can do about it.

Each class is one error kind of the core (src/base/result.h); the text is the command line's: one line that says
what, where and what to do. `hint` is the next step where the message does not say it.
"""


class Error(Exception):
    """Base of everything Flair raises on purpose."""

    def __init__(self, message, hint=""):
        super().__init__(f"{message}\nhint: {hint}" if hint else message)
        self.message, self.hint = message, hint


class InvalidArgument(Error, ValueError):
    """The caller asked for something meaningless."""


class NotFound(Error, LookupError):
    """The named thing does not exist."""


class IntegrityError(Error):
    """Stored or received bytes break their format, or a signature is false."""


class IoError(Error, OSError):
    """The operating system refused."""


class Unsupported(Error):
    """Well formed, but not something this build can do."""


class MappingError(Unsupported, TypeError):
    """A layer or tensor that has no counterpart in the other framework, by name."""


class Conflict(Error):
    """Somebody moved first, or the merge has conflicts (`conflicts`: one line each)."""

    def __init__(self, message, hint="", conflicts=()):
        super().__init__(message, hint)
        self.conflicts = list(conflicts)


class PolicyViolation(Error):
    """Refused by the repository's policy."""


class Unauthorised(Error, PermissionError):
    """No identity, or not one that may do this."""


class Unavailable(Error, ConnectionError):
    """A peer does not answer; trying again may help."""


class Cancelled(Error, KeyboardInterrupt):
    """Interrupted; the same call goes on where it stopped."""


class NoSpace(Error, OSError):
    """A disk or quota is full."""


class AlreadyExists(Error):
    """The name is taken."""


# ErrorCode of src/base/result.h -> class.
_BY_CODE = {1: InvalidArgument, 2: NotFound, 3: IntegrityError, 4: IntegrityError, 5: IoError, 6: Unsupported,
            7: Conflict, 8: PolicyViolation, 9: Unauthorised, 10: Unavailable, 11: Cancelled, 12: NoSpace,
            13: AlreadyExists}


def from_core(code, message, hint):
    """The exception for an error of the core; called by the extension."""
    return _BY_CODE.get(code, Error)(message, hint)
