"""What botocore reads of AWS's services, read once for a whole process: otherwise half of what a short run costs."""

from collections.abc import Iterable

import botocore.session
from botocore.loaders import Loader


def share_the_models(services: Iterable[str] = ()) -> None:
    """Let every session that is made from here on share what the others have read, these services already now."""
    session = botocore.session.Session()
    loader = session.get_component("data_loader")
    make_another = botocore.session.create_loader

    def create_loader(search_path_string: str | None = None) -> Loader:
        return make_another(search_path_string) if search_path_string else loader

    botocore.session.create_loader = create_loader
    for service in services:
        session.create_client(service, region_name="us-east-1")
