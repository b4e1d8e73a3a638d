-- Who is meant: an entity of the question, else a user, else a visitor?
with identified as (
    {identified}
),
belonging as (
    {belonging}
)
select person, {rank} as rank, min(time_us) as first_us
from belonging
where {rank} < 3
group by all
order by rank, first_us, person
limit 1
