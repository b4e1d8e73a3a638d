-- Who has an id, or a value that was said of them, with this text in it?
where user_hash in (
    select user_hash
    from (
        {events}
    )
    where contains(lower(user_id), lower({text}))
        or contains(lower(anonymous_id), lower({text}))
        or (
            event_type in ('identify', '$identify')
            and len(list_filter(properties ->> '$.*', lambda value: contains(lower(value), lower({text})))) > 0
        )
)
