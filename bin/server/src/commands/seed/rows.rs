//! Converts a generated dataset to rows and loads it table by table, referenced tables first.

use grateful_domain::PasswordHash;
use grateful_seed::{Dataset, GeneratedHeart, GeneratedReaction, GeneratedUser};
use grateful_storage::{BulkLoad, BulkUser, NewHeart, NewReaction, StorageError};

use super::progress::Progress;

/// Loads the dataset.
pub(super) async fn load(
    bulk_load: &mut BulkLoad,
    dataset: &Dataset,
    password: &PasswordHash,
    progress: &Progress,
) -> Result<(), StorageError> {
    let users = dataset.users().map(|user| user_row(user, password));
    bulk_load.users(progress.track("users", users)).await?;
    bulk_load.posts(progress.track("posts", dataset.posts())).await?;
    bulk_load.follows(progress.track("follows", dataset.follows())).await?;
    bulk_load.hearts(progress.track("hearts", dataset.hearts().map(heart_row))).await?;
    bulk_load
        .emoji_reactions(progress.track("reactions", dataset.reactions().map(reaction_row)))
        .await?;
    bulk_load.shares(progress.track("shares", dataset.shares())).await?;
    bulk_load.comments(progress.track("comments", dataset.comments())).await?;
    bulk_load.inboxes(progress.track("inboxes", dataset.inboxes())).await?;
    bulk_load.suppressed_notifications(dataset.unrecorded()).await?;
    progress.finish();
    Ok(())
}

fn user_row(user: GeneratedUser, password: &PasswordHash) -> BulkUser {
    BulkUser {
        id: user.id,
        username: user.username,
        email: user.email,
        password: password.clone(),
        display_name: user.display_name,
        bio: user.bio,
        city: user.city,
        institutions: None,
        websites: None,
        location: None,
        photo: None,
        photo_url: None,
        preferences: user.preferences,
        created_at: user.joined_at,
        followers: user.followers,
        following: user.following,
        posts: user.posts,
        public_posts: user.public_posts,
    }
}

fn heart_row(GeneratedHeart { id, user, post, at }: GeneratedHeart) -> NewHeart {
    NewHeart { id, user, post, at }
}

fn reaction_row(GeneratedReaction { id, user, post, emoji, at }: GeneratedReaction) -> NewReaction {
    NewReaction { id, user, post, emoji, at }
}
