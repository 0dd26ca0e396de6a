"""Errors of the operating system in the words of all messages: what is wrong, and what to do."""

from __future__ import annotations

import errno
import os

_REASONS = {
    errno.ENOSPC: "the disk is full; make room and run the command again",
    errno.EDQUOT: "your disk quota is used up; make room and run the command again",
    errno.EFBIG: "the file would be larger than this system allows",
    errno.EROFS: "the file system is read-only; specify another directory",
    errno.EACCES: "permission denied; correct the permissions, or specify a directory of your own",
    errno.EPERM: "operation not permitted; correct the permissions, or specify a directory of your own",
    errno.ENOTDIR: "a parent of the path is a file, not a directory",
    errno.EEXIST: "the path exists",
    errno.EISDIR: "the path is a directory, not a file",
    errno.ENAMETOOLONG: "the path is too long for this file system",
    errno.ELOOP: "too many symbolic links, or a link that pkigen does not follow",
    errno.EXDEV: "the environment spans several file systems (or layers of a container image);"
    " move all of it to one",
    errno.EMFILE: "this process has too many open files",
    errno.ENFILE: "too many files are open on this system",
    errno.EIO: "the disk reported an I/O error",
    errno.EADDRINUSE: "another program uses the port",
    errno.EADDRNOTAVAIL: "this machine has no such address",
}
"""Reasons and remedies by errno; for all others, the text of the operating system says enough."""


def reason_of(number: int) -> str:
    """Return the reason for an errno, with the remedy if there is one."""
    return os_error_reason(OSError(number, os.strerror(number)))


def os_error_reason(error: OSError) -> str:
    """Return the reason of an error of the operating system, with the remedy if there is one."""
    return _REASONS.get(error.errno or 0) or error.strerror or str(error) or type(error).__name__
