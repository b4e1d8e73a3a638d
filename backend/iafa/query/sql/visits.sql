-- What was each session like? One row a session.
create temp table visit as
select *, count_view as views
from (
    {sessions}
)
