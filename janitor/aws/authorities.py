"""The certificates that a variable or a profile names for a proxy, or a host, with an authority of its own."""

import errno
import os
import ssl
from collections.abc import Mapping
from typing import NamedTuple, Self

from janitor.tokens.printable import printable

# In the order in which botocore looks.
VARIABLES = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE")


class Authorities(NamedTuple):
    """A file of certificates.

    Attributes:
        named_by: the variable, or what else names it.
        path: the file's.
    """

    named_by: str
    path: str

    @classmethod
    def of(cls, environment: Mapping[str, str], *, profile: tuple[str, str] | None = None) -> Self | None:
        """The file that counts; None where nobody names one.

        Args:
            environment: the variables.
            profile: the name of the AWS profile in use, and what its `ca_bundle` says, if that is known.
        """
        first, second = VARIABLES
        if first in environment:
            return cls(first, environment[first])
        if profile is not None:
            name, path = profile
            return cls(f"ca_bundle of the AWS profile {printable(name)}", path)
        return cls(second, environment[second]) if second in environment else None

    def flaw(self) -> str | None:
        """What is wrong with the file, in a sentence; None where it holds certificates."""
        if not self.path.strip():
            return f"{self.named_by} is empty"
        shown = f"{self.named_by}: {printable(self.path)}"
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(self.path)
        except ssl.SSLError:
            return f"{shown} holds no certificates that can be read"
        except OSError as error:
            is_folder = os.path.isdir(self.path)  # noqa: PTH112  # a path as it was given
            why = os.strerror(errno.EISDIR if is_folder else error.errno or errno.EIO)
            return f"{shown} cannot be read: {why}"
        except ValueError:
            return f"{self.named_by} is not a path"
        return None
