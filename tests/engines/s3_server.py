"""Run an S3 server (moto) for tests, in memory and on a free loopback port."""

from __future__ import annotations

import contextlib
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT
from tests.support.servers import free_port, running

PROGRAM = ROOT / ".venv-s3" / "bin" / "moto_server"
SECRET = "wJalr/XUtn+FEMI=K7MDENG bPxRfiCY%41"  # shows if it is quoted or decoded wrongly


@dataclass(frozen=True)
class S3Server:
    """A running server, which accepts any login at first."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def settings(self, bucket: str) -> dict[str, str]:
        """The environment variables for a bucket on this server."""
        return {
            "WAREHOUSE_TARGET": "files",
            "WAREHOUSE_FILES": f"s3://{bucket}/tracker/raw",
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def create_bucket(self, name: str) -> None:
        self._send("PUT", f"/{name}")

    @contextlib.contextmanager
    def checking_logins(self) -> Iterator[None]:
        """Accept only logins that were created."""
        self._send("POST", "/moto-api/reset-auth", b"0")
        try:
            yield
        finally:
            self._send("POST", "/moto-api/reset-auth", b"inf")

    def login_without_rights(self) -> dict[str, str]:
        """A valid login without any rights."""
        import botocore.session

        iam = botocore.session.get_session().create_client(
            "iam",
            region_name="us-east-1",
            endpoint_url=self.url,
            aws_access_key_id="owner",
            aws_secret_access_key="owner",
        )
        iam.create_user(UserName="reader")
        key = iam.create_access_key(UserName="reader")["AccessKey"]
        return {
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        }

    def _send(self, method: str, path: str, body: bytes = b"") -> None:
        headers = {"Content-Type": "text/plain"}
        request = urllib.request.Request(self.url + path, body, headers, method=method)
        urllib.request.urlopen(request).close()


@contextlib.contextmanager
def s3_server(folder: Path) -> Iterator[S3Server]:
    """Run a server; its log is in `folder`."""
    port = free_port()
    with running([PROGRAM, "-H", "127.0.0.1", "-p", port], port, folder / "s3.log"):
        yield S3Server(port)
