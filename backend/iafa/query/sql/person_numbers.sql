-- What do the events of one person come to?
with theirs as (
    {theirs}
)
{asked}
