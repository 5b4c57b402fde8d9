"""The right to sweep a table, which one run has at a time: what a store of it does, for whoever adds one."""

from typing import NamedTuple, Protocol

# The servers' clocks are read in whole seconds. A lease lasts one more than was asked for, so that it is never over
# early in anybody's eyes, whether the second of the one clock is cut and that of the other rounded up.
GRAIN_SECONDS = 1


class Lease(NamedTuple):
    """A lease that is the caller's now.

    Attributes:
        scope: the table that it is for, `account/region/table`.
        holder: the id of the run that has it.
        until: the UNIX second of the store's clock from which on another may take it.
    """

    scope: str
    holder: str
    until: int


class Held(NamedTuple):
    """Why there is no lease: another run has it.

    Attributes:
        holder: the id of that run.
        until: the UNIX second of the store's clock from which on the lease can be taken over, unless it is renewed.
    """

    holder: str
    until: int


class LeaseStore(Protocol):
    """Keeps the leases of any number of tables, at most one of each.

    The time is the store's own. This machine's clock, which may be hours off, neither ends another run's lease nor
    makes its own longer. Threads may share a store. Every method raises LedgerError where the store cannot be reached,
    read or written; it names the store and the way out.

    Attributes:
        location: the store as the user calls it, for example `dynamodb://janitor-state`.
    """

    location: str

    def take(self, scope: str, holder: str, seconds: int) -> Lease | Held:
        """Take the lease if nobody has it, if whoever had it has let its time pass, or if it is the holder's already.

        Of several that try at once one gets it. A try whose answer was lost has taken it all the same.

        Args:
            scope: the table, `account/region/table`.
            holder: the run's id, which no other run has.
            seconds: how long it lasts from now on.
        """

    def holder(self, scope: str) -> Held | None:
        """Who has the lease at present; None for nobody. Nothing is made or written, not even the store."""

    def renew(self, scope: str, holder: str, seconds: int) -> bool:
        """Let the lease last so many seconds from now on, or longer where it did already.

        One whose time has passed is renewed too, as long as nobody has taken it over.

        Returns:
            False where it is not the holder's any more.
        """

    def release(self, scope: str, holder: str) -> None:
        """Give the lease back, if it is the holder's; that of another stays."""
