import pytest
from botocore.exceptions import ClientError

from janitor.aws.errors import translate_error

WHO = "User: arn:aws:iam::0:user/u is not authorized to perform: dynamodb:Scan"
DENIED = "dynamodb:Scan on the table t was denied; allow dynamodb:Scan on it"


@pytest.mark.parametrize(
    ("code", "message", "sentence"),
    [
        (
            "AccessDeniedException",
            f"{WHO} because no identity-based policy allows the dynamodb:Scan action",
            f"{DENIED} to arn:aws:iam::0:user/u",
        ),
        (
            "AccessDeniedException",
            f"{WHO} on resource: arn:aws:dynamodb:us-east-1:0:table/t with an explicit deny in a policy",
            f"{DENIED} to arn:aws:iam::0:user/u (with an explicit deny in a policy)",
        ),
        ("AccessDenied", "no", f"{DENIED} (no)"),
        ("AccessDenied", "", DENIED),
        (
            "NoSuchBucket",
            "It is not there",
            "the table t: there is no such bucket; check the name, --region and the account",
        ),
    ],
)
def test_what_aws_answers_is_said_once_with_the_way_out(code: str, message: str, sentence: str) -> None:
    error = ClientError({"Error": {"Code": code, "Message": message}}, "Scan")
    assert str(translate_error(error, "dynamodb:Scan", "the table t")) == sentence
