import { openPage } from "@/test/open-page";
import { answers, makeProject, PROJECT_ID, service } from "@/test/service";
import { screen, waitFor } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { expect, test, vi } from "vitest";

const zone = (name: string) => vi.spyOn(Intl.DateTimeFormat.prototype, "resolvedOptions").mockReturnValue({ timeZone: name } as Intl.ResolvedDateTimeFormatOptions);

test("the zone of the times is said: that of the project where one is chosen, else that of the browser", async () => {
  const asked: string[] = [];
  zone("Asia/Kolkata");
  service.use(
    answers.get("/projects", { projects: [makeProject({ timezone: "America/New_York" })] }),
    http.get("*/api/v1/audit", ({ request }) => {
      const search = new URL(request.url).searchParams;
      asked.push(`${search.get("start")} ${search.get("end")}`);
      return HttpResponse.json({ entries: [], next_cursor: null });
    }),
  );
  const { user } = openPage("/audit?from=2026-11-12&to=2026-11-12");
  expect(await screen.findByText(/Times in Asia\/Kolkata, the zone of your browser\.$/)).toBeInTheDocument();
  await waitFor(() => expect(asked.at(-1)).toBe("2026-11-11T18:30:00.000Z 2026-11-12T18:30:00.000Z"));
  await screen.findByRole("option", { name: "Shop" });
  await user.selectOptions(screen.getByRole("combobox", { name: "Project" }), PROJECT_ID);
  expect(await screen.findByText(/Times in America\/New_York\.$/)).toBeInTheDocument();
  await waitFor(() => expect(asked.at(-1)).toBe("2026-11-12T05:00:00.000Z 2026-11-13T05:00:00.000Z"));
  vi.restoreAllMocks();
});

test("the system page says its zone, too", async () => {
  zone("Asia/Kolkata");
  service.use(answers.problem("get", "/system", 403, { code: "insufficient_scope", title: "x", retryable: false }));
  openPage("/system");
  expect(await screen.findByText(/Times in Asia\/Kolkata, the zone of your browser\.$/)).toBeInTheDocument();
  vi.restoreAllMocks();
});
