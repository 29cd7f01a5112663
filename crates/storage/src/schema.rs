//! The tables as Diesel sees them. `tests/schema.rs` compares them with a migrated database.

diesel::table! {
    users (id) {
        id -> Int8,
        email -> Text,
        username -> Text,
        hashed_password -> Text,
        bio -> Nullable<Text>,
        profile_image_url -> Nullable<Text>,
        created_at -> Timestamptz,
        display_name -> Nullable<Varchar>,
        city -> Nullable<Varchar>,
        institutions -> Nullable<Jsonb>,
        websites -> Nullable<Jsonb>,
        location -> Nullable<Jsonb>,
        profile_photo_filename -> Nullable<Varchar>,
        profile_preferences -> Nullable<Jsonb>,
        followers_count -> Int8,
        following_count -> Int8,
        posts_count -> Int8,
        public_posts_count -> Int8,
        deleted_at -> Nullable<Timestamptz>,
        search_name -> Nullable<Text>,
        username_changed_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    released_usernames (username) {
        username -> Text,
        user_id -> Nullable<Int8>,
        released_at -> Timestamptz,
    }
}

diesel::table! {
    sessions (id) {
        id -> Uuid,
        user_id -> Int8,
        token_hash -> Bytea,
        created_at -> Timestamptz,
        last_used_at -> Timestamptz,
        expires_at -> Timestamptz,
        user_agent -> Nullable<Text>,
    }
}

diesel::table! {
    posts (id) {
        id -> Uuid,
        author_id -> Int8,
        title -> Nullable<Text>,
        content -> Text,
        post_type -> Text,
        image_url -> Nullable<Text>,
        location -> Nullable<Text>,
        is_public -> Bool,
        created_at -> Timestamptz,
        updated_at -> Nullable<Timestamptz>,
        hearts_count -> Int4,
        reactions_count -> Int4,
        shares_count -> Int4,
        comments_count -> Int4,
        rank -> Float8,
        deleted_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    likes (id) {
        id -> Uuid,
        user_id -> Int8,
        post_id -> Uuid,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    emoji_reactions (id) {
        id -> Uuid,
        user_id -> Int8,
        post_id -> Uuid,
        emoji_code -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    shares (id) {
        id -> Uuid,
        user_id -> Int8,
        post_id -> Uuid,
        share_method -> Text,
        message_content -> Nullable<Text>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    share_recipients (share_id, user_id) {
        share_id -> Uuid,
        user_id -> Int8,
    }
}

diesel::table! {
    comments (id) {
        id -> Uuid,
        author_id -> Int8,
        post_id -> Uuid,
        parent_id -> Nullable<Uuid>,
        content -> Text,
        created_at -> Timestamptz,
        updated_at -> Nullable<Timestamptz>,
        deleted_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    follows (id) {
        id -> Uuid,
        follower_id -> Int8,
        followed_id -> Int8,
        status -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    notifications (user_id, id) {
        id -> Uuid,
        user_id -> Int8,
        actor_id -> Nullable<Int8>,
        #[sql_name = "type"]
        kind -> Varchar,
        title -> Nullable<Varchar>,
        message -> Nullable<Text>,
        data -> Nullable<Jsonb>,
        priority -> Text,
        read -> Bool,
        read_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        last_updated_at -> Timestamptz,
        closed_at -> Nullable<Timestamptz>,
        parent_id -> Nullable<Uuid>,
        is_batch -> Bool,
        batch_count -> Int4,
        actor_count -> Int4,
        batch_key -> Nullable<Varchar>,
        act -> Nullable<Text>,
        post_id -> Nullable<Uuid>,
        comment_id -> Nullable<Uuid>,
        seq -> Int8,
    }
}

diesel::table! {
    inboxes (user_id) {
        user_id -> Int8,
        last_seq -> Int8,
        forgotten_seq -> Int8,
        unread_count -> Int8,
        total_count -> Int8,
    }
}

diesel::table! {
    notification_removals (user_id, seq) {
        user_id -> Int8,
        seq -> Int8,
        notification_id -> Uuid,
        removed_at -> Timestamptz,
    }
}

diesel::table! {
    withdrawn_notifications (user_id, actor_id, act) {
        user_id -> Int8,
        actor_id -> Int8,
        act -> Text,
        notification_id -> Uuid,
        created_at -> Timestamptz,
        read_at -> Nullable<Timestamptz>,
        parent_id -> Nullable<Uuid>,
        withdrawn_at -> Timestamptz,
    }
}

diesel::table! {
    suppressed_notifications (user_id, actor_id, act) {
        user_id -> Int8,
        actor_id -> Int8,
        act -> Text,
        reason -> Text,
        suppressed_at -> Timestamptz,
    }
}

diesel::table! {
    notification_quotas (user_id, kind) {
        user_id -> Int8,
        #[sql_name = "type"]
        kind -> Varchar,
        window_opened_at -> Timestamptz,
        held_back -> Int8,
        actor_ids -> Array<Int8>,
    }
}

diesel::table! {
    stream_tickets (ticket_hash) {
        ticket_hash -> Bytea,
        session_id -> Uuid,
        expires_at -> Timestamptz,
    }
}

diesel::table! {
    idempotency_keys (user_id, key) {
        user_id -> Int8,
        key -> Varchar,
        fingerprint -> Bytea,
        claim -> Uuid,
        claimed_at -> Timestamptz,
        answer -> Nullable<Bytea>,
    }
}

diesel::table! {
    marks (user_id) {
        user_id -> Int8,
        lsn -> Int8,
    }
}

diesel::table! {
    mark_epochs (id) {
        id -> Bool,
        lsn -> Int8,
    }
}

diesel::table! {
    failed_logins (email_hash) {
        email_hash -> Bytea,
        full_at -> Timestamptz,
    }
}

diesel::table! {
    location_cache (query_hash, max_results) {
        query_hash -> Bytea,
        max_results -> Int2,
        locations -> Json,
        stored_at -> Timestamptz,
    }
}

diesel::table! {
    geocoder_throttle (id) {
        id -> Bool,
        next_slot -> Timestamptz,
    }
}

diesel::table! {
    background_jobs (id) {
        id -> Uuid,
        kind -> Text,
        user_id -> Nullable<Int8>,
        other_user_id -> Nullable<Int8>,
        post_id -> Nullable<Uuid>,
        comment_id -> Nullable<Uuid>,
        max_seq -> Nullable<Int8>,
        requested_at -> Timestamptz,
    }
}

diesel::table! {
    daily_jobs (name) {
        name -> Text,
        done_at -> Nullable<Timestamptz>,
        claim -> Nullable<Uuid>,
        claimed_at -> Nullable<Timestamptz>,
    }
}

diesel::joinable!(posts -> users (author_id));
diesel::joinable!(likes -> users (user_id));
diesel::joinable!(emoji_reactions -> users (user_id));
diesel::joinable!(comments -> users (author_id));
diesel::allow_tables_to_appear_in_same_query!(
    users,
    released_usernames,
    sessions,
    posts,
    likes,
    emoji_reactions,
    shares,
    share_recipients,
    comments,
    follows,
    notifications,
    inboxes,
    notification_removals,
    withdrawn_notifications,
    suppressed_notifications,
    notification_quotas,
    stream_tickets,
    idempotency_keys,
    marks,
    mark_epochs,
);
