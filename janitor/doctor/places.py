"""Where a run writes: the topic, the state store, the archive, temporary files; and its key file."""

import time
from pathlib import Path
from uuid import uuid4

from janitor.doctor.needs import Needs
from janitor.doctor.table import Session
from janitor.errors import ConfigurationError, JanitorError, StoreError
from janitor.report.checkup import Check, error_check, failed_check, passed_check, skipped_check
from janitor.settings.doctor import DoctorCommand, DoctorSettings
from janitor.settings.output import NoticeSettings
from janitor.settings.parsers import Folder, S3Prefix
from janitor.settings.store_url import DynamoDbUrl, SqliteUrl
from janitor.sinks.s3_object import S3Object
from janitor.sinks.sns import Topic
from janitor.store.create_table import create_table
from janitor.temporary import temporary_folder
from janitor.wiring.archives import ANOTHER_PLACE, keeps_no_archive
from janitor.wiring.destinations import check_destinations, list_destinations
from janitor.wiring.places import (
    ARCHIVE_FOLDER,
    find_state_directory,
    is_folder,
    is_taken,
    why_not_writable,
    why_write_fails,
)
from janitor.wiring.policy import read_fingerprint_key
from janitor.wiring.stores import check_state, open_store

_TOPIC, _SERVICES, _STATE, _ARCHIVE = "topic", "services", "state", "archive"
_FINGERPRINT_KEY, _TEMPORARY_FILES = "fingerprint-key", "temporary-files"

# No table is called so: what a check writes to the store does not mix with what runs remember.
_SCOPE = "doctor"


def examine_topic(arn: str | None, session: Session) -> Check:
    """Check that the topic can be used, as far as that shows without publishing a message."""
    if arn is None:
        return skipped_check(_TOPIC, "not asked for: no --sns-topic-arn")
    if session.aws is None or session.skip_reason is not None:
        return skipped_check(_TOPIC, session.skip_reason or "")
    try:
        problem: JanitorError | None = Topic(session.aws.sns, arn, lambda _: False).find_problem()
    except JanitorError as error:
        problem = error
    if problem is not None:
        return error_check(_TOPIC, problem, needed=True)
    return passed_check(_TOPIC, f"{arn}: no problem was found, and nothing was published")


def examine_services(doctor: DoctorSettings) -> list[Check]:
    """Check that Apprise knows the services, and the file of owners' addresses; empty if neither is asked for."""
    if not doctor.notify and doctor.owner_address is None:
        return []
    notices = NoticeSettings(notify=doctor.notify, owner_address=doctor.owner_address)
    try:
        check_destinations(notices)
        labels = [destination.label for destination in list_destinations(notices)]
    except ConfigurationError as error:
        return [error_check(_SERVICES, error, needed=True)]
    found = f"{', '.join(labels)}: known, and nothing was sent" if labels else "the owners' addresses can be read"
    return [passed_check(_SERVICES, found)]


def examine_state(settings: DoctorCommand, session: Session) -> Check:
    """Check that the state store can be read and written; with --create-state, create its table first.

    A dry run only reads.
    """
    url = settings.state.state_url
    if url is None and settings.doctor.sns_topic_arn is None and not settings.doctor.notify:
        return skipped_check(_STATE, "not asked for: neither --state-url nor a topic")
    if session.aws is None or (isinstance(url, DynamoDbUrl) and session.skip_reason is not None):
        return skipped_check(_STATE, session.skip_reason or "")
    aws, is_dry_run = session.aws, settings.doctor.dry_run
    try:
        check_state(settings.state)
        store = open_store(settings.state, lambda: aws, is_dry_run=is_dry_run)
    except ConfigurationError as error:
        return error_check(_STATE, error, needed=True)
    try:
        if settings.doctor.create_state and isinstance(url, DynamoDbUrl) and not is_dry_run:
            create_table(session.aws.dynamodb, url.table)
        store.prove(_SCOPE, ["one", "another"], int(time.time()))
    except StoreError as error:
        return error_check(_STATE, error, needed=True)
    found = f"{store.location} can be read{'; a dry run does not try to write' if is_dry_run else ' and written'}"
    if isinstance(url, SqliteUrl) and not url.path.is_absolute():
        way_out = "give an absolute path"
        return failed_check(
            _STATE, f"{found}; a run that starts in another folder uses another file", way_out, needed=False
        )
    return passed_check(_STATE, found)


def examine_archive(needs: Needs, settings: DoctorCommand, session: Session) -> Check:
    """Check that rows can be archived before they are deleted. Leaves nothing behind."""
    archive = settings.doctor.archive
    if archive is None and not needs.plans:
        return skipped_check(_ARCHIVE, f"not asked for: {needs.command} writes none")
    if keeps_no_archive(settings.doctor):
        return skipped_check(_ARCHIVE, "not asked for: --no-archive, so deleted rows cannot be restored")
    if isinstance(archive, S3Prefix):
        return _examine_bucket(archive, session, needed=needs.plans)
    if isinstance(archive, Path) and not is_folder(archive):
        if is_taken(archive):
            return failed_check(
                _ARCHIVE, f"{archive} exists already", "give a new file, or a folder", needed=needs.plans
            )
        archive = archive.parent
    folder = archive.path if isinstance(archive, Folder) else archive
    try:
        return _examine_folder(folder or find_state_directory("--archive") / ARCHIVE_FOLDER, needed=needs.plans)
    except ConfigurationError as error:
        return error_check(_ARCHIVE, error, needed=needs.plans)


def examine_fingerprint_key(path: Path | None) -> Check:
    """Check the file with the key of the fingerprints."""
    if path is None:
        return skipped_check(_FINGERPRINT_KEY, "not asked for: no --fingerprint-key-file")
    try:
        read_fingerprint_key(path)
    except ConfigurationError as error:
        return error_check(_FINGERPRINT_KEY, error, needed=True)
    return passed_check(_FINGERPRINT_KEY, f"{path} holds a secret")


def examine_temporary_files(needs: Needs, settings: DoctorCommand) -> Check:
    """Check the folder for temporary files, which a plan and changes to the state store need."""
    is_needed = needs.plans or settings.state.state_url is not None or settings.doctor.sns_topic_arn is not None
    try:
        folder = temporary_folder()
    except ConfigurationError as error:
        return error_check(_TEMPORARY_FILES, error, needed=is_needed)
    return passed_check(_TEMPORARY_FILES, f"{folder} can be written", needed=is_needed)


def _examine_bucket(place: S3Prefix, session: Session, *, needed: bool) -> Check:
    """Begin an upload and abort it, which needs the permission to write and makes no object.

    Without the permission to abort, the empty upload stays; it is not listed as an object, and costs nothing.
    """
    if session.aws is None or session.skip_reason is not None:
        return skipped_check(_ARCHIVE, session.skip_reason or "")
    parent = place.prefix if place.prefix in {"", "/"} or place.prefix.endswith("/") else f"{place.prefix}/"
    upload = S3Object(
        session.aws.s3, place.bucket, f"{parent}janitor-doctor-{uuid4().hex}.ndjson", "application/x-ndjson"
    )
    try:
        upload.open()
    except JanitorError as error:
        return error_check(_ARCHIVE, error, needed=needed)
    finally:
        upload.discard()
    return passed_check(
        _ARCHIVE, f"s3://{place.bucket}/{parent} takes objects: an upload was begun, and no object made", needed=needed
    )


def _examine_folder(folder: Path, *, needed: bool) -> Check:
    """Write a file without a name, which vanishes when it is closed, where the archive would be."""
    problem = why_not_writable(folder, ANOTHER_PLACE) or why_write_fails(folder, ANOTHER_PLACE)
    if problem is not None:
        return failed_check(_ARCHIVE, *problem, needed=needed)
    made = "" if is_folder(folder) else ", where it is made with the first archive"
    return passed_check(_ARCHIVE, f"{folder} can be written{made}", needed=needed)
