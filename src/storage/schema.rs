//! The tables. Compiled once for SQLite and once for PostgreSQL: the aliases in `types` give each column its own type there.
//!
//! Kept by hand, beside `migrations/`. A test selects every column of every table on both.

macro_rules! tables {
    ($($name:ident ($($key:ident),+) { $($column:ident -> $type:ty,)+ })+) => {
        $(diesel::table! {
            use diesel::sql_types::{BigInt, Binary, Bool, Date, Integer, Nullable, Text};
            use super::super::types::{Json, Tstz};
            $name ($($key),+) { $($column -> $type,)+ }
        })+
    };
}

tables! {
    users (id) {
        id -> BigInt,
        username -> Text,
        username_folded -> Text,
        email -> Nullable<Text>,
        email_folded -> Nullable<Text>,
        email_verified -> Bool,
        first_name -> Text,
        last_name -> Text,
        is_active -> Bool,
        date_joined -> Tstz,
        modified_at -> Tstz,
        social_accounts -> Integer,
    }
    last_sign_ins (user_id) {
        user_id -> BigInt,
        at -> Tstz,
    }
    social_auth (id) {
        id -> BigInt,
        user_id -> BigInt,
        provider -> Text,
        uid -> Text,
        client_id -> Nullable<Text>,
        email -> Nullable<Text>,
        email_verified -> Bool,
        extra_data -> Json,
        created_at -> Tstz,
        modified_at -> Tstz,
    }
    sessions (id) {
        id -> BigInt,
        user_id -> BigInt,
        social_auth_id -> Nullable<BigInt>,
        api_client_id -> Nullable<BigInt>,
        refresh_hash -> Binary,
        previous_hash -> Nullable<Binary>,
        rotated_at -> Nullable<Tstz>,
        created_at -> Tstz,
        authenticated_at -> Tstz,
        last_used_at -> Tstz,
        expires_at -> Tstz,
        address -> Nullable<Text>,
        user_agent -> Nullable<Text>,
        revoked_at -> Nullable<Tstz>,
        revoked_reason -> Nullable<Text>,
    }
    audit_log (id) {
        id -> BigInt,
        at -> Tstz,
        actor_kind -> Text,
        actor_id -> Nullable<BigInt>,
        action -> Text,
        reason -> Nullable<Text>,
        detail -> Nullable<Json>,
        user_id -> Nullable<BigInt>,
        social_auth_id -> Nullable<BigInt>,
        provider -> Nullable<Text>,
        uid -> Nullable<Text>,
        request_id -> Text,
        address -> Nullable<Text>,
    }
    nonces (hash) {
        hash -> Binary,
        expires_at -> Tstz,
        used_at -> Nullable<Tstz>,
    }
    link_tickets (hash) {
        hash -> Binary,
        user_id -> BigInt,
        provider -> Text,
        uid -> Text,
        payload -> Json,
        created_at -> Tstz,
        expires_at -> Tstz,
        redeemed_at -> Nullable<Tstz>,
    }
    unlinked_accounts (id) {
        id -> BigInt,
        user_id -> BigInt,
        social_auth_id -> BigInt,
        provider -> Text,
        uid -> Text,
        client_id -> Nullable<Text>,
        email -> Nullable<Text>,
        email_verified -> Bool,
        kept_data -> Json,
        linked_at -> Tstz,
        actor_kind -> Text,
        actor_id -> Nullable<BigInt>,
        reason -> Text,
        unlinked_at -> Tstz,
        expires_at -> Tstz,
        restored_at -> Nullable<Tstz>,
    }
    standing_orders (provider, uid) {
        provider -> Text,
        uid -> Text,
        kind -> Text,
        user_id -> BigInt,
        actor_kind -> Text,
        actor_id -> Nullable<BigInt>,
        reason -> Text,
        created_at -> Tstz,
        expires_at -> Tstz,
    }
    token_checks (social_auth_id) {
        social_auth_id -> BigInt,
        checked_at -> Tstz,
        outcome -> Nullable<Text>,
    }
    deactivations (user_id) {
        user_id -> BigInt,
        actor_kind -> Text,
        actor_id -> Nullable<BigInt>,
        reason -> Text,
        at -> Tstz,
    }
    api_clients (id) {
        id -> BigInt,
        client_id -> Text,
        title -> Text,
        secret_hash -> Nullable<Text>,
        is_active -> Bool,
        allowed_providers -> Nullable<Json>,
        allowed_intents -> Nullable<Json>,
        allowed_origins -> Nullable<Json>,
        scopes -> Json,
        created_at -> Tstz,
    }
    staff (id) {
        id -> BigInt,
        email -> Text,
        email_folded -> Text,
        display_name -> Text,
        role -> Text,
        password_hash -> Nullable<Text>,
        totp_secret -> Nullable<Text>,
        totp_last_step -> Nullable<BigInt>,
        must_have_second_factor -> Bool,
        is_active -> Bool,
        created_at -> Tstz,
        modified_at -> Tstz,
        last_sign_in_at -> Nullable<Tstz>,
    }
    staff_recovery_codes (hash) {
        hash -> Binary,
        staff_id -> BigInt,
        used_at -> Nullable<Tstz>,
    }
    staff_sessions (id) {
        id -> BigInt,
        staff_id -> BigInt,
        key_hash -> Nullable<Binary>,
        state -> Json,
        awaits_code -> Bool,
        authenticated_at -> Tstz,
        created_at -> Tstz,
        last_used_at -> Tstz,
        expires_at -> Tstz,
        address -> Nullable<Text>,
        user_agent -> Nullable<Text>,
        revoked_at -> Nullable<Tstz>,
        revoked_reason -> Nullable<Text>,
        provider -> Nullable<Text>,
    }
    staff_providers (provider, uid) {
        provider -> Text,
        uid -> Text,
        staff_id -> BigInt,
        created_at -> Tstz,
        last_used_at -> Tstz,
    }
    authorizations (state_hash) {
        state_hash -> Binary,
        browser_hash -> Binary,
        purpose -> Text,
        provider -> Text,
        staff_session_id -> Nullable<BigInt>,
        next -> Text,
        created_at -> Tstz,
        expires_at -> Tstz,
    }
    staff_links (hash) {
        hash -> Binary,
        staff_id -> Nullable<BigInt>,
        created_at -> Tstz,
        expires_at -> Tstz,
        used_at -> Nullable<Tstz>,
    }
    staff_throttles (key) {
        key -> Binary,
        failures -> BigInt,
        blocked_until -> Nullable<Tstz>,
        forget_at -> Tstz,
    }
    daily_counts (day, provider, action, reason) {
        day -> Date,
        provider -> Text,
        action -> Text,
        reason -> Text,
        count -> Integer,
    }
    hourly_counts (hour, provider, action, reason) {
        hour -> Tstz,
        provider -> Text,
        action -> Text,
        reason -> Text,
        count -> Integer,
    }
    audit_kinds (id) {
        id -> BigInt,
        actor_kind -> Text,
        actor_id -> BigInt,
        action -> Text,
        provider -> Text,
    }
    audit_blocks (kind_id, block) {
        kind_id -> BigInt,
        block -> BigInt,
    }
    audit_hours (hour) {
        hour -> Tstz,
        first_id -> BigInt,
        last_id -> BigInt,
    }
    provider_checks (period_at, provider, instance, kind) {
        period_at -> Tstz,
        provider -> Text,
        instance -> Text,
        kind -> Text,
        count -> Integer,
        first_at -> Tstz,
        last_at -> Tstz,
    }
    provider_latencies (period_at, provider, instance, bucket) {
        period_at -> Tstz,
        provider -> Text,
        instance -> Text,
        bucket -> Integer,
        count -> Integer,
    }
    provider_health (provider) {
        provider -> Text,
        accepted_at -> Nullable<Tstz>,
        outage_at -> Nullable<Tstz>,
        outage_kind -> Nullable<Text>,
    }
    upkeep_marks (name) {
        name -> Text,
        position -> BigInt,
    }
    user_blocks (block) {
        block -> BigInt,
        users -> BigInt,
        joined_from -> Nullable<Tstz>,
        joined_to -> Nullable<Tstz>,
    }
    social_auth_blocks (block) {
        block -> BigInt,
        accounts -> BigInt,
        associated_from -> Nullable<Tstz>,
        associated_to -> Nullable<Tstz>,
    }
    user_search (user_id) {
        user_id -> BigInt,
        text -> Text,
    }
    user_gaps (gap, user_id) {
        gap -> Text,
        user_id -> BigInt,
    }
    social_auth_index (social_auth_id) {
        social_auth_id -> BigInt,
        user_id -> BigInt,
        provider -> Text,
        expires_at -> Nullable<Text>,
        is_expired -> Bool,
    }
    webhook_deliveries (id) {
        id -> BigInt,
        webhook -> Text,
        event_id -> BigInt,
        event -> Text,
        created_at -> Tstz,
        attempts -> Integer,
        attempted_at -> Nullable<Tstz>,
        next_attempt_at -> Nullable<Tstz>,
        delivered_at -> Nullable<Tstz>,
        problem -> Nullable<Text>,
    }
    __diesel_schema_migrations (version) {
        version -> Text,
    }
}

diesel::joinable!(social_auth -> users (user_id));
diesel::joinable!(sessions -> users (user_id));
diesel::joinable!(staff_sessions -> staff (staff_id));
diesel::joinable!(sessions -> api_clients (api_client_id));
diesel::joinable!(token_checks -> social_auth (social_auth_id));
diesel::joinable!(deactivations -> users (user_id));
diesel::joinable!(last_sign_ins -> users (user_id));
diesel::allow_tables_to_appear_in_same_query!(
    users,
    social_auth,
    sessions,
    api_clients,
    token_checks,
    deactivations,
    last_sign_ins,
    staff
);
diesel::allow_tables_to_appear_in_same_query!(audit_log, staff);
diesel::allow_tables_to_appear_in_same_query!(audit_log, api_clients);
diesel::allow_tables_to_appear_in_same_query!(unlinked_accounts, staff);
diesel::allow_tables_to_appear_in_same_query!(unlinked_accounts, api_clients);
diesel::allow_tables_to_appear_in_same_query!(standing_orders, staff);
diesel::allow_tables_to_appear_in_same_query!(standing_orders, api_clients);
diesel::allow_tables_to_appear_in_same_query!(staff, staff_sessions);
