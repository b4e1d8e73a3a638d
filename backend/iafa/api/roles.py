"""The least role that each operation demands of a member: the one table of who may do what."""

from collections.abc import Mapping

from iafa.meta.roles import Role

_OPERATIONS: Mapping[Role, tuple[str, ...]] = {
    # Reads reports and lists, and changes nothing but the own account.
    "viewer": (
        *("me", "change_me", "leave", "list_members", "list_projects", "read_project", "project_status"),
        *("read_tracking_code", "list_funnels", "read_funnel", "list_alerts", "read_alert"),
        *("ask_saved_funnel", "ask_funnel", "get_funnel_receipt", "get_receipt", "ask_saved_drivers", "ask_drivers"),
        *("ask_saved_next_steps", "ask_next_steps", "suggest_funnels", "list_funnel_people", "list_people"),
        *("explain_funnel_person", "explain_person", "export_funnel_people", "export_people"),
        *("list_event_names", "list_properties", "list_values", "read_schema", "list_events", "export_events"),
        *(
            "get_sessions",
            "ask_sessions",
            "get_overview",
            "ask_overview",
            "get_present",
            "get_anomalies",
            "ask_anomalies",
        ),
        *("ask_trends", "ask_trends_of_series", "get_retention", "ask_retention", "get_paths", "ask_paths"),
        *("get_journey", "list_project_people", "get_person", "list_person_events", "export_person"),
        *("list_quarantine", "count_quarantine", "export_quarantine", "make_live_ticket"),
        *("list_erasures", "get_erasure", "diagnose", "read_quality"),
        *("list_views", "read_view", "list_boards", "read_board", "list_notes"),
    ),
    # Makes and changes what people look at.
    "editor": (
        *("create_funnel", "change_funnel", "delete_funnel"),
        *("create_alert", "change_alert", "delete_alert", "test_alert"),
        *("create_view", "change_view", "delete_view", "create_board", "change_board", "delete_board"),
        *("create_note", "change_note", "delete_note", "list_shares", "create_share", "delete_share"),
    ),
    # Manages projects, keys, what was not stored, people and members.
    "admin": (
        *("create_project", "change_project", "list_keys", "create_key", "rotate_key", "revoke_key"),
        *("replay_quarantine", "delete_quarantine", "erase_person"),
        *("change_member", "remove_member", "create_invitation", "list_invitations", "revoke_invitation"),
        *("list_audit", "export_audit", "read_system"),
    ),
    # Ends things for good. Only owners make and unmake owners, too: see meta/roles.
    "owner": ("delete_project",),
}

LEAST_ROLE: Mapping[str, Role] = {name: role for role, names in _OPERATIONS.items() for name in names}
