import { makeQueryClient, Providers } from "@/app/providers";
import { PROJECT_ID } from "@/test/service";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { CardSheet } from "./card-sheet";

test("the editor of a note says that it knows no markup", async () => {
  render(
    <Providers client={makeQueryClient()}>
      <CardSheet projectId={PROJECT_ID} views={[]} card={null} onClose={() => undefined} onSave={() => Promise.resolve()} />
    </Providers>,
  );
  await userEvent.setup().click(screen.getByRole("radio", { name: /^Note/ }));
  expect(screen.getByRole("textbox", { name: "Text" })).toHaveAccessibleDescription(/^Plain text/);
});
