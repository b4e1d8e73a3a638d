/** Boards: cards of several kinds, moved by mouse and keys, shared with a password, opened by somebody without an account. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chromiumPath, skipReason } from "./chromium";
import { expectToStand } from "./page-checks";
import { newPerson, photograph } from "./person";
import { drag, leave, openShop, type Shop } from "./shop";

const HOSTILE = `<img src=x onerror="document.title='stolen'">`;
const HEBREW = "שלום עולם";
const LINK_PASSWORD = "over the hills";
/** Six people view, three of them buy, over three days. */
const crowd = (): object[] =>
  Array.from({ length: 6 }, (_none, person) => {
    const at = new Date(Date.now() - 3_600_000 - (person % 3) * 86_400_000).toISOString();
    const later = new Date(Date.parse(at) + 60_000).toISOString();
    const one = (event_type: string, timestamp: string): object => ({ event_type, user_id: `${HEBREW} ${person}`, timestamp });
    return person < 3 ? [one(HOSTILE, at), one("buy", later)] : [one(HOSTILE, at)];
  }).flat();

const card = (page: Page, name: string) => page.getByRole("region", { name, exact: true }).first();
const numbersOf = (page: Page, name: string): Promise<string[]> => card(page, name).locator(".figures").allInnerTexts();

describe.skipIf(!chromiumPath)(`boards${chromiumPath ? "" : ` (${skipReason})`}`, () => {
  let shop: Shop;
  let board: string;
  let link: string;

  const stored = (): Promise<{ cards: { id: string; x: number; y: number; w: number; h: number; title: string | null }[] }> =>
    shop.ask("GET", `/projects/${shop.projectId}/${board}`);

  beforeAll(async () => {
    shop = await openShop(HOSTILE);
    await shop.send(crowd());
    await shop.ask("POST", "/funnels", { project_id: shop.projectId, name: HOSTILE, stages: [{ name: HOSTILE, event: HOSTILE }, { name: "Buy", event: "buy" }] });
  });
  afterAll(() => shop?.close());

  test("a board is made with three kinds of cards", async () => {
    const person = await shop.enter("boards");
    const { page } = person;
    await page.getByRole("button", { name: "New board" }).first().click();
    await page.getByRole("dialog").getByLabel("Name").fill(HOSTILE);
    await page.getByRole("button", { name: "Create board" }).click();
    await page.getByRole("heading", { name: "This board has no cards yet" }).waitFor();
    board = page.url().slice(shop.base.length + 1);
    const sheet = page.getByRole("dialog");
    const add = async (kind: string, fill: () => Promise<unknown>): Promise<void> => {
      await page.getByRole("button", { name: "Add card" }).first().click();
      await sheet.getByText("A new question").click();
      await sheet.getByRole("radio", { name: kind }).check({ force: true });
      await fill();
      await sheet.getByRole("button", { name: "Save card" }).click();
      await sheet.waitFor({ state: "detached" });
    };
    await add("Funnel", () => sheet.getByLabel("Funnel", { exact: true }).last().selectOption({ label: HOSTILE }));
    await add("Trends", async () => {
      await sheet.getByRole("combobox", { name: "Event" }).fill("buy");
      await sheet.getByLabel("Title").fill("Buyers");
    });
    await add("Note", () => sheet.getByRole("textbox", { name: "Text" }).fill(`${HOSTILE}\n${HEBREW}`));
    await card(page, HOSTILE).getByText("3 of 6 converted").waitFor();
    await card(page, "Buyers").locator("svg.recharts-surface").waitFor();
    expect(await numbersOf(page, "Buyers")).toContain("3");
    expect(await page.locator("img").count()).toBe(0);
    expect(await page.title()).toContain("<img");
    await leave(person);
  });

  test("cards are dragged, resized and moved by keys, and stay so", async () => {
    const person = await shop.enter(board);
    const { page } = person;
    const grip = page.getByRole("button", { name: /^Move Buyers/ });
    const before = await stored();
    const buyers = before.cards.find((one) => one.title === "Buyers");
    expect(buyers).toMatchObject({ x: 6, y: 0, w: 6 });
    if (!buyers) throw new Error("no card");
    const saved = (): Promise<unknown> => page.waitForResponse((answer) => answer.request().method() === "PUT" && answer.ok());
    let done = saved();
    await drag(page, grip, [-200, 30], [-700, 120]);
    await done;
    const dragged = (await stored()).cards.find((one) => one.id === buyers.id);
    expect(dragged?.x).toBeLessThan(6);

    done = saved();
    await drag(page, card(page, "Buyers").locator("xpath=..").locator(".react-resizable-handle"), [0, 150]);
    await done;
    const sized = (await stored()).cards.find((one) => one.id === buyers.id);
    expect(sized?.h).toBeGreaterThan(buyers.h);

    done = saved();
    await grip.focus();
    await page.keyboard.press("Shift+ArrowUp");
    await done;
    expect((await stored()).cards.find((one) => one.id === buyers.id)?.h).toBe((sized?.h ?? 0) - 1);
    done = saved();
    await page.getByRole("button", { name: "Actions for the card Buyers" }).click();
    await page.getByRole("menuitem", { name: "Narrower" }).click();
    await done;
    await page.keyboard.press("Escape");
    const after = await stored();
    expect(after.cards.find((one) => one.id === buyers.id)?.w).toBe(5);

    await page.reload();
    await card(page, "Buyers").waitFor();
    const seen = await card(page, "Buyers").boundingBox();
    const grid = await page.locator(".react-grid-layout").boundingBox();
    const place = after.cards.find((one) => one.id === buyers.id);
    expect(Math.round((((seen?.x ?? 0) - (grid?.x ?? 0)) / (grid?.width ?? 1)) * 12)).toBe(place?.x);

    done = saved();
    await page.getByRole("button", { name: "Actions for the card Buyers" }).click();
    await page.getByRole("menuitem", { name: "Remove card" }).click();
    await done;
    done = saved();
    await page.getByRole("button", { name: "Undo" }).click();
    await done;
    expect((await stored()).cards.map((one) => one.id).sort()).toEqual(after.cards.map((one) => one.id).sort());
    await leave(person);
  });

  test("a link with a password shows the same numbers to a stranger, and nothing else", async () => {
    const person = await shop.enter(board);
    await card(person.page, HOSTILE).getByText("3 of 6 converted").waitFor();
    await card(person.page, "Buyers").locator("svg.recharts-surface").waitFor();
    const own = [await numbersOf(person.page, HOSTILE), await numbersOf(person.page, "Buyers")];
    await person.page.getByRole("button", { name: "Share" }).click();
    await person.page.getByLabel("For whom").fill(HOSTILE);
    await person.page.getByLabel("Days they may choose").selectOption("30");
    await person.page.getByLabel("Password").fill(LINK_PASSWORD);
    await person.page.getByRole("button", { name: "Make link" }).click();
    link = await person.page.getByLabel("Link", { exact: true }).inputValue();
    await photograph(person.page, "share-light");

    const guest = await newPerson(shop.browser, { reducedMotion: "reduce" });
    const { page } = guest;
    const asked: string[] = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    await page.goto(link);
    await page.getByRole("heading", { name: "This link has a password" }).waitFor();
    await page.getByLabel("Password").fill("not the password");
    await page.getByRole("button", { name: "Open" }).click();
    await page.getByText("The password is wrong.").waitFor();
    await photograph(page, "shared-locked-light");
    await page.getByLabel("Password").fill(LINK_PASSWORD);
    await page.getByRole("button", { name: "Open" }).click();
    await card(page, HOSTILE).getByText("3 of 6 converted").waitFor();
    await card(page, "Buyers").locator("svg.recharts-surface").waitFor();
    expect([await numbersOf(page, HOSTILE), await numbersOf(page, "Buyers")]).toEqual(own);
    await page.getByLabel("Days").selectOption("7");
    await page.waitForURL("**?days=7");
    await card(page, HOSTILE).getByText("3 of 6 converted").waitFor();
    expect(await page.getByRole("navigation").count()).toBe(0);
    expect(await page.getByRole("link").count()).toBe(0);
    expect(await page.locator('meta[name="robots"]').getAttribute("content")).toContain("noindex");
    expect(asked.filter((path) => path.startsWith("/api/") && !path.startsWith("/api/v1/shared/"))).toEqual([]);
    expect((await guest.context.cookies()).length).toBe(0);
    await page.goto(`${shop.base}/${board}`);
    await page.waitForURL("**/sign-in?next=*");
    // That a password is needed, and that one was wrong, are answers of the service.
    guest.complaints.splice(0, guest.complaints.length, ...guest.complaints.filter((one) => !(one.includes("401") && one.includes("/api/v1/shared/"))));
    await leave(guest, person);
  });

  test("boards and links stand up: no fault, no sideways scrolling", async () => {
    const person = await shop.enter("boards");
    const { page } = person;
    await page.getByRole("heading", { name: HOSTILE }).waitFor();
    await expectToStand(page, "boards");
    await page.goto(`${shop.base}/${board}`);
    await card(page, HOSTILE).getByText("3 of 6 converted").waitFor();
    await expectToStand(page, "board");
    await page.goto(`${shop.base}/${board}?tv=yes`);
    await page.getByRole("button", { name: "Leave full screen" }).waitFor();
    await card(page, HOSTILE).getByText("3 of 6 converted").waitFor();
    await expectToStand(page, "board-tv");
    await page.goto(link);
    await page.getByLabel("Password").fill(LINK_PASSWORD);
    await page.getByRole("button", { name: "Open" }).click();
    await card(page, HOSTILE).getByText("3 of 6 converted").waitFor();
    await expectToStand(page, "shared");
    expect(person.complaints.filter((one) => !one.includes("401"))).toEqual([]);
    await person.context.close();
  });

  test("a note on a day is written, changed and taken back", async () => {
    const person = await shop.enter(board);
    const { page } = person;
    await page.getByRole("button", { name: "Actions for this board" }).click();
    await page.getByRole("menuitem", { name: "Notes on dates" }).click();
    const sheet = page.getByRole("dialog", { name: "Notes on dates" });
    await sheet.getByLabel("Note", { exact: true }).fill(HOSTILE);
    await sheet.getByRole("button", { name: "Save note" }).click();
    await sheet.getByRole("listitem").getByText(HOSTILE).waitFor();
    await page.keyboard.press("Escape");
    // The chart says the note of the last day in its tooltip.
    const chart = card(page, "Buyers").locator("svg.recharts-surface");
    await chart.locator(".recharts-reference-line").waitFor({ state: "attached" });
    await page.getByRole("button", { name: "Actions for this board" }).click();
    await page.getByRole("menuitem", { name: "Notes on dates" }).click();
    await photograph(page, "notes-light");
    await sheet.getByRole("button", { name: `Delete the note ${HOSTILE}` }).click();
    await sheet.getByRole("button", { name: "Undo" }).click();
    await sheet.getByRole("listitem").getByText(HOSTILE).waitFor();
    await leave(person);
  });

  test("a revoked link is told in words", async () => {
    const person = await shop.enter(board);
    const { page } = person;
    await page.getByRole("button", { name: "Share" }).click();
    await page.getByRole("button", { name: `Revoke ${HOSTILE}` }).click();
    const gone = page.waitForResponse((answer) => answer.request().method() === "DELETE" && answer.ok());
    await page.getByRole("button", { name: "Revoke link", exact: true }).click();
    await gone;
    await page.getByText("Link revoked").waitFor();
    await page.keyboard.press("Escape");
    const guest = await newPerson(shop.browser);
    await guest.page.goto(link);
    await guest.page.getByRole("heading", { name: "There is nothing behind this link" }).waitFor();
    await photograph(guest.page, "shared-gone-light");
    expect(guest.complaints.filter((one) => !one.includes("404"))).toEqual([]);
    await guest.context.close();
    await leave(person);
  });
});
