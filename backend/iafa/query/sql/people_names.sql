-- Who are these entities? The label of a person is the user of the earliest event, then the smallest id.
with identified as (
    {identified}
),
belonging as (
    {belonging}
),
asked as materialized (
    select entity, any_value(person) as person, min(time_us) as first_us, max(time_us) as last_us{held}
    from belonging
    where entity in (select unnest($entities))
    group by entity
),
named as (
    select entity as person,
        arg_min(user_id, (created_at, user_id)) filter (where user_id is not null) as user_id,
        arg_min(anonymous_id, (created_at, anonymous_id)) filter (where anonymous_id is not null) as anonymous_id
    from identified
    where entity in (select person from asked)
    group by entity
)
select entity, first_us, last_us, user_id, anonymous_id{held_names}
from asked
left join named using (person)
