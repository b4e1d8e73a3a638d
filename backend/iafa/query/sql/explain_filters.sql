-- Which conditions hold for these events, and what do they see?
with identified as (
    {identified}
)
select id, [{conditions}] as holds, [{texts}] as texts
from identified
where entity = $person
    and id in (select unnest($ids))
