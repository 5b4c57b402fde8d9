"""Where notices, memories and deleted rows go."""

import time
from pathlib import Path
from uuid import uuid4

from janitor.doctor.needs import Needs
from janitor.doctor.table import Session
from janitor.errors import ConfigurationError, JanitorError, StoreError
from janitor.report.checkup import Check, amiss, passed, raised, skipped
from janitor.settings.doctor import DoctorCommand
from janitor.settings.parsers import Folder, S3Prefix
from janitor.settings.store_url import DynamoDbUrl, SqliteUrl
from janitor.sinks.s3_object import S3Object
from janitor.sinks.sns import Topic
from janitor.store.create_table import create_table
from janitor.temporary import temporary_folder
from janitor.wiring.archives import keeps_no_archive
from janitor.wiring.fingerprint_key import secret_in
from janitor.wiring.notices import check_state
from janitor.wiring.places import ARCHIVE_FOLDER, is_folder, is_taken, state_directory, why_no_file, why_not_writable
from janitor.wiring.stores import store_for

TOPIC, STATE, ARCHIVE = "topic", "state", "archive"
FINGERPRINT_KEY, TEMPORARY_FILES = "fingerprint-key", "temporary-files"

# Of no table: what a check leaves in the store stands apart from what runs remember.
_SCOPE = "doctor"


def topic_check(arn: str | None, session: Session) -> Check:
    """Whether the topic takes notices, as far as can be told without a message to anybody."""
    if arn is None:
        return skipped(TOPIC, "not asked for: no --sns-topic-arn")
    if session.aws is None or session.why_not is not None:
        return skipped(TOPIC, session.why_not or "")
    try:
        problem: JanitorError | None = Topic(session.aws.sns, arn, lambda _: False).problem()
    except JanitorError as error:
        problem = error
    if problem is not None:
        return raised(TOPIC, problem, needed=True)
    return passed(TOPIC, f"{arn}: nothing speaks against it, and nothing was published")


def state_check(given: DoctorCommand, session: Session) -> Check:
    """Whether runs can remember; makes the state table where that was asked for."""
    url = given.state.state_url
    if url is None and given.doctor.sns_topic_arn is None:
        return skipped(STATE, "not asked for: neither --state-url nor a topic")
    if session.aws is None or (isinstance(url, DynamoDbUrl) and session.why_not is not None):
        return skipped(STATE, session.why_not or "")
    aws = session.aws
    try:
        check_state(given.state)
        store = store_for(given.state, lambda: aws)
    except ConfigurationError as error:
        return raised(STATE, error, needed=True)
    try:
        if given.doctor.create_state and isinstance(url, DynamoDbUrl):
            create_table(session.aws.dynamodb, url.table)
        store.prove(_SCOPE, ["one", "another"], int(time.time()))
    except StoreError as error:
        return raised(STATE, error, needed=True)
    found = f"{store.location} can be read and written"
    if isinstance(url, SqliteUrl) and not url.path.is_absolute():
        way_out = "give that path, from the root on"
        return amiss(
            STATE, f"{found}; a run that is started in another folder remembers elsewhere", way_out, needed=False
        )
    return passed(STATE, found)


def archive_check(needs: Needs, given: DoctorCommand, session: Session) -> Check:
    """Whether rows can be kept before they are deleted. Leaves nothing behind."""
    archive = given.doctor.archive
    if archive is None and not needs.plans:
        return skipped(ARCHIVE, f"not asked for: {needs.command} keeps none")
    if keeps_no_archive(given.doctor):
        return skipped(ARCHIVE, "not asked for: --no-archive, so there is no way back")
    if isinstance(archive, S3Prefix):
        return _bucket(archive, session, needed=needs.plans)
    if isinstance(archive, Path) and not is_folder(archive):
        if is_taken(archive):
            return amiss(ARCHIVE, f"{archive} exists already", "give a new file, or a folder", needed=needs.plans)
        archive = archive.parent
    folder = archive.path if isinstance(archive, Folder) else archive
    try:
        return _folder(folder or state_directory("--archive") / ARCHIVE_FOLDER, needed=needs.plans)
    except ConfigurationError as error:
        return raised(ARCHIVE, error, needed=needs.plans)


def fingerprint_key_check(path: Path | None) -> Check:
    """Whether the file with the key of the fingerprints can be used."""
    if path is None:
        return skipped(FINGERPRINT_KEY, "not asked for: no --fingerprint-key-file")
    try:
        secret_in(path)
    except ConfigurationError as error:
        return raised(FINGERPRINT_KEY, error, needed=True)
    return passed(FINGERPRINT_KEY, f"{path} holds a secret")


def temporary_files_check(needs: Needs, given: DoctorCommand) -> Check:
    """Whether there is a folder for temporary files: a plan goes there, and what is to be remembered."""
    is_needed = needs.plans or given.state.state_url is not None or given.doctor.sns_topic_arn is not None
    try:
        folder = temporary_folder()
    except ConfigurationError as error:
        return raised(TEMPORARY_FILES, error, needed=is_needed)
    return passed(TEMPORARY_FILES, f"{folder} can be written", needed=is_needed)


def _bucket(place: S3Prefix, session: Session, *, needed: bool) -> Check:
    """Begin an upload and abort it, which asks for the permission to write and shows nothing.

    Without the permission to abort it stays, empty; nobody sees it, and it costs nothing.
    """
    if session.aws is None or session.why_not is not None:
        return skipped(ARCHIVE, session.why_not or "")
    parent = place.prefix if place.prefix in {"", "/"} or place.prefix.endswith("/") else f"{place.prefix}/"
    upload = S3Object(
        session.aws.s3, place.bucket, f"{parent}janitor-doctor-{uuid4().hex}.ndjson", "application/x-ndjson"
    )
    try:
        upload.open()
    except JanitorError as error:
        return raised(ARCHIVE, error, needed=needed)
    finally:
        upload.discard()
    return passed(
        ARCHIVE, f"s3://{place.bucket}/{parent} takes objects: an upload was begun, and no object made", needed=needed
    )


def _folder(folder: Path, *, needed: bool) -> Check:
    """Write a file without a name, which goes when it is closed, where the archive would be."""
    way_out = "give --archive a path in a folder that can be written"
    problem = why_not_writable(folder) or why_no_file(folder)
    if problem is not None:
        return amiss(ARCHIVE, problem, way_out, needed=needed)
    made = "" if is_folder(folder) else ", where it is made with the first archive"
    return passed(ARCHIVE, f"{folder} can be written{made}", needed=needed)
