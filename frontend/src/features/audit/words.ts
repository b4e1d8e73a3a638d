export const words = {
  title: "Audit log",
  lead: "Who did what, newest first. Each entry holds the hash of the one before, so that a changed log shows.",
  table: "Entries of the audit log",
  heads: { at: "When", actor: "Who", action: "What", object: "On", details: "Details" },
  action: "Action",
  anyAction: "Any action",
  project: "Project",
  anyProject: "Any project",
  empty: { title: "Nothing yet", text: "No entry meets these filters." },
  entry: (id: string) => `Entry ${id}`,
  export: "Export",
  server: "the server",
  actions: {
    alert: "Alerts", audit: "Audit log", backup: "Backups", board: "Boards", events: "Exports of events", funnel: "Funnels", identity: "Identities",
    invitation: "Invitations", key: "Keys", member: "Members", organization: "Organization", password: "Passwords", people: "Lists of people",
    person: "Single people", project: "Projects", quarantine: "Quarantine", repair: "Repairs", retention: "Retention", share: "Share links", sign_in: "Sign-ins",
  },
} as const;
