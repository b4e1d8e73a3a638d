// The demo shop, served by the real server over a new data folder, and the Chromium that is installed: for scripts that
// look at pages.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const root = fileURLToPath(new URL("../../", import.meta.url));
const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

export const chromiumPath = process.env.CHROMIUM || places.find((place) => existsSync(place));
export const noChromium = "no Chromium found: install Debian's package `chromium` or set CHROMIUM to its path";

export function openChromium() {
  if (!chromiumPath) throw new Error(noChromium);
  return chromium.launch({ executablePath: chromiumPath, args: ["--disable-dev-shm-usage", ...(process.getuid?.() === 0 ? ["--no-sandbox"] : [])] });
}

/** Its address and login, as it prints them. Without `kept` the data is made anew and removed at the end. */
export async function startDemo(kept) {
  const data = kept ?? (await mkdtemp(join(tmpdir(), "iafa-demo-")));
  const child = spawn(join(root, ".venv/bin/iafa"), ["demo", "--port", "0", "--data-dir", data, "--no-live"], { cwd: root });
  const gone = new Promise((resolve) => child.once("exit", resolve));
  const stop = async () => {
    child.kill("SIGTERM");
    await gone;
    if (!kept) await rm(data, { recursive: true, force: true });
  };
  try {
    const login = await greeting(child);
    await ready(login.url);
    return { ...login, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function greeting(child) {
  let said = "";
  return new Promise((resolve, reject) => {
    const read = (chunk) => {
      said += chunk;
      const [url, email, password] = [/http:\/\/127\.0\.0\.1:\d+/, /sign in as\s+(\S+)/, /password\s+(\S+)/].map((part) => part.exec(said));
      if (url && email && password) resolve({ url: url[0], email: email[1], password: password[1] });
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.once("exit", (code) => reject(new Error(`the demo ended with ${code}:\n${said}`)));
  });
}

async function ready(url) {
  for (;;) {
    const answer = await fetch(`${url}/health/ready`).catch(() => null);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
