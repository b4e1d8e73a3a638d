-- What did each session tell of itself? Texts are read at the one instant that counts, and ids decide where it ties.
select visit.person, visit.start_us, length_us, events, views, {dimensions}
from visit
left join (
    select visit.person, start_us, {told}
    from (
        {events}
    ) as event
    join visit on event.person = visit.person and time_us = {instant}
    where {flag}
    group by visit.person, start_us
) as told using (person, start_us)
