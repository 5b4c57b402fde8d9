"""A row of the token table, decoded from DynamoDB JSON.

Every attribute is a `Value`: an object with one member named after its type (`S`, `N`, `BOOL`, …), see "Data type
descriptors" in the DynamoDB developer guide. Numbers stay text: DynamoDB returns up to 126 digits, and LISA compares
the exact number.
"""

import msgspec

from janitor.tokens import attribute_names

# DynamoDB's types, in words for a sentence.
KIND_WORDS = {
    "S": "text",
    "N": "a number",
    "B": "binary",
    "BOOL": "true or false",
    "NULL": "null",
    "L": "a list",
    "M": "a map",
    "SS": "a set of texts",
    "NS": "a set of numbers",
    "BS": "a set of binaries",
}


class Value(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One attribute: exactly one member is set. Its `repr` shows only the type, because it may be a bearer token."""

    S: str | None = None
    N: str | None = None
    BOOL: bool | None = None
    NULL: bool | None = None
    B: str | None = None
    L: "list[Value] | None" = None
    M: "dict[str, Value] | None" = None
    SS: list[str] | None = None
    NS: list[str] | None = None
    BS: list[str] | None = None

    @property
    def kind(self) -> str:
        """The type's name in DynamoDB (`S`, `N`, …); an empty string for an unknown type."""
        return next((kind for kind in KIND_WORDS if getattr(self, kind) is not None), "")

    @property
    def is_truthy(self) -> bool:
        """Whether boto3's Python value of this attribute is truthy, as in LISA's `if not item.get(…)`.

        A binary always is: `boto3.dynamodb.types.Binary` defines neither length nor truth value.
        """
        if self.S is not None:
            return self.S != ""
        if self.BOOL is not None:
            return self.BOOL
        if self.N is not None:
            return any(digit in "123456789" for digit in self.N.upper().partition("E")[0])
        return self.B is not None or any((self.L, self.M, self.SS, self.NS, self.BS))

    def __repr__(self) -> str:
        return f"Value({self.kind})"


class Text(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """An attribute that matters only if it is a text: None when it is of another type."""

    S: str | None = None

    def __repr__(self) -> str:
        return "Text(…)"


class Row(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The attributes of a row that janitor reads. Its `repr` never shows the key."""

    key: Text = msgspec.field(name=attribute_names.KEY)
    expiration: Value | None = msgspec.field(name=attribute_names.EXPIRATION, default=None)
    token_uuid: Value | None = msgspec.field(name=attribute_names.UUID, default=None)
    username: Text | None = None
    name: Text | None = None
    created_by: Text | None = msgspec.field(name=attribute_names.CREATED_BY, default=None)
    created_date: Value | None = msgspec.field(name=attribute_names.CREATED_DATE, default=None)
    groups: Value | None = None
    is_system: Value | None = msgspec.field(name=attribute_names.IS_SYSTEM, default=None)
    hold: Value | None = msgspec.field(name=attribute_names.HOLD, default=None)

    def __repr__(self) -> str:
        return "Row(…)"


_ROW = msgspec.json.Decoder(Row)


def decode_row(item: bytes | msgspec.Raw) -> Row:
    """Decode a row from DynamoDB JSON.

    Raises:
        ValueError: it is not a row, for example because it has no key `token`.
        RecursionError: it is nested too deeply.
    """
    return _ROW.decode(item)


class WholeNumberGlance(msgspec.Struct, gc=False):
    """An attribute as a whole number; 0 when it is of another type. Needs a decoder that reads numbers from texts."""

    N: int = 0


class TextGlance(msgspec.Struct, gc=False):
    """An attribute as a text; empty when it is of another type."""

    S: str = ""

    def __repr__(self) -> str:
        return "TextGlance(…)"


class _Text(msgspec.Struct, gc=False):
    S: str


class _WholeNumber(msgspec.Struct, gc=False):
    N: int


class _Truth(msgspec.Struct, gc=False):
    BOOL: bool


class _Texts(msgspec.Struct, gc=False):
    L: list[_Text]


class Glance(msgspec.Struct, gc=False):
    """The attributes that tell a plainly active row from one that has to be decoded whole.

    The first three are to be looked at. The others must be of the type in which LISA writes them: a row with another
    type cannot be decoded as a glance (`janitor.tokens.reasons` says what such a row does to LISA).
    Nearly every row of a healthy table is active, and a glance is much cheaper than the whole row.
    """

    expiration: WholeNumberGlance | None = msgspec.field(name=attribute_names.EXPIRATION, default=None)
    token_uuid: TextGlance | None = msgspec.field(name=attribute_names.UUID, default=None)
    key: TextGlance | None = msgspec.field(name=attribute_names.KEY, default=None)
    username: _Text | None = None
    name: _Text | None = None
    created_by: _Text | None = msgspec.field(name=attribute_names.CREATED_BY, default=None)
    created_date: _WholeNumber | None = msgspec.field(name=attribute_names.CREATED_DATE, default=None)
    groups: _Texts | None = None
    is_system: _Truth | None = msgspec.field(name=attribute_names.IS_SYSTEM, default=None)

    def __repr__(self) -> str:
        return "Glance(…)"


def describe_kind(value: Value) -> str:
    """Say of which type the attribute is, in words for a sentence."""
    return KIND_WORDS.get(value.kind, "of an unknown type")


def text_of(value: Value | Text | None) -> str | None:
    """Return the attribute's text, or None when it is missing or of another type."""
    return None if value is None else value.S


def read_groups(value: Value | None) -> tuple[str, ...] | None:
    """Return the groups of a row, those of a set in alphabetical order; None if they are no texts.

    LISA writes a list. Its authorizer refuses anything else, a set of texts too.
    """
    if value is None or value.NULL:
        return ()
    if value.SS is not None:
        return tuple(sorted(value.SS))
    if value.L is None:
        return None
    texts = tuple([entry.S for entry in value.L if entry.S is not None])
    return texts if len(texts) == len(value.L) else None


def is_truthy(value: Value | None) -> bool:
    """Whether the attribute is there and truthy in Python."""
    return value is not None and value.is_truthy
