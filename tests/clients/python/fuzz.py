"""Sends generated requests to every operation: no 5xx, and only what the document describes."""

import subprocess
import sys
from pathlib import Path

from client import sign_up_as

# These end the session that sends the requests, do not end themselves, or ask another server.
EXCLUDED = [
    "delete_account",
    "log_out",
    "revoke_all_sessions",
    "stream_notifications",
    "search_locations",
]
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
]


def main(base_url: str) -> int:
    _, user = sign_up_as(base_url, "fuzzer")
    arguments = [
        f"--header=Authorization: Bearer {user.token}",
        "--phases=examples,fuzzing",
        "--max-examples=5",
        # The same requests in every run.
        "--generation-deterministic",
        "--suppress-health-check=all",
        "--warnings=off",
        "--no-color",
        "--checks=" + ",".join(CHECKS),
        *(f"--exclude-operation-id={operation}" for operation in EXCLUDED),
    ]
    schemathesis = Path(sys.executable).with_name("schemathesis")
    return subprocess.call([schemathesis, "run", f"{base_url}/openapi.json", *arguments])


sys.exit(main(sys.argv[1]))
