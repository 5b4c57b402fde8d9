"""AWS sessions and clients, made with botocore: boto3 adds nothing that a run needs, and takes long to import."""

import re
import threading
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import botocore.session
import msgspec
from botocore.config import Config
from botocore.configprovider import ConfiguredEndpointProvider
from botocore.credentials import AssumeRoleCredentialFetcher
from botocore.exceptions import BotoCoreError

from janitor.aws.certificate_file import CertificateFile
from janitor.aws.credentials import install_credential_provider, install_role, may_ask_person
from janitor.aws.errors import CREDENTIALS_WAY_OUT, STATEMENT_THROTTLES, THROTTLES, aws_errors
from janitor.dynamodb.clock import ServerClock
from janitor.dynamodb.decode import DECODED, BatchAnswer, FastParserFactory
from janitor.errors import ConfigurationError
from janitor.tokens.redact import remove_login

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_ssm import SSMClient

# How often one request is sent, the first time included, unless AWS_MAX_ATTEMPTS or the profile says otherwise.
# botocore's own defaults differ by version.
_ATTEMPTS = 5
_CONNECT_SECONDS = 5
_READ_SECONDS = 20
_TABLE = "JanitorTable"
_REGION = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?").fullmatch


class AwsAccess(msgspec.Struct, frozen=True, kw_only=True):
    """How to reach AWS, as in the AWS CLI.

    Attributes:
        region, profile, role_arn: the options of these names; None leaves the choice to botocore.
        endpoint_url: the endpoint of every service, unless `environment` names another one for a service.
        environment: the environment variables, for example `AWS_ENDPOINT_URL_<SERVICE>`.
        connections: how many requests run at once.
        version: the program's version, for the user agent.
    """

    region: str | None = None
    profile: str | None = None
    role_arn: str | None = None
    endpoint_url: str | None = None
    environment: Mapping[str, str] = msgspec.field(default_factory=dict)
    connections: int = 10
    version: str = ""


class Traffic(msgspec.Struct):
    """How many requests were sent, counted from the answers, retries included. Thread-safe."""

    requests: int = 0
    throttled: int = 0
    _lock: threading.Lock = msgspec.field(default_factory=threading.Lock)

    def count(self, parsed_response: Mapping[str, Any] | None) -> bool:
        """Count one send, and return whether any part of it was throttled; `parsed_response` is None for no answer."""
        is_throttled = _is_throttled(parsed_response or {})
        self.add(1, int(is_throttled))
        return is_throttled

    def add(self, requests: int, throttled: int) -> None:
        """Count requests that another process sent for this one, and how many of them were throttled."""
        with self._lock:
            self.requests += requests
            self.throttled += throttled


def _is_throttled(parsed_response: Mapping[str, Any]) -> bool:
    answers = parsed_response.get(DECODED)
    if isinstance(answers, BatchAnswer):
        # The status 200 says nothing about the statements of a batch.
        return any(
            answer.error is not None and answer.error.code in STATEMENT_THROTTLES for answer in answers.responses
        )
    return (parsed_response.get("Error") or {}).get("Code") in THROTTLES


class AwsSession:
    """The clients of one run. They share credentials, limits and the traffic count.

    Attributes:
        traffic: what was sent through these clients.
        clock: DynamoDB's clock, kept by the dates of its answers.
        on_throttle: called for each send that DynamoDB throttled in whole or in part, retries included, with the
            operation and the table; the table is None if the request had a raw body.
    """

    def __init__(self, access: AwsAccess, *, models_of: "AwsSession | None" = None) -> None:
        """Open a session; nothing is sent yet.

        Args:
            access: how to reach AWS.
            models_of: an open session whose service models this one shares. They take several megabytes, and a fifth
                of a second to read.

        Raises:
            ConfigurationError: the profile does not exist, there is no region, or a variable, a profile or a file is
                wrong.
            CredentialsError: the source of the credentials for a role gives none.
        """
        self.traffic = Traffic()
        self.clock = ServerClock()
        self.on_throttle: Callable[[str, str | None], None] = lambda _operation, _table: None
        self._access = access
        with aws_errors("opening a session"):
            self._core = botocore.session.Session(profile=access.profile)
            self._core.get_scoped_config()  # fails here, and not at the first lookup, if the profile is missing
            if models_of is not None:
                data_loader = models_of._core.get_component("data_loader")  # noqa: SLF001  # the same class
                self._core.register_component("data_loader", data_loader)
            # The AWS CLI reads AWS_REGION; botocore alone does not.
            region = access.region or access.environment.get("AWS_REGION")
            if region is not None:
                self._core.set_config_variable("region", region)
            self.region: str = self._core.get_config_variable("region")
        if not self.region:
            raise ConfigurationError("no region is set", "give --region NAME, or set AWS_REGION", "no-region")
        if not _REGION(self.region):
            # botocore would look up its endpoints, and complain about those instead.
            raise ConfigurationError(f"{self.region!a} is not a region", "check --region and AWS_REGION", "region")
        self._attempts = self._configured_attempts()
        self._core.register_component("response_parser_factory", FastParserFactory())
        self._check_certificate_file()
        install_credential_provider(self._core, self.region, access.environment)
        if access.role_arn:
            self._assume(access.role_arn)

    @property
    def may_ask_person(self) -> bool:
        """Whether the profile may take an answer from a person, whom no process without a terminal can ask."""
        return may_ask_person(self._core)

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """A client for DynamoDB that decodes pages itself. Thread-safe."""
        client: DynamoDBClient = self._client("dynamodb")
        client.meta.events.register("provide-client-params.dynamodb", _put_table_into_context)
        client.meta.events.register("response-received.dynamodb", self._handle_response)
        return client

    @cached_property
    def ssm(self) -> "SSMClient":
        """A client for the Parameter Store."""
        client: SSMClient = self._client("ssm")
        return client

    @cached_property
    def s3(self) -> "S3Client":
        """A client for S3."""
        client: S3Client = self._client("s3")
        return client

    @cached_property
    def sns(self) -> "SNSClient":
        """A client for SNS."""
        client: SNSClient = self._client("sns")
        return client

    def endpoint(self, service: str) -> str | None:
        """Return the endpoint that was set for the service, without user name and password; None for AWS's own."""
        url = self._endpoint_url(service)
        return None if url is None else remove_login(url)

    def _handle_response(
        self,
        response_dict: Mapping[str, Any] | None,
        parsed_response: Mapping[str, Any] | None,
        context: Mapping[str, Any],
        event_name: str,
        **_: object,
    ) -> None:
        if response_dict is not None:
            self.clock.note_date(response_dict["headers"].get("date"))
        if self.traffic.count(parsed_response):
            self.on_throttle(event_name.rpartition(".")[2], context.get(_TABLE))

    def _client(self, service: str) -> Any:
        url = self._endpoint_url(service)
        # A failure here has its own message; a bare ValueError further down can then only be about the endpoint.
        self._core.get_credentials()
        with aws_errors(f"opening a client for {service}"):
            try:
                return self._core.create_client(service, endpoint_url=url, config=self._config())
            except BotoCoreError:
                raise
            except ValueError:
                raise _endpoint_error(url) from None

    def _config(self) -> Config:
        return Config(
            retries={"mode": "standard", "total_max_attempts": self._attempts},
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            max_pool_connections=self._access.connections,
            # Built once here: botocore would build its own anew for every request, a sixth of a request's cost.
            user_agent=f"token-janitor/{self._access.version} {self._core.user_agent()}",
            # janitor writes the requests, and DynamoDB checks them.
            parameter_validation=False,
        )

    def _check_certificate_file(self) -> None:
        path = self._core.get_scoped_config().get("ca_bundle")
        profile = None if path is None else (self._core.profile or "default", path)
        certificates = CertificateFile.of(self._access.environment, profile=profile)
        if certificates is not None and (flaw := certificates.find_flaw()) is not None:
            raise ConfigurationError(flaw, "name a file with certificates, or unset it", "ca-bundle")

    def _configured_attempts(self) -> int:
        try:
            return max(1, int(self._core.get_config_variable("max_attempts") or _ATTEMPTS))
        except ValueError:
            sentence = "AWS_MAX_ATTEMPTS, or max_attempts of the profile, is not a number"
            raise ConfigurationError(sentence, "set it to 1 or more", "max-attempts") from None

    def _endpoint_url(self, service: str) -> str | None:
        # botocore's own rule, with --endpoint-url in place of AWS_ENDPOINT_URL.
        environment = dict(self._access.environment)
        if self._access.endpoint_url:
            environment["AWS_ENDPOINT_URL"] = self._access.endpoint_url
        elif self._core.get_config_variable("ignore_configured_endpoint_urls"):
            return None
        url: str | None = ConfiguredEndpointProvider(
            self._core.full_config, self._core.get_scoped_config(), service, environ=environment
        ).provide()
        return url

    def _assume(self, role_arn: str) -> None:
        source = botocore.session.Session(profile=self._access.profile)
        source.register_component("data_loader", self._core.get_component("data_loader"))
        install_credential_provider(source, self.region, self._access.environment)
        credentials = source.get_credentials()
        if credentials is None:
            raise ConfigurationError("no AWS credentials to assume a role with", CREDENTIALS_WAY_OUT, "no-credentials")

        def client(service: str, **arguments: Any) -> Any:
            endpoint = self._endpoint_url(service)
            return source.create_client(service, region_name=self.region, endpoint_url=endpoint, **arguments)

        fetcher = AssumeRoleCredentialFetcher(
            client, credentials, role_arn, extra_args={"RoleSessionName": "token-janitor"}
        )
        install_role(self._core, fetcher, role_arn)


def _put_table_into_context(params: Mapping[str, Any], context: dict[str, Any], **_: object) -> None:
    """Keep the table's name with the request: requests for several tables go through the same client."""
    context[_TABLE] = params.get("TableName")


def _endpoint_error(url: str | None) -> ConfigurationError:
    if url is None:
        sentence = "a value of the AWS configuration is of the wrong type"
        return ConfigurationError(sentence, "check the variables that begin with AWS_, and the profile", "endpoint")
    public = url if "@" not in url and "?" not in url else f"…{url.rpartition('@')[2].partition('?')[0]}"
    return ConfigurationError(
        f"{public!a} is not an endpoint", "give --endpoint-url a URL like http://localhost:8000", "endpoint"
    )
