// A JupyterLab in Chromium, as its user handles it: LAB_URL is where it is. Imported by browser.mjs.
import fs from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';

export const PATIENCE = 3_600_000;
export const url = process.env.LAB_URL;
export const origin = new URL(url).origin;
export const headers = { Authorization: `token ${new URL(url).searchParams.get('token')}` };
export const pause = ms => new Promise(r => setTimeout(r, ms));
export const visible = '.jp-NotebookPanel:visible';

export const counted = { passed: 0, failed: 0 };

export async function check(name, action) {
  const start = Date.now();
  try {
    await action();
    counted.passed++;
    console.log(`passed  ${name} (${((Date.now() - start) / 1000).toFixed(0)} s)`);
  } catch (e) {
    counted.failed++;
    console.log(`FAILED  ${name}: ${String(e.message).slice(0, 1200)}`);
  }
}

export function must(holds, why) {
  if (!holds) throw new Error(typeof why === 'string' ? why : JSON.stringify(why));
}

export class Lab {
  constructor(folder, shots) {
    this.folder = folder;
    this.shots = shots;
    this.away = [];
    this.scriptErrors = [];
  }

  async start(executablePath) {
    this.browser = await chromium.launch({ executablePath, headless: true,
      args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'] });
    this.page = await this.newPage();
    return this.page;
  }

  /** A page of its own; what it asks of the network is noted. */
  async newPage() {
    const page = await (await this.browser.newContext({ viewport: { width: 1400, height: 1500 } })).newPage();
    page.setDefaultTimeout(120_000);
    page.on('request', r => {
      const u = new URL(r.url());
      if (!['127.0.0.1', 'localhost', ''].includes(u.hostname)) this.away.push(r.url());
    });
    page.on('pageerror', e => this.scriptErrors.push(String(e)));
    return page;
  }

  async api(what) {
    return (await fetch(`${origin}/api/${what}`, { headers })).json();
  }

  async menu(...names) {
    await this.page.locator('.lm-MenuBar-itemLabel', { hasText: new RegExp(`^${names[0]}$`) }).click();
    for (const [i, name] of names.slice(1).entries()) {
      const item = this.page.locator('.lm-Menu-item', { has: this.page.locator('.lm-Menu-itemLabel', { hasText: new RegExp(`^${name}$`) }) }).last();
      await item.waitFor();
      if (i < names.length - 2) await item.hover(); else await item.click();
    }
  }

  /** Opens a notebook, the only one, and waits until its kernel is there. */
  async open(name) {
    await this.page.goto('about:blank');
    await this.shutDown();
    await this.page.goto(`${origin}/lab/tree/${name}?reset`, { waitUntil: 'domcontentloaded' });
    await this.page.locator(`${visible} .jp-Cell`).first().waitFor();
    await this.ready();
  }

  async ready() {
    await this.page.locator(`${visible} .jp-KernelName`, { hasText: 'RecallLab' }).first().waitFor({ timeout: PATIENCE });
    const end = Date.now() + PATIENCE;
    while (Date.now() < end) {
      const kernels = await this.api('kernels');
      const connected = await this.page.locator('#jp-main-statusbar', { hasText: '| Idle' }).count() > 0;      // the page's own connection
      if (connected && kernels.length > 0 && kernels.every(k => k.execution_state === 'idle')) return;
      await pause(300);
    }
    throw new Error('the kernel is not ready');
  }

  saved(name) {
    return JSON.parse(fs.readFileSync(path.join(this.folder, name), 'utf8'));
  }

  /** Saves until a condition holds of the cells in the file. */
  async until(name, holds) {
    const end = Date.now() + PATIENCE;
    while (Date.now() < end) {
      await this.page.keyboard.press('Escape');
      await this.page.keyboard.press('Control+s');
      await pause(1500);
      let notebook;
      try {
        notebook = this.saved(name);
      } catch (e) {
        continue;                               // it is being written
      }
      if (holds(code(notebook))) return notebook;
    }
    throw new Error('not done in time');
  }

  async runAll(name) {
    await this.menu('Run', 'Run All Cells');
    await this.until(name, settled);
    await this.ready();
    return code(await this.until(name, settled));
  }

  async shot(name, page = this.page) {
    await page.screenshot({ path: path.join(this.shots, `${name}.png`) });
  }

  async theme(name) {
    if (await this.page.evaluate(() => document.body.dataset.jpThemeName) === name) return;
    await this.menu('Settings', 'Theme', name);
    await this.page.locator(`body[data-jp-theme-name="${name}"]`).waitFor({ state: 'attached' });
  }

  /** Screenshots in both themes of what is now in view. */
  async bothThemes(name, bringIntoView = async () => {}) {
    for (const kind of ['Light', 'Dark']) {
      await this.theme(`JupyterLab ${kind}`);
      await bringIntoView();
      await pause(300);
      await this.shot(`${name}-${kind.toLowerCase()}`);
      must(fs.statSync(path.join(this.shots, `${name}-${kind.toLowerCase()}.png`)).size > 20_000, `${name}-${kind.toLowerCase()}.png is empty`);
    }
    await this.theme('JupyterLab Light');
  }

  /** Scrolls the notebook until something is in view: cells far from it are not drawn, and drawn ones may be hidden again. */
  async bring(css) {
    for (let i = 0; i < 200; i++) {
      const found = await this.page.evaluate(([what, isFirst]) => {
        const panel = [...document.querySelectorAll('.jp-NotebookPanel')].find(p => p.offsetParent !== null);
        const outer = panel.querySelector('.jp-WindowedPanel-outer');
        const seen = [...panel.querySelectorAll(what)].find(e => e.getBoundingClientRect().width > 0 && getComputedStyle(e).visibility === 'visible');
        if (seen) {
          seen.scrollIntoView({ block: 'center' });
          return true;
        }
        if (isFirst) outer.scrollTop = 0; else outer.scrollBy(0, 500);
        return false;
      }, [css, i === 0]);
      await pause(found ? 400 : 150);
      if (found && await this.page.evaluate(what => [...document.querySelectorAll(what)].some(e => {
        const box = e.getBoundingClientRect();
        return box.width > 0 && box.bottom > 0 && box.top < innerHeight;
      }), css)) return;
    }
    throw new Error(`${css} does not come into view`);
  }

  /** A notebook of some cells, in the Lab's folder. */
  scratch(name, ...cells) {
    const notebook = { nbformat: 4, nbformat_minor: 5, cells: cells.map((source, i) => ({ cell_type: 'code', id: `c${i}`, source, metadata: {},
      execution_count: null, outputs: [] })), metadata: { kernelspec: { name: 'recall-java', display_name: 'Java (RecallLab)', language: 'java' } } };
    fs.writeFileSync(path.join(this.folder, name), JSON.stringify(notebook));
  }

  /** The same notebook from somebody else: another hash, which nobody has trusted. */
  foreign(name, copy) {
    const notebook = this.saved(name);
    for (const c of notebook.cells) {
      c.metadata = {};
      c.source = `${[c.source].flat().join('')} // of somebody else`;
    }
    fs.writeFileSync(path.join(this.folder, copy), JSON.stringify(notebook));
  }

  async shutDown() {
    for (const k of await this.api('kernels')) await fetch(`${origin}/api/kernels/${k.id}`, { method: 'DELETE', headers });
  }
}

export const code = notebook => notebook.cells.filter(c => c.cell_type === 'code' && [c.source].flat().join('').trim() !== '');
export const errors = cells => cells.flatMap(c => c.outputs.filter(o => o.output_type === 'error').map(o => `${o.ename}: ${o.evalue}`));
export const settled = cells => cells.every(c => c.execution_count !== null) || errors(cells).length > 0;
export const html = output => [output.data?.['text/html'] || ''].flat().join('');
/** How many tables and pictures a cell shows, those aside that only say how far it is: what is kept is not computed again. */
export const shown = cell => cell.outputs.filter(o => (o.data?.['text/html'] || o.data?.['image/png']) && !/^<(small|progress)\b/.test(html(o))).length;
