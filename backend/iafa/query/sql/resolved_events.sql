-- Whose events are they, by the identity edges? An anonymous id may have several owners, one after the other.
select {columns}
from (
    {events}
) as event
left join identities
    on event.user_hash = identities.identity_hash
    and (event.user_id is null) = identities.is_anonymous
    and event.created_at >= identities.from_at
    and event.created_at <= identities.until_at
