"""`janitor token fingerprint`: print the fingerprint of a token, without contacting AWS."""

import click

from janitor.cli.options import takes
from janitor.settings.token_add import FingerprintSettings


@click.command("fingerprint", short_help="Print the fingerprint of a token on standard input.")
@click.argument("words", nargs=-1, metavar="")
@takes(FingerprintSettings)
def command(settings: FingerprintSettings, words: tuple[str, ...]) -> int:
    """Read a token from standard input, and print its fingerprint. Nothing is sent anywhere.

    \b
    Examples:
      janitor token fingerprint
      printf %s "$TOKEN" | janitor token fingerprint

    The fingerprint is the same in classic and in hashed tables. Without a key file it is what
    `printf %s "$TOKEN" | sha256sum | cut -c1-12` prints. At a terminal the token is asked for, without an echo.
    """
    from janitor.errors import ExitCode
    from janitor.lifecycle.token_input import read_token, refuse_arguments
    from janitor.tokens.fingerprint import compute_token_fingerprint

    refuse_arguments(words)
    fingerprint_key = None
    if settings.fingerprint_key_file is not None:
        from janitor.wiring.policy import read_fingerprint_key

        fingerprint_key = read_fingerprint_key(settings.fingerprint_key_file)
    click.echo(compute_token_fingerprint(read_token("token"), fingerprint_key))
    return ExitCode.DONE
