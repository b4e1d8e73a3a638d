-- What was each session like? One row a session.
select *, count_view as views
from (
    {sessions}
)
