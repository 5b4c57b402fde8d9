"""What botocore reads and works out for every session anew, once for a process: half of what a short run costs."""

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import botocore.hooks
import botocore.session
from botocore.loaders import Loader

# Handlers of events of which is remembered whether they take any arguments; botocore has some hundreds.
HANDLERS = 1_000


def share_the_models(services: Iterable[str] = ()) -> None:
    """Let every session that is made from here on share what the others have read, these services already now."""
    _share_event_names()
    session = botocore.session.Session()
    loader = session.get_component("data_loader")
    make_another = botocore.session.create_loader

    def create_loader(search_path_string: str | None = None) -> Loader:
        return make_another(search_path_string) if search_path_string else loader

    botocore.session.create_loader = create_loader
    for service in services:
        session.create_client(service, region_name="us-east-1")


def _share_event_names() -> None:
    """Remember what the events of old names are called now, and which handlers take any arguments."""
    known: dict[str, str] = {}
    initialize = botocore.hooks.EventAliaser.__init__
    look_up = functools.lru_cache(HANDLERS)(botocore.hooks.accepts_kwargs)

    def initialize_with_known(self: Any, event_emitter: Any, event_aliases: Mapping[str, str] | None = None) -> None:
        initialize(self, event_emitter, event_aliases)
        self._alias_name_cache = known

    def accepts_kwargs(func: Callable[..., Any]) -> Any:
        return look_up(getattr(func, "__func__", func))

    botocore.hooks.EventAliaser.__init__ = initialize_with_known  # type: ignore[method-assign]
    botocore.hooks.accepts_kwargs = accepts_kwargs
