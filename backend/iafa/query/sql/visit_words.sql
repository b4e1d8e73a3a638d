-- Which different things do events say, what do they come to, and by which hash is each known?
select hash({names}) as hash, {meant}
from (
    select distinct {said}
    from (
        {events}
    )
    where {flag}
) as word({names})
limit $most + 1
