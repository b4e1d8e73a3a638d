"""Options of a funnel definition that exclude each other. Each rule names the field that has to change."""

from iafa.query.definition import FunnelDefinition
from iafa.query.field_errors import FieldErrors, pointer_to


def check_combinations(definition: FunnelDefinition, errors: FieldErrors) -> None:
    """Add an error for every combination that has no meaning (section 4 of the semantics)."""
    _check_stages(definition, errors)
    _check_exclusions(definition, errors)
    _check_modes(definition, errors)


def _check_stages(definition: FunnelDefinition, errors: FieldErrors) -> None:
    last = len(definition.stages)
    for number, stage in enumerate(definition.stages, start=1):
        at = pointer_to("/stages", number - 1)
        has_window = stage.within_seconds is not None or stage.after_seconds is not None
        field = "within_seconds" if stage.within_seconds is not None else "after_seconds"
        if stage.optional and number in (1, last):
            errors.add(f"{at}/optional", "conflicting_fields", "the first and the last stage cannot be optional")
        elif stage.optional and definition.order != "ordered":
            errors.add(f"{at}/optional", "conflicting_fields", "optional stages need order: ordered")
        elif stage.optional and definition.tie == "grace":
            errors.add(f"{at}/optional", "conflicting_fields", "optional stages need tie: any or strict")
        elif stage.optional and definition.count == "totals":
            errors.add(f"{at}/optional", "conflicting_fields", "optional stages need count: unique")
        if has_window and number == 1:
            errors.add(f"{at}/{field}", "conflicting_fields", "the first stage has no stage before it")
        elif has_window and stage.optional:
            errors.add(f"{at}/{field}", "conflicting_fields", "an optional stage has no window of its own")
        elif has_window and definition.order == "unordered":
            errors.add(f"{at}/{field}", "conflicting_fields", "windows between stages need an order")
        elif stage.within_seconds is not None and (stage.after_seconds or 0) > stage.within_seconds:
            errors.add(f"{at}/after_seconds", "conflicting_fields", "must not be more than within_seconds")


def _check_exclusions(definition: FunnelDefinition, errors: FieldErrors) -> None:
    for index, exclusion in enumerate(definition.exclusions):
        at = pointer_to("/exclusions", index)
        if exclusion.from_stage >= exclusion.to_stage:
            errors.add(f"{at}/to_stage", "conflicting_fields", "must come after from_stage")
        for field in ("from_stage", "to_stage"):
            if definition.stages[getattr(exclusion, field) - 1].optional:
                errors.add(f"{at}/{field}", "conflicting_fields", "must not name an optional stage")
        if definition.order == "unordered" and (exclusion.from_stage, exclusion.to_stage) != (
            1,
            len(definition.stages),
        ):
            errors.add(f"{at}/from_stage", "conflicting_fields", "without an order an exclusion spans all stages")


def _check_modes(definition: FunnelDefinition, errors: FieldErrors) -> None:
    if definition.first_required and definition.order != "unordered":
        errors.add("/first_required", "conflicting_fields", "belongs to order: unordered")
    if definition.strict_scope == "filtered" and definition.order != "strict":
        errors.add("/strict_scope", "conflicting_fields", "belongs to order: strict")
    if definition.tie != "any" and definition.order == "unordered":
        errors.add("/tie", "conflicting_fields", "without an order there are no ties")
    if definition.tie == "grace" and definition.count == "totals":
        errors.add("/tie", "conflicting_fields", "count: totals allows no grace")
    if definition.tie == "grace" and definition.order == "strict":
        errors.add("/tie", "conflicting_fields", "order: strict allows no grace")
    if definition.tie == "grace" and any(
        stage.within_seconds is not None or stage.after_seconds is not None for stage in definition.stages
    ):
        errors.add("/tie", "conflicting_fields", "windows between stages allow no grace")
    if definition.sessions == "client" and definition.unit != "session":
        errors.add("/sessions", "conflicting_fields", "belongs to unit: session")
    breakdown = definition.breakdown
    if breakdown is not None and definition.count == "totals" and breakdown.attribution == "each":
        errors.add("/breakdown/attribution", "conflicting_fields", "each counts people, not totals")
    if (
        breakdown is not None
        and breakdown.attribution == "each"
        and definition.order == "unordered"
        and not definition.first_required
    ):
        # The first event may fill any stage there, so no single event carries the value of the entry.
        errors.add("/breakdown/attribution", "conflicting_fields", "each needs an order or first_required")
    if breakdown is not None and definition.stages[breakdown.stage - 1].optional:
        errors.add("/breakdown/attribution", "conflicting_fields", "must not name an optional stage")
