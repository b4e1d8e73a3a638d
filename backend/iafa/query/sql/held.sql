-- To which values of the properties held constant does the event belong? Where one is missing, to none.
select hash(entity, {values}) as entity, * exclude (entity)
from (
    {belonging}
)
where {are_known}
