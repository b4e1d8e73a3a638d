-- Whose session goes on at the edge of what was read, from which instant inward? Places count away from the range.
select person, max({sign} * time_us) as place
from (
    {events}
)
where {sign} * time_us > $edge - $session_gap_us
group by person
