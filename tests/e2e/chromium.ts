/** Finds the Chromium that is installed and opens it; nothing is downloaded. */
import { existsSync } from "node:fs";
import { chromium, type Browser } from "playwright-core";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

export const chromiumPath = process.env.CHROMIUM ?? PLACES.find((place) => existsSync(place));
export const skipReason = "no Chromium found: install Debian's package `chromium` or set CHROMIUM to its path";

export function openChromium(): Promise<Browser> {
  if (!chromiumPath) throw new Error(skipReason);
  const asRoot = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({ executablePath: chromiumPath, args: ["--disable-dev-shm-usage", ...asRoot] });
}
