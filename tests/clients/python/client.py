"""Signs up, posts, hearts and reads notifications with the package that openapi-python-client generates."""

import sys
from typing import TypeVar

from grateful_client import AuthenticatedClient, Client
from grateful_client.api.auth import sign_up
from grateful_client.api.hearts import add_heart
from grateful_client.api.notifications import (
    get_notification_summary,
    list_notifications,
    mark_notification_read,
)
from grateful_client.api.posts import create_post
from grateful_client.models import NewAccount, NewPost, Problem
from grateful_client.types import Response

Body = TypeVar("Body")


def expect(status: int, response: Response[Problem | Body]) -> Body:
    """The body of a response that must have this status."""
    assert response.status_code == status, response.content
    assert response.parsed is not None and not isinstance(response.parsed, Problem)
    return response.parsed


def expect_problem(status: int, response: Response[Problem | Body]) -> Problem:
    """The body of an error that must have this status."""
    assert response.status_code == status, response.content
    assert isinstance(response.parsed, Problem)
    return response.parsed


def sign_up_as(base_url: str, username: str) -> tuple[int, AuthenticatedClient]:
    body = NewAccount(username=username, email=f"{username}@example.org", password="correct horse")
    account = expect(201, sign_up.sync_detailed(client=Client(base_url), body=body)).data
    assert account.username == username
    return account.id, AuthenticatedClient(base_url, token=account.access_token)


def main(base_url: str) -> None:
    ana_id, ana = sign_up_as(base_url, "ana-python")
    ben_id, ben = sign_up_as(base_url, "ben-python")

    body = NewPost(content="For the bus driver who waited.")
    post = expect(201, create_post.sync_detailed(client=ana, body=body))
    assert post.author.id == ana_id
    assert post.content == body.content
    assert post.title is None
    # mypy reports that a member of a closed set never equals another string, and that an `ignore` is not needed.
    assert post.post_type != "unknown"  # type: ignore[comparison-overlap]
    assert post.post_type == "spontaneous"

    heart = expect(201, add_heart.sync_detailed(post.id, client=ben))
    assert (heart.hearts_count, heart.is_hearted, heart.post_id) == (1, True, post.id)
    again = expect_problem(409, add_heart.sync_detailed(post.id, client=ben))
    assert again.error.code != "unknown"  # type: ignore[comparison-overlap]
    assert again.error.code == "already_exists"
    assert again.detail == "Post already hearted by user"

    notifications = expect(200, list_notifications.sync_detailed(client=ana, limit=10, unread_only=True))
    (notification,) = notifications
    assert notification.type_ != "unknown"  # type: ignore[comparison-overlap]
    assert notification.type_ == "like"
    assert notification.post_id == post.id
    assert notification.data.post_id == post.id
    assert notification.from_user.id == str(ben_id)
    assert not notification.read

    assert expect(200, mark_notification_read.sync_detailed(notification.id, client=ana)).success
    summary = expect(200, get_notification_summary.sync_detailed(client=ana))
    assert (summary.unread_count, summary.total_count) == (0, 1)


if __name__ == "__main__":
    main(sys.argv[1])
