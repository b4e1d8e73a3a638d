-- Whose events are they, by the identity edges?
create or replace temp view events as
select event.* replace (coalesce(identities.owner_hash, event.user_hash) as user_hash)
from raw_events as event
left join identities
    on event.user_hash = identities.identity_hash
    and (event.user_id is null) = identities.is_anonymous
    and event.created_at >= identities.from_at
    and event.created_at <= identities.until_at
