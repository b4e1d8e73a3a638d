-- Of which shares of all events are those that a funnel looks at?
with identified as (
    {identified}
),
belonging as (
    {with_properties}
)
select min(sample_rate), max(sample_rate)
from belonging
where {is_relevant}
