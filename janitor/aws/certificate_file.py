"""The file of CA certificates that a variable or a profile names, for a proxy or a host with a private authority."""

import errno
import os
import ssl
from collections.abc import Mapping
from typing import NamedTuple, Self

from janitor.tokens.printable import printable

# In the order in which botocore looks.
CERTIFICATE_VARIABLES = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE")


class CertificateFile(NamedTuple):
    """A file of CA certificates.

    Attributes:
        named_by: the variable or the setting that names the file.
        path: the file's path.
    """

    named_by: str
    path: str

    @classmethod
    def of(cls, environment: Mapping[str, str], *, profile: tuple[str, str] | None = None) -> Self | None:
        """Return the file to use; None if none is named.

        Args:
            environment: the environment variables.
            profile: the name of the AWS profile in use and its `ca_bundle`; None if it has none.
        """
        first, second = CERTIFICATE_VARIABLES
        if first in environment:
            return cls(first, environment[first])
        if profile is not None:
            name, path = profile
            return cls(f"ca_bundle of the AWS profile {printable(name)}", path)
        return cls(second, environment[second]) if second in environment else None

    def find_flaw(self) -> str | None:
        """Say in a sentence what is wrong with the file; None if it holds certificates."""
        if not self.path.strip():
            return f"{self.named_by} is empty"
        file = f"{self.named_by}: {printable(self.path)}"
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(self.path)
        except ssl.SSLError:
            return f"{file} holds no certificates that can be read"
        except OSError as error:
            is_folder = os.path.isdir(self.path)  # noqa: PTH112  # a path as it was given
            why = os.strerror(errno.EISDIR if is_folder else error.errno or errno.EIO)
            return f"{file} cannot be read: {why}"
        except ValueError:
            return f"{self.named_by} is not a path"
        return None
