"""The store of what runs remember, and of the lease of a table."""

from janitor.cli.places import state_directory
from janitor.config.output import NoticeSettings, StateSettings
from janitor.dynamodb.client import Aws
from janitor.dynamodb.locate import Table
from janitor.ledger.dynamodb import DynamoDbLedger
from janitor.ledger.dynamodb_lease import DynamoDbLeaseStore
from janitor.ledger.interface import Ledger
from janitor.ledger.lease import LeaseStore
from janitor.ledger.sqlite import SqliteLedger
from janitor.ledger.sqlite_lease import SqliteLeaseStore
from janitor.ledger.url import DynamoDbUrl, SqliteUrl
from janitor.run.lease_keeper import LeaseKeeper

STATE_FILE = "state.sqlite"


def scope_of(table: Table) -> str:
    """What a store knows a table by: `account/region/table`."""
    return f"{table.account_id or '-'}/{table.region}/{table.name}"


def has_store(state: StateSettings, notices: NoticeSettings) -> bool:
    """Whether runs remember anything: where a store is named, or a topic, which needs one."""
    return state.state_url is not None or notices.sns_topic_arn is not None


def ledger_for(state: StateSettings, aws: Aws) -> Ledger:
    """The store that the settings name, or the one in the state directory; not opened."""
    match _url(state):
        case DynamoDbUrl(table):
            return DynamoDbLedger(aws.dynamodb, table)
        case SqliteUrl(path):
            return SqliteLedger(path)


def lease_for(state: StateSettings, notices: NoticeSettings, aws: Aws, table: Table, run_id: str) -> LeaseKeeper | None:
    """The lease of the table, not taken yet; None where nothing keeps it."""
    if not has_store(state, notices):
        return None
    store: LeaseStore
    match _url(state):
        case DynamoDbUrl(name):
            store = DynamoDbLeaseStore(aws.dynamodb, name)
        case SqliteUrl(path):
            store = SqliteLeaseStore(path)
    return LeaseKeeper(store, scope_of(table), run_id)


def _url(state: StateSettings) -> SqliteUrl | DynamoDbUrl:
    return state.state_url or SqliteUrl(state_directory() / STATE_FILE)
