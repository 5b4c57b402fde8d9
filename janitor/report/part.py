"""What every part of a report is."""

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """A part of the report: no other keys, and no change once it is made."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_serialization_defaults_required=True)
